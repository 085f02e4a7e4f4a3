// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Game, Phase, State} from "./GameState.sol";

/// @title What changes in a game, as one word: read once and written once a move.
/// @dev By hand, since the compiler reads and writes field by field: a move in ten is paid for it.
library States {
    /// @notice The fields, from the lowest bits up in the order of State.
    function load(Game storage game) internal view returns (State memory state) {
        uint256 word = game.state;
        state.number = uint8(word);
        state.phase = Phase(uint8(word >> 8));
        state.round = uint8(word >> 16);
        state.inputs = uint8(word >> 24);
        state.profile = uint8(word >> 32);
        state.form = uint8(word >> 40);
        state.child = uint32(word >> 48);
        state.tensor = uint32(word >> 80);
        state.pieces = uint32(word >> 112);
        state.rest = uint32(word >> 144);
        state.deadline = uint40(word >> 176);
        state.nbytes = uint40(word >> 216);
    }

    /// @notice The inverse of `load`.
    function store(Game storage game, State memory state) internal {
        uint256 word = uint256(state.number) | uint256(state.phase) << 8 | uint256(state.round) << 16;
        word |= uint256(state.inputs) << 24 | uint256(state.profile) << 32 | uint256(state.form) << 40;
        word |= uint256(state.child) << 48 | uint256(state.tensor) << 80 | uint256(state.pieces) << 112;
        word |= uint256(state.rest) << 144 | uint256(state.deadline) << 176 | uint256(state.nbytes) << 216;
        game.state = word;
    }
}
