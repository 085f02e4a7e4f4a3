// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISumcheckClaimVerifier} from "../sumcheck/ISumcheckClaimVerifier.sol";
import {IWay} from "./IWay.sol";
import {Question} from "./Question.sol";

/// @title Final by a native proof.
/// @notice Rests on what SumcheckClaimVerifier rests on, its deployer included. Terms: none. Evidence: (bytes[] inputs, bytes proof), the proof made
/// with the request's id as its context (rule 9), so it settles this request and no other. It costs nothing to begin, so the fee is nobody's.
contract SumcheckWay is IWay {
    /// @notice Checks the proofs.
    ISumcheckClaimVerifier public immutable VERIFIER;

    /// @notice Nothing is paid to this way.
    error NoFee(uint256 given);
    /// @notice This way has no terms.
    error NoTerms();
    /// @notice The proof is about other inputs than the question.
    error WrongInputs(bytes32 wanted, bytes32 given);

    constructor(ISumcheckClaimVerifier verifier) {
        VERIFIER = verifier;
    }

    /// @inheritdoc IWay
    function open(Question calldata question, bytes calldata terms) external payable {
        if (msg.value != 0) revert NoFee(msg.value);
        if (terms.length != 0) revert NoTerms();
        // Reverts if no plan is pinned, so that nobody waits for a proof that cannot be checked.
        VERIFIER.outputDtype(question.programId, question.privacy);
    }

    /// @inheritdoc IWay
    function check(bytes32 requestId, Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        view
        returns (bytes32 claimId)
    {
        (bytes[] memory inputs, bytes memory proof) = abi.decode(evidence, (bytes[], bytes));
        bytes32 inputsId;
        (claimId, inputsId) =
            VERIFIER.verifyFor(requestId, question.programId, question.privacy, inputs, outputs, proof);
        // INVARIANT: an answer is about the input that was asked about.
        if (inputsId != question.inputsId) revert WrongInputs(question.inputsId, inputsId);
    }

    /// @inheritdoc IWay
    function outputDtype(bytes32 programId, uint8 privacy) external view returns (uint8 dtype) {
        return VERIFIER.outputDtype(programId, privacy);
    }
}
