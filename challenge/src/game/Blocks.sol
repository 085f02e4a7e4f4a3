// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";
import {Leaf, State} from "./GameState.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {Merkle} from "../Merkle.sol";
import {Walk} from "./Walk.sol";

/// @title Blocks of at most 4 leaves, and their elements: rules 21, 24 and 25.
library Blocks {
    /// @notice Bytes of the picked block.
    function length(State memory state) internal pure returns (uint256) {
        return _upTo(state.nbytes - state.child * Walk.BLOCK_BYTES, Walk.BLOCK_BYTES);
    }

    /// @notice From a leaf up to the block's node: 2 levels, in a tensor of less than 3 leaves fewer.
    function height(State memory state) internal pure returns (uint256) {
        return _upTo(Merkle.depth(Merkle.leafCount(state.nbytes)), Walk.BLOCK_HEIGHT);
    }

    /// @notice Elements of the picked block, and the first of them.
    function elements(State memory state) internal pure returns (uint256 first, uint256 count) {
        uint8 dtype = state.form & 15;
        return ((state.child * Walk.BLOCK_BYTES) >> dtype, length(state) >> dtype);
    }

    /// @notice An element of the block, out of the leaf that holds it.
    /// @param node Of the block.
    function value(State memory state, bytes32 node, uint32 element, Leaf calldata leaf) internal pure returns (int64) {
        uint8 dtype = state.form & 15;
        (uint256 first, uint256 count) = elements(state);
        if (element < first || element - first >= count) revert IDisputeGame.NotInBlock(element);
        uint256 start = uint256(element) << dtype;
        uint256 place = start / Merkle.LEAF_BYTES;
        _count(_upTo(state.nbytes - place * Merkle.LEAF_BYTES, Merkle.LEAF_BYTES), leaf.data.length);
        _count(height(state), leaf.siblings.length);
        bytes32 top = Merkle.climb(Merkle.leaf(leaf.data), place, leaf.siblings);
        if (top != node) revert IDisputeGame.NotUnderNode(node, top);
        return int64(TensorReader.element(leaf.data, dtype, (start % Merkle.LEAF_BYTES) >> dtype));
    }

    function _count(uint256 wanted, uint256 given) private pure {
        if (wanted != given) revert IDisputeGame.WrongCount(wanted, given);
    }

    function _upTo(uint256 wanted, uint256 most) private pure returns (uint256) {
        return wanted < most ? wanted : most;
    }
}
