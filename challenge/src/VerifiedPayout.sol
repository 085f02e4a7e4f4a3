// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IClaimVerifier} from "./IClaimVerifier.sol";
import {OnceOnly} from "./OnceOnly.sol";
import {TensorReader} from "./TensorReader.sol";

/// @title The main contract: money that a model's verified answer moves.
/// @notice Somebody locks a sum on one input ("this applicant", "this image") and one answer ("will repay", "a seven"). Whoever
/// proves what the program says about that input settles it: that answer pays the beneficiary, another one the funder.
/// @dev Both payees are fixed before any proof exists, so copying a proof out of the mempool gains nothing.
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
    /// @notice The model has answered, and `payee` can withdraw.
    event Settled(bytes32 indexed inputsId, bytes32 indexed claimId, uint256 answer, address indexed payee);

    /// @notice A claim that commits to no input cannot be tied to an order.
    error NothingCommitted();
    /// @notice No open order has this input.
    error UnknownOrder(bytes32 inputsId);
    /// @notice An order without money, beneficiary or time.
    error BadOrder();
    /// @notice The funder has to wait.
    error TooEarly(uint64 deadline);
    /// @notice Only the funder can take an order back.
    error NotFunder(address sender);
    /// @notice The account refuses the money.
    error TransferFailed(address account);

    /// @param verifier Trusted, with its deployer, to have pinned the right key.
    constructor(IClaimVerifier verifier, bytes32 programId, uint8 privacy, uint8 dtype) {
        if (privacy & 15 > 1) revert NothingCommitted();
        (VERIFIER, PROGRAM_ID, PRIVACY, DTYPE) = (verifier, programId, privacy, dtype);
    }

    /// @notice Locks the sent value until somebody proves the answer, or the deadline passes.
    function open(bytes32 inputsId, uint32 answer, address beneficiary, uint64 deadline) external payable {
        if (msg.value == 0 || beneficiary == address(0) || deadline <= block.timestamp) revert BadOrder();
        // INVARIANT: one order for an input commitment, ever (rule 9): the same proof never settles two.
        _spend(inputsId);
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
    }

    /// @notice Pays out what an account has. Pulled, so that no payee can block a settlement.
    function withdraw() external {
        uint256 amount = balances[msg.sender];
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
