// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings} from "./Openings.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title isqrt, an element at a time: floor(sqrt(x)).
contract IsqrtStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.ISQRT;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 1 || operator.terms != 1) return false;
        return Positions.keeps(operator.operands[0], operator.shape, 0);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        int256 x = Openings.read(piece.opened[0], piece.element);
        if (x < 0) revert OutsideDomain(x);
        return Accumulator(int256(FixedPointMathLib.sqrt(uint256(x))), 0);
    }
}
