// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title compare, an element at a time: 1 where x < y, else 0.
contract CompareStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.COMPARE;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        return operator.operands.length == 2 && operator.terms == 1 && Positions.broadcasts(operator);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        return Accumulator(_stretched(piece, 0) < _stretched(piece, 1) ? int256(1) : int256(0), 0);
    }
}
