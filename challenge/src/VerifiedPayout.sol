// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "./TensorReader.sol";
import {IConsumer} from "./settle/IConsumer.sol";
import {ISettlement} from "./settle/ISettlement.sol";
import {IWay} from "./settle/IWay.sol";
import {Question} from "./settle/Question.sol";

/// @title The main contract: money that a model's final answer moves.
/// @notice Somebody locks a sum on one input ("this applicant", "this image") and one answer ("will repay", "a seven"), and asks
/// the Settlement what the program says. By whichever way that becomes final: the answer pays the beneficiary, another one the
/// funder.
/// @dev Both payees are fixed before there is an answer, so whoever delivers it gains nothing. A hidden input is asked about once
/// (rule 9): whoever sees `open` in the mempool can ask first, and it is committed to again with another salt.
contract VerifiedPayout is IConsumer {
    /// @notice A sum that waits for an answer.
    struct Order {
        address funder;
        uint40 deadline;
        address beneficiary;
        uint32 answer;
        uint256 amount;
    }

    /// @notice Gas of `onAnswer`: enough for an output of 500 integers. The answer of a longer one is taken by `settle`.
    uint32 public constant CALLBACK_GAS = 200_000;

    /// @notice Says what is final.
    ISettlement public immutable SETTLEMENT;
    /// @notice The program whose answers count.
    bytes32 public immutable PROGRAM_ID;
    /// @notice Who sees what in its claims.
    uint8 public immutable PRIVACY;
    /// @notice Dtype of the program's first output, 0 to 3.
    uint8 public immutable DTYPE;

    /// @notice The ways by which an answer may become final here. Never changed: both payees trust them.
    mapping(IWay way => bool) public accepted;
    /// @notice Open orders by their requests.
    mapping(bytes32 requestId => Order) public orders;
    /// @notice What each account can withdraw, in wei.
    mapping(address account => uint256) public balances;

    /// @notice A sum was locked.
    event Opened(
        bytes32 indexed requestId, bytes32 indexed inputsId, address indexed beneficiary, uint32 answer, uint256 amount
    );
    /// @notice The deadline has passed, and the funder can withdraw.
    event Reclaimed(bytes32 indexed requestId, address indexed funder, uint256 amount);
    /// @notice The model has answered, and `payee` can withdraw.
    event Settled(bytes32 indexed requestId, bytes32 indexed claimId, uint256 answer, address indexed payee);

    /// @notice The program's first output is of dtype `known`; read as another one it would decide something else.
    error WrongDtype(uint8 known, uint8 given);
    /// @notice An answer counts here only by the ways that were named when this contract was made.
    error WrongWay(IWay way);
    /// @notice Only the Settlement tells answers.
    error NotSettlement(address sender);
    /// @notice There is no open order of this request.
    error UnknownOrder(bytes32 requestId);
    /// @notice An order lacks something; `rule` says what.
    error BadOrder(string rule);
    /// @notice The funder has to wait: reclaiming is legal from `deadline` on.
    error TooEarly(uint40 deadline);
    /// @notice The answer comes too late: settling was legal before `deadline`.
    error TooLate(uint40 deadline);
    /// @notice Only the funder can take an order back.
    error NotFunder(address sender);
    /// @notice The account refuses the money.
    error TransferFailed(address account);

    /// @param settlement Says what is final.
    /// @param programId The program whose answers count. Every way has to know it already.
    /// @param privacy Who sees what; see Question.
    /// @param dtype Of the first output, as its deployer understands the program; compared with what each way knows.
    /// @param ways Those by which an answer may become final. Both payees trust each of them, and its contracts.
    constructor(ISettlement settlement, bytes32 programId, uint8 privacy, uint8 dtype, IWay[] memory ways) {
        for (uint256 i; i < ways.length; ++i) {
            uint8 known = ways[i].outputDtype(programId, privacy);
            if (dtype != known) revert WrongDtype(known, dtype);
            accepted[ways[i]] = true;
        }
        (SETTLEMENT, PROGRAM_ID, PRIVACY, DTYPE) = (settlement, programId, privacy, dtype);
    }

    /// @notice Asks, and locks the sent value, less the fee, until the answer is final or the deadline passes.
    /// @param inputsId The list of input commitments as one word; see Question.
    /// @param answer The answer that pays the beneficiary; any other one pays the sender back.
    /// @param deadline First second, unix time, in which the order can no longer be settled but reclaimed.
    /// @param way By which the answer is to become final.
    /// @param fee What the way is paid, in wei.
    /// @param terms What the way wants to know.
    /// @return requestId Names the order.
    function open(
        bytes32 inputsId,
        uint32 answer,
        address beneficiary,
        uint40 deadline,
        IWay way,
        uint256 fee,
        bytes calldata terms
    ) external payable returns (bytes32 requestId) {
        if (msg.value <= fee) revert BadOrder("no money");
        if (beneficiary == address(0)) revert BadOrder("no beneficiary");
        if (deadline <= block.timestamp) revert BadOrder("no time");
        if (!accepted[way]) revert WrongWay(way);
        // INVARIANT: Settlement never gives an id twice, so money that is locked is never overwritten.
        requestId = SETTLEMENT.request{value: fee}(_question(inputsId, deadline, way), terms);
        orders[requestId] = Order(msg.sender, deadline, beneficiary, answer, msg.value - fee);
        emit Opened(requestId, inputsId, beneficiary, answer, msg.value - fee);
    }

    /// @inheritdoc IConsumer
    function onAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) external {
        if (msg.sender != address(SETTLEMENT)) revert NotSettlement(msg.sender);
        _settle(requestId, claimId, outputs);
    }

    /// @notice Settles an order whose callback failed, for want of gas say. By anybody.
    function settle(Question calldata question, bytes32 claimId, bytes[] calldata outputs) external {
        bytes32 requestId = SETTLEMENT.take(question, claimId, outputs);
        _settle(requestId, claimId, outputs);
    }

    /// @notice Takes back an order that nobody settled in time.
    function reclaim(bytes32 requestId) external {
        Order memory order = orders[requestId];
        if (order.amount == 0) revert UnknownOrder(requestId);
        if (order.funder != msg.sender) revert NotFunder(msg.sender);
        if (block.timestamp < order.deadline) revert TooEarly(order.deadline);
        delete orders[requestId];
        balances[order.funder] += order.amount;
        emit Reclaimed(requestId, order.funder, order.amount);
    }

    /// @notice Pays out what an account has. Pulled, so that no payee can block a settlement.
    function withdraw() external {
        uint256 amount = balances[msg.sender];
        // INVARIANT: state before transfer, so whoever is called again finds nothing left to take.
        balances[msg.sender] = 0;
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert TransferFailed(msg.sender);
    }

    /// @notice What an output decides: the index of its greatest integer, the first one if several are; of a single integer,
    /// 1 if it is positive, else 0.
    function decision(bytes calldata output) public view returns (uint256 answer) {
        uint256 count = output.length / TensorReader.width(DTYPE);
        int256 best = count == 1 ? int256(0) : type(int256).min;
        for (uint256 i; i < count; ++i) {
            int256 value = TensorReader.element(output, DTYPE, i);
            if (value > best) (best, answer) = (value, count == 1 ? 1 : i);
        }
    }

    function _settle(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) private {
        Order memory order = orders[requestId];
        if (order.amount == 0) revert UnknownOrder(requestId);
        // INVARIANT: at every timestamp exactly one of {settle, reclaim} is legal for an open order.
        if (block.timestamp >= order.deadline) revert TooLate(order.deadline);
        delete orders[requestId];
        uint256 answer = decision(outputs[0]);
        address payee = answer == order.answer ? order.beneficiary : order.funder;
        // INVARIANT: balances sum to at most what the contract holds; an order is deleted before it is credited.
        balances[payee] += order.amount;
        emit Settled(requestId, claimId, answer, payee);
    }

    function _question(bytes32 inputsId, uint40 deadline, IWay way) private view returns (Question memory) {
        return Question({
            consumer: address(this),
            nonce: 0, // Settlement counts
            programId: PROGRAM_ID,
            inputsId: inputsId,
            privacy: PRIVACY,
            way: address(way),
            callbackGas: CALLBACK_GAS,
            deadline: deadline
        });
    }
}
