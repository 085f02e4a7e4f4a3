// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice Existing nodes of a tree, from the lowest level to the root.
struct Tree {
    bytes32[][] levels;
}

/// @title Merkle trees of rule 1 as a player has them: whole, and written as plainly as can be.
library Trees {
    /// @notice The tree over these values.
    function grow(bytes32[] memory values) internal pure returns (Tree memory tree) {
        uint256 depth;
        while (uint256(1) << depth < values.length) ++depth;
        tree.levels = new bytes32[][](depth + 1);
        tree.levels[0] = values;
        for (uint256 height; height < depth; ++height) {
            bytes32[] memory below = tree.levels[height];
            bytes32[] memory above = new bytes32[]((below.length + 1) / 2);
            for (uint256 i; i < above.length; ++i) {
                bytes32 right = 2 * i + 1 < below.length ? below[2 * i + 1] : absent(height);
                above[i] = keccak256(abi.encodePacked(hex"01", below[2 * i], right));
            }
            tree.levels[height + 1] = above;
        }
    }

    /// @notice The tree over the leaves of a tensor.
    function ofTensor(bytes memory data) internal pure returns (Tree memory) {
        bytes32[] memory leaves = new bytes32[]((data.length + 255) / 256);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encodePacked(hex"00", slice(data, i * 256, 256)));
        }
        return grow(leaves);
    }

    function root(Tree memory tree) internal pure returns (bytes32) {
        return tree.levels[tree.levels.length - 1][0];
    }

    /// @notice `count` neighbours of one height.
    function nodes(Tree memory tree, uint256 height, uint256 first, uint256 count)
        internal
        pure
        returns (bytes32[] memory found)
    {
        found = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            found[i] = tree.levels[height][first + i];
        }
    }

    /// @notice The siblings of a node and of its ancestors, over so many levels.
    function siblings(Tree memory tree, uint256 height, uint256 index, uint256 count)
        internal
        pure
        returns (bytes32[] memory found)
    {
        found = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            uint256 sibling = (index >> i) ^ 1;
            bytes32[] memory level = tree.levels[height + i];
            found[i] = sibling < level.length ? level[sibling] : absent(height + i);
        }
    }

    /// @notice E of a height.
    function absent(uint256 height) internal pure returns (bytes32) {
        if (height == 0) return keccak256(hex"03");
        return keccak256(abi.encodePacked(hex"01", absent(height - 1), absent(height - 1)));
    }

    /// @notice At most `length` bytes from `start` on.
    function slice(bytes memory data, uint256 start, uint256 length) internal pure returns (bytes memory part) {
        uint256 left = data.length - start;
        part = new bytes(left < length ? left : length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), start), mload(part))
        }
    }
}
