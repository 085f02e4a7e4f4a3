// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";

/// @notice Elements side by side in memory, from `source` on, and the integer that stands for zero.
struct Factor {
    uint256 source;
    uint8 dtype;
    int256 zero;
}

/// @title Sums of products of centred integers: what matmul and conv spend their gas on.
library Dot {
    /// @dev One byte in each lane of 32 bits, one in each of 16, and the two masks that turn eight lanes around.
    uint256 private constant LANE32 = 0x000000FF000000FF000000FF000000FF000000FF000000FF000000FF000000FF;
    uint256 private constant LANE16 = 0x00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF;
    uint256 private constant LOW64 = 0x0000000000000000FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF;
    uint256 private constant LOW32 = 0x00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF;
    uint256 private constant LOW16 = 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF;
    uint256 private constant ONES32 = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @notice sum over i of (x_i - xZero)(w_i - wZero), i < count.
    /// @param count At most 1,024.
    function product(Factor memory x, Factor memory w, uint256 count) internal pure returns (int256 total) {
        if (x.dtype == 0 && w.dtype == 0) return _bytes(x, w, count);
        (uint256 xs, uint256 ws) = (x.source, w.source);
        (uint8 xType, uint8 wType) = (x.dtype, w.dtype);
        (int256 xZero, int256 wZero) = (x.zero, w.zero);
        unchecked {
            // 1,024 products of two numbers below 2^64 each stay below 2^138
            for (uint256 i; i < count; ++i) {
                total += (TensorReader.loaded(xs, xType, i) - xZero) * (TensorReader.loaded(ws, wType, i) - wZero);
            }
        }
    }

    /// @dev Of bytes, as sum(xw) - wZero sum(x) - xZero sum(w) + count xZero wZero.
    function _bytes(Factor memory x, Factor memory w, uint256 count) private pure returns (int256) {
        (uint256 products, uint256 xs, uint256 ws) = (0, 0, 0);
        (uint256 xSource, uint256 wSource) = (x.source, w.source);
        unchecked {
            for (uint256 i; i < count; i += 32) {
                (uint256 a, uint256 b) = (0, 0);
                assembly ("memory-safe") {
                    a := mload(add(xSource, i))
                    b := mload(add(wSource, i))
                }
                if (count - i < 32) {
                    // what lies behind the last element is cut off
                    uint256 beyond = 256 - 8 * (count - i);
                    (a, b) = (a >> beyond << beyond, b >> beyond << beyond);
                }
                // INVARIANT: 32 words, two bytes of each a lane: a lane stays at most 32 * 2 * 255 < 2^16
                xs += (a & LANE16) + ((a >> 8) & LANE16);
                ws += (b & LANE16) + ((b >> 8) & LANE16);
                products += _products(a, b);
            }
            // INVARIANT: the highest lane of 32 bits holds all products, at most 1,024 * 255^2 < 2^32
            return int256(products >> 224) - w.zero * _lanes(xs) - x.zero * _lanes(ws) + int256(count) * x.zero * w.zero;
        }
    }

    /// @dev sum of the products of 32 bytes in the highest lane of 32 bits: eight at a time, as the middle coefficient of a
    /// product of two polynomials of eight terms, of which one is written backwards. No lower lane reaches 2^32.
    function _products(uint256 a, uint256 b) private pure returns (uint256 sum) {
        unchecked {
            b = (b >> 128) | (b << 128);
            b = ((b >> 64) & LOW64) | ((b & LOW64) << 64);
            b = ((b >> 32) & LOW32) | ((b & LOW32) << 32);
            sum = (a & LANE32) * (b & LANE32);
            sum += ((a >> 8) & LANE32) * ((b >> 8) & LANE32);
            sum += ((a >> 16) & LANE32) * ((b >> 16) & LANE32);
            sum += ((a >> 24) & LANE32) * ((b >> 24) & LANE32);
        }
    }

    /// @dev The sum of sixteen lanes of 16 bits.
    function _lanes(uint256 word) private pure returns (int256) {
        unchecked {
            return int256((((word & LOW16) + ((word >> 16) & LOW16)) * ONES32) >> 224);
        }
    }
}
