// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Assertion, AssertionStatus, Request, Trace} from "../../src/game/ClaimState.sol";
import {Reason} from "../../src/game/GameState.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {Forest, GameWorld} from "./GameWorld.sol";
import {Toy} from "./ToySteps.sol";
import {Trees} from "./Trees.sol";

/// @title Assertions and challenges: rules 9, 12 to 14, 16, 17, 19 and 20.
contract Assertions_Test is GameWorld {
    bytes32 private requestId;

    function setUp() external {
        toys.push(Toy(1, 3, 16, 1, 1));
        toys.push(Toy(1, 3, 64, 1, 1));
        toys.push(Toy(1, 1, 600, 1, 1));
        deploy(6);
        requestId = ask();
    }

    // ---- what an assertion shows ------------------------------------------------------------------------------------------

    /// @dev Rule 9, byte for byte.
    function test_assert_honest_storesWhatWasSaid() external {
        Forest memory forest = honest();
        bytes32 assertionId = assertBy(PROPOSER, requestId, forest);
        bytes32 output = forest.trace.levels[0][3];
        assertEq(assertionId, keccak256(abi.encodePacked(hex"12", requestId, uint32(0), PROPOSER, output, forest.root)));
        Assertion memory made = claims.assertions(assertionId);
        assertEq(made.requestId, requestId);
        assertEq(made.traceRoot, forest.root);
        assertEq(made.proposer, PROPOSER);
        assertEq(uint256(made.posted), block.timestamp);
        assertEq(uint256(made.end), block.timestamp + 120);
        assertEq(uint256(made.serial), 1);
        vm.assertTrue(made.status == AssertionStatus.Living, "it lives");
        assertEq(claims.living(requestId, forest.root), 1);
        assertEq(uint256(claims.requests(requestId).living), 1);
    }

    /// @dev Rule 12 and property 36: every byte of the output is bound to the trace.
    function test_assert_lieInTheOutputAlone_reverts() external {
        Forest memory forest = honest();
        uint16[3] memory places = [0, 300, 599];
        for (uint256 i; i < places.length; ++i) {
            bytes[] memory outputs = outputsOf(forest);
            outputs[0] = bytes.concat(outputs[0]);
            outputs[0][places[i]] ^= 0x01;
            bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputs));
            _refused(BOND, data, abi.encodeWithSelector(IProgramRegistry.NotInTrace.selector, 3, forest.root));
        }
    }

    /// @dev Rule 12 and property 28: the program says how many tensors there are, and how long each is.
    function test_assert_anotherShape_reverts() external {
        Forest memory forest = honest();
        bytes[] memory outputs = new bytes[](1);
        bytes4 why = IProgramRegistry.WrongLength.selector;
        outputs[0] = new bytes(599);
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputs));
        _refused(BOND, data, abi.encodeWithSelector(why, 0, 600, 599));
        outputs[0] = new bytes(601);
        data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputs));
        _refused(BOND, data, abi.encodeWithSelector(why, 0, 600, 601));
        data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), new bytes[](2)));
        _refused(BOND, data, abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 1, 2));
    }

    /// @dev A trace of another count of tensors hashes its count, so the program's own count does not lead to its root.
    function test_assert_traceOfAnotherCount_reverts() external {
        Forest memory forest = honest();
        forest.root = keccak256(abi.encodePacked(hex"04", uint32(3), Trees.root(forest.trace)));
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputsOf(forest)));
        _refused(BOND, data, abi.encodeWithSelector(IProgramRegistry.NotInTrace.selector, 0, forest.root));
    }

    /// @dev Rule 12 and property 30: paths that are wrong in a bit, too short, too long, swapped, too few, too many.
    function test_assert_wrongPath_reverts() external {
        Forest memory forest = honest();
        for (uint256 i; i < 4; ++i) {
            Trace memory trace = traceOf(forest);
            trace.paths[i / 2][i % 2] ^= bytes32(uint256(1));
            bytes memory why = abi.encodeWithSelector(IProgramRegistry.NotInTrace.selector, i < 2 ? 0 : 3, forest.root);
            _refusedTrace(trace, forest, why);
            trace = traceOf(forest);
            trace.paths[i / 2] = new bytes32[](i % 2 == 0 ? 1 : 3);
            uint256 given = trace.paths[i / 2].length;
            why = abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 2, given);
            _refusedTrace(trace, forest, why);
        }
        Trace memory swapped = traceOf(forest);
        (swapped.paths[0], swapped.paths[1]) = (swapped.paths[1], swapped.paths[0]);
        bytes memory notThere = abi.encodeWithSelector(IProgramRegistry.NotInTrace.selector, 0, forest.root);
        _refusedTrace(swapped, forest, notThere);
        swapped.paths = new bytes32[][](3);
        bytes memory count = abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 2, 3);
        _refusedTrace(swapped, forest, count);
    }

    /// @dev Property 33: an answer is an answer to one input.
    function test_assert_otherInput_reverts() external {
        Forest memory forest = honest();
        forest.tensors[0][0] ^= 0x01;
        plant(forest);
        _refusedTrace(traceOf(forest), forest, abi.encodeWithSelector(IOptimisticClaims.WrongRoots.selector));
        Trace memory trace = traceOf(forest);
        trace.inputRoots = Trees.nodes(honest().trace, 0, 0, 1);
        _refusedTrace(trace, forest, abi.encodeWithSelector(IProgramRegistry.NotInTrace.selector, 0, forest.root));
    }

    /// @dev Rule 12: what fits in 4 KiB is given as bytes; what does not, by its roots.
    function test_assert_outputsOf4KiBAndMore_areGivenByRoots() external {
        toys[2] = Toy(1, 0, 4096, 1, 1);
        deploy(6);
        Forest memory forest = honest();
        requestId = ask();
        bytes memory data = abi.encodeCall(claims.assertRoots, (requestId, traceOf(forest), _outputRoots(forest)));
        _refused(BOND, data, abi.encodeWithSelector(IOptimisticClaims.BytesWanted.selector, 4096));
        assertBy(PROPOSER, requestId, forest);
        toys[2] = Toy(1, 0, 4097, 1, 1);
        deploy(6);
        forest = honest();
        requestId = ask();
        data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputsOf(forest)));
        _refused(BOND, data, abi.encodeWithSelector(IOptimisticClaims.TooLong.selector, 4096, 4097));
        vm.prank(PROPOSER);
        bytes32 assertionId = claims.assertRoots{value: BOND}(requestId, traceOf(forest), _outputRoots(forest));
        vm.warp(block.timestamp + 120);
        claims.finalise(assertionId);
        vm.assertTrue(claims.isFinalByRoots(requestId, _outputRoots(forest)), "its roots");
        vm.assertTrue(claims.isFinal(requestId, outputsOf(forest)), "its bytes");
        vm.assertTrue(!claims.isFinalByRoots(requestId, Trees.nodes(forest.trace, 0, 0, 1)), "other roots");
    }

    function _outputRoots(Forest memory forest) private pure returns (bytes32[] memory) {
        return Trees.nodes(forest.trace, 0, 3, 1);
    }

    // ---- bonds, time, squatting -------------------------------------------------------------------------------------------

    /// @dev Rule 13 and property 17: the exact bond, no dust, no excess, no zero.
    function test_assert_otherBond_reverts() external {
        Forest memory forest = honest();
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputsOf(forest)));
        uint256[4] memory values = [0, 1, BOND - 1, BOND + 1];
        for (uint256 i; i < values.length; ++i) {
            _refused(values[i], data, abi.encodeWithSelector(IOptimisticClaims.WrongValue.selector, BOND, values[i]));
        }
    }

    /// @dev Rule 13: W after the epoch's first, to the second; whoever comes later still has a window of its own.
    function test_assert_aroundTheEndOfPosting_isTakenOrRefused() external {
        vm.warp(block.timestamp + 100 days);
        uint256 first = block.timestamp;
        assertBy(PROPOSER, requestId, honest());
        vm.warp(first + 119);
        bytes32 last = assertBy(CHALLENGER, requestId, lying(1, 0));
        assertEq(uint256(claims.assertions(last).end), first + 119 + 120);
        vm.warp(first + 120);
        Forest memory other = lying(1, 8);
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(other), outputsOf(other)));
        _refused(BOND, data, abi.encodeWithSelector(IOptimisticClaims.PostingClosed.selector, first + 120));
    }

    /// @dev Rule 14: a sender asserts a commitment once in an epoch, several senders may assert one, and are no rivals.
    function test_assert_sameCommitment_onceASender() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(PROPOSER, requestId, forest);
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputsOf(forest)));
        _refused(BOND, data, abi.encodeWithSelector(IOptimisticClaims.AlreadyAsserted.selector, first));
        bytes32 second = assertBy(STRANGER, requestId, forest);
        vm.assertTrue(first != second, "one id");
        assertEq(claims.living(requestId, forest.root), 2);
        assertEq(uint256(claims.requests(requestId).living), 1);
        assertBy(PROPOSER, requestId, lying(1, 0));
        assertEq(uint256(claims.requests(requestId).living), 2);
    }

    /// @dev Rule 14 and property 25: who posts the honest commitment first and loses it on purpose blocks nobody.
    function test_assert_squattedCommitment_isStillThere() external {
        Forest memory forest = honest();
        bytes32 squatted = assertBy(STRANGER, requestId, forest);
        bytes32 own = assertBy(PROPOSER, requestId, forest);
        _timeOut(squatted, lying(1, 0));
        assertEq(claims.living(requestId, forest.root), 1);
        vm.assertTrue(claims.assertions(own).status == AssertionStatus.Living, "it lives");
        claims.finalise(own);
        vm.assertTrue(claims.isFinal(requestId, outputsOf(forest)), "it is final");
    }

    /// @dev Rule 17: all dead, posting opens again, and the same sender may say the same again.
    function test_epoch_allDead_postingOpensAgain() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(PROPOSER, requestId, forest);
        bytes32 second = assertBy(STRANGER, requestId, lying(1, 8));
        _timeOut(first, lying(1, 0));
        assertEq(uint256(claims.requests(requestId).epoch), 0);
        vm.warp(claims.assertions(second).posted + 59);
        bytes32 gameId = challengeBy(CHALLENGER, second, forest);
        vm.warp(block.timestamp + 60);
        games.timeout(gameId, 0, 0);
        Request memory asked = claims.requests(requestId);
        assertEq(uint256(asked.epoch), 1);
        assertEq(uint256(asked.firstPosted), 0);
        assertEq(uint256(asked.living), 0);
        vm.warp(block.timestamp + 10 days);
        bytes32 third = assertBy(PROPOSER, requestId, forest);
        vm.assertTrue(third != first, "another epoch, another assertion");
        bytes32 output = forest.trace.levels[0][3];
        assertEq(third, keccak256(abi.encodePacked(hex"12", requestId, uint32(1), PROPOSER, output, forest.root)));
        assertEq(uint256(claims.requests(requestId).firstPosted), block.timestamp);
    }

    /// @dev Rule 18: a rejected assertion says why.
    function test_rejected_byTimeout_saysSo() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        _timeOut(assertionId, honest());
        vm.assertTrue(claims.assertions(assertionId).reason == Reason.Timeout, "reason");
    }

    function _timeOut(bytes32 assertionId, Forest memory other) private {
        bytes32 gameId = challengeBy(CHALLENGER, assertionId, other);
        vm.warp(games.turn(gameId).deadline);
        games.timeout(gameId, 0, 0);
        if (block.timestamp < claims.assertions(assertionId).end) vm.warp(claims.assertions(assertionId).end);
    }

    // ---- challenges -------------------------------------------------------------------------------------------------------

    /// @dev Rule 9, byte for byte: the counter goes over all games of the assertion.
    function test_challenge_id_isThatOfRule9() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        address[3] memory challengers = [CHALLENGER, STRANGER, CHALLENGER];
        for (uint32 counter; counter < 3; ++counter) {
            bytes32 gameId = challengeBy(challengers[counter], assertionId, honest());
            assertEq(gameId, keccak256(abi.encodePacked(hex"13", assertionId, challengers[counter], counter)));
        }
        assertEq(uint256(claims.assertions(assertionId).openGames), 3);
        assertEq(uint256(claims.assertions(assertionId).games), 3);
    }

    /// @dev Rule 20 and property 17.
    function test_challenge_otherBond_reverts() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        uint256[4] memory values = [0, 1, STAKE - 1, STAKE + 1];
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, honest().root));
        for (uint256 i; i < values.length; ++i) {
            bytes memory why = abi.encodeWithSelector(IOptimisticClaims.WrongValue.selector, STAKE, values[i]);
            _refused(values[i], data, why);
        }
    }

    /// @dev Rule 20.
    function test_challenge_sameTrace_reverts() external {
        bytes32 root = honest().root;
        bytes32 assertionId = assertBy(PROPOSER, requestId, honest());
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, root));
        _refused(STAKE, data, abi.encodeWithSelector(IOptimisticClaims.SameTrace.selector, root));
    }

    /// @dev Rule 16: before the end of the window, to the second; then only as long as a rival lives.
    function test_challenge_aroundTheEndOfTheWindow_isTakenOrRefused() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        uint256 end = block.timestamp + 120;
        vm.warp(end - 1);
        uint256 before = vm.snapshotState();
        challengeBy(CHALLENGER, assertionId, honest());
        vm.revertToState(before);
        bytes32 rival = assertBy(STRANGER, requestId, lying(1, 8));
        before = vm.snapshotState();
        vm.warp(end + 30 days);
        challengeBy(CHALLENGER, assertionId, honest());
        vm.revertToState(before);
        _timeOut(rival, honest());
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, honest().root));
        _refused(STAKE, data, abi.encodeWithSelector(IOptimisticClaims.WindowClosed.selector, end));
    }

    /// @dev Rules 14 and 16: who asserts the same is no rival.
    function test_challenge_sameCommitmentLives_isNoRival() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        assertBy(STRANGER, requestId, lying(1, 0));
        uint256 end = block.timestamp + 120;
        vm.warp(end);
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, honest().root));
        _refused(STAKE, data, abi.encodeWithSelector(IOptimisticClaims.WindowClosed.selector, end));
    }

    function test_challenge_deadOrUnknown_reverts() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        assertBy(STRANGER, requestId, lying(1, 8));
        _timeOut(assertionId, honest());
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, honest().root));
        bytes4 why = IOptimisticClaims.NotLiving.selector;
        _refused(STAKE, data, abi.encodeWithSelector(why, assertionId, AssertionStatus.Dead));
        data = abi.encodeCall(claims.challenge, (keccak256("none"), honest().root));
        _refused(STAKE, data, abi.encodeWithSelector(why, keccak256("none"), AssertionStatus.None));
    }

    /// @dev The verdict is the game's alone.
    function test_settle_notByTheGame_reverts() external {
        assertBy(PROPOSER, requestId, honest());
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotGame.selector, CHALLENGER);
        _refused(0, abi.encodeWithSelector(claims.settle.selector, 1, CHALLENGER, 0, 1), why);
        _refused(0, abi.encodeCall(claims.release, (1, CHALLENGER)), why);
    }

    // ---- what they use ----------------------------------------------------------------------------------------------------

    function _refusedTrace(Trace memory trace, Forest memory forest, bytes memory why) private {
        _refused(BOND, abi.encodeCall(claims.assertOutputs, (requestId, trace, outputsOf(forest))), why);
    }

    function _refused(uint256 value, bytes memory data, bytes memory why) private {
        address sender = bytes4(data) == claims.assertOutputs.selector ? PROPOSER : CHALLENGER;
        refused(sender, address(claims), value, data, why);
    }
}
