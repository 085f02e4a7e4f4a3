// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title mul, an element at a time: one element of each operand.
contract MulStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.MUL;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        return operator.operands.length == 2 && operator.terms == 1 && Positions.broadcasts(operator);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory)
    {
        int256 x = _stretched(piece, 0) - piece.operator.numbers[0];
        int256 y = _stretched(piece, 1) - piece.operator.numbers[1];
        return Accumulator(start.value + x * y, 0);
    }
}
