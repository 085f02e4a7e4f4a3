// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {OnceOnly} from "../../src/OnceOnly.sol";
import {Callback} from "../../src/settle/Callback.sol";
import {ISettlement} from "../../src/settle/ISettlement.sol";
import {Question} from "../../src/settle/Question.sol";
import {QuestionId} from "../../src/settle/QuestionId.sol";
import {Settlement} from "../../src/settle/Settlement.sol";
import {Asker} from "./Asker.sol";
import {DoubleWay} from "./DoubleWay.sol";
import {EarlyWay} from "./EarlyWay.sol";
import {StubWay} from "./StubWay.sol";
import {Test} from "../Test.sol";

/// @title Requests and answers: who can hurt whom.
contract Settlement_Test is Test {
    uint32 private constant GAS = 400_000;
    bytes32 private constant PROGRAM = keccak256("program");
    bytes32 private constant INPUTS = keccak256("inputs");

    Settlement private settlement = new Settlement();
    StubWay private way = new StubWay();
    Asker private asker = new Asker(settlement);
    Question private asked;
    bytes32 private requestId;
    bytes[] private outputs;
    bytes32 private claimId;

    function setUp() external {
        asked = Question(address(asker), 0, PROGRAM, INPUTS, 0, address(way), GAS, 1000);
        requestId = asker.ask(asked, "");
        outputs.push(hex"0102");
        claimId = keccak256(abi.encode(PROGRAM, INPUTS, outputs));
        asker.prepare(asked, claimId, outputs);
    }

    function _deliver() private returns (bool) {
        return settlement.deliver(asked, outputs, "final");
    }

    function _expectStatus(ISettlement.Status found) private {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongStatus.selector, requestId, found));
    }

    // ---- the plain way -----------------------------------------------------------------------------------------------

    function test_deliver_finalAnswer_callsTheConsumer() external {
        assertEq(requestId, QuestionId.ofQuestion(address(settlement), asked));
        vm.assertTrue(_deliver(), "not called");
        assertEq(asker.answers(), 1);
        assertEq(asker.lastRequest(), requestId);
        assertEq(asker.lastClaim(), claimId);
        assertEq(keccak256(asker.lastOutput()), keccak256(outputs[0]));
        assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Delivered));
        vm.assertTrue(settlement.isAnswer(requestId, claimId, outputs), "not the answer");
    }

    function test_deliver_byAnybody_isTheSame() external {
        vm.prank(address(0xBAD));
        vm.assertTrue(_deliver(), "not called");
        assertEq(asker.answers(), 1);
    }

    function test_deliver_notFinal_reverts() external {
        vm.expectRevert(StubWay.NotFinal.selector);
        settlement.deliver(asked, outputs, "soon");
        vm.assertTrue(!settlement.isAnswer(requestId, claimId, outputs), "an answer that is not final");
    }

    function test_request_wayThatRefuses_reverts() external {
        vm.expectRevert(StubWay.Refused.selector);
        asker.ask(asked, "refuse");
        assertEq(settlement.nonces(address(asker)), 1);
    }

    function test_request_value_goesToTheWay() external {
        vm.deal(address(this), 1 ether);
        asker.ask{value: 1 ether}(asked, "");
        assertEq(address(way).balance, 1 ether);
        assertEq(address(settlement).balance, 0);
    }

    /// @dev Who asks is the sender, whatever the question says: nobody makes another contract be called.
    function test_request_inAnothersName_asksForTheSender() external {
        asked.nonce = 7;
        bytes32 other = settlement.request(asked, "");
        (asked.consumer, asked.nonce) = (address(this), 0);
        assertEq(other, QuestionId.ofQuestion(address(settlement), asked));
    }

    // ---- delivered once ----------------------------------------------------------------------------------------------

    function test_deliver_twice_reverts() external {
        _deliver();
        _expectStatus(ISettlement.Status.Delivered);
        _deliver();
        _expectStatus(ISettlement.Status.Delivered);
        settlement.retry(asked, claimId, outputs);
        _expectStatus(ISettlement.Status.Delivered);
        asker.take(asked, claimId, outputs);
        assertEq(asker.answers(), 1);
    }

    function test_deliver_reenteredByTheConsumer_deliversOnce() external {
        asker.setMood(Asker.Mood.Reenter);
        vm.assertTrue(_deliver(), "not called");
        assertEq(asker.answers(), 1);
        assertEq(asker.refused(), 3);
        vm.assertTrue(!asker.broken(), "re-entered");
    }

    /// @dev The answer is final already, so `take`, which needs no gas, is what the consumer could slip in.
    function test_retry_reenteredByTheConsumer_deliversOnce() external {
        asker.setMood(Asker.Mood.Fail);
        _deliver();
        asker.setMood(Asker.Mood.Reenter);
        vm.assertTrue(settlement.retry(asked, claimId, outputs), "not called");
        assertEq(asker.answers(), 1);
        assertEq(asker.refused(), 3);
        vm.assertTrue(!asker.broken(), "re-entered");
    }

    function test_deliver_consumerThatReentersAndFails_canBeRetried() external {
        asker.setMood(Asker.Mood.ReenterAndFail);
        vm.assertTrue(!_deliver(), "it failed");
        asker.setMood(Asker.Mood.Listen);
        vm.assertTrue(settlement.retry(asked, claimId, outputs), "not called");
        assertEq(asker.answers(), 1);
    }

    /// @dev A way is a stranger's contract. While it opens, its request cannot be answered.
    function test_request_wayThatDeliversWhileItOpens_isRefused() external {
        EarlyWay early = new EarlyWay();
        asked.way = address(early);
        asked.nonce = 1;
        bytes32 id = QuestionId.ofQuestion(address(settlement), asked);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongStatus.selector, id, ISettlement.Status.None));
        asker.ask(asked, "");
    }

    /// @dev While it is asked it can write nothing, so it delivers nothing behind our back.
    function test_deliver_wayThatDeliversWhileItIsAsked_isRefused() external {
        DoubleWay double = new DoubleWay();
        asked.way = address(double);
        asker.ask(asked, "");
        asked.nonce = 1;
        vm.expectRevert(DoubleWay.Static.selector);
        settlement.deliver(asked, outputs, "");
        assertEq(asker.answers(), 0);
    }

    // ---- a consumer that misbehaves blocks nobody --------------------------------------------------------------------

    function test_deliver_callbackThatReverts_keepsTheAnswer() external {
        asker.setMood(Asker.Mood.Fail);
        vm.assertTrue(!_deliver(), "it failed");
        assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Answered));
        vm.assertTrue(settlement.isAnswer(requestId, claimId, outputs), "lost");
        vm.assertTrue(!settlement.retry(asked, claimId, outputs), "it failed again");
        asker.setMood(Asker.Mood.Listen);
        vm.assertTrue(settlement.retry(asked, claimId, outputs), "not called");
        assertEq(asker.answers(), 1);
    }

    function test_deliver_callbackThatBurnsItsGas_keepsTheAnswer() external {
        asker.setMood(Asker.Mood.Burn);
        uint256 before = gasleft();
        vm.assertTrue(!_deliver(), "it failed");
        vm.assertTrue(before - gasleft() < GAS + 150_000, "it burnt more than it was given");
        assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Answered));
    }

    /// @dev To make 300,000 bytes costs the consumer 0.2M gas, and would cost as much again to copy.
    function test_deliver_callbackThatAnswersALot_costsItsOwnGasAlone() external {
        asker.setMood(Asker.Mood.Bomb);
        uint256 before = gasleft();
        vm.assertTrue(!_deliver(), "it failed");
        vm.assertTrue(before - gasleft() < 350_000, "its answer was copied");
    }

    function test_take_afterAFailedCallback_isTheConsumersAlone() external {
        asker.setMood(Asker.Mood.Fail);
        _deliver();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotConsumer.selector, address(this)));
        settlement.take(asked, claimId, outputs);
        asker.take(asked, claimId, outputs);
        _expectStatus(ISettlement.Status.Delivered);
        settlement.retry(asked, claimId, outputs);
        _expectStatus(ISettlement.Status.Delivered);
        asker.take(asked, claimId, outputs);
    }

    function test_deliver_consumerWithoutCode_waitsToBeTaken() external {
        address person = address(0xABCD);
        vm.prank(person);
        settlement.request(asked, "");
        (asked.consumer, asked.nonce) = (person, 0);
        vm.assertTrue(!_deliver(), "nobody was called");
        vm.prank(person);
        settlement.take(asked, claimId, outputs);
    }

    function test_deliver_noCallbackWanted_callsNobody() external {
        asked.callbackGas = 0;
        asker.ask(asked, "");
        asked.nonce = 1;
        vm.assertTrue(!_deliver(), "called");
        assertEq(asker.answers(), 0);
        asker.take(asked, claimId, outputs);
    }

    // ---- gas ---------------------------------------------------------------------------------------------------------

    /// @dev Whatever gas a deliverer sends: the consumer gets all that it asked for, or nothing has happened.
    function testFuzz_deliver_anyGas_neverStarvesTheCallback(uint256 sent) external {
        sent = sent % 1_000_000;
        try settlement.deliver{gas: sent}(asked, outputs, "final") returns (bool done) {
            vm.assertTrue(done, "starved");
            // What it found is what it was given, less the prologue of its own function.
            vm.assertTrue(asker.gas() + 2_000 > GAS, "starved");
        } catch {
            assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Open));
        }
    }

    /// @dev The same for a consumer that uses all of it: a failure is never due to the deliverer.
    function testFuzz_retry_anyGas_changesNothingOrCalls(uint256 sent) external {
        asker.setMood(Asker.Mood.Fail);
        _deliver();
        asker.setMood(Asker.Mood.Listen);
        try settlement.retry{gas: sent % 1_000_000}(asked, claimId, outputs) returns (bool done) {
            vm.assertTrue(done && asker.gas() + 2_000 > GAS, "starved");
        } catch {
            assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Answered));
        }
    }

    function test_deliver_tooLittleGas_isRefusedByName() external {
        try settlement.deliver{gas: GAS + 60_000}(asked, outputs, "final") {
            vm.assertTrue(false, "taken");
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(Callback.NotEnoughGas.selector));
        }
    }

    /// @dev Of so much gas the 64th part is more than the reserve: at the least that is taken, the consumer has all of it.
    function test_deliver_leastGasForTheLargestCallback_neverStarvesIt() external {
        asked.callbackGas = settlement.MOST_GAS();
        asker.ask(asked, "");
        asked.nonce = 1;
        uint256 sent = asked.callbackGas;
        while (!_isTaken(sent)) sent += 4_000;
        vm.assertTrue(sent > asked.callbackGas, "what is passed on is less than what is sent");
        vm.assertTrue(asker.gas() + 2_000 > asked.callbackGas, "starved");
    }

    function _isTaken(uint256 sent) private returns (bool) {
        try settlement.deliver{gas: sent}(asked, outputs, "final") returns (bool done) {
            return done;
        } catch {
            return false;
        }
    }

    function test_request_moreGasThanABlockHolds_reverts() external {
        asked.callbackGas = settlement.MOST_GAS() + 1;
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.TooMuchGas.selector, settlement.MOST_GAS(), asked.callbackGas)
        );
        settlement.request(asked, "");
    }

    // ---- what an answer is bound to ----------------------------------------------------------------------------------

    function test_deliver_anotherChain_isUnknown() external {
        vm.chainId(2);
        _expectUnknown(address(settlement));
        _deliver();
    }

    function test_deliver_anotherSettlement_isUnknown() external {
        Settlement other = new Settlement();
        _expectUnknown(address(other));
        other.deliver(asked, outputs, "final");
    }

    /// @dev Each field of the question is in the id.
    function testFuzz_deliver_anotherQuestion_isUnknown(uint8 field, uint8 by) external {
        uint8 other = by == 0 ? 1 : by;
        if (field % 8 == 0) asked.consumer = address(uint160(asked.consumer) ^ other);
        if (field % 8 == 1) asked.nonce ^= other;
        if (field % 8 == 2) asked.programId ^= bytes32(uint256(other));
        if (field % 8 == 3) asked.inputsId ^= bytes32(uint256(other));
        if (field % 8 == 4) asked.privacy ^= other;
        if (field % 8 == 5) asked.way = address(uint160(asked.way) ^ other);
        if (field % 8 == 6) asked.callbackGas ^= other;
        if (field % 8 == 7) asked.deadline ^= other;
        _expectUnknown(address(settlement));
        _deliver();
    }

    function _expectUnknown(address contract_) private {
        bytes32 id = QuestionId.ofQuestion(contract_, asked);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongStatus.selector, id, ISettlement.Status.None));
    }

    function test_retry_anotherAnswer_reverts() external {
        asker.setMood(Asker.Mood.Fail);
        _deliver();
        bytes[] memory others = new bytes[](1);
        others[0] = hex"0103";
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongAnswer.selector, requestId));
        settlement.retry(asked, claimId, others);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongAnswer.selector, requestId));
        settlement.retry(asked, bytes32(0), outputs);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongAnswer.selector, requestId));
        asker.take(asked, bytes32(0), outputs);
    }

    function test_retry_beforeItIsFinal_reverts() external {
        _expectStatus(ISettlement.Status.Open);
        settlement.retry(asked, claimId, outputs);
        _expectStatus(ISettlement.Status.Open);
        asker.take(asked, claimId, outputs);
    }

    /// @dev A question that was never asked has no answer, not even the empty one.
    function test_isAnswer_neverAsked_isFalse() external view {
        vm.assertTrue(!settlement.isAnswer(bytes32(0), bytes32(0), outputs), "an answer to nothing");
        vm.assertTrue(!settlement.isAnswer(requestId, claimId, outputs), "not final yet");
    }

    function test_request_samePublicInput_canBeAskedAgain() external {
        _deliver();
        vm.assertTrue(asker.ask(asked, "") != requestId, "the same request");
        asked.nonce = 1;
        vm.assertTrue(_deliver(), "not called");
        assertEq(asker.answers(), 2);
    }

    /// @dev Rule 9: whoever copies a proof of a hidden input finds that input spent, as another consumer too.
    function test_request_sameHiddenInput_reverts() external {
        asked.privacy = 1;
        asker.ask(asked, "");
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, INPUTS));
        settlement.request(asked, "");
        asked.privacy = 0x11;
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, INPUTS));
        asker.ask(asked, "");
    }

    function testFuzz_request_inputThatNothingCommitsTo_reverts(uint8 privacy) external {
        vm.assume(privacy & 15 > 1);
        asked.privacy = privacy;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NothingCommitted.selector, privacy));
        asker.ask(asked, "");
    }
}
