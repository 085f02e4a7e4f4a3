// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

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

    /// @notice Any extents, by two tables of equality. outputs <= 2^|r|, inputs <= 2^|i|.
    function byTable(Axis memory axis, uint256[] memory r, uint256[] memory i)
        internal
        pure
        returns (uint256[] memory values)
    {
        uint256[] memory ofOutput = equalities(r);
        uint256[] memory ofInput = equalities(i);
        values = new uint256[](axis.taps);
        for (uint256 k; k < axis.taps; ++k) {
            values[k] = _sum(axis, k * axis.dilation, ofOutput, ofInput);
        }
    }

    /// @notice eq(point, 0), eq(point, 1), … : 2^|point| values.
    function equalities(uint256[] memory point) internal pure returns (uint256[] memory table) {
        table = new uint256[](1 << point.length);
        assembly ("memory-safe") {
            let first := add(table, 32)
            mstore(first, 1)
            let size := 32
            // The lowest bit first, so that what was written is copied up as it stands.
            for { let u := add(point, shl(5, mload(point))) } gt(u, point) { u := sub(u, 32) } {
                let up := mload(u)
                for { let low := first } lt(low, add(first, size)) { low := add(low, 32) } {
                    let entry := mload(low)
                    let high := mulmod(entry, up, P)
                    mstore(add(low, size), high)
                    mstore(low, addmod(entry, sub(P, high), P))
                }
                size := shl(1, size)
            }
        }
    }

    /// @dev The sum over all outputs for which 0 <= o * stride + offset - pad < inputs.
    function _sum(Axis memory axis, uint256 offset, uint256[] memory ofOutput, uint256[] memory ofInput)
        private
        pure
        returns (uint256 value)
    {
        (uint256 pad, uint256 stride, uint256 inputs) = (axis.pad, axis.stride, axis.inputs);
        uint256 last = axis.outputs;
        assembly ("memory-safe") {
            let input := sub(offset, pad) // below zero it is beyond every input
            let output := add(ofOutput, 32)
            for { let end := add(output, shl(5, last)) } lt(output, end) { output := add(output, 32) } {
                if lt(input, inputs) {
                    let weight := mload(add(ofInput, shl(5, add(input, 1))))
                    value := addmod(value, mulmod(mload(output), weight, P), P)
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
        returns (uint256[] memory values)
    {
        uint256 low = LibBit.fls(axis.stride);
        if (axis.stride != 1 << low || low > i.length) revert NoPowerOfTwo();
        Upper memory upper;
        (upper.ahead, upper.behind) = _pairs(r, i, low);
        values = new uint256[](axis.taps);
        unchecked {
            // INVARIANT: the pinned key's extents and steps are below 2^64.
            for (uint256 k; k < axis.taps; ++k) {
                int256 offset = int256(k * axis.dilation) - int256(axis.pad);
                uint256 lowest = uint256(offset) & (axis.stride - 1);
                uint256 reach = axis.inputs <= lowest ? 0 : (axis.inputs - lowest - 1) / axis.stride + 1;
                uint256 sum = _above(upper, offset >> low, axis.outputs, reach);
                values[k] = low == 0 ? sum : mulmod(_lowBits(i, low, lowest), sum, P);
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
            let output := add(r, shl(5, mload(r)))
            let input := add(i, shl(5, sub(mload(i), low)))
            let place := add(ahead, 32)
            let apart := sub(behind, ahead)
            for { let end := add(place, shl(7, bits)) } lt(place, end) { place := add(place, 128) } {
                let up := mul(mload(input), gt(input, i))
                let down := mul(mload(output), gt(output, r))
                let both := mulmod(up, down, P)
                let less := sub(P, both)
                up := addmod(up, less, P)
                down := addmod(down, less, P)
                let neither := addmod(1, sub(P, addmod(up, addmod(down, both, P), P)), P)
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
            value := 1
            let carried := 0
            let place := add(pairs, 32)
            for { let end := add(place, shl(5, mload(pairs))) } lt(place, end) { place := add(place, 128) } {
                let equal := addmod(mload(place), mload(add(place, 32)), P)
                switch and(m, 1)
                case 0 {
                    value := mulmod(value, equal, P)
                    if carried {
                        value := addmod(value, mulmod(carried, mload(add(place, 64)), P), P)
                        carried := mulmod(carried, mload(add(place, 96)), P)
                    }
                }
                default {
                    carried := addmod(mulmod(value, mload(add(place, 96)), P), mulmod(carried, equal, P), P)
                    value := mulmod(value, mload(add(place, 64)), P)
                }
                m := shr(1, m)
            }
        }
    }

    /// @dev The same over s < n. From the lowest bit on, what is summed is kept apart by two things: whether the sum carries (c), and
    /// whether the bits of s so far are below those of n (b) or not (e).
    function _carriedBelow(uint256[] memory pairs, uint256 m, uint256 n) private pure returns (uint256 b) {
        assembly ("memory-safe") {
            let e := 1 // without a carry; not below, as 0 is not below 0
            let cb := 0 // with a carry
            let ce := 0
            let place := add(pairs, 32)
            for { let end := add(place, shl(5, mload(pairs))) } lt(place, end) { place := add(place, 128) } {
                let sum := addmod(b, e, P)
                let carried := addmod(cb, ce, P)
                switch add(shl(1, and(m, 1)), and(n, 1))
                case 0 {
                    e := addmod(mulmod(mload(place), e, P), mulmod(mload(add(place, 32)), sum, P), P)
                    e := addmod(e, mulmod(mload(add(place, 64)), ce, P), P)
                    b := addmod(mulmod(mload(place), b, P), mulmod(mload(add(place, 64)), cb, P), P)
                    cb := 0
                    ce := mulmod(mload(add(place, 96)), carried, P)
                }
                case 1 {
                    b := addmod(mulmod(mload(place), sum, P), mulmod(mload(add(place, 32)), b, P), P)
                    b := addmod(b, mulmod(mload(add(place, 64)), carried, P), P)
                    e := mulmod(mload(add(place, 32)), e, P)
                    cb := mulmod(mload(add(place, 96)), cb, P)
                    ce := mulmod(mload(add(place, 96)), ce, P)
                }
                case 2 {
                    ce := addmod(mulmod(mload(place), ce, P), mulmod(mload(add(place, 32)), carried, P), P)
                    ce := addmod(ce, mulmod(mload(add(place, 96)), sum, P), P)
                    cb := mulmod(mload(place), cb, P)
                    b := mulmod(mload(add(place, 64)), b, P)
                    e := mulmod(mload(add(place, 64)), e, P)
                }
                default {
                    cb := addmod(mulmod(mload(place), carried, P), mulmod(mload(add(place, 32)), cb, P), P)
                    cb := addmod(cb, mulmod(mload(add(place, 96)), b, P), P)
                    ce := addmod(mulmod(mload(add(place, 32)), ce, P), mulmod(mload(add(place, 96)), e, P), P)
                    b := mulmod(mload(add(place, 64)), sum, P)
                    e := 0
                }
                m := shr(1, m)
                n := shr(1, n)
            }
            if n { b := addmod(b, e, P)} // n is 2^bits: every s is below it
        }
    }
}
