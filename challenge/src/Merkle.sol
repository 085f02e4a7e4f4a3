// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LibBit} from "solady/utils/LibBit.sol";

/// @title Trees of rule 1, from any height to any other, and the roots of rules 2 and 3.
/// @dev Heights count from the lowest level, 0: leaves of a tensor, or tensor roots of a trace. What is absent stands to the
/// right, and is E of its height; nobody sends it.
library Merkle {
    uint256 internal constant LEAF_BYTES = 256;

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

    /// @notice Of how many levels a tree over so many entries is: ceil(log2(entries)), 0 for one.
    function depth(uint256 entries) internal pure returns (uint256) {
        return entries < 2 ? 0 : LibBit.fls(entries - 1) + 1;
    }

    /// @notice E of a height: E0 = H(03), E(h + 1) = H(01 || Eh || Eh).
    function absent(uint256 height) internal pure returns (bytes32 hash) {
        hash = keccak256(hex"03");
        for (uint256 i; i < height; ++i) {
            hash = node(hash, hash);
        }
    }

    /// @notice The root over `nodes`, of which there is at least one; overwritten.
    function root(bytes32[] memory nodes) internal pure returns (bytes32) {
        return fold(nodes, 0, depth(nodes.length));
    }

    /// @notice The node `levels` above, over those of its descendants of `height` that exist.
    /// @param nodes At least one and at most 2^levels, the leftmost ones; overwritten.
    function fold(bytes32[] memory nodes, uint256 height, uint256 levels) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        bytes32 filling = count == 1 << levels ? bytes32(0) : absent(height);
        for (uint256 level; level < levels; ++level) {
            uint256 pairs = count / 2;
            _halve(nodes, pairs);
            if (count % 2 == 1) nodes[pairs] = node(nodes[count - 1], filling);
            if (filling != 0) filling = node(filling, filling);
            count -= pairs;
        }
        return nodes[0];
    }

    /// @notice The ancestor as many levels above as there are siblings; bit i of `index` says on which side the i-th one stands.
    function climb(bytes32 from, uint256 index, bytes32[] calldata siblings) internal pure returns (bytes32 top) {
        top = from;
        assembly ("memory-safe") {
            // H(01 || left || right); a loop over `node` takes twice the gas
            let free := mload(0x40)
            let left := add(free, 1)
            mstore8(free, 1)
            let end := add(siblings.offset, shl(5, siblings.length))
            for { let at := siblings.offset } lt(at, end) { at := add(at, 32) } {
                let side := shl(5, and(index, 1))
                mstore(add(left, side), top)
                mstore(add(left, xor(side, 32)), calldataload(at))
                top := keccak256(free, 65)
                index := shr(1, index)
            }
        }
    }

    /// @notice How many leaves a tensor of so many bytes has.
    function leafCount(uint256 nbytes) internal pure returns (uint256) {
        unchecked {
            // INVARIANT: lengths of calldata, and of tensors, are below 2^64.
            return (nbytes + LEAF_BYTES - 1) / LEAF_BYTES;
        }
    }

    /// @notice The hashes of leaves: 256 bytes each, the last one as long as it is. At least one byte.
    function leaves(bytes calldata data) internal pure returns (bytes32[] memory nodes) {
        uint256 count = leafCount(data.length);
        nodes = new bytes32[](count);
        for (uint256 i; i < count - 1; ++i) {
            nodes[i] = leaf(data[:LEAF_BYTES]);
            data = data[LEAF_BYTES:];
        }
        nodes[count - 1] = leaf(data);
    }

    /// @notice Rule 2: H(02 || dtype || bytes u64 || merkle root).
    function tensor(uint8 dtype, uint64 nbytes, bytes32 top) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"02", dtype, nbytes, top));
    }

    /// @notice Rule 3: H(04 || count u32 || merkle(tensor roots)).
    function trace(uint32 count, bytes32 top) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"04", count, top));
    }

    /// @dev One level up, in place: nodes[i] becomes the node over nodes[2i] and nodes[2i + 1], for i < pairs.
    /// INVARIANT: 2 * pairs <= nodes.length, and no node is written before it is read.
    function _halve(bytes32[] memory nodes, uint256 pairs) private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            let to := add(nodes, 32)
            let from := to
            for { let end := add(from, shl(6, pairs)) } lt(from, end) { from := add(from, 64) } {
                mcopy(add(free, 1), from, 64)
                mstore(to, keccak256(free, 65))
                to := add(to, 32)
            }
        }
    }
}
