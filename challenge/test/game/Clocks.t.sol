// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssertionStatus} from "../../src/game/ClaimState.sol";
import {Phase, Reason, Turn} from "../../src/game/GameState.sol";
import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {Profile, Profiles} from "../../src/game/Profiles.sol";
import {Play, SmallGames} from "./SmallGames.sol";

/// @title Chess clocks: rules 41, 42 and 44; properties 8 to 12.
contract Clocks_Test is SmallGames {
    function setUp() external {
        build(2);
    }

    /// @dev Property 8, in every phase: at T - 1 a move alone is legal, at T and at T + 1 a timeout alone.
    function test_clock_aroundTheDeadline_allowsExactlyOne() external {
        Play memory play = begin(THREE_LISTS, 2000);
        uint256 phases;
        for (; games.turn(play.gameId).phase != Phase.Over; move(play.gameId, play.asserted, play.own)) {
            Turn memory turn = games.turn(play.gameId);
            bytes memory data = callOf(play.gameId, turn, play.asserted, play.own);
            bytes memory timeout = abi.encodeCall(games.timeout, (play.gameId, turn.number, turn.node));
            uint256 before = vm.snapshotState();
            for (uint256 late; late < 2; ++late) {
                vm.warp(turn.deadline + late);
                vm.assertTrue(games.turn(play.gameId).late, "it is late");
                bytes memory why = abi.encodeWithSelector(IDisputeGame.ClockExpired.selector, turn.deadline);
                refused(turn.mover, address(games), 0, data, why);
                _taken(STRANGER, timeout);
                vm.revertToState(before);
            }
            vm.warp(turn.deadline - 1);
            vm.assertTrue(!games.turn(play.gameId).late, "it is in time");
            refused(
                STRANGER,
                address(games),
                0,
                timeout,
                abi.encodeWithSelector(IDisputeGame.ClockRuns.selector, turn.deadline)
            );
            _taken(turn.mover, data);
            vm.revertToState(before);
            phases |= 1 << uint256(turn.phase);
        }
        assertEq(phases, 0x1fe);
    }

    function _taken(address sender, bytes memory data) private {
        vm.prank(sender);
        (bool done,) = address(games).call(data);
        vm.assertTrue(done, "it is legal");
    }

    /// @dev Rules 18 and 43, in every phase: who let its time pass loses its bond, half to the other side.
    function test_timeout_eachPhase_theMoverLoses() external {
        Play memory play = begin(THREE_LISTS, 2000);
        for (; games.turn(play.gameId).phase != Phase.Over; move(play.gameId, play.asserted, play.own)) {
            Turn memory turn = games.turn(play.gameId);
            uint256 before = vm.snapshotState();
            vm.warp(turn.deadline);
            games.timeout(play.gameId, turn.number, turn.node);
            bool isProposers = turn.mover == PROPOSER;
            AssertionStatus status = claims.assertions(play.assertionId).status;
            vm.assertTrue((status == AssertionStatus.Dead) == isProposers, "the other side");
            Reason reason = claims.assertions(play.assertionId).reason;
            vm.assertTrue(reason == (isProposers ? Reason.Timeout : Reason.None), "reason");
            assertEq(claims.balances(CHALLENGER), isProposers ? STAKE + BOND / 2 : 0);
            assertEq(claims.balances(PROPOSER), isProposers ? 0 : STAKE / 2);
            assertEq(claims.burnt(), isProposers ? BOND / 2 : STAKE / 2);
            vm.revertToState(before);
        }
    }

    /// @dev Property 24, rule 30: a timeout names the turn that it ends.
    function test_timeout_ofAnotherTurn_reverts() external {
        Play memory play = begin(BLOCK_ALONE, 0);
        Turn memory turn = games.turn(play.gameId);
        vm.warp(turn.deadline);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongNumber.selector, 0, 1));
        games.timeout(play.gameId, 1, turn.node);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongNode.selector, 0, bytes32(uint256(1))));
        games.timeout(play.gameId, 0, bytes32(uint256(1)));
    }

    /// forge-config: default.fuzz.runs = 48
    /// @dev Properties 9 and 10: the clock of who moves runs, the other's stands; a last-second move leaves the extension.
    function testFuzz_clock_anyDelays_isAChessClock(uint256 seed, uint8 choice) external {
        profile = choice % 3;
        Profile memory row = Profiles.row(profile);
        Play memory play = begin(THREE_LISTS, 2000);
        uint256[2] memory rests = [uint256(row.clock), row.clock];
        uint256 started = block.timestamp;
        for (uint256 i; games.turn(play.gameId).phase != Phase.Over; ++i) {
            Turn memory turn = games.turn(play.gameId);
            uint256 least = turn.phase < Phase.Block ? row.extension : row.longExtension;
            uint256 side = turn.mover == PROPOSER ? 0 : 1;
            uint256 has = rests[side] > least ? rests[side] : least;
            assertEq(uint256(turn.deadline), block.timestamp + has);
            uint256 delay = _delay(seed, i, has);
            vm.warp(block.timestamp + delay);
            rests[side] = has - delay;
            move(play.gameId, play.asserted, play.own);
        }
        vm.assertTrue(block.timestamp - started <= _longest(row), "rule 42");
    }

    /// @dev At once, at the last second, or anywhere between.
    function _delay(uint256 seed, uint256 i, uint256 has) private pure returns (uint256) {
        uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
        if (drawn % 3 == 0) return 0;
        return drawn % 3 == 1 ? has - 1 : (drawn >> 8) % has;
    }

    /// @dev Rule 42: R = 2 rounds of walk 1 (depth 3) and 1 of walk 2 (depth 4); L = 3 lists.
    function _longest(Profile memory row) private pure returns (uint256) {
        (uint256 rounds, uint256 levels) = (3, 3);
        return 2 * uint256(row.clock) + 2 * rounds * row.extension + (2 * levels + 2) * row.longExtension;
    }

    /// @dev Property 11, rule 42: both sides move in the last second of every turn, and the game ends within the bound.
    function test_clock_bothAtTheLastSecond_endsWithinTheBound() external {
        for (profile = 0; profile < 3; ++profile) {
            Profile memory row = Profiles.row(profile);
            Play memory play = begin(THREE_LISTS, 2000);
            uint256 started = block.timestamp;
            for (; games.turn(play.gameId).phase != Phase.Over; move(play.gameId, play.asserted, play.own)) {
                vm.warp(games.turn(play.gameId).deadline - 1);
            }
            uint256 lasted = block.timestamp - started;
            vm.assertTrue(lasted <= _longest(row), "rule 42");
            // the first turn of each side has no extension, so the bound is missed by two extensions and no more
            vm.assertTrue(lasted + 2 * row.longExtension + 32 > _longest(row), "the bound is a loose one");
        }
    }

    /// @dev Rule 42: if the challenger answers at once, the proposer cannot make it last longer than T + R * E + (L + 1) * Es.
    function test_clock_oneSideAtOnce_endsWithinHalfTheBound() external {
        Profile memory row = Profiles.row(profile);
        address[2] memory slow = [PROPOSER, CHALLENGER];
        for (uint256 i; i < 2; ++i) {
            Play memory play = begin(THREE_LISTS, 2000);
            uint256 started = block.timestamp;
            for (; games.turn(play.gameId).phase != Phase.Over; move(play.gameId, play.asserted, play.own)) {
                Turn memory turn = games.turn(play.gameId);
                if (turn.mover == slow[i]) vm.warp(turn.deadline - 1);
            }
            vm.assertTrue(block.timestamp - started <= _longest(row) / 2, "rule 42");
        }
    }

    /// @dev Rule 44.
    function test_profiles_eachRow_isTheTable() external {
        uint256[18] memory table = [
            uint256(24 hours),
            24 hours,
            1 hours,
            2 hours,
            100 gwei,
            1 gwei,
            26 hours,
            26 hours,
            30 minutes,
            1 hours,
            1 gwei,
            0.01 gwei,
            120,
            60,
            10,
            20,
            1 gwei,
            1 gwei
        ];
        for (uint8 i; i < 3; ++i) {
            Profile memory row = Profiles.row(i);
            uint256[6] memory fields =
                [uint256(row.window), row.clock, row.extension, row.longExtension, row.cap, row.floor];
            for (uint256 j; j < 6; ++j) {
                assertEq(fields[j], table[6 * i + j]);
            }
            vm.assertTrue(row.extension <= row.longExtension && 2 * row.longExtension <= row.clock, "rule 42 needs it");
        }
        vm.expectRevert(abi.encodeWithSelector(Profiles.UnknownProfile.selector, 3));
        this.profileRow(3);
    }

    function profileRow(uint8 wanted) external pure returns (Profile memory) {
        return Profiles.row(wanted);
    }
}
