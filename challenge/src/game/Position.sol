// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Game, State} from "./GameState.sol";
import {Merkle} from "../Merkle.sol";
import {Stand, Walk} from "./Walk.sol";

/// @title Where a game stands in the tree that it walks: rule 21, on the state that is stored.
library Position {
    /// @notice Lowest entries of that tree: tensors of the trace, or leaves of the tensor.
    function entries(Game storage game, State memory state) internal view returns (uint256) {
        return state.nbytes == 0 ? game.count : Merkle.leafCount(state.nbytes);
    }

    /// @notice The stand of the present round; there is one before Reveal and Pick alone.
    function stand(Game storage game, State memory state, uint256 fanOut) internal view returns (Stand memory) {
        return Walk.stand(entries(game, state), _bottom(state), state.round, fanOut, state.child);
    }

    /// @notice From what was picked last up to `node`, when a walk has ended: siblings that Enter and Block bring.
    function lastLevels(Game storage game, State memory state, uint256 fanOut) internal view returns (uint256) {
        return Walk.lastLevels(entries(game, state), _bottom(state), fanOut);
    }

    /// @dev Height at which the walk ends.
    function _bottom(State memory state) private pure returns (uint256) {
        return state.nbytes == 0 ? 0 : Walk.BLOCK_HEIGHT;
    }
}
