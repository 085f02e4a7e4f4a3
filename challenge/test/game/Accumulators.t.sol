// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {Phase, Turn} from "../../src/game/GameState.sol";
import {Run} from "../../src/step/ISteps.sol";
import {AssertionStatus} from "../../src/game/ClaimState.sol";
import {Play, SmallGames} from "./SmallGames.sol";
import {Toy} from "./ToySteps.sol";
import {Trees} from "./Trees.sol";

/// @title Lists of accumulators and intervals: rule 26, and the steps of rule 27 that end them.
contract Accumulators_Test is SmallGames {
    function setUp() external {
        build(6);
    }

    // ---- lists ------------------------------------------------------------------------------------------------------------

    /// @dev Rule 26: as many as are due, 8 bytes each, of argmax 16.
    function test_partials_anotherLength_reverts() external {
        uint256[3] memory tensors = [ONE_LIST, TWO_LISTS, THREE_LISTS];
        uint256[3] memory lengths = [uint256(5 * 8), 64 * 16, 64 * 8];
        for (uint256 i; i < tensors.length; ++i) {
            Play memory play = _until(tensors[i], Phase.Partials);
            Turn memory turn = games.turn(play.gameId);
            bytes memory list = listOf(play.gameId, turn);
            assertEq(list.length, lengths[i]);
            bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongCount.selector, lengths[i], lengths[i] + 1);
            _refused(PROPOSER, partialsCall(play.gameId, turn, bytes.concat(list, hex"00")), why);
            why = abi.encodeWithSelector(IDisputeGame.WrongCount.selector, lengths[i], lengths[i] - 8);
            bytes memory short = Trees.slice(list, 0, list.length - 8);
            _refused(PROPOSER, partialsCall(play.gameId, turn, short), why);
        }
    }

    /// @dev Rule 26: the first list finishes as the block's value. Here that is one more than the element's.
    function test_partials_otherEnd_reverts() external {
        Play memory play = _until(ONE_LIST, Phase.Partials);
        Turn memory turn = games.turn(play.gameId);
        bytes memory list = listOf(play.gameId, turn);
        list[39] ^= 0x01;
        int256 value = valueOf(play.asserted, ONE_LIST, turn.element);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongEnd.selector, value, value ^ 1);
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
    }

    /// @dev Rule 26: 64 pieces are one list, and a step follows; 65 are two, and an interval is picked between them.
    function test_partials_aroundTheFanOut_areOneListOrTwo() external {
        for (uint32 count = 64; count <= 65; ++count) {
            delete toys;
            toys.push(Toy({kind: 1, dtype: 3, nbytes: 40, terms: count * 8, tau: 8}));
            deploy(6);
            Play memory play = begin(1, 0);
            playTo(play.gameId, play.asserted, play.own, Phase.Partials);
            move(play.gameId, play.asserted, play.own);
            assertEq(uint256(games.turn(play.gameId).phase), uint256(count == 64 ? Phase.Step : Phase.Interval));
            playTo(play.gameId, play.asserted, play.own, Phase.Over);
            assertEq(uint256(claims.assertions(play.assertionId).status), uint256(AssertionStatus.Dead));
        }
    }

    /// @dev Rule 30: the node tells neither one naming nor one interval from another, so the list names both.
    function test_partials_ofAnotherNaming_reverts() external {
        Play memory play = _until(THREE_LISTS, Phase.Partials);
        Turn memory turn = games.turn(play.gameId);
        bytes memory list = listOf(play.gameId, turn);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongInterval.selector, turn.element, turn.first);
        ++turn.element;
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
        --turn.element;
        ++turn.first;
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
    }

    function test_partials_anotherDescriptor_reverts() external {
        Play memory play = _until(ONE_LIST, Phase.Partials);
        Turn memory turn = games.turn(play.gameId);
        bytes memory list = listOf(play.gameId, turn);
        bytes32 wanted = keccak256(abi.encodePacked(hex"21", descriptor(ONE_LIST)));
        bytes32 given = keccak256(abi.encodePacked(hex"21", descriptor(OUTPUT)));
        turn.tensor = uint32(OUTPUT);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongDescriptor.selector, wanted, given);
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
    }

    /// @dev Rule 26: the second list ends in the end of its interval, value and index, and opens no record.
    function test_partials_secondList_endsInItsInterval() external {
        Play memory play = _until(TWO_LISTS, Phase.Interval);
        move(play.gameId, play.asserted, play.own);
        Turn memory turn = games.turn(play.gameId);
        bytes memory list = listOf(play.gameId, turn);
        int64 end = int64(uint64(bytes8(_tail(list, 16))));
        list[list.length - 9] ^= 0x01;
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongEnd.selector, end, end ^ 1);
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
        list[list.length - 9] ^= 0x01;
        list[list.length - 1] ^= 0x01;
        why = abi.encodeWithSelector(IDisputeGame.WrongEnd.selector, end, end);
        _refused(PROPOSER, partialsCall(play.gameId, turn, list), why);
        list[list.length - 1] ^= 0x01;
        Run memory record = Run(0, hex"00", new bytes32[](0));
        bytes memory data = abi.encodeCall(
            games.postPartials,
            (play.gameId, turn.number, turn.node, turn.element, turn.first, list, descriptor(TWO_LISTS), record)
        );
        _refused(PROPOSER, data, abi.encodeWithSelector(IDisputeGame.OutOfRange.selector, 0, 0));
        move(play.gameId, play.asserted, play.own);
    }

    function _tail(bytes memory list, uint256 count) private pure returns (bytes16) {
        return bytes16(Trees.slice(list, list.length - count, count));
    }

    // ---- intervals --------------------------------------------------------------------------------------------------------

    /// @dev Rule 26: of n pieces the j-th interval ends after floor(j * n / 64); each leads to a list and a step.
    function test_interval_each_coversItsPieces() external {
        Play memory play = _until(TWO_LISTS, Phase.Interval);
        uint256 before = vm.snapshotState();
        for (uint8 interval; interval < 64; ++interval) {
            vm.revertToState(before);
            Turn memory turn = games.turn(play.gameId);
            vm.prank(CHALLENGER);
            games.pickInterval(play.gameId, turn.number, turn.node, interval, lists[play.gameId]);
            turn = games.turn(play.gameId);
            assertEq(uint256(turn.first), uint256(interval) * 100 / 64);
            assertEq(uint256(turn.last), (uint256(interval) + 1) * 100 / 64);
            assertEq(uint256(turn.count), turn.last - turn.first);
            move(play.gameId, play.asserted, play.own);
            vm.assertTrue(games.turn(play.gameId).phase == Phase.Step, "no list follows another one of 64 pieces");
            if (interval < 63) _nothingWrong(play, turn.last - 1);
            else move(play.gameId, play.asserted, play.own);
        }
    }

    function test_interval_thatIsNotThere_reverts() external {
        Play memory play = _until(TWO_LISTS, Phase.Interval);
        Turn memory turn = games.turn(play.gameId);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.OutOfRange.selector, 64, 64);
        _refused(CHALLENGER, _interval(play.gameId, turn, 64), why);
    }

    function test_interval_anotherList_reverts() external {
        Play memory play = _until(TWO_LISTS, Phase.Interval);
        Turn memory turn = games.turn(play.gameId);
        bytes32 posted = keccak256(lists[play.gameId]);
        lists[play.gameId][7] ^= 0x01;
        bytes32 given = keccak256(lists[play.gameId]);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongPartials.selector, posted, given);
        _refused(CHALLENGER, _interval(play.gameId, turn, 0), why);
    }

    // ---- steps ------------------------------------------------------------------------------------------------------------

    /// @dev Rule 27: of a list that is wrong from one piece on, that piece convicts, and no other one does: a later one goes on from
    /// what was posted.
    function test_step_wrongPiece_convictsThereAlone() external {
        for (uint32 wrong; wrong < 4; ++wrong) {
            Play memory play = _until(ONE_LIST, Phase.Partials);
            Turn memory turn = games.turn(play.gameId);
            bytes memory list = listOf(play.gameId, turn);
            // the lie in the block is 1: it comes in earlier than the honest liar has it
            for (uint256 piece = wrong; piece < 4; ++piece) {
                int64 value = int64(uint64(bytes8(Trees.slice(list, piece * 8, 8)))) + _excessOf(play, turn);
                _write(list, piece * 8, uint64(value));
            }
            bytes memory data = partialsCall(play.gameId, turn, list);
            vm.prank(PROPOSER);
            (bool done,) = address(games).call(data);
            vm.assertTrue(done, "the list ends in the value of the block");
            for (uint32 piece; piece < 5; ++piece) {
                if (piece != wrong) _nothingWrong(play, piece);
            }
            _step(play, wrong);
            vm.assertTrue(games.turn(play.gameId).phase == Phase.Over, "not convicted");
        }
    }

    function _excessOf(Play memory play, Turn memory turn) private view returns (int64) {
        return valueOf(play.asserted, turn.tensor, turn.element) - valueOf(play.own, turn.tensor, turn.element);
    }

    function _write(bytes memory list, uint256 place, uint64 value) private pure {
        for (uint256 i; i < 8; ++i) {
            list[place + i] = bytes1(uint8(value >> (8 * (7 - i))));
        }
    }

    /// @dev Rules 27 and 38: of argmax an index that is wrong convicts, too.
    function test_step_wrongIndex_convicts() external {
        Play memory play = _until(TWO_LISTS, Phase.Partials);
        Turn memory turn = games.turn(play.gameId);
        bytes memory list = listOf(play.gameId, turn);
        list[15] ^= 0x01;
        bytes memory data = partialsCall(play.gameId, turn, list);
        vm.prank(PROPOSER);
        (bool done,) = address(games).call(data);
        vm.assertTrue(done, "only the end is checked");
        turn = games.turn(play.gameId);
        vm.prank(CHALLENGER);
        games.pickInterval(play.gameId, turn.number, turn.node, 0, list);
        turn = games.turn(play.gameId);
        data = partialsCall(play.gameId, turn, Trees.slice(list, 0, 16));
        vm.prank(PROPOSER);
        (done,) = address(games).call(data);
        _step(play, 0);
        vm.assertTrue(games.turn(play.gameId).phase == Phase.Over, "not convicted");
    }

    function test_step_pieceElsewhere_reverts() external {
        Play memory play = _until(TWO_LISTS, Phase.Interval);
        move(play.gameId, play.asserted, play.own);
        move(play.gameId, play.asserted, play.own);
        Turn memory turn = games.turn(play.gameId);
        uint32[2] memory outside = [turn.first - 1, turn.last];
        for (uint256 i; i < 2; ++i) {
            bytes memory why = abi.encodeWithSelector(IDisputeGame.OutOfRange.selector, outside[i], turn.last);
            _refused(CHALLENGER, _stepCall(play, outside[i]), why);
        }
    }

    function test_step_anotherList_reverts() external {
        Play memory play = _until(ONE_LIST, Phase.Step);
        bytes32 posted = keccak256(lists[play.gameId]);
        lists[play.gameId][39] ^= 0x01;
        bytes32 given = keccak256(lists[play.gameId]);
        bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongPartials.selector, posted, given);
        _refused(CHALLENGER, _stepCall(play, 4), why);
    }

    // ---- what they use ----------------------------------------------------------------------------------------------------

    function _until(uint256 tensor, Phase phase) private returns (Play memory play) {
        play = begin(tensor, 0);
        playTo(play.gameId, play.asserted, play.own, phase);
        vm.assertTrue(games.turn(play.gameId).phase == phase, "it never comes there");
    }

    function _stepCall(Play memory play, uint32 piece) private view returns (bytes memory) {
        Turn memory turn = games.turn(play.gameId);
        return abi.encodeCall(
            games.stepPiece, (play.gameId, turn.number, turn.node, piece, lists[play.gameId], evidenceOf(turn.tensor))
        );
    }

    function _step(Play memory play, uint32 piece) private {
        bytes memory data = _stepCall(play, piece);
        vm.prank(CHALLENGER);
        (bool done,) = address(games).call(data);
        vm.assertTrue(done, "it was not taken");
    }

    function _nothingWrong(Play memory play, uint32 piece) private {
        bytes memory data = _stepCall(play, piece);
        vm.prank(CHALLENGER);
        (bool done, bytes memory why) = address(games).call(data);
        vm.assertTrue(!done && bytes4(why) == IDisputeGame.NothingWrong.selector, "another piece convicts");
    }

    function _refused(address sender, bytes memory data, bytes memory why) private {
        refused(sender, address(games), 0, data, why);
    }
}
