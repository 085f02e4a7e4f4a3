// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";
import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title add, an element at a time: one element of each operand, times the coefficient of its channel.
contract AddStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.ADD;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        uint256 count = operator.operands.length;
        if (count == 0 || count > 8 || operator.terms != 1 || operator.records == 0) return false;
        return Positions.broadcasts(operator);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory end)
    {
        end.value = start.value;
        for (uint256 i; i < piece.opened.length; ++i) {
            end.value += TensorReader.loaded(piece.coefficients, 1, i) * _stretched(piece, i);
        }
    }
}
