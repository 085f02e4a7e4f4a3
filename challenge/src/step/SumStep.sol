// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Piece, Step} from "./Step.sol";

/// @title sum, an element at a time: the innermost axes lie side by side.
contract SumStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.SUM;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 1) return false;
        return _reduces(operator, operator.numbers[0]);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory)
    {
        int256[] memory values = _neighbours(piece);
        int256 sum = start.value;
        unchecked {
            // 1,024 numbers of 64 bits
            for (uint256 i; i < values.length; ++i) {
                sum += values[i];
            }
        }
        return Accumulator(sum, 0);
    }
}
