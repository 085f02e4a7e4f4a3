// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operand, Operator} from "./Descriptor.sol";

/// @title Where an element lies: the twin of `verifiable_ml/dispute/positions.py`.
library Positions {
    // Nothing in here overflows: positions and sizes stay below 2^32.

    /// @notice The coordinates of a flat position, outermost axis first.
    function coordinates(uint256 position, uint256[] memory shape) internal pure returns (uint256[] memory found) {
        unchecked {
            found = new uint256[](shape.length);
            for (uint256 axis = shape.length; axis > 0;) {
                --axis;
                found[axis] = position % shape[axis];
                position /= shape[axis];
            }
        }
    }

    /// @notice Which position of an operand the element of a broadcast output reads: axes align at the innermost, and one entry
    /// is for all.
    function stretched(uint256 element, uint256[] memory shape, uint256[] memory operand)
        internal
        pure
        returns (uint256 position)
    {
        unchecked {
            uint256 scale = 1;
            uint256 missing = shape.length - operand.length;
            for (uint256 axis = operand.length; axis > 0;) {
                --axis;
                uint256 size = shape[axis + missing];
                if (operand[axis] > 1) position += (element % size) * scale;
                scale *= operand[axis];
                element /= size;
            }
        }
    }

    /// @notice Whether all operands broadcast to the output by NumPy's rule.
    function broadcasts(Operator memory operator) internal pure returns (bool) {
        unchecked {
            uint256[] memory shape = operator.shape;
            uint256[] memory widest = new uint256[](shape.length);
            bool isFull;
            for (uint256 i; i < operator.operands.length; ++i) {
                uint256[] memory operand = operator.operands[i].shape;
                if (operand.length > shape.length) return false;
                uint256 missing = shape.length - operand.length;
                isFull = isFull || missing == 0;
                for (uint256 axis; axis < operand.length; ++axis) {
                    uint256 size = operand[axis];
                    if (size != 1 && size != shape[axis + missing]) return false;
                    if (size > widest[axis + missing]) widest[axis + missing] = size;
                }
            }
            // INVARIANT: an axis of the output is as long as the longest of its operands, and it has no axis of its own.
            return isFull && keccak256(abi.encodePacked(widest)) == keccak256(abi.encodePacked(shape));
        }
    }

    /// @notice Whether the operand's first axes, all but `dropped`, are the output's.
    function keeps(Operand memory operand, uint256[] memory shape, uint256 dropped) internal pure returns (bool) {
        if (operand.shape.length != shape.length + dropped) return false;
        for (uint256 axis; axis < shape.length; ++axis) {
            if (operand.shape[axis] != shape[axis]) return false;
        }
        return true;
    }

    /// @notice Elements of the axes from `axis` on.
    function product(uint256[] memory shape, uint256 axis) internal pure returns (uint256 size) {
        size = 1;
        for (; axis < shape.length; ++axis) {
            size *= shape[axis];
        }
    }
}
