// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssertionStatus, RequestStatus} from "../../src/game/ClaimState.sol";
import {Phase, Turn} from "../../src/game/GameState.sol";
import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {Forest} from "./GameWorld.sol";
import {SmallGames} from "./SmallGames.sol";

/// @title The sole survivor, what follows for everybody else, and what a consumer reads: rules 14, 15, 17, 19 and 43.
contract Finality_Test is SmallGames {
    bytes32 private requestId;

    function setUp() external {
        build(6);
        requestId = ask();
    }

    // ---- final ------------------------------------------------------------------------------------------------------------

    /// @dev Rule 15: at the end of the window, not a second before; by anybody; once.
    function test_finalise_aroundTheEnd_isTakenOrRefused() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, honest());
        vm.assertTrue(!claims.isFinal(requestId, outputsOf(honest())), "nothing is final yet");
        vm.warp(block.timestamp + 119);
        _notFinal(assertionId, "posting is open");
        vm.warp(block.timestamp + 1);
        vm.prank(STRANGER);
        claims.finalise(assertionId);
        assertEq(claims.balances(PROPOSER), BOND + 1 ether);
        assertEq(claims.balances(STRANGER), 0);
        assertEq(claims.requests(requestId).finalAssertion, assertionId);
        vm.assertTrue(claims.requests(requestId).status == RequestStatus.Final, "request");
        vm.assertTrue(claims.assertions(assertionId).status == AssertionStatus.Final, "assertion");
        bytes memory why =
            abi.encodeWithSelector(IOptimisticClaims.NotLiving.selector, assertionId, AssertionStatus.Final);
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.finalise, (assertionId)), why);
    }

    /// @dev Rule 15: posting may have ended, and the window of a later one still be open.
    function test_finalise_laterOfTwo_waitsForItsOwnWindow() external {
        bytes32 first = assertBy(STRANGER, requestId, honest());
        uint256 start = block.timestamp;
        vm.warp(start + 100);
        bytes32 second = assertBy(PROPOSER, requestId, honest());
        vm.warp(start + 219);
        _notFinal(second, "its window is open");
        vm.warp(start + 220);
        uint256 before = vm.snapshotState();
        claims.finalise(second);
        vm.revertToState(before);
        claims.finalise(first);
    }

    /// @dev Rule 15: an open game against it, not one against another.
    function test_finalise_openGame_reverts() external {
        Forest memory forest = honest();
        bytes32 challenged = assertBy(PROPOSER, requestId, forest);
        bytes32 free = assertBy(STRANGER, requestId, forest);
        vm.warp(block.timestamp + 119);
        bytes32 gameId = challengeBy(CHALLENGER, challenged, lying(1, 0));
        vm.warp(block.timestamp + 1);
        _notFinal(challenged, "a game against it is open");
        uint256 before = vm.snapshotState();
        claims.finalise(free);
        vm.revertToState(before);
        playTo(gameId, forest, lying(1, 0), Phase.Pick);
        Turn memory turn = games.turn(gameId);
        vm.warp(turn.deadline);
        games.timeout(gameId, turn.number, turn.node);
        claims.finalise(challenged);
    }

    /// @dev Rule 15: of all commitments only its own may live.
    function test_finalise_rivalLives_reverts() external {
        Forest memory forest = honest();
        bytes32 right = assertBy(PROPOSER, requestId, forest);
        bytes32 wrong = assertBy(STRANGER, requestId, lying(1, 0));
        vm.warp(block.timestamp + 30 days);
        _notFinal(right, "a rival lives");
        _notFinal(wrong, "a rival lives");
        bytes32 gameId = challengeBy(CHALLENGER, wrong, forest);
        playTo(gameId, lying(1, 0), forest, Phase.Over);
        _notLiving(wrong, AssertionStatus.Dead);
        claims.finalise(right);
    }

    function _notFinal(bytes32 assertionId, string memory rule) private {
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotFinal.selector, rule);
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.finalise, (assertionId)), why);
    }

    function _notLiving(bytes32 assertionId, AssertionStatus status) private {
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotLiving.selector, assertionId, status);
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.finalise, (assertionId)), why);
    }

    // ---- what follows -----------------------------------------------------------------------------------------------------

    /// @dev Rule 15 and property 19: who asserted the same has its bond back, and earns nothing; who died has nothing.
    function test_final_sameCommitment_hasItsBondBack() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(PROPOSER, requestId, forest);
        bytes32 same = assertBy(STRANGER, requestId, forest);
        bytes32 dead = assertBy(CHALLENGER, requestId, lying(1, 0));
        bytes32 gameId = challengeBy(STRANGER, dead, forest);
        playTo(gameId, lying(1, 0), forest, Phase.Over);
        uint256 won = claims.balances(STRANGER);
        assertEq(won, STAKE + BOND / 2);
        bytes memory data = abi.encodeCall(claims.returnBond, (same));
        refused(STRANGER, address(claims), 0, data, abi.encodeWithSelector(IOptimisticClaims.NotMoot.selector, same));
        vm.warp(block.timestamp + 120);
        claims.finalise(first);
        claims.returnBond(same);
        assertEq(claims.balances(STRANGER), won + BOND);
        bytes4 why = IOptimisticClaims.NotLiving.selector;
        refused(STRANGER, address(claims), 0, data, abi.encodeWithSelector(why, same, AssertionStatus.Returned));
        data = abi.encodeCall(claims.returnBond, (first));
        refused(PROPOSER, address(claims), 0, data, abi.encodeWithSelector(why, first, AssertionStatus.Final));
        data = abi.encodeCall(claims.returnBond, (dead));
        refused(CHALLENGER, address(claims), 0, data, abi.encodeWithSelector(why, dead, AssertionStatus.Dead));
    }

    /// @dev Property 19: whoever copies an answer, and keeps what it copied from being final, does not have the fee of it.
    function test_final_copyOfOneThatIsHeldUp_hasNoFee() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(PROPOSER, requestId, forest);
        bytes32 copied = assertBy(STRANGER, requestId, forest);
        vm.warp(block.timestamp + 119);
        challengeBy(STRANGER, first, lying(1, 0));
        vm.warp(block.timestamp + 1);
        claims.finalise(copied);
        claims.returnBond(first);
        assertEq(claims.balances(PROPOSER), BOND + 1 ether);
        assertEq(claims.balances(STRANGER), BOND);
    }

    /// @dev Rule 15: the fee of a first one that is dead is the final one's; that of an earlier epoch counts for nothing.
    function test_final_firstOneDead_leavesTheFeeToTheFinalOne() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(CHALLENGER, requestId, forest);
        bytes32 gameId = challengeBy(CHALLENGER, first, lying(1, 0));
        uint256 before = vm.snapshotState();
        bytes32 second = assertBy(PROPOSER, requestId, forest);
        vm.warp(block.timestamp + 60);
        games.timeout(gameId, 0, 0);
        vm.warp(block.timestamp + 60);
        claims.finalise(second);
        assertEq(claims.balances(PROPOSER), BOND + 1 ether);
        vm.revertToState(before);
        vm.warp(block.timestamp + 60);
        games.timeout(gameId, 0, 0);
        assertBy(PROPOSER, requestId, forest);
        bytes32 third = assertBy(STRANGER, requestId, forest);
        vm.warp(block.timestamp + 120);
        claims.finalise(third);
        assertEq(claims.balances(PROPOSER), 1 ether);
        assertEq(claims.balances(STRANGER), BOND);
    }

    /// @dev Rule 15: a game against an assertion of the final commitment is lost by its challenger, who cannot go on with it.
    function test_final_gameAgainstTheSame_isLost() external {
        Forest memory forest = honest();
        bytes32 first = assertBy(PROPOSER, requestId, forest);
        bytes32 same = assertBy(STRANGER, requestId, forest);
        vm.warp(block.timestamp + 119);
        bytes32 gameId = challengeBy(CHALLENGER, same, lying(1, 0));
        bytes memory close = abi.encodeCall(games.close, (gameId));
        refused(CHALLENGER, address(games), 0, close, abi.encodeWithSelector(IOptimisticClaims.NotMoot.selector, same));
        vm.warp(block.timestamp + 1);
        claims.finalise(first);
        vm.assertTrue(games.turn(gameId).moot, "it is moot");
        vm.warp(block.timestamp + 60);
        bytes memory why =
            abi.encodeWithSelector(IOptimisticClaims.RequestNotOpen.selector, requestId, RequestStatus.Final);
        refused(CHALLENGER, address(games), 0, abi.encodeCall(games.timeout, (gameId, 0, 0)), why);
        uint256 before = vm.snapshotState();
        for (uint256 i; i < 2; ++i) {
            if (i == 1) claims.returnBond(same); // in either order
            uint256 had = claims.balances(STRANGER);
            games.close(gameId);
            assertEq(claims.balances(STRANGER), had + STAKE / 2);
            assertEq(claims.balances(CHALLENGER), 0);
            assertEq(claims.burnt(), STAKE / 2);
            refused(
                CHALLENGER, address(games), 0, close, abi.encodeWithSelector(IDisputeGame.GameNotOpen.selector, gameId)
            );
            vm.revertToState(before);
        }
    }

    /// @dev Rules 14 and 43: of an assertion that another game killed, the challenge bonds return; a step in the other comes too late.
    function test_dead_otherGames_haveTheirBondsBack() external {
        Forest memory forest = honest();
        Forest memory liar = lying(BLOCK_ALONE, 0);
        bytes32 wrong = assertBy(PROPOSER, requestId, liar);
        assertBy(STRANGER, requestId, forest);
        bytes32 slow = challengeBy(STRANGER, wrong, forest);
        bytes32 quick = challengeBy(CHALLENGER, wrong, forest);
        playTo(slow, liar, forest, Phase.Step);
        playTo(quick, liar, forest, Phase.Over);
        assertEq(claims.balances(CHALLENGER), STAKE + BOND / 2);
        Turn memory turn = games.turn(slow);
        vm.assertTrue(turn.moot, "it is moot");
        bytes memory step = callOf(slow, turn, liar, forest);
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotLiving.selector, wrong, AssertionStatus.Dead);
        refused(STRANGER, address(games), 0, step, why);
        vm.warp(turn.deadline);
        refused(PROPOSER, address(games), 0, abi.encodeCall(games.timeout, (slow, turn.number, turn.node)), why);
        vm.prank(PROPOSER);
        games.close(slow);
        assertEq(claims.balances(STRANGER), STAKE);
        assertEq(claims.burnt(), BOND / 2);
    }

    /// @dev Rule 43 and property 20: who convicts itself by a second account still loses half of its bond.
    function test_dead_byItsOwnSecondAccount_losesHalf() external {
        bytes32 wrong = assertBy(PROPOSER, requestId, lying(BLOCK_ALONE, 0));
        bytes32 own = challengeBy(CHALLENGER, wrong, honest());
        playTo(own, lying(BLOCK_ALONE, 0), honest(), Phase.Over);
        assertEq(claims.balances(PROPOSER) + claims.balances(CHALLENGER), STAKE + BOND / 2);
    }

    /// @dev Property 4: two honest challengers do not harm each other, and two honest proposers neither.
    function test_honest_two_loseNothing() external {
        Forest memory forest = honest();
        Forest memory liar = lying(WALKED, 77);
        bytes32 wrong = assertBy(CHALLENGER, requestId, liar);
        bytes32 right = assertBy(PROPOSER, requestId, forest);
        bytes32 alsoRight = assertBy(STRANGER, requestId, forest);
        bytes32 first = challengeBy(PROPOSER, wrong, forest);
        bytes32 second = challengeBy(STRANGER, wrong, forest);
        for (uint256 i; games.turn(first).phase != Phase.Over; ++i) {
            move(first, liar, forest);
            if (games.turn(first).phase != Phase.Over) move(second, liar, forest);
        }
        games.close(second);
        vm.warp(block.timestamp + 120);
        claims.finalise(right);
        claims.returnBond(alsoRight);
        assertEq(claims.balances(PROPOSER), 1 ether + BOND + STAKE + BOND / 2);
        assertEq(claims.balances(STRANGER), BOND + STAKE);
    }

    // ---- consumers --------------------------------------------------------------------------------------------------------

    /// @dev What a consumer reads: these bytes and no others, of this request and no other, and only when they are final.
    function test_isFinal_anythingElse_isFalse() external {
        bytes32 other = ask();
        bytes32 assertionId = assertBy(PROPOSER, requestId, honest());
        vm.warp(block.timestamp + 120);
        bytes[] memory outputs = outputsOf(honest());
        vm.assertTrue(!claims.isFinal(requestId, outputs), "not final");
        claims.finalise(assertionId);
        vm.assertTrue(claims.isFinal(requestId, outputs), "final");
        vm.assertTrue(!claims.isFinal(other, outputs), "another request");
        for (uint256 i; i < outputs[0].length; ++i) {
            outputs[0][i] ^= 0x01;
            vm.assertTrue(!claims.isFinal(requestId, outputs), "other bytes");
            outputs[0][i] ^= 0x01;
        }
        outputs[0] = new bytes(15);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongLength.selector, 0, 16, 15));
        claims.isFinal(requestId, outputs);
        vm.assertTrue(!claims.isFinalByRoots(keccak256("no request"), new bytes32[](1)), "no request");
    }
}
