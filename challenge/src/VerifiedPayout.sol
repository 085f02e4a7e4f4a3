// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IClaimVerifier} from "./IClaimVerifier.sol";
import {OnceOnly} from "./OnceOnly.sol";
import {TensorReader} from "./TensorReader.sol";

/// @title The main contract: money that a model's verified answer moves.
/// @notice Somebody locks a sum on one input ("this applicant", "this image") and one answer ("will repay", "a seven"). Whoever
/// proves what the program says about that input settles it: that answer pays the beneficiary, another one the funder.
/// @dev Both payees are fixed before any proof exists, so copying a proof out of the mempool gains nothing. Whoever sees `open`
/// in the mempool may open a worthless order on the same input first. A hidden input is then committed to with another salt; an
/// order on a public one is settled with its proof and opened anew in one transaction, which nobody can come between.
contract VerifiedPayout is OnceOnly {
    /// @notice A sum that waits for an answer.
    struct Order {
        address funder;
        uint64 deadline;
        address beneficiary;
        uint32 answer;
        uint256 amount;
    }

    /// @notice Checks the claims.
    IClaimVerifier public immutable VERIFIER;
    /// @notice The program whose answers count.
    bytes32 public immutable PROGRAM_ID;
    /// @notice Who sees what in its claims.
    uint8 public immutable PRIVACY;
    /// @notice Dtype of the program's first output, 0 to 3.
    uint8 public immutable DTYPE;

    /// @notice Open orders by their input commitments.
    mapping(bytes32 inputsId => Order) public orders;
    /// @notice What each account can withdraw, in wei.
    mapping(address account => uint256) public balances;

    /// @notice A sum was locked.
    event Opened(bytes32 indexed inputsId, address indexed beneficiary, uint32 answer, uint256 amount);
    /// @notice The deadline has passed, and the funder can withdraw.
    event Reclaimed(bytes32 indexed inputsId, address indexed funder, uint256 amount);
    /// @notice The model has answered, and `payee` can withdraw.
    event Settled(bytes32 indexed inputsId, bytes32 indexed claimId, uint256 answer, address indexed payee);

    /// @notice A claim that commits to no input cannot be tied to an order.
    error NothingCommitted(uint8 privacy);
    /// @notice The program's first output is of dtype `pinned`; read as another one it would decide something else.
    error WrongDtype(uint8 pinned, uint8 given);
    /// @notice No open order has this input.
    error UnknownOrder(bytes32 inputsId);
    /// @notice An order on this input is still open.
    error OrderIsOpen(bytes32 inputsId);
    /// @notice An order lacks something; `rule` says what.
    error BadOrder(string rule);
    /// @notice The funder has to wait: reclaiming is legal from `deadline` on.
    error TooEarly(uint64 deadline);
    /// @notice The answer comes too late: settling was legal before `deadline`.
    error TooLate(uint64 deadline);
    /// @notice Only the funder can take an order back.
    error NotFunder(address sender);
    /// @notice The account refuses the money.
    error TransferFailed(address account);

    /// @param verifier Trusted, with its deployer, to have pinned the right key; that must be done already.
    /// @param programId The program whose answers count.
    /// @param privacy Who sees what; see Deployment.
    /// @param dtype Of the first output, as its deployer understands the program; compared with what is pinned.
    constructor(IClaimVerifier verifier, bytes32 programId, uint8 privacy, uint8 dtype) {
        if (privacy & 15 > 1) revert NothingCommitted(privacy);
        uint8 pinned = verifier.outputDtype(programId, privacy);
        if (dtype != pinned) revert WrongDtype(pinned, dtype);
        (VERIFIER, PROGRAM_ID, PRIVACY, DTYPE) = (verifier, programId, privacy, dtype);
    }

    /// @notice Locks the sent value until somebody proves the answer, or the deadline passes.
    /// @param inputsId The list of input commitments as one word, as IClaimVerifier.verify returns it.
    /// @param answer The answer that pays the beneficiary; any other one pays the sender back.
    /// @param deadline First second, unix time, in which the order can no longer be settled but reclaimed.
    function open(bytes32 inputsId, uint32 answer, address beneficiary, uint64 deadline) external payable {
        if (msg.value == 0) revert BadOrder("no money");
        if (beneficiary == address(0)) revert BadOrder("no beneficiary");
        if (deadline <= block.timestamp) revert BadOrder("no time");
        // INVARIANT: at most one open order for an input commitment, so money that is locked is never overwritten.
        if (orders[inputsId].amount != 0) revert OrderIsOpen(inputsId);
        // INVARIANT: a hidden input counts once, ever (rule 9), else somebody could show another's proof as their own. Of a
        // public one everybody knows the answer anyway; spending it would let one wei block it for ever.
        if (PRIVACY & 15 != 0) _spend(inputsId);
        orders[inputsId] = Order(msg.sender, deadline, beneficiary, answer, msg.value);
        emit Opened(inputsId, beneficiary, answer, msg.value);
    }

    /// @notice Settles the order on these inputs. Anybody may send it, with the arguments of IClaimVerifier.verify.
    function settle(bytes[] calldata inputs, bytes[] calldata outputs, bytes calldata proof)
        external
        returns (uint256 answer)
    {
        (bytes32 claimId, bytes32 inputsId) = VERIFIER.verify(PROGRAM_ID, PRIVACY, inputs, outputs, proof);
        Order memory order = orders[inputsId];
        if (order.amount == 0) revert UnknownOrder(inputsId);
        // INVARIANT: at every timestamp exactly one of {settle, reclaim} is legal for an open order.
        if (block.timestamp >= order.deadline) revert TooLate(order.deadline);
        delete orders[inputsId];
        answer = decision(outputs[0]);
        address payee = answer == order.answer ? order.beneficiary : order.funder;
        // INVARIANT: balances sum to at most what the contract holds; an order is deleted before it is credited.
        balances[payee] += order.amount;
        emit Settled(inputsId, claimId, answer, payee);
    }

    /// @notice Takes back an order that nobody settled in time.
    function reclaim(bytes32 inputsId) external {
        Order memory order = orders[inputsId];
        if (order.amount == 0) revert UnknownOrder(inputsId);
        if (order.funder != msg.sender) revert NotFunder(msg.sender);
        if (block.timestamp < order.deadline) revert TooEarly(order.deadline);
        delete orders[inputsId];
        balances[order.funder] += order.amount;
        emit Reclaimed(inputsId, order.funder, order.amount);
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
}
