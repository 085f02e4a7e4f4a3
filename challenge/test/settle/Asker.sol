// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IConsumer} from "../../src/settle/IConsumer.sol";
import {ISettlement} from "../../src/settle/ISettlement.sol";
import {Question} from "../../src/settle/Question.sol";

/// @title A consumer that behaves as a test says.
contract Asker is IConsumer {
    enum Mood {
        Listen,
        Fail,
        Burn,
        Bomb,
        Reenter,
        ReenterAndFail
    }

    ISettlement public immutable SETTLEMENT;
    /// @notice What it does when it is called.
    Mood public mood;
    /// @notice Answers that it kept.
    uint256 public answers;
    bytes32 public lastRequest;
    bytes32 public lastClaim;
    bytes public lastOutput;
    /// @notice Gas that it found when it was called.
    uint256 public gas;
    /// @notice How many of its attempts from inside the callback were refused, and whether one was not.
    uint256 public refused;
    bool public broken;

    bytes private _retry;
    bytes private _deliver;
    bytes private _take;

    error Moody();

    constructor(ISettlement settlement) {
        SETTLEMENT = settlement;
    }

    function setMood(Mood wanted) external {
        mood = wanted;
    }

    function ask(Question memory question, bytes calldata terms) external payable returns (bytes32) {
        return SETTLEMENT.request{value: msg.value}(question, terms);
    }

    function take(Question calldata question, bytes32 claimId, bytes[] calldata outputs) external {
        SETTLEMENT.take(question, claimId, outputs);
    }

    /// @notice What it tries from inside the callback.
    function prepare(Question calldata question, bytes32 claimId, bytes[] calldata outputs) external {
        _retry = abi.encodeCall(ISettlement.retry, (question, claimId, outputs));
        _deliver = abi.encodeCall(ISettlement.deliver, (question, outputs, "final"));
        _take = abi.encodeCall(ISettlement.take, (question, claimId, outputs));
    }

    function onAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) external {
        uint256 found = gasleft();
        if (mood == Mood.Fail) revert Moody();
        if (mood == Mood.Burn) {
            assembly {
                invalid()
            }
        }
        if (mood == Mood.Bomb) {
            assembly {
                revert(0, 300000)
            }
        }
        if (mood >= Mood.Reenter) _reenter();
        if (mood == Mood.ReenterAndFail) revert Moody();
        ++answers;
        (lastRequest, lastClaim, lastOutput, gas) = (requestId, claimId, outputs[0], found);
    }

    function _reenter() private {
        _attempt(_retry);
        _attempt(_deliver);
        _attempt(_take);
    }

    function _attempt(bytes memory call) private {
        (bool done,) = address(SETTLEMENT).call(call);
        if (done) broken = true;
        else ++refused;
    }
}
