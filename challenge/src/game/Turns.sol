// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Blocks} from "./Blocks.sol";
import {Dispute, Game, Phase, State, Turn} from "./GameState.sol";
import {Merkle} from "../Merkle.sol";
import {Partials} from "./Partials.sol";
import {Position} from "./Position.sol";
import {Stand, Walk} from "./Walk.sol";

/// @title What the move that is due has to bring; see Turn. For players: no move depends on it.
library Turns {
    /// @notice Fills in all that follows the node.
    function describe(Game storage game, State memory state, uint256 fanOut, Turn memory next) internal view {
        next.tensor = state.tensor;
        if (state.phase == Phase.Reveal || state.phase == Phase.Pick) return _round(game, state, fanOut, next);
        if (state.phase == Phase.Enter) {
            (next.first, next.count) = (state.tensor, 1);
            next.siblings = uint8(Position.lastLevels(game, state, fanOut));
        } else if (state.phase == Phase.Block) {
            next.first = uint32(state.child << uint32(Walk.BLOCK_HEIGHT));
            next.count = uint32(Merkle.leafCount(Blocks.length(state)));
            next.siblings = uint8(Position.lastLevels(game, state, fanOut));
        } else if (state.phase == Phase.Name || state.pieces <= 1) {
            (uint256 first, uint256 count) = Blocks.elements(state);
            (next.first, next.count) = (uint32(first), uint32(count));
            next.siblings = uint8(Blocks.height(state));
        } else {
            Dispute memory about = game.dispute;
            (next.element, next.last) = (about.element, about.last);
            next.first = state.phase == Phase.Interval ? 0 : about.first;
            next.count = uint32(Partials.due(about.last - about.first));
        }
    }

    function _round(Game storage game, State memory state, uint256 fanOut, Turn memory next) private view {
        Stand memory here = Position.stand(game, state, fanOut);
        uint256 first = uint256(state.child) << here.levels;
        uint256 end = first + here.children;
        if (state.phase == Phase.Reveal) {
            next.siblings = uint8(here.climb);
        } else if (state.nbytes == 0 && first < state.inputs >> here.height) {
            // what lies over inputs alone is revealed, and cannot be picked
            first = state.inputs >> here.height;
        }
        (next.height, next.levels) = (uint8(here.height), uint8(here.levels));
        (next.first, next.count) = (uint32(first), uint32(end - first));
    }
}
