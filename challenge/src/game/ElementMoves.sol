// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Accumulator, Run, Statement} from "../step/ISteps.sol";
import {Blocks} from "./Blocks.sol";
import {Dispute, Ends, Game, Leaf, Phase, Reason, Recomputation, Side, State} from "./GameState.sol";
import {GameMoves} from "./GameMoves.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {Ids} from "./Ids.sol";
import {Partials} from "./Partials.sol";

/// @title From a block to one piece of one element, and its recomputation: rules 25 to 27.
abstract contract ElementMoves is GameMoves {
    /// @inheritdoc IDisputeGame
    function nameElement(bytes32 gameId, uint8 number, bytes32 node, uint32 element, Leaf calldata leaf) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Name);
        _only(game.challenger);
        int64 value = Blocks.value(state, node, element, leaf);
        game.dispute = Dispute(value, element, 0, state.pieces);
        _pass(game, state, Phase.Partials);
        emit ElementNamed(gameId, number, element, value);
    }

    /// @inheritdoc IDisputeGame
    function postPartials(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 element,
        uint32 first,
        bytes calldata partials,
        bytes calldata descriptor,
        Run calldata record
    ) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Partials);
        _only(CLAIMS.subject(game.serial).proposer);
        Dispute memory about = game.dispute;
        if (element != about.element || first != about.first) revert WrongInterval(about.element, about.first);
        _described(game, descriptor);
        _end(game, state, about, partials, descriptor, record);
        game.posted = keccak256(partials);
        _pass(game, state, about.last - first > Partials.FAN_OUT ? Phase.Interval : Phase.Step);
        emit PartialsPosted(gameId, number, partials);
    }

    /// @inheritdoc IDisputeGame
    function pickInterval(bytes32 gameId, uint8 number, bytes32 node, uint8 interval, bytes calldata partials)
        external
    {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Interval);
        _only(game.challenger);
        _posted(game, partials);
        if (interval >= Partials.FAN_OUT) revert OutOfRange(interval, Partials.FAN_OUT);
        Dispute memory about = game.dispute;
        uint8 kind = state.form >> 4;
        Accumulator memory start =
            interval == 0 ? _start(game, state, about) : Partials.read(partials, kind, interval - 1);
        Accumulator memory end = Partials.read(partials, kind, interval);
        game.ends = Ends(int64(start.value), uint64(start.index), int64(end.value), uint64(end.index));
        uint256 pieces = about.last - about.first;
        about.last = about.first + uint32(Partials.cut(pieces, uint256(interval) + 1));
        about.first += uint32(Partials.cut(pieces, interval));
        game.dispute = about;
        _pass(game, state, Phase.Partials);
        emit IntervalPicked(gameId, number, interval, about.first, about.last);
    }

    /// @inheritdoc IDisputeGame
    function stepElement(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 element,
        Leaf calldata leaf,
        Recomputation calldata evidence
    ) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Step);
        _only(game.challenger);
        if (state.pieces > 1) revert WrongStep(state.pieces);
        int256 claimed = Blocks.value(state, node, element, leaf);
        Accumulator memory end = _recompute(game, element, 0, STEPS.neutral(state.form >> 4), evidence);
        int256 computed = STEPS.finish(evidence.descriptor, element, end, evidence.record);
        // INVARIANT: nobody is convicted of what is right.
        if (computed == claimed) revert NothingWrong(claimed);
        emit Convicted(gameId, element, 0, claimed, computed);
        _over(gameId, game, state, Side.Proposer, Reason.Step);
    }

    /// @inheritdoc IDisputeGame
    function stepPiece(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 piece,
        bytes calldata partials,
        Recomputation calldata evidence
    ) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Step);
        _only(game.challenger);
        if (state.pieces <= 1) revert WrongStep(state.pieces);
        _posted(game, partials);
        Dispute memory about = game.dispute;
        if (piece < about.first || piece >= about.last) revert OutOfRange(piece, about.last);
        (Accumulator memory start, Accumulator memory claimed) = _around(game, state, about, piece, partials);
        Accumulator memory computed = _recompute(game, about.element, piece, start, evidence);
        // INVARIANT: nobody is convicted of what is right.
        if (computed.value == claimed.value && computed.index == claimed.index) revert NothingWrong(claimed.value);
        emit Convicted(gameId, about.element, piece, claimed.value, computed.value);
        _over(gameId, game, state, Side.Proposer, Reason.Step);
    }

    function _described(Game storage game, bytes calldata descriptor) private view {
        bytes32 leaf = Ids.descriptor(descriptor);
        if (leaf != game.descriptor) revert WrongDescriptor(game.descriptor, leaf);
    }

    function _posted(Game storage game, bytes calldata partials) private view {
        bytes32 given = keccak256(partials);
        if (given != game.posted) revert WrongPartials(game.posted, given);
    }

    /// @dev The last accumulator of a list: of the first list it finishes as the block's value, of others it is the interval's end.
    function _end(
        Game storage game,
        State memory state,
        Dispute memory about,
        bytes calldata partials,
        bytes calldata descriptor,
        Run calldata record
    ) private view {
        uint8 kind = state.form >> 4;
        uint256 due = Partials.due(about.last - about.first);
        _count(due * Partials.width(kind), partials.length);
        Accumulator memory last = Partials.read(partials, kind, due - 1);
        if (_isWhole(state, about)) {
            int256 value = STEPS.finish(descriptor, about.element, last, record);
            if (value != about.value) revert WrongEnd(about.value, value);
            return;
        }
        Ends memory ends = game.ends;
        if (last.value != ends.endValue || last.index != ends.endIndex) revert WrongEnd(ends.endValue, last.value);
        if (record.data.length + record.siblings.length + record.first != 0) revert OutOfRange(record.first, 0);
    }

    /// @dev Whether no interval was picked yet. An interval is one of 64, so it is never the whole.
    function _isWhole(State memory state, Dispute memory about) private pure returns (bool) {
        return about.last - about.first == state.pieces;
    }

    /// @dev The accumulator before the interval.
    function _start(Game storage game, State memory state, Dispute memory about)
        private
        view
        returns (Accumulator memory)
    {
        if (_isWhole(state, about)) return STEPS.neutral(state.form >> 4);
        return Accumulator(game.ends.startValue, game.ends.startIndex);
    }

    /// @dev The accumulators before and after a piece.
    function _around(Game storage game, State memory state, Dispute memory about, uint32 piece, bytes calldata partials)
        private
        view
        returns (Accumulator memory start, Accumulator memory end)
    {
        uint256 place = piece - about.first;
        uint8 kind = state.form >> 4;
        start = place == 0 ? _start(game, state, about) : Partials.read(partials, kind, place - 1);
        end = Partials.read(partials, kind, place);
    }

    function _recompute(
        Game storage game,
        uint256 element,
        uint256 piece,
        Accumulator memory start,
        Recomputation calldata evidence
    ) private view returns (Accumulator memory) {
        _described(game, evidence.descriptor);
        bytes32 traceRoot = CLAIMS.subject(game.serial).traceRoot;
        Statement memory about = Statement(traceRoot, game.count, evidence.descriptor, element, piece);
        return STEPS.advance(about, evidence.operands, evidence.record, start);
    }
}
