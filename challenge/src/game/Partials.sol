// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Accumulator} from "../step/ISteps.sol";

/// @title Lists of accumulators, rule 26: packed, big endian, int64 each; of argmax int64 and uint64.
library Partials {
    /// @notice Accumulators in one move at most.
    uint256 internal constant FAN_OUT = 64;
    /// @dev Number of argmax in the table of operators: the one whose accumulator has an index.
    uint8 private constant ARGMAX = 11;

    /// @notice How many accumulators are due for so many pieces.
    function due(uint256 pieces) internal pure returns (uint256) {
        return pieces < FAN_OUT ? pieces : FAN_OUT;
    }

    /// @notice Bytes an accumulator.
    function width(uint8 kind) internal pure returns (uint256) {
        return kind == ARGMAX ? 16 : 8;
    }

    /// @notice The accumulator at a place of the list.
    /// @dev INVARIANT: the list is as long as `due` says, checked by the caller, and the place lies in it.
    function read(bytes calldata list, uint8 kind, uint256 place) internal pure returns (Accumulator memory) {
        uint256 start = place * width(kind);
        int64 value = int64(uint64(bytes8(list[start:start + 8])));
        return Accumulator(value, kind == ARGMAX ? uint64(bytes8(list[start + 8:start + 16])) : 0);
    }

    /// @notice Where the first `interval` of 64 intervals end: floor(interval * pieces / 64).
    function cut(uint256 pieces, uint256 interval) internal pure returns (uint256) {
        return interval * pieces / FAN_OUT;
    }
}
