// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The two hashes of rule 1.
library Merkle {
    /// @notice H(00 || data).
    function leaf(bytes calldata data) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x00)
            calldatacopy(add(free, 1), data.offset, data.length)
            hash := keccak256(free, add(data.length, 1))
        }
    }

    /// @notice H(01 || left || right).
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x01)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            hash := keccak256(free, 65)
        }
    }
}
