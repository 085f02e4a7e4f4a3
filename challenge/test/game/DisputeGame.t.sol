// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssertionStatus} from "../../src/game/ClaimState.sol";
import {DisputeGame} from "../../src/game/DisputeGame.sol";
import {Described, Leaf, Phase, Reason, Recomputation, Turn} from "../../src/game/GameState.sol";
import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {Forest} from "./GameWorld.sol";
import {Play, SmallGames} from "./SmallGames.sol";
import {Trees} from "./Trees.sol";

/// @title The moves of a game: rules 20 to 30, one fault at a time, each refused for its reason.
contract DisputeGame_Test is SmallGames {
    function setUp() external {
        build(2);
    }

    // ---- whole games ------------------------------------------------------------------------------------------------------

    /// @dev Rules 20 to 27, properties 5 and 7: first, last and middle operators, first and last leaves, every fan-out.
    function test_game_oneWrongByteAnywhere_convicts() external {
        uint8[4] memory fanOuts = [1, 2, 3, 6];
        uint16[10] memory places = [1, 0, 1, 792, 2, 0, 2, 5000, 2, 1024];
        for (uint256 i; i < fanOuts.length; ++i) {
            build(fanOuts[i]);
            for (uint256 j; j < places.length; j += 2) {
                _convicts(places[j], places[j + 1]);
            }
            for (uint256 tensor = ONE_LIST; tensor <= OUTPUT; ++tensor) {
                _convicts(tensor, toys[tensor - 1].nbytes - 8);
            }
        }
    }

    function _convicts(uint256 tensor, uint256 place) private {
        Play memory play = begin(tensor, place);
        playTo(play.gameId, play.asserted, play.own, Phase.Over);
        vm.assertTrue(claims.assertions(play.assertionId).status == AssertionStatus.Dead, "it lives");
        vm.assertTrue(claims.assertions(play.assertionId).reason == Reason.Step, "for another reason");
        vm.assertTrue(games.turn(play.gameId).phase == Phase.Over, "it goes on");
    }

    /// @dev Property 2 and rule 27: the honest proposer answers every move, and no element of its trace can be stepped.
    function test_game_honestProposer_isNeverConvicted() external {
        for (uint256 tensor = 1; tensor <= OUTPUT; ++tensor) {
            Play memory play;
            (play.asserted, play.own) = (honest(), lying(tensor, 0));
            open(play);
            playTo(play.gameId, play.asserted, play.own, Phase.Step);
            Turn memory turn = games.turn(play.gameId);
            assertEq(uint256(turn.phase), uint256(Phase.Step));
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            vm.prank(CHALLENGER);
            (bool done, bytes memory why) = address(games).call(data);
            vm.assertTrue(!done && bytes4(why) == IDisputeGame.NothingWrong.selector, "convicted");
            vm.warp(turn.deadline);
            games.timeout(play.gameId, turn.number, turn.node);
            vm.assertTrue(claims.assertions(play.assertionId).status == AssertionStatus.Living, "it is dead");
        }
        assertEq(claims.balances(PROPOSER), OUTPUT * (STAKE / 2));
    }

    /// @dev Property 24, rule 30, in every phase: another number, another node, a game that never was.
    function test_move_answersAnotherMove_reverts() external {
        for (uint256 i = 1; i < uint256(Phase.Over); ++i) {
            Play memory play = _until(Phase(i));
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongNumber.selector, turn.number, turn.number ^ 1);
            _refused(turn.mover, _changed(data, 67, 1), why);
            why = abi.encodeWithSelector(IDisputeGame.WrongNode.selector, turn.node, turn.node ^ bytes32(uint256(1)));
            _refused(turn.mover, _changed(data, 99, 1), why);
            bytes32 other = play.gameId ^ bytes32(uint256(1));
            _refused(
                turn.mover, _changed(data, 35, 1), abi.encodeWithSelector(IDisputeGame.GameNotOpen.selector, other)
            );
        }
    }

    /// @dev Rule 41: each move in every phase that is not its own.
    function test_move_notDue_reverts() external {
        bytes[] memory moves = new bytes[](12);
        uint256 count;
        for (uint256 i = 1; i < uint256(Phase.Over); ++i) {
            Play memory play = _until(Phase(i));
            moves[count++] = callOf(play.gameId, games.turn(play.gameId), play.asserted, play.own);
        }
        for (uint256 i = 1; i < uint256(Phase.Over); ++i) {
            Play memory play = _until(Phase(i));
            Turn memory turn = games.turn(play.gameId);
            for (uint256 j; j < count; ++j) {
                if (j + 1 == i) continue;
                bytes memory data = _addressed(moves[j], play.gameId, turn);
                bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongPhase.selector, Phase(i), Phase(j + 1));
                _refused(turn.mover, data, why);
            }
        }
    }

    /// @dev Properties 23 and 46: picks, namings, intervals and steps by the challenger alone, lists by the proposer alone.
    function test_move_bySomebodyElse_reverts() external {
        for (uint256 i = 1; i < uint256(Phase.Over); ++i) {
            Play memory play = _until(Phase(i));
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            bool anybody = Phase(i) == Phase.Reveal || Phase(i) == Phase.Enter || Phase(i) == Phase.Block;
            if (!anybody) {
                _refused(STRANGER, data, abi.encodeWithSelector(IDisputeGame.NotMover.selector, turn.mover, STRANGER));
            } else {
                vm.prank(STRANGER);
                (bool done,) = address(games).call(data);
                vm.assertTrue(done, "a preimage is anybody's");
            }
        }
        // an element of one piece is stepped by another function
        Play memory alone = begin(BLOCK_ALONE, 0);
        playTo(alone.gameId, alone.asserted, alone.own, Phase.Step);
        Turn memory last = games.turn(alone.gameId);
        bytes memory step = callOf(alone.gameId, last, alone.asserted, alone.own);
        _refused(STRANGER, step, abi.encodeWithSelector(IDisputeGame.NotMover.selector, CHALLENGER, STRANGER));
    }

    /// @dev Properties 12 and 29: what has ended takes neither move nor timeout nor closing.
    function test_move_afterTheEnd_reverts() external {
        for (uint256 i = 1; i < uint256(Phase.Over); ++i) {
            Play memory play = _until(Phase(i));
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            vm.warp(turn.deadline);
            games.timeout(play.gameId, turn.number, turn.node);
            bytes memory why = abi.encodeWithSelector(IDisputeGame.GameNotOpen.selector, play.gameId);
            _refused(turn.mover, data, why);
            _refused(STRANGER, abi.encodeCall(games.timeout, (play.gameId, turn.number, turn.node)), why);
            _refused(STRANGER, abi.encodeCall(games.close, (play.gameId)), why);
        }
    }

    /// @dev Property 29: a move that was made is no longer due.
    function test_move_twice_reverts() external {
        for (uint256 i = 1; i < uint256(Phase.Step); ++i) {
            Play memory play = _until(Phase(i));
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            vm.prank(turn.mover);
            (bool done,) = address(games).call(data);
            vm.assertTrue(done, "it was due");
            bytes memory why = abi.encodeWithSelector(IDisputeGame.WrongNumber.selector, turn.number + 1, turn.number);
            _refused(turn.mover, data, why);
        }
    }

    // ---- opening ----------------------------------------------------------------------------------------------------------

    function test_open_notByClaims_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotClaims.selector, address(this)));
        games.open(0, 1, STRANGER, 0, bytes32(uint256(1)), 0, 2, 1, 7);
    }

    function test_constructor_badFanOut_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BadFanOut.selector, 0));
        new DisputeGame(claims, steps, 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.BadFanOut.selector, 9));
        new DisputeGame(claims, steps, 9);
    }

    /// @dev Property 33: the bonds of one deployment are not another one's to move.
    function test_constructor_claimsOfAnotherGame_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongClaims.selector, address(games)));
        new DisputeGame(claims, steps, 6);
    }

    // ---- reveals ----------------------------------------------------------------------------------------------------------

    /// @dev Property 30: every word of every reveal of both walks, wrong by one bit; two swapped; one too few, one too many.
    function test_reveal_anythingElse_reverts() external {
        for (uint256 fanOut = 1; fanOut <= 3; ++fanOut) {
            build(uint8(fanOut));
            Play memory play = begin(WALKED, 4000);
            for (uint256 i; i < 60 && games.turn(play.gameId).phase != Phase.Block; ++i) {
                Turn memory turn = games.turn(play.gameId);
                if (turn.phase == Phase.Reveal) _tamper(play, turn);
                move(play.gameId, play.asserted, play.own);
            }
        }
    }

    function _tamper(Play memory play, Turn memory turn) private {
        bytes32[] memory nodes = revealed(turn, play.asserted);
        for (uint256 i; i < nodes.length; ++i) {
            nodes[i] ^= bytes32(uint256(1));
            _refusedReveal(play, turn, nodes, IDisputeGame.NotUnderNode.selector);
            nodes[i] ^= bytes32(uint256(1));
        }
        if (turn.count > 1) {
            (nodes[0], nodes[1]) = (nodes[1], nodes[0]);
            _refusedReveal(play, turn, nodes, IDisputeGame.NotUnderNode.selector);
            (nodes[0], nodes[1]) = (nodes[1], nodes[0]);
        }
        _refusedReveal(
            play, turn, Trees.nodes(Trees.grow(nodes), 0, 0, nodes.length - 1), IDisputeGame.WrongCount.selector
        );
        bytes32[] memory one = new bytes32[](1);
        one[0] = Trees.absent(turn.height);
        _refusedReveal(play, turn, joined(nodes, one), IDisputeGame.WrongCount.selector);
        _refusedReveal(play, turn, joined(one, nodes), IDisputeGame.WrongCount.selector);
    }

    function _refusedReveal(Play memory play, Turn memory turn, bytes32[] memory nodes, bytes4 why) private {
        (bool done, bytes memory answer) =
            address(games).call(abi.encodeCall(games.reveal, (play.gameId, turn.number, turn.node, nodes)));
        vm.assertTrue(!done && bytes4(answer) == why, "taken, or refused for another reason");
    }

    // ---- picks ------------------------------------------------------------------------------------------------------------

    /// @dev Rule 23: seven tensors, of which one is the input; two rounds of levels 2 and 1.
    function test_pick_childThatIsNotThere_reverts() external {
        Play memory play = begin(OUTPUT, 0);
        move(play.gameId, play.asserted, play.own);
        Turn memory turn = games.turn(play.gameId);
        (uint256 height, uint256 first, uint256 count) = (turn.height, turn.first, turn.count);
        assertEq(height, 1);
        assertEq(first, 0);
        assertEq(count, 4);
        _refusedPick(play, 4);
        _refusedPick(play, 255);
        vm.prank(CHALLENGER);
        games.pick(play.gameId, turn.number, turn.node, 3);
        move(play.gameId, play.asserted, play.own);
        _refusedPick(play, 1); // tensors 6 and 7, of which there is no 7
    }

    /// @dev Rule 23 and property 38: under the first child of the last round lies the input alone, and nobody is liable for it.
    function test_pick_inputAlone_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 0);
        playTo(play.gameId, play.asserted, play.own, Phase.Pick);
        Turn memory turn = games.turn(play.gameId);
        vm.prank(CHALLENGER);
        games.pick(play.gameId, turn.number, turn.node, 0);
        move(play.gameId, play.asserted, play.own);
        _refusedPick(play, 0);
        turn = games.turn(play.gameId);
        assertEq(uint256(turn.first), 1);
        assertEq(uint256(turn.count), 1);
    }

    /// @dev Property 26: a tensor of 20 leaves is walked to 5 blocks, under three children of the first round.
    function test_pick_blockBeyondTheTensor_reverts() external {
        Play memory play = begin(WALKED, 5000);
        playTo(play.gameId, play.asserted, play.own, Phase.Enter);
        move(play.gameId, play.asserted, play.own);
        assertEq(uint256(games.turn(play.gameId).count), 3);
        _refusedPick(play, 3);
        move(play.gameId, play.asserted, play.own);
        move(play.gameId, play.asserted, play.own);
        assertEq(uint256(games.turn(play.gameId).count), 1);
        _refusedPick(play, 1);
    }

    function _refusedPick(Play memory play, uint8 child) private {
        Turn memory turn = games.turn(play.gameId);
        bytes memory data = abi.encodeCall(games.pick, (play.gameId, turn.number, turn.node, child));
        _refused(CHALLENGER, data, abi.encodeWithSelector(IDisputeGame.CannotPick.selector, child));
    }

    // ---- entering ---------------------------------------------------------------------------------------------------------

    /// @dev Rule 21: the descriptor says which of both it is, not the sender.
    function test_enter_theOtherWay_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 0);
        playTo(play.gameId, play.asserted, play.own, Phase.Enter);
        Turn memory turn = games.turn(play.gameId);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongEntrance.selector, 4));
        games.enterByReveal(play.gameId, turn.number, turn.node, described(1), new bytes32[](5));
        play = begin(WALKED, 0);
        playTo(play.gameId, play.asserted, play.own, Phase.Enter);
        turn = games.turn(play.gameId);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongEntrance.selector, 20));
        games.enterByBlock(play.gameId, turn.number, turn.node, described(2), new bytes(1024), new bytes32[](1));
    }

    /// @dev Property 35: the descriptor is that of the picked operator, to the last byte.
    function test_enter_anotherDescriptor_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 0);
        playTo(play.gameId, play.asserted, play.own, Phase.Enter);
        Described memory opened = described(1);
        opened.data[21] ^= 0x01;
        _refusedEnter(play, opened, IDisputeGame.WrongDescriptor.selector);
        opened = described(1);
        opened.siblings[2] ^= bytes32(uint256(1));
        _refusedEnter(play, opened, IDisputeGame.WrongDescriptor.selector);
        _refusedEnter(play, described(2), IDisputeGame.WrongDescriptor.selector);
        opened = described(1);
        opened.siblings = new bytes32[](2);
        _refusedEnter(play, opened, IDisputeGame.WrongCount.selector);
        opened.siblings = new bytes32[](4);
        _refusedEnter(play, opened, IDisputeGame.WrongCount.selector);
    }

    function _refusedEnter(Play memory play, Described memory opened, bytes4 why) private {
        Turn memory turn = games.turn(play.gameId);
        bytes32[] memory up = Trees.siblings(play.asserted.trace, 0, turn.tensor, turn.siblings);
        bytes memory data = play.asserted.tensors[turn.tensor];
        (bool done, bytes memory answer) = address(games)
            .call(abi.encodeCall(games.enterByBlock, (play.gameId, turn.number, turn.node, opened, data, up)));
        vm.assertTrue(!done && bytes4(answer) == why, "taken, or refused for another reason");
    }

    /// @dev Rule 22: what has no preimage in the program's form cannot be entered, hence loses by time. A tensor that is longer
    /// than the program's, one that claims another dtype, one whose last leaf is padded with zeros.
    function test_enter_tensorOfAnotherForm_reverts() external {
        for (uint256 fault; fault < 3; ++fault) {
            Play memory play;
            (play.asserted, play.own) = (_misshapen(fault), honest());
            open(play);
            playTo(play.gameId, play.asserted, play.own, Phase.Enter);
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = play.asserted.tensors[1];
            bytes32[] memory up = Trees.siblings(play.asserted.trace, 0, 1, turn.siblings);
            bytes memory sent =
                abi.encodeCall(games.enterByBlock, (play.gameId, turn.number, turn.node, described(1), data, up));
            (bool done, bytes memory why) = address(games).call(sent);
            bytes4 wanted = fault == 1 ? IDisputeGame.NotUnderNode.selector : IDisputeGame.WrongCount.selector;
            vm.assertTrue(!done && bytes4(why) == wanted, "taken, or refused for another reason");
            sent = abi.encodeCall(
                games.enterByBlock, (play.gameId, turn.number, turn.node, described(1), Trees.slice(data, 0, 800), up)
            );
            (done, why) = address(games).call(sent);
            vm.assertTrue(!done && bytes4(why) == IDisputeGame.NotUnderNode.selector, "taken");
        }
    }

    function _misshapen(uint256 fault) private view returns (Forest memory forest) {
        forest = honest();
        if (fault == 0) forest.tensors[1] = bytes.concat(forest.tensors[1], hex"0000000000000000");
        if (fault == 2) forest.tensors[1] = bytes.concat(forest.tensors[1], new bytes(1024 - 800));
        plant(forest);
        if (fault != 1) return forest;
        bytes32[] memory roots = forest.trace.levels[0];
        roots[1] = keccak256(abi.encodePacked(hex"02", uint8(0), uint64(800), Trees.root(forest.trees[1])));
        forest.trace = Trees.grow(roots);
        forest.root = keccak256(abi.encodePacked(hex"04", uint32(7), Trees.root(forest.trace)));
    }

    // ---- blocks -----------------------------------------------------------------------------------------------------------

    /// @dev Rule 24: the first, a middle and the last byte of a whole block and of the last one; a byte too few, one too many.
    function test_block_anythingElse_reverts() external {
        uint16[2] memory places = [1500, 5000];
        for (uint256 i; i < places.length; ++i) {
            Play memory play = begin(WALKED, places[i]);
            playTo(play.gameId, play.asserted, play.own, Phase.Block);
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = Trees.slice(play.asserted.tensors[WALKED], turn.first * 256, 1024);
            uint256[3] memory wrong = [0, data.length / 2, data.length - 1];
            for (uint256 j; j < wrong.length; ++j) {
                data[wrong[j]] ^= 0x80;
                _refusedBlock(play, data, turn.siblings, IDisputeGame.NotUnderNode.selector);
                data[wrong[j]] ^= 0x80;
            }
            _refusedBlock(play, Trees.slice(data, 0, data.length - 1), turn.siblings, IDisputeGame.WrongCount.selector);
            _refusedBlock(play, bytes.concat(data, hex"00"), turn.siblings, IDisputeGame.WrongCount.selector);
            _refusedBlock(play, data, turn.siblings - 1, IDisputeGame.WrongCount.selector);
        }
    }

    function _refusedBlock(Play memory play, bytes memory data, uint256 levels, bytes4 why) private {
        Turn memory turn = games.turn(play.gameId);
        bytes32[] memory up = Trees.siblings(play.asserted.trees[WALKED], 2, turn.first / 4, levels);
        (bool done, bytes memory answer) =
            address(games).call(abi.encodeCall(games.postBlock, (play.gameId, turn.number, turn.node, data, up)));
        vm.assertTrue(!done && bytes4(answer) == why, "taken, or refused for another reason");
    }

    // ---- elements ---------------------------------------------------------------------------------------------------------

    /// @dev Rules 25 and 26: an element of the block, from its own leaf.
    function test_name_elementElsewhere_reverts() external {
        Play memory play = begin(THREE_LISTS, 2048);
        playTo(play.gameId, play.asserted, play.own, Phase.Name);
        Turn memory turn = games.turn(play.gameId);
        assertEq(uint256(turn.first), 256);
        assertEq(uint256(turn.count), 1);
        Leaf memory leaf = leafOf(THREE_LISTS, play.asserted, 256);
        _refusedName(play, 257, leaf, IDisputeGame.NotInBlock.selector);
        _refusedName(play, 255, leaf, IDisputeGame.NotInBlock.selector);
        _refusedName(play, type(uint32).max, leaf, IDisputeGame.NotInBlock.selector);
        leaf.data[0] ^= 0x01;
        _refusedName(play, 256, leaf, IDisputeGame.NotUnderNode.selector);
        leaf.data = new bytes(256);
        _refusedName(play, 256, leaf, IDisputeGame.WrongCount.selector);
        leaf = leafOf(THREE_LISTS, play.asserted, 256);
        leaf.siblings[1] ^= bytes32(uint256(1));
        _refusedName(play, 256, leaf, IDisputeGame.NotUnderNode.selector);
        leaf.siblings = new bytes32[](1);
        _refusedName(play, 256, leaf, IDisputeGame.WrongCount.selector);
    }

    function _refusedName(Play memory play, uint32 element, Leaf memory leaf, bytes4 why) private {
        Turn memory turn = games.turn(play.gameId);
        vm.prank(CHALLENGER);
        (bool done, bytes memory answer) =
            address(games).call(abi.encodeCall(games.nameElement, (play.gameId, turn.number, turn.node, element, leaf)));
        vm.assertTrue(!done && bytes4(answer) == why, "taken, or refused for another reason");
    }

    /// @dev Rule 27: what is right convicts nobody, wherever the challenger steps.
    function test_step_elementThatIsRight_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 80);
        playTo(play.gameId, play.asserted, play.own, Phase.Step);
        Turn memory turn = games.turn(play.gameId);
        assertEq(uint256(turn.count), 100);
        for (uint32 element; element < 100; ++element) {
            if (element == 10) continue;
            Leaf memory leaf = leafOf(BLOCK_ALONE, play.asserted, element);
            int256 value = valueOf(play.own, BLOCK_ALONE, element);
            bytes memory data = abi.encodeCall(
                games.stepElement, (play.gameId, turn.number, turn.node, element, leaf, evidenceOf(BLOCK_ALONE))
            );
            _refused(CHALLENGER, data, abi.encodeWithSelector(IDisputeGame.NothingWrong.selector, value));
        }
        move(play.gameId, play.asserted, play.own);
        vm.assertTrue(games.turn(play.gameId).phase == Phase.Over, "element 10 is wrong");
    }

    /// @dev Property 35: the descriptor of a step is the one that was opened.
    function test_step_anotherDescriptor_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 80);
        playTo(play.gameId, play.asserted, play.own, Phase.Step);
        Turn memory turn = games.turn(play.gameId);
        Recomputation memory evidence = evidenceOf(OUTPUT);
        bytes32 wanted = keccak256(abi.encodePacked(hex"21", descriptor(BLOCK_ALONE)));
        bytes32 given = keccak256(abi.encodePacked(hex"21", evidence.descriptor));
        Leaf memory leaf = leafOf(BLOCK_ALONE, play.asserted, 10);
        bytes memory data = abi.encodeCall(games.stepElement, (play.gameId, turn.number, turn.node, 10, leaf, evidence));
        _refused(CHALLENGER, data, abi.encodeWithSelector(IDisputeGame.WrongDescriptor.selector, wanted, given));
    }

    /// @dev Rules 25 and 26: an element of one piece is stepped at once, one of more pieces by a piece.
    function test_step_theOtherWay_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 80);
        playTo(play.gameId, play.asserted, play.own, Phase.Step);
        Turn memory turn = games.turn(play.gameId);
        Recomputation memory evidence = evidenceOf(BLOCK_ALONE);
        bytes memory data = abi.encodeCall(games.stepPiece, (play.gameId, turn.number, turn.node, 0, "", evidence));
        _refused(CHALLENGER, data, abi.encodeWithSelector(IDisputeGame.WrongStep.selector, 1));
        play = begin(ONE_LIST, 0);
        playTo(play.gameId, play.asserted, play.own, Phase.Step);
        turn = games.turn(play.gameId);
        Leaf memory leaf = leafOf(ONE_LIST, play.asserted, 0);
        data = abi.encodeCall(games.stepElement, (play.gameId, turn.number, turn.node, 0, leaf, evidenceOf(ONE_LIST)));
        _refused(CHALLENGER, data, abi.encodeWithSelector(IDisputeGame.WrongStep.selector, 5));
    }

    // ---- what both use ----------------------------------------------------------------------------------------------------

    /// @dev A game of three lists, which goes through every phase, until one of them.
    function _until(Phase phase) private returns (Play memory play) {
        play = begin(THREE_LISTS, 2000);
        playTo(play.gameId, play.asserted, play.own, phase);
        vm.assertTrue(games.turn(play.gameId).phase == phase, "it never comes there");
    }

    function _refused(address sender, bytes memory data, bytes memory why) private {
        refused(sender, address(games), 0, data, why);
    }

    function _changed(bytes memory data, uint256 place, uint8 bits) private pure returns (bytes memory changed) {
        changed = bytes.concat(data);
        changed[place] ^= bytes1(bits);
    }

    /// @dev The same move, as if it answered another game's last one.
    function _addressed(bytes memory data, bytes32 gameId, Turn memory turn)
        private
        pure
        returns (bytes memory changed)
    {
        changed = bytes.concat(data);
        (uint256 moves, bytes32 node) = (turn.number, turn.node);
        assembly ("memory-safe") {
            mstore(add(changed, 36), gameId)
            mstore(add(changed, 68), moves)
            mstore(add(changed, 100), node)
        }
    }
}
