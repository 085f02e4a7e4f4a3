// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Piece, Step} from "./Step.sol";

/// @title argmax, an element at a time: value and index of the first that no later one exceeds.
contract ArgmaxStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.ARGMAX;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        return operator.operands.length == 1 && _reduces(operator, 1);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory best)
    {
        best.index = start.index;
        int256[] memory values = _neighbours(piece);
        int256 greatest = start.value;
        unchecked {
            for (uint256 i; i < values.length; ++i) {
                // INVARIANT: strictly greater, so that of equals the first stays.
                if (values[i] > greatest) (greatest, best.index) = (values[i], piece.first + i);
            }
        }
        best.value = greatest;
    }
}
