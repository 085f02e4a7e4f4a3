// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {OnceOnly} from "../OnceOnly.sol";
import {Callback} from "./Callback.sol";
import {IConsumer} from "./IConsumer.sol";
import {ISettlement} from "./ISettlement.sol";
import {IWay} from "./IWay.sol";
import {Question} from "./Question.sol";
import {QuestionId} from "./QuestionId.sol";

/// @title Ask what a program says about an input, and be told once it is final, whichever way made it so.
/// @notice Nobody owns this contract and it holds no money. What an answer rests on is the way that the consumer named.
/// @dev Of a request only its status and the hash of its answer are stored: its id is the hash of the question.
contract Settlement is ISettlement, OnceOnly {
    /// @notice Gas that a callback can ask for. A transaction has at most 2^24 (EIP-7825), and evidence takes its part.
    uint32 public constant MOST_GAS = 8_000_000;

    uint8 private constant HASHED = 1;

    /// @inheritdoc ISettlement
    mapping(bytes32 requestId => Status) public status;
    /// @inheritdoc ISettlement
    mapping(address consumer => uint64) public nonces;

    mapping(bytes32 requestId => bytes32) private _answers;

    /// @inheritdoc ISettlement
    function request(Question memory question, bytes calldata terms) external payable returns (bytes32 requestId) {
        uint8 inputMode = question.privacy & 15;
        if (inputMode > HASHED) revert NothingCommitted(question.privacy);
        if (question.callbackGas > MOST_GAS) revert TooMuchGas(MOST_GAS, question.callbackGas);
        // INVARIANT: a hidden input is asked about once, ever (rule 9): its proof carries no request, so it settles one alone.
        if (inputMode == HASHED) _spend(question.inputsId);
        (question.consumer, question.nonce) = (msg.sender, nonces[msg.sender]++);
        requestId = QuestionId.ofQuestion(address(this), question);
        IWay(question.way).open{value: msg.value}(question, terms);
        // INVARIANT: a request can be answered only after its way is open, so no consumer is called while it still asks.
        status[requestId] = Status.Open;
        emit Requested(requestId, msg.sender, question.programId, question);
    }

    /// @inheritdoc ISettlement
    function deliver(Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        returns (bool done)
    {
        bytes32 requestId = _inStatus(question, Status.Open);
        // INVARIANT: a static call, so whatever a way does, the request is still open behind it.
        bytes32 claimId = IWay(question.way).check(requestId, question, outputs, evidence);
        _answers[requestId] = _hash(claimId, outputs);
        emit Answered(requestId, claimId, outputs);
        return _tell(requestId, question, claimId, outputs);
    }

    /// @inheritdoc ISettlement
    function retry(Question calldata question, bytes32 claimId, bytes[] calldata outputs) external returns (bool done) {
        bytes32 requestId = _inStatus(question, Status.Answered);
        _mustBeAnswer(requestId, claimId, outputs);
        return _tell(requestId, question, claimId, outputs);
    }

    /// @inheritdoc ISettlement
    function take(Question calldata question, bytes32 claimId, bytes[] calldata outputs)
        external
        returns (bytes32 requestId)
    {
        if (question.consumer != msg.sender) revert NotConsumer(msg.sender);
        requestId = _inStatus(question, Status.Answered);
        _mustBeAnswer(requestId, claimId, outputs);
        status[requestId] = Status.Delivered;
        emit Delivered(requestId);
    }

    /// @inheritdoc ISettlement
    function isAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) public view returns (bool) {
        return status[requestId] >= Status.Answered && _answers[requestId] == _hash(claimId, outputs);
    }

    /// @dev Calls the consumer if it wants to be called and can.
    function _tell(bytes32 requestId, Question calldata question, bytes32 claimId, bytes[] calldata outputs)
        private
        returns (bool done)
    {
        address consumer = question.consumer;
        // A call to an account without code succeeds and tells nobody: a contract may still be in its constructor.
        if (question.callbackGas == 0 || consumer.code.length == 0) {
            status[requestId] = Status.Answered;
            return false;
        }
        bytes memory data = abi.encodeCall(IConsumer.onAnswer, (requestId, claimId, outputs));
        // INVARIANT: delivered once. State before the call: whoever is called finds the request delivered, and a callback that
        // fails has undone whatever it did.
        status[requestId] = Status.Delivered;
        done = Callback.call(consumer, question.callbackGas, data);
        if (done) {
            emit Delivered(requestId);
        } else {
            status[requestId] = Status.Answered;
            emit CallbackFailed(requestId);
        }
    }

    /// @dev The id of a question that stands where it must. A question that nobody asked has the status None.
    function _inStatus(Question calldata question, Status wanted) private view returns (bytes32 requestId) {
        requestId = QuestionId.ofQuestion(address(this), question);
        Status found = status[requestId];
        if (found != wanted) revert WrongStatus(requestId, found);
    }

    function _mustBeAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) private view {
        if (!isAnswer(requestId, claimId, outputs)) revert WrongAnswer(requestId);
    }

    function _hash(bytes32 claimId, bytes[] calldata outputs) private pure returns (bytes32) {
        return keccak256(abi.encode(claimId, outputs));
    }
}
