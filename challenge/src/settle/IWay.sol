// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Question} from "./Question.sol";

/// @title One way in which an answer becomes final: a proof, a dispute window, execution on chain.
/// @notice A new way is one more contract of this kind. A consumer names the ways that it trusts; Settlement trusts none.
interface IWay {
    /// @notice Begins what this way has to begin. Reverts if it could never answer the question.
    /// @dev Called by a Settlement, whose address makes the request id (QuestionId).
    /// @param terms What this way wants to know; its contract says what.
    function open(Question calldata question, bytes calldata terms) external payable;

    /// @notice Reverts unless it is final that "this program, on these inputs, gives these outputs".
    /// @dev A view, so that nothing is re-entered and anybody may ask. Not bound to its caller: what it says is a fact.
    /// @param requestId Of the request whose opening is asked for, where the way has anything opened.
    /// @param outputs The bytes of each output.
    /// @param evidence What this way wants to see; its contract says what.
    /// @return claimId Rule 8: what binds program, input commitments, outputs and privacy.
    function check(bytes32 requestId, Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        view
        returns (bytes32 claimId);

    /// @notice Dtype of the program's first output, 0 u8, 1 i16, 2 i32, 3 i64. Reverts if the program is not known here.
    function outputDtype(bytes32 programId, uint8 privacy) external view returns (uint8 dtype);
}
