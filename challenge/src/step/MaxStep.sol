// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings} from "./Openings.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";
import {Window, Windows} from "./Windows.sol";

/// @title max, an element at a time: over the innermost axes, or over the taps of a window, of which padded ones are none.
contract MaxStep is Step {
    uint256 private constant MAX_TAPS = 1 << 12;

    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.MAX;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 1) return false;
        int256 axes = operator.numbers[0];
        Window memory over = _window(operator);
        if (axes == 0) return _fitsWindow(operator, over);
        bool none = over.kernel.length == 0 && over.strides.length == 0 && over.pads.length == 0;
        return none && over.dilations.length == 0 && _reduces(operator, axes);
    }

    /// @dev x [N, *spatial, C], output [N, *output spatial, C]; no window lies in the padding alone.
    function _fitsWindow(Operator memory operator, Window memory over) private pure returns (bool) {
        uint256[] memory x = operator.operands[0].shape;
        if (!Windows.fit(over, x, operator.shape)) return false;
        uint256 rank = over.kernel.length;
        if (operator.shape[rank + 1] != x[rank + 1]) return false;
        uint256 taps = 1;
        for (uint256 axis; axis < rank; ++axis) {
            (int256 before, int256 behind) = (over.pads[axis], over.pads[axis + rank]);
            if (over.dilations[axis] != 1 && (before > 0 || behind > 0)) return false;
            if (before >= over.kernel[axis] || behind >= over.kernel[axis]) return false;
            taps *= uint256(over.kernel[axis]);
        }
        return taps <= MAX_TAPS && taps == operator.terms;
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory greatest)
    {
        greatest.value = start.value;
        if (piece.operator.numbers[0] == 0) return _overWindow(piece, greatest);
        int256[] memory values = _neighbours(piece);
        int256 most = start.value;
        unchecked {
            for (uint256 i; i < values.length; ++i) {
                if (values[i] > most) most = values[i];
            }
        }
        greatest.value = most;
    }

    function _overWindow(Piece memory piece, Accumulator memory greatest) private pure returns (Accumulator memory) {
        Window memory over = _window(piece.operator);
        uint256[] memory x = piece.operator.operands[0].shape;
        uint256[] memory target = Positions.coordinates(piece.element, piece.operator.shape);
        int256[] memory begins = Windows.origin(over, target);
        uint256 last = target.length - 1;
        uint256 image = target[0] * Positions.product(x, 1);
        for (uint256 tap = piece.first; tap < piece.end; ++tap) {
            (int256 base, uint256 low, uint256 high) = Windows.reach(over, begins, x, tap, 1);
            if (low >= high) continue;
            int256 value = Openings.read(piece.opened[0], image + uint256(base) * x[last] + target[last]);
            if (value > greatest.value) greatest.value = value;
        }
        return greatest;
    }

    function _window(Operator memory operator) private pure returns (Window memory) {
        return Window(operator.lists[0], operator.lists[1], operator.lists[2], operator.lists[3]);
    }
}
