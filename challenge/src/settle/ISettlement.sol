// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Question} from "./Question.sol";

/// @title Ask what a program says about an input, and be told once it is final, whichever way made it so.
interface ISettlement {
    /// @notice Where a request stands. Answered: final, and the consumer does not have it yet. Delivered: for ever.
    enum Status {
        None,
        Open,
        Answered,
        Delivered
    }

    /// @notice Somebody asks.
    event Requested(bytes32 indexed requestId, address indexed consumer, bytes32 indexed programId, Question question);
    /// @notice The answer is final.
    event Answered(bytes32 indexed requestId, bytes32 indexed claimId, bytes[] outputs);
    /// @notice The consumer has its answer.
    event Delivered(bytes32 indexed requestId);
    /// @notice The consumer was called and failed; it can be called again, or take the answer itself.
    event CallbackFailed(bytes32 indexed requestId);

    /// @notice A claim that commits to no input cannot be tied to a request.
    error NothingCommitted(uint8 privacy);
    /// @notice No block would hold that.
    error TooMuchGas(uint256 most, uint256 given);
    /// @notice The request does not stand where this is legal.
    error WrongStatus(bytes32 requestId, Status status);
    /// @notice Another answer than the final one.
    error WrongAnswer(bytes32 requestId);
    /// @notice Only the consumer takes its answer.
    error NotConsumer(address sender);

    /// @notice Asks. The value goes to the way.
    /// @param question Its `consumer` and `nonce` are filled in, whatever is given: the sender, and how often it asked before.
    /// @param terms What the way wants to know.
    /// @return requestId Rule 9.
    function request(Question memory question, bytes calldata terms) external payable returns (bytes32 requestId);

    /// @notice Shows that an answer is final, and calls the consumer. By anybody.
    /// @param outputs The bytes of each output.
    /// @param evidence What the way wants to see.
    /// @return done Whether the consumer has the answer.
    function deliver(Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        returns (bool done);

    /// @notice Calls the consumer again. By anybody.
    /// @return done Whether the consumer has the answer.
    function retry(Question calldata question, bytes32 claimId, bytes[] calldata outputs) external returns (bool done);

    /// @notice By the consumer: it takes the answer by itself, with as much gas as it likes, and is not called any more.
    function take(Question calldata question, bytes32 claimId, bytes[] calldata outputs)
        external
        returns (bytes32 requestId);

    /// @notice Where a request stands.
    function status(bytes32 requestId) external view returns (Status);

    /// @notice Whether this is the final answer. For who only reads.
    function isAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) external view returns (bool);

    /// @notice The nonce of an account's next request.
    function nonces(address consumer) external view returns (uint64);
}
