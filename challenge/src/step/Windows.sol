// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CanonicalBytes} from "./CanonicalBytes.sol";

/// @notice A kernel's extent, its strides, pads (all begins, then all ends) and dilations, one an axis.
struct Window {
    int256[] kernel;
    int256[] strides;
    int256[] pads;
    int256[] dilations;
}

/// @title Windows over channel-last tensors x [N, *spatial, C]: the geometry that conv and max share.
library Windows {
    // Nothing in here overflows: attributes are 64 bits, and a product of sizes is looked at after each of them.

    /// @notice Whether the windows fit x, and the output y has one entry for each.
    /// @dev As `Windows.check` and `extent` of the program: every window lies over at least one element, also a padded one.
    function fit(Window memory over, uint256[] memory x, uint256[] memory y) internal pure returns (bool) {
        unchecked {
            uint256 rank = over.kernel.length;
            if (rank == 0 || x.length != rank + 2 || y.length != rank + 2 || y[0] != x[0]) return false;
            if (over.strides.length != rank || over.dilations.length != rank || over.pads.length != 2 * rank) {
                return false;
            }
            uint256 padded = x[0] * x[rank + 1];
            for (uint256 axis; axis < rank; ++axis) {
                if (over.kernel[axis] < 1 || over.strides[axis] < 1 || over.dilations[axis] < 1) return false;
                if (over.pads[axis] < 0 || over.pads[axis + rank] < 0) return false;
                int256 size = int256(x[axis + 1]) + over.pads[axis] + over.pads[axis + rank];
                int256 room = size - over.dilations[axis] * (over.kernel[axis] - 1) - 1;
                if (room < 0 || room / over.strides[axis] + 1 != int256(y[axis + 1])) return false;
                padded *= uint256(size);
                if (padded > CanonicalBytes.MAX_ELEMENTS) return false;
            }
            return true;
        }
    }

    /// @notice Where the window of an output element begins, an axis each; below 0 in the padding.
    /// @param place Coordinates of the output element, image first and channel last.
    function origin(Window memory over, uint256[] memory place) internal pure returns (int256[] memory begins) {
        unchecked {
            begins = new int256[](over.kernel.length);
            for (uint256 axis; axis < begins.length; ++axis) {
                begins[axis] = int256(place[axis + 1]) * over.strides[axis] - over.pads[axis];
            }
        }
    }

    /// @notice Which of `count` taps from `tap` on, neighbours along the last axis, lie in x: those from `low` to `high`.
    /// @return base Spatial position of the first tap, which may itself lie in the padding of the last axis.
    function reach(Window memory over, int256[] memory begins, uint256[] memory x, uint256 tap, uint256 count)
        internal
        pure
        returns (int256 base, uint256 low, uint256 high)
    {
        unchecked {
            int256 scale = 1;
            for (uint256 axis = begins.length; axis > 0;) {
                --axis;
                uint256 kernel = uint256(over.kernel[axis]);
                int256 size = int256(x[axis + 1]);
                int256 reached = begins[axis] + int256(tap % kernel) * over.dilations[axis];
                tap /= kernel;
                if (axis + 1 == begins.length) (low, high) = _clip(reached, size, int256(count));
                else if (reached < 0 || reached >= size) return (0, 0, 0);
                base += reached * scale;
                scale *= size;
            }
        }
    }

    /// @dev The part of [reached, reached + count) in [0, size), counted from `reached`; empty if there is none.
    function _clip(int256 reached, int256 size, int256 count) private pure returns (uint256 low, uint256 high) {
        if (reached >= size || reached + count <= 0) return (0, 0);
        low = reached < 0 ? uint256(-reached) : 0;
        high = uint256(reached + count > size ? size - reached : count);
    }
}
