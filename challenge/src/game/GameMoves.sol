// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISteps} from "../step/ISteps.sol";
import {Clock} from "./Clock.sol";
import {Game, Phase, Reason, Side, State} from "./GameState.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";
import {States} from "./States.sol";

/// @title What every move of a game is checked for, and what it leaves behind: rules 30 and 41.
abstract contract GameMoves is IDisputeGame {
    /// @notice Keeps the bonds, and hears who has won.
    IOptimisticClaims public immutable CLAIMS;
    /// @notice Keeps the roots of descriptors.
    IProgramRegistry public immutable REGISTRY;
    /// @notice Recomputes a piece.
    ISteps public immutable STEPS;
    /// @notice d of rule 21: levels of a round at most.
    uint8 public immutable FAN_OUT;

    mapping(bytes32 gameId => Game) internal _games;

    /// @param claims Already deployed, for this contract's address.
    constructor(IOptimisticClaims claims, ISteps steps, uint8 fanOut) {
        if (fanOut == 0 || fanOut > 8) revert BadFanOut(fanOut);
        // INVARIANT: the bonds lie with a contract that hears this one, and no other.
        address named = address(claims.GAMES());
        if (named != address(this)) revert WrongClaims(named);
        (CLAIMS, REGISTRY, STEPS, FAN_OUT) = (claims, claims.REGISTRY(), steps, fanOut);
    }

    /// @dev A game that goes on, with its state.
    function _running(bytes32 gameId) internal view returns (Game storage game, State memory state) {
        game = _games[gameId];
        state = States.load(game);
        // INVARIANT: a game that is over stays over, whatever is sent to it.
        if (state.phase == Phase.None || state.phase == Phase.Over) revert GameNotOpen(gameId);
    }

    /// @dev Rule 30: the move answers the last one.
    function _answered(bytes32 gameId, uint8 number, bytes32 node)
        internal
        view
        returns (Game storage game, State memory state)
    {
        (game, state) = _running(gameId);
        if (number != state.number) revert WrongNumber(state.number, number);
        bytes32 proved = number == 0 ? bytes32(0) : game.node;
        if (node != proved) revert WrongNode(proved, node);
    }

    /// @dev In the order of dispute/rules.py: the game is open, the move answers the last one, it is due, and in time.
    function _due(bytes32 gameId, uint8 number, bytes32 node, Phase phase)
        internal
        view
        returns (Game storage game, State memory state)
    {
        (game, state) = _answered(gameId, number, node);
        if (phase != state.phase) revert WrongPhase(state.phase, phase);
        // INVARIANT: at every second exactly one of {move, timeout} is legal.
        if (block.timestamp >= state.deadline) revert ClockExpired(state.deadline);
    }

    /// @dev Refuses everybody but `mover`.
    function _only(address mover) internal view {
        if (msg.sender != mover) revert NotMover(mover, msg.sender);
    }

    /// @dev The move is made: its number rises, and the other side's clock runs.
    function _pass(Game storage game, State memory state, Phase next) internal {
        (state.phase, state.number) = (next, state.number + 1);
        Clock.pass(state);
        States.store(game, state);
    }

    /// @dev The verdict: stored before anybody else is called.
    function _over(bytes32 gameId, Game storage game, State memory state, Side loser, Reason reason) internal {
        (state.phase, state.number) = (Phase.Over, state.number + 1);
        States.store(game, state);
        emit GameOver(gameId, loser, reason);
        CLAIMS.settle(game.serial, game.challenger, loser, reason);
    }

    /// @dev Refuses another number than there has to be.
    function _count(uint256 wanted, uint256 given) internal pure {
        if (wanted != given) revert WrongCount(wanted, given);
    }

    /// @dev Refuses what does not hash up to the node that was proved.
    function _under(bytes32 node, bytes32 given) internal pure {
        if (node != given) revert NotUnderNode(node, given);
    }
}
