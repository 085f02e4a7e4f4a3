// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operand, Operator} from "./Descriptor.sol";
import {Dot} from "./Dot.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Piece, Step} from "./Step.sol";

/// @title matmul, an element at a time: row x[..., m, :] times row w[..., n, :], the terms of both side by side.
contract MatmulStep is Step {
    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.MATMUL;
    }

    /// @dev x [..., m, K] or [K], w [N, K] or [..., N, K]; output [..., m, N].
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 2) return false;
        (uint256[] memory x, uint256[] memory w) = (operator.operands[0].shape, operator.operands[1].shape);
        uint256[] memory y = operator.shape;
        if (x.length == 0 || w.length < 2 || y.length != x.length) return false;
        uint256 last = x.length - 1;
        if (x[last] != operator.terms || w[w.length - 1] != operator.terms || y[last] != w[w.length - 2]) return false;
        bool batched = w.length > 2;
        if (batched && w.length != x.length) return false;
        for (uint256 i; i < last; ++i) {
            if (y[i] != x[i] || (batched && i + 1 < last && w[i] != x[i])) return false;
        }
        return true;
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory)
    {
        Operator memory operator = piece.operator;
        (uint256 xRow, uint256 wRow) = _rows(operator, piece.element);
        uint256 count = piece.end - piece.first;
        uint256 x = xRow * operator.terms + piece.first;
        uint256 w = wRow * operator.terms + piece.first;
        int256 sum = Dot.product(_factor(piece, 0, x, count), _factor(piece, 1, w, count), count);
        return Accumulator(start.value + sum, 0);
    }

    /// @dev Which row of x and which of w: w has a batch for every batch of x, or one for all.
    function _rows(Operator memory operator, uint256 element) private pure returns (uint256 xRow, uint256 wRow) {
        (Operand memory x, Operand memory w) = (operator.operands[0], operator.operands[1]);
        uint256 rank = w.shape.length;
        uint256 channels = w.shape[rank - 2];
        (xRow, wRow) = (element / channels, element % channels);
        if (rank > 2) wRow += (xRow / x.shape[rank - 2]) * channels;
    }
}
