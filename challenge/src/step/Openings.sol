// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Merkle} from "../Merkle.sol";
import {TensorReader} from "../TensorReader.sol";
import {Operand} from "./Descriptor.sol";
import {Opening, Run, Statement} from "./ISteps.sol";

/// @notice Bytes [begin, end) of a tensor, which lie in memory from `source` on.
struct Span {
    uint256 begin;
    uint256 end;
    uint256 source;
}

/// @notice Elements that were shown to lie in a tensor.
struct Opened {
    uint8 dtype;
    Span[] spans;
}

/// @title Openings of tensors, rule 37: the twin of `verifiable_ml/dispute/opening.py`.
library Openings {
    uint256 private constant LEAF_BYTES = 256;

    /// @notice No whole leaves of a tensor of `nbytes`: none, a part of one, or beyond the last.
    error NotLeaves(uint256 first, uint256 length, uint256 nbytes);
    /// @notice A run that touches or overlaps the one before it, or lies before it.
    error RunsDoNotRise(uint256 first);
    /// @notice Fewer or more siblings than the tensor's depth asks for.
    error WrongSiblings(uint256 given);
    /// @notice Two runs of one opening that lead to different roots.
    error RunsDisagree(uint256 first);
    /// @notice A tensor root that is not the constant's.
    error WrongConstant(bytes32 wanted, bytes32 found);
    /// @notice A trace root that is not the statement's.
    error WrongTrace(bytes32 wanted, bytes32 found);
    /// @notice A path of another length than the trace's depth, or of a constant, or without runs.
    error WrongPath(uint256 given);
    /// @notice A tensor that a trace of `count` does not have.
    error NoSuchTensor(uint256 index, uint256 count);
    /// @notice An element that the piece reads, and no run holds.
    error NotOpened(uint256 position);

    /// @notice What an opening shows of an operand, under the constant's root or the trace's.
    function open(Statement calldata statement, Operand memory operand, Opening calldata opening)
        internal
        pure
        returns (Opened memory opened)
    {
        opened.dtype = operand.dtype;
        bool anyPath = opening.path.length > 0;
        if (opening.runs.length == 0) {
            if (anyPath) revert WrongPath(opening.path.length);
            return opened;
        }
        bytes32 root;
        (root, opened.spans) = tensorRoot(operand.dtype, operand.size << operand.dtype, opening.runs);
        if (!operand.isConstant) {
            root = _traceRoot(root, operand.index, statement.count, opening.path);
            if (root != statement.traceRoot) revert WrongTrace(statement.traceRoot, root);
        } else {
            if (anyPath) revert WrongPath(opening.path.length);
            if (root != operand.root) revert WrongConstant(operand.root, root);
        }
    }

    /// @notice An operand of which every byte is given, by somebody who needs no proof of it.
    function whole(Operand memory operand, bytes calldata data) internal pure returns (Opened memory opened) {
        uint256 nbytes = operand.size << operand.dtype;
        if (data.length != nbytes) revert NotLeaves(0, data.length, nbytes);
        opened.dtype = operand.dtype;
        opened.spans = new Span[](1);
        opened.spans[0] = Span(0, nbytes, copied(data));
    }

    /// @notice Where in memory the `count` elements from `position` on lie.
    /// @dev INVARIANT: they lie in one run, since neighbouring leaves are one run.
    function find(Opened memory opened, uint256 position, uint256 count) internal pure returns (uint256 source) {
        unchecked {
            // position and count stay below 2^63: tensors have at most 2^31 elements, and elements 2^32 terms
            uint256 begin = position << opened.dtype;
            uint256 end = begin + (count << opened.dtype);
            for (uint256 i; i < opened.spans.length; ++i) {
                Span memory span = opened.spans[i];
                if (span.begin <= begin && end <= span.end) return span.source + begin - span.begin;
            }
        }
        revert NotOpened(position);
    }

    /// @notice The element at `position`.
    function read(Opened memory opened, uint256 position) internal pure returns (int256) {
        return TensorReader.loaded(find(opened, position, 1), opened.dtype, 0);
    }

    /// @notice The one tensor root (rule 2) to which all runs of a tensor of that type and length lead.
    function tensorRoot(uint8 dtype, uint256 nbytes, Run[] calldata runs)
        internal
        pure
        returns (bytes32 root, Span[] memory spans)
    {
        spans = new Span[](runs.length);
        uint256 least;
        for (uint256 i; i < runs.length; ++i) {
            Run calldata run = runs[i];
            if (run.first < least) revert RunsDoNotRise(run.first);
            bytes32 found = _merkleRoot(run, nbytes, spans[i]);
            if (i > 0 && found != root) revert RunsDisagree(run.first);
            root = found;
            least = _leafCount(spans[i].end) + 1;
        }
        root = keccak256(abi.encodePacked(hex"02", dtype, uint64(nbytes), root));
    }

    /// @notice As `tensorRoot`, of a single run: `span` is where its bytes lie.
    function tensorRootOf(uint8 dtype, uint256 nbytes, Run calldata run)
        internal
        pure
        returns (bytes32 root, Span memory span)
    {
        root = keccak256(abi.encodePacked(hex"02", dtype, uint64(nbytes), _merkleRoot(run, nbytes, span)));
    }

    /// @dev Climbs from the leaves of a run to the root. INVARIANT: the depth is the tensor's, never the prover's.
    function _merkleRoot(Run calldata run, uint256 nbytes, Span memory span) private pure returns (bytes32) {
        bytes calldata data = run.data;
        (uint256 first, uint256 begin) = (run.first, run.first * LEAF_BYTES);
        uint256 end = begin + data.length;
        if (data.length == 0 || end > nbytes || (end % LEAF_BYTES != 0 && end != nbytes)) {
            revert NotLeaves(first, data.length, nbytes);
        }
        (span.begin, span.end, span.source) = (begin, end, copied(data));
        bytes32[] memory nodes = _leaves(span.source, data.length);
        uint256 used = _climb(nodes, first, _leafCount(nbytes), run.siblings);
        if (used != run.siblings.length) revert WrongSiblings(run.siblings.length);
        return nodes[0];
    }

    /// @dev From neighbouring nodes, of which the leftmost has index `first`, to the root over `leaves`, which it leaves in
    /// nodes[0]. Reads as many siblings as that takes, whether they are there or not: the caller compares.
    function _climb(bytes32[] memory nodes, uint256 first, uint256 leaves, bytes32[] calldata siblings)
        private
        pure
        returns (uint256 used)
    {
        assembly ("memory-safe") {
            // H(01 || left || right)
            let free := mload(0x40)
            let left := add(free, 1)
            let right := add(free, 33)
            mstore8(free, 0x01)
            let start := add(nodes, 32)
            let end := add(start, shl(5, mload(nodes)))
            let next := siblings.offset
            for { let width := 1 } lt(width, leaves) { width := shl(1, width) } {
                // INVARIANT: a node above replaces one of two below that were read before.
                let from := start
                let to := start
                if and(first, 1) {
                    mstore(left, calldataload(next))
                    mstore(right, mload(from))
                    mstore(to, keccak256(free, 65))
                    next := add(next, 32)
                    from := add(from, 32)
                    to := add(to, 32)
                }
                for {} lt(add(from, 32), end) { from := add(from, 64) } {
                    mstore(left, mload(from))
                    mstore(right, mload(add(from, 32)))
                    mstore(to, keccak256(free, 65))
                    to := add(to, 32)
                }
                if lt(from, end) {
                    mstore(left, mload(from))
                    mstore(right, calldataload(next))
                    mstore(to, keccak256(free, 65))
                    next := add(next, 32)
                    to := add(to, 32)
                }
                end := to
                first := shr(1, first)
            }
            used := shr(5, sub(next, siblings.offset))
        }
    }

    /// @dev The hashes of the leaves that lie in memory from `source` on, which has a word of room before and behind it.
    function _leaves(uint256 source, uint256 length) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](_leafCount(length));
        assembly ("memory-safe") {
            let end := add(source, length)
            let to := add(nodes, 32)
            for { let at := source } lt(at, end) { at := add(at, 256) } {
                let size := sub(end, at)
                if gt(size, 256) { size := 256 }
                // H(00 || leaf), where for a moment the byte before it is 00
                let before := mload(sub(at, 32))
                mstore8(sub(at, 1), 0x00)
                mstore(to, keccak256(sub(at, 1), add(size, 1)))
                mstore(sub(at, 32), before)
                to := add(to, 32)
            }
        }
    }

    /// @dev Climbs from a tensor's root at `index` to the root of a trace of `count` tensors, rule 3.
    function _traceRoot(bytes32 root, uint256 index, uint256 count, bytes32[] calldata path)
        private
        pure
        returns (bytes32)
    {
        if (index >= count) revert NoSuchTensor(index, count);
        uint256 depth;
        unchecked {
            for (uint256 width = 1; width < count; width *= 2) {
                if (depth == path.length) revert WrongPath(path.length);
                bytes32 sibling = path[depth];
                root = (index >> depth) & 1 == 1 ? Merkle.node(sibling, root) : Merkle.node(root, sibling);
                ++depth;
            }
        }
        if (depth != path.length) revert WrongPath(path.length);
        return keccak256(abi.encodePacked(hex"04", uint32(count), root));
    }

    /// @notice A copy in memory, with a word before it for the hash of its first leaf, and one behind it that may be read with the
    /// last element.
    function copied(bytes calldata data) internal pure returns (uint256 source) {
        assembly ("memory-safe") {
            source := add(mload(0x40), 32)
            calldatacopy(source, data.offset, data.length)
            mstore(0x40, add(source, and(add(data.length, 63), not(31))))
        }
    }

    function _leafCount(uint256 nbytes) private pure returns (uint256) {
        return (nbytes + LEAF_BYTES - 1) / LEAF_BYTES;
    }
}
