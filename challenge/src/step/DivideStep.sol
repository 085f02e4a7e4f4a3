// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title divide, an element at a time: floor((a * scale + b / 2) / b).
contract DivideStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.DIVIDE;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        int256 scale = operator.numbers[0];
        if (scale < 1 || scale >= 1 << 47) return false;
        return operator.operands.length == 2 && operator.terms == 1 && Positions.broadcasts(operator);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        (int256 a, int256 b) = (_stretched(piece, 0), _stretched(piece, 1));
        if (b < 1) revert OutsideDomain(b);
        int256 numerator = a * piece.operator.numbers[0] + b / 2;
        // Solidity's division truncates, and the operator's floors
        int256 quotient = numerator / b;
        return Accumulator(numerator % b < 0 ? quotient - 1 : quotient, 0);
    }
}
