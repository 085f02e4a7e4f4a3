// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";
import {Operator} from "./Descriptor.sol";
import {Accumulator, Run} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Piece, Step} from "./Step.sol";

/// @title argmax, an element at a time: value and index of the first that no later one exceeds.
contract ArgmaxStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.ARGMAX;
    }

    function _fits(Operator memory operator) internal pure override returns (bool) {
        return operator.operands.length == 1 && _reduces(operator, 1);
    }

    function _accumulate(Piece memory piece, Run calldata, Accumulator calldata start)
        internal
        pure
        override
        returns (Accumulator memory best)
    {
        best = start;
        (uint256 source, uint8 dtype) = _neighbours(piece);
        for (uint256 term = piece.first; term < piece.end; ++term) {
            int256 value = TensorReader.loaded(source, dtype, term - piece.first);
            // INVARIANT: strictly greater, so that of equals the first stays.
            if (value > best.value) (best.value, best.index) = (value, term);
        }
    }
}
