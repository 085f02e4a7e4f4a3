// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISteps} from "../step/ISteps.sol";
import {Subject} from "./ClaimState.sol";
import {Clock} from "./Clock.sol";
import {ElementMoves} from "./ElementMoves.sol";
import {GameMoves} from "./GameMoves.sol";
import {Game, Phase, Reason, Side, State, Turn} from "./GameState.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";
import {Ids} from "./Ids.sol";
import {States} from "./States.sol";
import {Turns} from "./Turns.sol";
import {WalkMoves} from "./WalkMoves.sol";

/// @title The game of one challenger against one assertion: rules 20 to 32 and 41 of docs/protocol.md.
/// @notice See IDisputeGame. Its parts, each a file: GameMoves, WalkMoves, ElementMoves.
/// @dev Assures: an assertion whose proposer can answer every reveal, block and list in time, and no element of which is other
/// than its operator makes it, is never convicted; one that differs is, by a challenger who names the first child that differs.
/// Under collision resistance of keccak-256, right step contracts, and a chain that takes a move within the extension.
contract DisputeGame is WalkMoves, ElementMoves {
    /// @param claims Already deployed, for this contract's address.
    /// @param steps Recomputes a piece.
    /// @param fanOut d of rule 21.
    constructor(IOptimisticClaims claims, ISteps steps, uint8 fanOut) GameMoves(claims, steps, fanOut) {}

    /// @inheritdoc IDisputeGame
    function open(
        bytes32 assertionId,
        uint64 serial,
        address challenger,
        uint32 counter,
        bytes32 traceRoot,
        bytes32 ownRoot,
        uint8 profile,
        uint8 inputs,
        uint32 count
    ) external returns (bytes32 gameId) {
        if (msg.sender != address(CLAIMS)) revert NotClaims(msg.sender);
        gameId = Ids.game(assertionId, challenger, counter);
        // INVARIANT: the counter grows with every game, so no game is ever overwritten.
        Game storage game = _games[gameId];
        (game.challenger, game.serial, game.count, game.node) = (challenger, serial, count, traceRoot);
        State memory state;
        (state.phase, state.inputs, state.profile) = (Phase.Reveal, inputs, profile);
        Clock.start(state);
        States.store(game, state);
        emit GameOpened(gameId, assertionId, challenger, counter, ownRoot);
    }

    /// @inheritdoc IDisputeGame
    function timeout(bytes32 gameId, uint8 number, bytes32 node) external {
        (Game storage game, State memory state) = _answered(gameId, number, node);
        // INVARIANT: at every second exactly one of {move, timeout} is legal.
        if (block.timestamp < state.deadline) revert ClockRuns(state.deadline);
        _over(gameId, game, state, Clock.side(state.phase), Reason.Timeout);
    }

    /// @inheritdoc IDisputeGame
    function close(bytes32 gameId) external {
        (Game storage game, State memory state) = _running(gameId);
        state.phase = Phase.Over;
        States.store(game, state);
        bool returned = CLAIMS.release(game.serial, game.challenger);
        emit GameClosed(gameId, returned);
    }

    /// @inheritdoc IDisputeGame
    function player(bytes32 gameId) external view returns (address challenger, bool isOpen) {
        Game storage game = _games[gameId];
        Phase phase = States.load(game).phase;
        return (game.challenger, phase != Phase.None && phase != Phase.Over);
    }

    /// @inheritdoc IDisputeGame
    function turn(bytes32 gameId) external view returns (Turn memory next) {
        Game storage game = _games[gameId];
        State memory state = States.load(game);
        (next.phase, next.number, next.deadline) = (state.phase, state.number, state.deadline);
        if (state.phase == Phase.None || state.phase == Phase.Over) return next;
        Subject memory about = CLAIMS.subject(game.serial);
        next.mover = Clock.side(state.phase) == Side.Proposer ? about.proposer : game.challenger;
        next.moot = CLAIMS.isMoot(game.serial);
        next.late = block.timestamp >= state.deadline;
        next.node = state.number == 0 ? bytes32(0) : game.node;
        Turns.describe(game, state, FAN_OUT, next);
    }
}
