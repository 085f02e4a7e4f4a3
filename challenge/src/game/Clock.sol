// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Side, State} from "./GameState.sol";
import {Profile, Profiles} from "./Profiles.sol";

/// @title Rule 41: a chess clock for each side.
/// @dev `rest` is kept of the side that waits only; of the one to move it is the deadline that says what it has.
library Clock {
    /// @notice Both clocks at the opening; the proposer moves first.
    function start(State memory state) internal view {
        Profile memory profile = Profiles.row(state.profile);
        state.rest = profile.clock;
        state.deadline = uint40(block.timestamp) + profile.clock;
    }

    /// @notice The side to move has moved in time: it keeps what it has left, and the other's turn begins, before `state.phase`.
    function pass(State memory state) internal view {
        (uint256 has, uint256 least) = (state.rest, extension(state));
        unchecked {
            // INVARIANT: block.timestamp < state.deadline, which the caller has checked, so a side never keeps less than a second.
            state.rest = uint32(state.deadline - block.timestamp);
            // INVARIANT: a turn lasts at least the extension, so no last-second move leaves the other one without an answer.
            state.deadline = uint40(block.timestamp + (has > least ? has : least));
        }
    }

    /// @notice X: the least that a turn lasts before the move that is due. What enters a tensor is not known to be a block.
    function extension(State memory state) internal pure returns (uint256) {
        Profile memory profile = Profiles.row(state.profile);
        return state.phase < Phase.Block ? profile.extension : profile.longExtension;
    }

    /// @notice Whose turn it is.
    function side(Phase phase) internal pure returns (Side) {
        bool proposer = phase == Phase.Reveal || phase == Phase.Enter || phase == Phase.Block || phase == Phase.Partials;
        return proposer ? Side.Proposer : Side.Challenger;
    }
}
