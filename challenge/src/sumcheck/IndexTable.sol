// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P} from "./Scalar.sol";

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
    /// @notice The automaton only knows powers of two: of outputs, stride, and inputs = outputs * stride.
    error NotPowersOfTwo();

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

    /// @notice The same for powers of two, by adding offset and output bit by bit with a carry: no table.
    function byAutomaton(Axis memory axis, uint256[] memory r, uint256[] memory i)
        internal
        pure
        returns (uint256[] memory values)
    {
        uint256 low = i.length - r.length;
        bool fits = axis.outputs == 1 << r.length && axis.inputs == 1 << i.length && axis.stride == 1 << low;
        if (!fits) revert NotPowersOfTwo();
        uint256[] memory pairs = _pairs(r, i);
        values = new uint256[](axis.taps);
        for (uint256 k; k < axis.taps; ++k) {
            int256 offset = int256(k * axis.dilation) - int256(axis.pad);
            values[k] = mulmod(_lowBits(i, low, uint256(offset)), _carried(pairs, offset >> low), P);
        }
    }

    /// @dev For each bit of the output, the lowest first: eq of (output bit, input bit) = equal, (0, 1), (1, 0).
    function _pairs(uint256[] memory r, uint256[] memory i) private pure returns (uint256[] memory pairs) {
        pairs = new uint256[](3 * r.length);
        assembly ("memory-safe") {
            let place := add(pairs, 32)
            let input := add(i, shl(5, mload(r)))
            for { let output := add(r, shl(5, mload(r))) } gt(output, r) { output := sub(output, 32) } {
                let product := mulmod(mload(output), mload(input), P)
                let onlyInput := addmod(mload(input), sub(P, product), P)
                let onlyOutput := addmod(mload(output), sub(P, product), P)
                mstore(place, addmod(1, sub(P, addmod(onlyInput, onlyOutput, P)), P))
                mstore(add(place, 32), onlyInput)
                mstore(add(place, 64), onlyOutput)
                place := add(place, 96)
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

    /// @dev The sum over (o, x) with x = o + offset, both of as many bits as there are triples. Below zero o = x + |offset|: sides change.
    function _carried(uint256[] memory pairs, int256 offset) private pure returns (uint256 value) {
        uint256 distance = uint256(offset < 0 ? -offset : offset);
        if (distance >> (pairs.length / 3) != 0) return 0;
        assembly ("memory-safe") {
            value := 1 // without a carry
            let carried := 0 // with one
            let place := add(pairs, 32)
            let swap := shl(5, slt(offset, 0))
            for { let end := add(place, shl(5, mload(pairs))) } lt(place, end) { place := add(place, 96) } {
                let equal := mload(place)
                let up := mload(add(add(place, 32), swap)) // the sum's bit is 1, the summand's 0
                let down := mload(sub(add(place, 64), swap))
                switch and(distance, 1)
                case 0 {
                    value := addmod(mulmod(value, equal, P), mulmod(carried, up, P), P)
                    carried := mulmod(carried, down, P)
                }
                default {
                    carried := addmod(mulmod(value, down, P), mulmod(carried, equal, P), P)
                    value := mulmod(value, up, P)
                }
                distance := shr(1, distance)
            }
        }
    }
}
