// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "./Curve.sol";

/// @title Rows of a column, committed to one by one, folded into one commitment (rule 69).
library Rows {
    /// @notice sum += weights[i] * row i, the rows' points in calldata from `at` on. Infinity is a row of zeros.
    function fold(Sum memory sum, uint256 start, uint256[] memory weights) internal view {
        unchecked {
            for (uint256 i; i < weights.length; ++i) {
                (uint256 x, uint256 y) = (0, 0);
                uint256 weight;
                assembly ("memory-safe") {
                    x := calldataload(start)
                    y := calldataload(add(start, 32))
                    weight := mload(add(weights, shl(5, add(i, 1))))
                }
                Curve.add(sum, x, y, weight);
                start += 64;
            }
        }
    }
}
