// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P} from "./Scalar.sol";

/// @title A public tensor's integers in calldata, weighed: rule 68.
/// @notice In C order; each row of `inner` integers has an outer weight, and its integers, or sixteen of them together, an inner one.
library PublicValue {
    /// @notice A byte an integer; eight, little endian and signed; a byte an integer, sixteen weighed as one.
    uint256 internal constant BYTE = 1;
    uint256 internal constant WORD = 8;
    uint256 internal constant PACKED = 16;

    /// @notice The sum over `n` rows from calldata `start` on, of outer weights from memory `a` on and inner ones from `b` on.
    function at(uint256 form, uint256 start, uint256 inner, uint256 a, uint256 n, uint256 b)
        internal
        pure
        returns (uint256 value)
    {
        for (uint256 end = a + 32 * n; a < end; a += 32) {
            uint256 row;
            if (form == PACKED) row = _packed(start, b, inner);
            else row = form == BYTE ? _bytes(start, b, inner) : _integers(start, b, inner);
            start += form == WORD ? 8 * inner : inner;
            assembly ("memory-safe") {
                value := addmod(value, mulmod(mload(a), row, P), P)
            }
        }
    }

    /// @dev Sixteen bytes as one integer, the first highest; of the last few the missing ones are zero, whatever stands behind them.
    function _packed(uint256 start, uint256 b, uint256 inner) private pure returns (uint256 row) {
        assembly ("memory-safe") {
            let p := P
            let whole := add(start, and(inner, not(15)))
            for {} lt(start, whole) { start := add(start, 16) } {
                row := addmod(row, mulmod(shr(128, calldataload(start)), mload(b), p), p)
                b := add(b, 32)
            }
            let missing := shl(3, sub(32, and(inner, 15)))
            if lt(missing, 256) {
                let last := shl(sub(missing, 128), shr(missing, calldataload(start)))
                row := addmod(row, mulmod(last, mload(b), p), p)
            }
        }
    }

    /// @dev Four bytes a word that is read.
    function _bytes(uint256 start, uint256 b, uint256 inner) private pure returns (uint256 row) {
        assembly ("memory-safe") {
            let p := P
            let end := add(start, inner)
            for { let fours := sub(end, and(inner, 3)) } lt(start, fours) { start := add(start, 4) } {
                let word := calldataload(start)
                let sum := add(mulmod(byte(0, word), mload(b), p), mulmod(byte(1, word), mload(add(b, 32)), p))
                sum := add(sum, mulmod(byte(2, word), mload(add(b, 64)), p)) // 5 p are below 2^256
                row := addmod(row, add(sum, mulmod(byte(3, word), mload(add(b, 96)), p)), p)
                b := add(b, 128)
            }
            for {} lt(start, end) { start := add(start, 1) } {
                row := addmod(row, mulmod(byte(0, calldataload(start)), mload(b), p), p)
                b := add(b, 32)
            }
        }
    }

    /// @dev Eight bytes an integer.
    function _integers(uint256 start, uint256 b, uint256 inner) private pure returns (uint256 row) {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(start, shl(3, inner)) } lt(start, end) { start := add(start, 8) } {
                let word := shr(192, calldataload(start))
                let integer := 0
                for { let i := 0 } lt(i, 8) { i := add(i, 1) } {
                    integer := or(shl(8, integer), and(word, 0xff))
                    word := shr(8, word)
                }
                integer := signextend(7, integer)
                row := addmod(row, mulmod(add(integer, mul(p, slt(integer, 0))), mload(b), p), p)
                b := add(b, 32)
            }
        }
    }
}
