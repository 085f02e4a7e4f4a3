// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimId} from "../ClaimId.sol";
import {OutputForm} from "../game/Forms.sol";
import {IProgramRegistry} from "../game/IProgramRegistry.sol";
import {IExecution} from "./IExecution.sol";
import {IWay} from "./IWay.sol";
import {Question} from "./Question.sol";

/// @title Final by execution: the chain runs the program while the answer is delivered.
/// @notice Rests on the contracts that run it, and on nobody. Terms: none. Evidence: (bytes[] inputs). For programs that a
/// transaction has the gas to run; nothing is hidden.
contract ExecutionWay is IWay {
    /// @notice Runs programs.
    IExecution public immutable EXECUTION;
    /// @notice What programs fix of their inputs and outputs.
    IProgramRegistry public immutable REGISTRY;

    /// @notice Nothing is paid to this way.
    error NoFee(uint256 given);
    /// @notice This way has no terms.
    error NoTerms();
    /// @notice What the chain runs, everybody sees.
    error HiddenClaim(uint8 privacy);
    /// @notice The program cannot be run here.
    error NotRunnable(bytes32 programId);
    /// @notice The evidence has other inputs than the question.
    error WrongInputs(bytes32 wanted, bytes32 given);
    /// @notice The program says something else.
    error WrongOutputs();

    constructor(IExecution execution, IProgramRegistry registry) {
        (EXECUTION, REGISTRY) = (execution, registry);
    }

    /// @inheritdoc IWay
    function open(Question calldata question, bytes calldata terms) external payable {
        if (msg.value != 0) revert NoFee(msg.value);
        if (terms.length != 0) revert NoTerms();
        outputDtype(question.programId, question.privacy);
        if (!EXECUTION.isRegistered(question.programId)) revert NotRunnable(question.programId);
    }

    /// @inheritdoc IWay
    function check(bytes32, Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        view
        returns (bytes32 claimId)
    {
        if (question.privacy != 0) revert HiddenClaim(question.privacy);
        bytes[] memory inputs = abi.decode(evidence, (bytes[]));
        // INVARIANT: what is run is the input that was asked about.
        bytes32[] memory roots = REGISTRY.rootsOfInputs(question.programId, inputs);
        bytes32 inputsId = keccak256(ClaimId.publicCommitments(roots));
        if (inputsId != question.inputsId) revert WrongInputs(question.inputsId, inputsId);
        bytes[] memory computed;
        (claimId, computed) = EXECUTION.run(question.programId, inputs);
        if (keccak256(abi.encode(computed)) != keccak256(abi.encode(outputs))) revert WrongOutputs();
    }

    /// @inheritdoc IWay
    function outputDtype(bytes32 programId, uint8 privacy) public view returns (uint8 dtype) {
        if (privacy != 0) revert HiddenClaim(privacy);
        (, OutputForm[] memory outputs) = REGISTRY.forms(programId);
        return outputs[0].dtype;
    }
}
