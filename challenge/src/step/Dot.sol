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
    /// @dev The lowest byte of each lane of 32 bits, and of 16; the lowest half of lanes of 128, 64 and 32 bits; 16 bits of 64.
    uint256 private constant LANE32 = 0x000000FF000000FF000000FF000000FF000000FF000000FF000000FF000000FF;
    uint256 private constant LANE16 = 0x00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF;
    uint256 private constant LOW64 = 0x0000000000000000FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF;
    uint256 private constant LOW32 = 0x00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF;
    uint256 private constant LOW16 = 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF;
    uint256 private constant LANE64 = 0x000000000000FFFF000000000000FFFF000000000000FFFF000000000000FFFF;
    uint256 private constant ONES16 = 0x0001000100010001000100010001000100010001000100010001000100010001;
    uint256 private constant ONES32 = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @notice sum over i of (x_i - xZero)(w_i - wZero), i < count.
    /// @param count At most 1,024.
    function product(Factor memory x, Factor memory w, uint256 count) internal pure returns (int256 total) {
        if (x.dtype == 0 && w.dtype == 0) return _bytes(x, w, count);
        if (x.dtype <= 1 && w.dtype <= 1) return _shorts(x, w, count);
        int256[] memory xs = TensorReader.wide(x.source, x.dtype, count);
        int256[] memory ws = TensorReader.wide(w.source, w.dtype, count);
        (int256 xZero, int256 wZero) = (x.zero, w.zero);
        assembly ("memory-safe") {
            // INVARIANT: 1,024 products of two numbers below 2^64 each stay below 2^138
            for { let at := mul(count, 32) } at { at := sub(at, 32) } {
                total := add(total, mul(sub(mload(add(xs, at)), xZero), sub(mload(add(ws, at)), wZero)))
            }
        }
    }

    /// @dev Of bytes, eight products at a time.
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
            return _centred(products >> 224, _folded(xs), x.zero, _folded(ws), w.zero, count);
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

    /// @dev Of bytes and i16: the same with lanes of 64 bits, so four products at a time. An i16 is 2^15 more in its lane, and so
    /// is its zero.
    function _shorts(Factor memory x, Factor memory w, uint256 count) private pure returns (int256) {
        (uint256 products, uint256 xs, uint256 ws) = (0, 0, 0);
        unchecked {
            for (uint256 i; i < count; i += 16) {
                (uint256 a, uint256 b) = (_sixteen(x, i), _sixteen(w, i));
                if (count - i < 16) {
                    uint256 beyond = 256 - 16 * (count - i);
                    (a, b) = (a >> beyond << beyond, b >> beyond << beyond);
                }
                // INVARIANT: 64 words, two numbers of each a lane: a lane stays below 64 * 2 * 2^16 = 2^23
                xs += (a & LOW16) + ((a >> 16) & LOW16);
                ws += (b & LOW16) + ((b >> 16) & LOW16);
                b = (b >> 128) | (b << 128);
                b = ((b >> 64) & LOW64) | ((b & LOW64) << 64);
                products += (a & LANE64) * (b & LANE64);
                products += ((a >> 16) & LANE64) * ((b >> 16) & LANE64);
                products += ((a >> 32) & LANE64) * ((b >> 32) & LANE64);
                products += ((a >> 48) & LANE64) * ((b >> 48) & LANE64);
            }
            // INVARIANT: the highest lane of 64 bits holds all products, at most 1,024 * 2^32
            return _centred(products >> 192, xs, x.zero + _bias(x), ws, w.zero + _bias(w), count);
        }
    }

    /// @dev Elements i to i + 15, each in a lane of 16 bits.
    function _sixteen(Factor memory x, uint256 i) private pure returns (uint256 word) {
        unchecked {
            uint256 source = x.source + (i << x.dtype);
            assembly ("memory-safe") {
                word := mload(source)
            }
            if (x.dtype == 1) return (((word & LANE16) << 8) | ((word >> 8) & LANE16)) ^ (ONES16 << 15);
            word >>= 128;
            word = (word | (word << 64)) & LOW64;
            word = (word | (word << 32)) & LOW32;
            word = (word | (word << 16)) & LOW16;
            return (word | (word << 8)) & LANE16;
        }
    }

    function _bias(Factor memory x) private pure returns (int256) {
        return x.dtype == 1 ? int256(1 << 15) : int256(0);
    }

    /// @dev sum(xw) - wZero sum(x) - xZero sum(w) + count xZero wZero, of sums of which eight lanes of 32 bits hold the parts.
    function _centred(uint256 products, uint256 xs, int256 xZero, uint256 ws, int256 wZero, uint256 count)
        private
        pure
        returns (int256)
    {
        unchecked {
            (xs, ws) = ((xs * ONES32) >> 224, (ws * ONES32) >> 224);
            return int256(products) - wZero * int256(xs) - xZero * int256(ws) + int256(count) * xZero * wZero;
        }
    }

    /// @dev Sixteen lanes of 16 bits as eight of 32.
    function _folded(uint256 word) private pure returns (uint256) {
        unchecked {
            return (word & LOW16) + ((word >> 16) & LOW16);
        }
    }
}
