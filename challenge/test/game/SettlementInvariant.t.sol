// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Assertion, AssertionStatus, Request, RequestStatus} from "../../src/game/ClaimState.sol";
import {DisputeGame} from "../../src/game/DisputeGame.sol";
import {Turn} from "../../src/game/GameState.sol";
import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {OptimisticClaims} from "../../src/game/OptimisticClaims.sol";
import {Test} from "../Test.sol";
import {Kind, SettlementHandler} from "./SettlementHandler.sol";

/// @title Whatever anybody does: the money adds up, the counters count, and of a game exactly one thing is legal.
contract SettlementInvariant_Test is Test {
    uint256 private constant GWEI = 1e9;
    uint256 private constant BOND = 9_600_000 * GWEI;
    uint256 private constant STAKE = 2_400_000 * GWEI;

    SettlementHandler private handler;
    OptimisticClaims private claims;
    DisputeGame private games;

    function setUp() external {
        handler = new SettlementHandler();
        (address claims_, address games_) = handler.contracts();
        (claims, games) = (OptimisticClaims(claims_), DisputeGame(games_));
    }

    /// @dev forge's convention: only these are called at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// forge-config: default.invariant.runs = 24
    /// @dev Property 16: what is held is what is owed, what is burnt, and what is at stake.
    function invariantFuzz_money_addsUp() external view {
        (uint256 requests, uint256 assertions, uint256 opened, uint256 demands) = handler.counts();
        uint256 held = claims.burnt();
        for (uint256 i; i < 4; ++i) {
            held += claims.balances(handler.person(i));
        }
        for (uint256 i; i < requests; ++i) {
            Request memory asked = claims.requests(handler.requestIds(i));
            if (asked.status == RequestStatus.Open) held += asked.fee + (asked.byRoots ? STAKE : 0);
        }
        for (uint256 i; i < assertions; ++i) {
            if (claims.assertions(handler.assertionIds(i)).status == AssertionStatus.Living) held += BOND;
        }
        for (uint256 i; i < opened; ++i) {
            (, bool isOpen) = games.player(handler.gameIds(i));
            if (isOpen) held += STAKE;
        }
        for (uint256 i; i < demands; ++i) {
            bytes32 demandId = handler.demandIds(i);
            if (claims.isDemanded(demandId)) held += handler.pays(demandId);
        }
        assertEq(address(claims).balance, held);
    }

    /// forge-config: default.invariant.runs = 24
    /// @dev Rule 19: what is counted is there, without a loop in the contracts.
    function invariantFuzz_counters_count() external view {
        (uint256 requests, uint256 assertions,,) = handler.counts();
        uint256[] memory living = new uint256[](requests);
        for (uint256 i; i < assertions; ++i) {
            Assertion memory made = claims.assertions(handler.assertionIds(i));
            uint256 same = claims.living(made.requestId, made.traceRoot);
            if (made.status != AssertionStatus.Living) continue;
            vm.assertTrue(same > 0, "a living assertion that nobody counts");
            for (uint256 j; j < requests; ++j) {
                // each of n that live of a commitment is an n-th of it
                if (handler.requestIds(j) == made.requestId) living[j] += 27720 / same;
            }
        }
        for (uint256 j; j < requests; ++j) {
            Request memory asked = claims.requests(handler.requestIds(j));
            if (asked.status == RequestStatus.Open) assertEq(uint256(asked.living) * 27720, living[j]);
        }
    }

    /// forge-config: default.invariant.runs = 24
    /// @dev Properties 8 and 11, of the last games: at every second exactly one of move, timeout and closing is legal, and a game
    /// that lasts longer than rule 42 allows is late.
    function invariantFuzz_game_hasExactlyOneLegalThing() external {
        (,, uint256 opened,) = handler.counts();
        for (uint256 i = opened > 3 ? opened - 3 : 0; i < opened; ++i) {
            bytes32 gameId = handler.gameIds(i);
            (, bool isOpen) = games.player(gameId);
            Turn memory turn = games.turn(gameId);
            uint256 before = vm.snapshotState();
            bool closes = _taken(abi.encodeCall(games.close, (gameId)), address(this));
            bool ends = _taken(abi.encodeCall(games.timeout, (gameId, turn.number, turn.node)), address(this));
            vm.revertToState(before);
            bool inTime = isOpen && !turn.moot && _inTime(gameId);
            uint256 legal = (closes ? 1 : 0) + (ends ? 1 : 0) + (inTime ? 1 : 0);
            assertEq(legal, isOpen ? 1 : 0);
            vm.assertTrue(closes == (isOpen && turn.moot), "closing");
            // rule 42 with d = 1 over four tensors: two rounds, one list
            uint256 longest = 2 * 60 + 2 * 2 * 10 + 4 * 20;
            vm.assertTrue(!isOpen || turn.deadline <= handler.opened(gameId) + longest, "rule 42");
        }
    }

    function _taken(bytes memory data, address sender) private returns (bool taken) {
        vm.prank(sender);
        (taken,) = address(games).call(data);
    }

    /// @dev The move that is due is taken, or refused for what it shows: never for the clock, nor as another one's turn.
    function _inTime(bytes32 gameId) private returns (bool) {
        uint256 before = vm.snapshotState();
        (bytes memory data, address mover) = handler.dueMove(gameId);
        vm.prank(mover);
        (bool taken, bytes memory why) = address(games).call(data);
        vm.revertToState(before);
        if (taken || bytes4(why) == IDisputeGame.NothingWrong.selector) return true;
        vm.assertTrue(bytes4(why) == IDisputeGame.ClockExpired.selector, "refused for another reason");
        return false;
    }

    /// @dev Else all of this could hold because nothing happens.
    function afterInvariant() external view {
        vm.assertTrue(_total() >= 5, "too little was taken");
    }

    function _total() private view returns (uint256 total) {
        for (uint256 i; i < 13; ++i) {
            total += handler.done(i);
        }
    }

    /// @dev Nor because some kind of action is always refused: drawn as forge draws them, each kind is taken.
    function test_handler_manyActions_takesEveryKind() external {
        bytes4[18] memory actions = [
            handler.ask_.selector,
            handler.assert_.selector,
            handler.challenge_.selector,
            handler.move_.selector,
            handler.moveAgain_.selector,
            handler.moveOnceMore_.selector,
            handler.timeout_.selector,
            handler.close_.selector,
            handler.finalise_.selector,
            handler.returnBond_.selector,
            handler.withdrawFee_.selector,
            handler.demand_.selector,
            handler.serve_.selector,
            handler.closeDemand_.selector,
            handler.withdraw_.selector,
            handler.wait_.selector,
            handler.waitForGame_.selector,
            handler.waitForWindow_.selector
        ];
        for (uint256 i; i < 6000; ++i) {
            uint256 drawn = uint256(keccak256(abi.encode(i)));
            bytes4 action = actions[drawn % 18];
            bool two = action == handler.ask_.selector || action == handler.waitForGame_.selector;
            uint256 second = two ? (drawn >> 16) & 1 : uint8(drawn >> 16);
            (bool done,) =
                address(handler).call(abi.encodeWithSelector(action, uint8(drawn >> 8), second, uint8(drawn >> 24)));
            vm.assertTrue(done, "the handler catches what may fail");
            if (i % 300 == 299) {
                this.invariantFuzz_money_addsUp();
                this.invariantFuzz_counters_count();
                this.invariantFuzz_game_hasExactlyOneLegalThing();
            }
        }
        for (uint256 kind; kind < 13; ++kind) {
            emit Taken(Kind(kind), handler.done(kind));
            vm.assertTrue(handler.done(kind) >= 3, "a kind of action is hardly ever taken");
        }
    }

    event Taken(Kind kind, uint256 times);
}
