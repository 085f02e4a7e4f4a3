// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Question} from "./Question.sol";

/// @title Rule 9: the id of a consumer's request.
/// @notice The same bytes as `verifiable_ml/settle/question.py`. Chain, contract, consumer, nonce and way are in it, so an answer
/// counts for no other request, wherever it is shown.
library QuestionId {
    /// @notice H(15 || chain 32 || settlement 20 || consumer 20 || nonce u64 || program id || inputs id || privacy u8 || way 20
    /// || callback gas u32 || deadline u40).
    /// @param settlement The contract that was asked.
    function ofQuestion(address settlement, Question memory question) internal view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                abi.encodePacked(hex"15", block.chainid, settlement, question.consumer, question.nonce),
                question.programId,
                question.inputsId,
                question.privacy,
                question.way,
                question.callbackGas,
                question.deadline
            )
        );
    }
}
