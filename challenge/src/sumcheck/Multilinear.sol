// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P} from "./Scalar.sol";

/// @title Multilinear extensions of index functions at a point: the twins of circuits/sumcheck/crates/sumcheck/src/multilinear.rs.
/// @dev A point is `n` words of memory from an address on, coordinate 0 first, which belongs to the highest bit of an index.
library Multilinear {
    /// @notice The sum over i of eq(x, i) eq(y, i): eq(x, y).
    function eq(uint256 x, uint256 y, uint256 n) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            let most := add(1, shl(1, p))
            value := 1
            for { let end := add(x, shl(5, n)) } lt(x, end) { x := add(x, 32) } {
                let a := mload(x)
                let b := mload(y)
                // 1 + 2 a b - (a + b), kept above zero by 2 p; no sum reaches 2^256
                value := mulmod(value, add(shl(1, mulmod(a, b, p)), sub(most, add(a, b))), p)
                y := add(y, 32)
            }
        }
    }

    /// @notice The sum over i < size of eq(x, i).
    function prefix(uint256 x, uint256 n, uint256 size) internal pure returns (uint256 below) {
        assembly ("memory-safe") {
            let p := P
            for { let place := add(x, shl(5, n)) } gt(place, x) { size := shr(1, size) } {
                place := sub(place, 32)
                let zero := sub(add(p, 1), mload(place)) // 1 - x
                switch and(size, 1)
                case 0 { below := mulmod(zero, below, p) }
                default { below := addmod(zero, mulmod(mload(place), below, p), p) }
            }
            if size { below := 1 }
        }
    }

    /// @notice The sum over i < size of eq(x, i) eq(y, i).
    function eqPrefix(uint256 x, uint256 y, uint256 n, uint256 size) internal pure returns (uint256 below) {
        assembly ("memory-safe") {
            let p := P
            let all := 1
            y := sub(y, x)
            for { let place := add(x, shl(5, n)) } gt(place, x) { size := shr(1, size) } {
                place := sub(place, 32)
                let both := mulmod(mload(place), mload(add(place, y)), p)
                let distance := sub(mul(2, p), add(mload(place), mload(add(place, y))))
                let neither := addmod(add(1, both), distance, p)
                switch and(size, 1)
                case 0 { below := mulmod(neither, below, p) }
                default { below := addmod(mulmod(neither, all, p), mulmod(both, below, p), p) }
                all := mulmod(all, add(neither, both), p)
            }
            if size { below := all }
        }
    }

    /// @notice The extension of min(i, bound). n and the bits of bound are below 64.
    function ramp(uint256 x, uint256 n, uint256 bound) internal pure returns (uint256 bounded) {
        assembly ("memory-safe") {
            let p := P
            let index := 0
            let bit := 1
            for { let place := add(x, shl(5, n)) } gt(place, x) { bit := shl(1, bit) } {
                place := sub(place, 32)
                let one := mload(place)
                let zero := sub(add(p, 1), one)
                switch and(bound, bit)
                case 0 { bounded := addmod(mulmod(zero, bounded, p), mulmod(one, and(bound, sub(bit, 1)), p), p) }
                default { bounded := addmod(mulmod(zero, index, p), mulmod(one, add(bit, bounded), p), p) }
                index := addmod(index, mulmod(one, bit, p), p)
            }
            if iszero(lt(bound, bit)) { bounded := index }
        }
    }

    /// @notice Writes eq(x, 0), eq(x, 1), … from `table` on: 2^n words.
    function eqTable(uint256 x, uint256 n, uint256 table) internal pure {
        assembly ("memory-safe") {
            let p := P
            mstore(table, 1)
            let size := 32
            // The lowest bit first, so that what was written is copied up as it stands.
            for { let place := add(x, shl(5, n)) } gt(place, x) { size := shl(1, size) } {
                place := sub(place, 32)
                let up := mload(place)
                for {
                    let low := table
                    let end := add(table, size)
                } lt(low, end) { low := add(low, 32) } {
                    let high := mulmod(mload(low), up, p)
                    mstore(add(low, size), high)
                    mstore(low, addmod(mload(low), sub(p, high), p))
                }
            }
        }
    }

    /// @notice The extension of a table of 2^n words at a point; the table is overwritten.
    function evaluate(uint256 table, uint256 x, uint256 n) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            let size := shl(add(n, 4), 1) // half of the table, in bytes
            for { let end := add(x, shl(5, n)) } lt(x, end) { x := add(x, 32) } {
                let r := mload(x)
                for {
                    let low := table
                    let middle := add(table, size)
                } lt(low, middle) { low := add(low, 32) } {
                    let from := mload(low)
                    mstore(low, addmod(from, mulmod(r, add(mload(add(low, size)), sub(p, from)), p), p))
                }
                size := shr(1, size)
            }
            value := mload(table)
        }
    }

    /// @notice The sum of products of n words from either address on.
    function dot(uint256 x, uint256 y, uint256 n) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            let end := add(x, shl(5, n))
            for { let fours := sub(end, shl(5, and(n, 3))) } lt(x, fours) { x := add(x, 128) } {
                let part := add(mulmod(mload(x), mload(y), p), mulmod(mload(add(x, 32)), mload(add(y, 32)), p))
                part := add(part, mulmod(mload(add(x, 64)), mload(add(y, 64)), p)) // 5 p are below 2^256
                value := addmod(value, add(part, mulmod(mload(add(x, 96)), mload(add(y, 96)), p)), p)
                y := add(y, 128)
            }
            for {} lt(x, end) { x := add(x, 32) } {
                value := addmod(value, mulmod(mload(x), mload(y), p), p)
                y := add(y, 32)
            }
        }
    }

    /// @notice Writes 1 - x from `to` on, of n words.
    function complement(uint256 x, uint256 n, uint256 to) internal pure {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(x, shl(5, n)) } lt(x, end) { x := add(x, 32) } {
                mstore(to, addmod(1, sub(p, mload(x)), p))
                to := add(to, 32)
            }
        }
    }

    /// @notice The sum of n words from an address on.
    function sum(uint256 x, uint256 n) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(x, shl(5, n)) } lt(x, end) { x := add(x, 32) } { value := addmod(value, mload(x), p) }
        }
    }
}
