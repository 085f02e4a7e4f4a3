// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P} from "./Scalar.sol";

/// @title The Fiat-Shamir transcript, part H of docs/protocol.md: its state is one word, which callers carry.
/// @notice The same as `verifiable_ml/commitment/transcript.py`, held together by tests/vectors/transcript.json.
library Transcript {
    /// @notice H(domain).
    function begin(bytes32 domain) internal pure returns (bytes32 state) {
        assembly ("memory-safe") {
            mstore(0, domain)
            state := keccak256(0, 32)
        }
    }

    /// @notice H(state || label). Its value modulo p is the challenge: see `scalar`.
    function draw(bytes32 state, bytes32 label) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            mstore(0, state)
            mstore(32, label)
            next := keccak256(0, 64)
        }
    }

    /// @notice The challenge of a state that was just drawn.
    function scalar(bytes32 state) internal pure returns (uint256) {
        return uint256(state) % P;
    }

    /// @notice H(state || label || count || words), the words from calldata.
    /// @param start Where in calldata, in bytes. Whoever calls knows that `count` words are there: beyond its end calldata reads as zeros.
    function absorb(bytes32 state, bytes32 label, uint256 start, uint256 count) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, state)
            mstore(add(free, 32), label)
            mstore(add(free, 64), count)
            let size := shl(5, count)
            calldatacopy(add(free, 96), start, size)
            next := keccak256(free, add(96, size))
        }
    }

    /// @notice H(state || label || count || words), the words from memory.
    function absorb(bytes32 state, bytes32 label, uint256[] memory words) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, mload(words))
            mstore(free, state)
            mstore(add(free, 32), label)
            mcopy(add(free, 64), words, add(32, size)) // an array in memory is its count and its words
            next := keccak256(free, add(96, size))
        }
    }
}
