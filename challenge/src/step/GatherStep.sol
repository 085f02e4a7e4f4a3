// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings} from "./Openings.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title gather, an element at a time: the index first, then one entry of the row that it names.
contract GatherStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.GATHER;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 2 || operator.terms != 1) return false;
        (uint256[] memory data, uint256[] memory indices) = (operator.operands[0].shape, operator.operands[1].shape);
        uint256[] memory shape = operator.shape;
        if (data.length == 0 || shape.length != indices.length + data.length - 1) return false;
        for (uint256 axis; axis < shape.length; ++axis) {
            uint256 size = axis < indices.length ? indices[axis] : data[axis - indices.length + 1];
            if (shape[axis] != size) return false;
        }
        return true;
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        uint256[] memory data = piece.operator.operands[0].shape;
        uint256 row = Positions.product(data, 1);
        int256 index = Openings.read(piece.opened[1], piece.element / row);
        if (index < 0 || index >= int256(data[0])) revert OutsideDomain(index);
        return Accumulator(Openings.read(piece.opened[0], uint256(index) * row + piece.element % row), 0);
    }
}
