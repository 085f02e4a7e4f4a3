// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Multilinear} from "./Multilinear.sol";
import {P} from "./Scalar.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibBit} from "solady/utils/LibBit.sol";

/// @notice How a window moves along one axis: output o and tap k read input o * stride + k * dilation - pad, if there is one.
struct Axis {
    uint256 outputs;
    uint256 inputs;
    uint256 taps;
    uint256 stride;
    uint256 dilation;
    uint256 pad;
}

/// @title Rule 65: P(r, k, i), the sum over outputs o of eq(r, o) eq(i, o * stride + k * dilation - pad), for every tap k.
/// @notice Coordinate 0 of a point belongs to the highest bit of the index, here as everywhere.
library IndexTable {
    /// @notice Thrown for a stride that is no power of two, or longer than the input's axis.
    error NoPowerOfTwo();

    /// @dev The bits above the stride's, see `_pairs`, and what was last summed over them.
    struct Upper {
        uint256[] ahead;
        uint256[] behind;
        int256 offset;
        uint256 reach;
        uint256 sum;
    }

    /// @notice Bit by bit where that can be done: it costs half as much at 32 and a fifth at 128.
    function values(Axis memory axis, uint256[] memory r, uint256[] memory i) internal pure returns (uint256[] memory) {
        uint256 low = LibBit.fls(axis.stride);
        return axis.stride != 1 << low || low > i.length ? byTable(axis, r, i) : byCarry(axis, r, i);
    }

    /// @notice Any extents, by two tables of equality. outputs <= 2^|r|, inputs <= 2^|i|.
    function byTable(Axis memory axis, uint256[] memory r, uint256[] memory i)
        internal
        pure
        returns (uint256[] memory sums)
    {
        (uint256 ofOutput, uint256 ofInput) = (_equalities(r), _equalities(i));
        sums = new uint256[](axis.taps);
        for (uint256 k; k < axis.taps; ++k) {
            sums[k] = _sum(axis, k * axis.dilation, ofOutput, ofInput);
        }
    }

    /// @dev The address of eq(point, 0), eq(point, 1), … : 2^|point| words.
    function _equalities(uint256[] memory point) private pure returns (uint256 first) {
        uint256[] memory table = new uint256[](1 << point.length);
        uint256 x;
        assembly ("memory-safe") {
            first := add(table, 32)
            x := add(point, 32)
        }
        Multilinear.eqTable(x, point.length, first);
    }

    /// @dev The sum over all outputs for which 0 <= o * stride + offset - pad < inputs.
    function _sum(Axis memory axis, uint256 offset, uint256 output, uint256 ofInput)
        private
        pure
        returns (uint256 value)
    {
        (uint256 pad, uint256 stride, uint256 inputs) = (axis.pad, axis.stride, axis.inputs);
        uint256 end = output + 32 * axis.outputs;
        assembly ("memory-safe") {
            let p := P
            let input := sub(offset, pad) // below zero it is beyond every input
            for {} lt(output, end) { output := add(output, 32) } {
                if lt(input, inputs) {
                    value := addmod(value, mulmod(mload(output), mload(add(ofInput, shl(5, input))), p), p)
                }
                input := add(input, stride)
            }
        }
    }

    /// @notice The same for strides that are powers of two and no longer than the input's padded axis: bit by bit, no table.
    /// @dev Of the lowest bits, which the stride leaves free, the input's are the offset's. Above them input = output + offset: of the two the
    /// smaller one is a prefix, so each tap is the sum over s < n of eq(., s) eq(., s + m).
    function byCarry(Axis memory axis, uint256[] memory r, uint256[] memory i)
        internal
        pure
        returns (uint256[] memory sums)
    {
        uint256 low = LibBit.fls(axis.stride);
        if (axis.stride != 1 << low || low > i.length) revert NoPowerOfTwo();
        Upper memory upper;
        (upper.ahead, upper.behind) = _pairs(r, i, low);
        sums = new uint256[](axis.taps);
        unchecked {
            // INVARIANT: the pinned key's extents and steps are below 2^64.
            for (uint256 k; k < axis.taps; ++k) {
                int256 offset = int256(k * axis.dilation) - int256(axis.pad);
                uint256 lowest = uint256(offset) & (axis.stride - 1);
                uint256 reach = axis.inputs <= lowest ? 0 : (axis.inputs - lowest - 1) / axis.stride + 1;
                uint256 sum = _above(upper, offset >> low, axis.outputs, reach);
                sums[k] = low == 0 ? sum : mulmod(_lowBits(i, low, lowest), sum, P);
            }
        }
    }

    /// @dev The sum over outputs o and the input's upper bits x < reach, x = o + offset. Neighbouring taps often share it.
    function _above(Upper memory upper, int256 offset, uint256 outputs, uint256 reach)
        private
        pure
        returns (uint256 sum)
    {
        if (upper.reach == reach && upper.offset == offset) return upper.sum;
        sum = offset < 0
            ? _shifted(upper.behind, uint256(-offset), reach, outputs)
            : _shifted(upper.ahead, uint256(offset), outputs, reach);
        (upper.offset, upper.reach, upper.sum) = (offset, reach, sum);
    }

    /// @dev The sum over s < count with s + distance < bound. If the bound is all that the bits hold, a carry out of them says it.
    function _shifted(uint256[] memory pairs, uint256 distance, uint256 count, uint256 bound)
        private
        pure
        returns (uint256)
    {
        if (bound <= distance) return 0;
        unchecked {
            uint256 room = bound - distance;
            if (room <= count && bound == 1 << (pairs.length >> 2)) return _carried(pairs, distance);
            return _carriedBelow(pairs, distance, count < room ? count : room);
        }
    }

    /// @dev For each bit above the stride's, the lowest first: eq of (output bit, input bit) = (0, 0), (1, 1), (0, 1), (1, 0). And the
    /// same with output and input exchanged. A point too short counts as if it began with zeros.
    function _pairs(uint256[] memory r, uint256[] memory i, uint256 low)
        private
        pure
        returns (uint256[] memory ahead, uint256[] memory behind)
    {
        uint256 bits = FixedPointMathLib.max(r.length, i.length - low);
        (ahead, behind) = (new uint256[](4 * bits), new uint256[](4 * bits));
        assembly ("memory-safe") {
            let p := P
            let output := add(r, shl(5, mload(r)))
            let input := add(i, shl(5, sub(mload(i), low)))
            let place := add(ahead, 32)
            let apart := sub(behind, ahead)
            for { let end := add(place, shl(7, bits)) } lt(place, end) { place := add(place, 128) } {
                let up := mul(mload(input), gt(input, i))
                let down := mul(mload(output), gt(output, r))
                let both := mulmod(up, down, p)
                let less := sub(p, both)
                up := addmod(up, less, p)
                down := addmod(down, less, p)
                let neither := addmod(1, sub(p, addmod(up, addmod(down, both, p), p)), p)
                mstore(place, neither)
                mstore(add(place, 32), both)
                mstore(add(place, 64), up)
                mstore(add(place, 96), down)
                let mirror := add(place, apart)
                mstore(mirror, neither)
                mstore(add(mirror, 32), both)
                mstore(add(mirror, 64), down)
                mstore(add(mirror, 96), up)
                output := sub(output, 32)
                input := sub(input, 32)
            }
        }
    }

    /// @dev The stride shifts outputs up, so the input's lowest bits are the offset's.
    function _lowBits(uint256[] memory i, uint256 low, uint256 offset) private pure returns (uint256 value) {
        value = 1;
        for (uint256 bit; bit < low; ++bit) {
            uint256 coordinate = i[i.length - 1 - bit];
            value = mulmod(value, offset >> bit & 1 == 1 ? coordinate : addmod(1, P - coordinate, P), P);
        }
    }

    /// @dev The sum over s of eq(., s) eq(., s + m), s + m in as many bits as there are pairs, with a carry and without one.
    function _carried(uint256[] memory pairs, uint256 m) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            value := 1
            let carried := 0
            let place := add(pairs, 32)
            for { let end := add(place, shl(5, mload(pairs))) } lt(place, end) { place := add(place, 128) } {
                let equal := addmod(mload(place), mload(add(place, 32)), p)
                switch and(m, 1)
                case 0 {
                    value := mulmod(value, equal, p)
                    if carried {
                        value := addmod(value, mulmod(carried, mload(add(place, 64)), p), p)
                        carried := mulmod(carried, mload(add(place, 96)), p)
                    }
                }
                default {
                    carried := addmod(mulmod(value, mload(add(place, 96)), p), mulmod(carried, equal, p), p)
                    value := mulmod(value, mload(add(place, 64)), p)
                }
                m := shr(1, m)
            }
        }
    }

    /// @dev The same over s < n. From the lowest bit on, what is summed is kept apart by two things: whether the sum carries (c), and
    /// whether the bits of s so far are below those of n (b) or not (e).
    function _carriedBelow(uint256[] memory pairs, uint256 m, uint256 n) private pure returns (uint256 b) {
        assembly ("memory-safe") {
            let p := P
            let e := 1 // without a carry; not below, as 0 is not below 0
            let cb := 0 // with a carry
            let ce := 0
            let place := add(pairs, 32)
            for { let end := add(place, shl(5, mload(pairs))) } lt(place, end) { place := add(place, 128) } {
                let sum := addmod(b, e, p)
                let carried := addmod(cb, ce, p)
                switch add(shl(1, and(m, 1)), and(n, 1))
                case 0 {
                    e := addmod(mulmod(mload(place), e, p), mulmod(mload(add(place, 32)), sum, p), p)
                    e := addmod(e, mulmod(mload(add(place, 64)), ce, p), p)
                    b := addmod(mulmod(mload(place), b, p), mulmod(mload(add(place, 64)), cb, p), p)
                    cb := 0
                    ce := mulmod(mload(add(place, 96)), carried, p)
                }
                case 1 {
                    b := addmod(mulmod(mload(place), sum, p), mulmod(mload(add(place, 32)), b, p), p)
                    b := addmod(b, mulmod(mload(add(place, 64)), carried, p), p)
                    e := mulmod(mload(add(place, 32)), e, p)
                    cb := mulmod(mload(add(place, 96)), cb, p)
                    ce := mulmod(mload(add(place, 96)), ce, p)
                }
                case 2 {
                    ce := addmod(mulmod(mload(place), ce, p), mulmod(mload(add(place, 32)), carried, p), p)
                    ce := addmod(ce, mulmod(mload(add(place, 96)), sum, p), p)
                    cb := mulmod(mload(place), cb, p)
                    b := mulmod(mload(add(place, 64)), b, p)
                    e := mulmod(mload(add(place, 64)), e, p)
                }
                default {
                    cb := addmod(mulmod(mload(place), carried, p), mulmod(mload(add(place, 32)), cb, p), p)
                    cb := addmod(cb, mulmod(mload(add(place, 96)), b, p), p)
                    ce := addmod(mulmod(mload(add(place, 32)), ce, p), mulmod(mload(add(place, 96)), e, p), p)
                    b := mulmod(mload(add(place, 64)), sum, p)
                    e := 0
                }
                m := shr(1, m)
                n := shr(1, n)
            }
            if n { b := addmod(b, e, p)} // n is 2^bits: every s is below it
        }
    }
}
