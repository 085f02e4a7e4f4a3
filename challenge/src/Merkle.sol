// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The hashes of rule 1, and the root of a list of them.
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

    /// @notice The root over `nodes`, padded by absent ones: E0 = H(03), E(h + 1) = H(01 || E(h) || E(h)). Overwrites `nodes`.
    /// @dev INVARIANT: there is at least one.
    function root(bytes32[] memory nodes) internal pure returns (bytes32) {
        bytes32 absent = keccak256(hex"03");
        for (uint256 count = nodes.length; count > 1; count = (count + 1) / 2) {
            for (uint256 i; i < count; i += 2) {
                nodes[i / 2] = node(nodes[i], i + 1 < count ? nodes[i + 1] : absent);
            }
            absent = node(absent, absent);
        }
        return nodes[0];
    }
}
