// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What a request asks, all of it: the request id is its hash (rule 9), so that nothing else has to be stored.
/// @param consumer Who asked, and is told the answer.
/// @param nonce Requests that it made before.
/// @param programId Rule 4.
/// @param inputsId H(inputs u8 || (scheme u8, digest)...): the list of input commitments as one word; rule 7.
/// @param privacy Rule 8: mode of the input in the low four bits, 0 public or 1 hashed; of the weights in the high four.
/// @param way The IWay by which an answer becomes final. The consumer trusts it, and nobody else.
/// @param callbackGas What `onAnswer` is given, at least and at most; 0 if the consumer takes its answers itself.
/// @param deadline Unix time from which what was paid for an answer can be taken back. An answer may come later all the same.
struct Question {
    address consumer;
    uint64 nonce;
    bytes32 programId;
    bytes32 inputsId;
    uint8 privacy;
    address way;
    uint32 callbackGas;
    uint40 deadline;
}
