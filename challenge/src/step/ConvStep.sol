// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Operand, Operator} from "./Descriptor.sol";
import {Dot} from "./Dot.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";
import {Window, Windows} from "./Windows.sol";

/// @title conv, an element at a time: a term is a tap of the kernel and a channel of the group; padded taps add nothing.
/// @notice Terms go by rows: taps whose elements of x lie side by side, which are those along the last axis unless something lies
/// between them.
contract ConvStep is Step {
    /// @dev An element's window. `x`: where the group's first channel of the image lies. `width`: terms of a row.
    struct Place {
        Window over;
        int256[] begins;
        int256 x;
        uint256 w;
        uint256 inner;
        uint256 taps;
        uint256 width;
    }

    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.CONV;
    }

    /// @dev x [N, *spatial, C], w [O, *kernel, C / groups]; output [N, *output spatial, O].
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 2) return false;
        (uint256[] memory x, uint256[] memory w) = (operator.operands[0].shape, operator.operands[1].shape);
        int256 groups = operator.numbers[2];
        if (w.length < 3 || groups < 1 || !Windows.fit(_window(operator), x, operator.shape)) return false;
        uint256 last = w.length - 1;
        if (w[last] * uint256(groups) != x[last] || w[0] % uint256(groups) != 0) return false;
        return operator.shape[last] == w[0] && operator.terms == Positions.product(w, 1);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        override
        returns (Accumulator memory end)
    {
        Place memory place = _place(piece.operator, piece.element);
        end.value = start.value;
        uint256 width = place.width;
        for (uint256 term = piece.first; term < piece.end;) {
            uint256 next = (term / width + 1) * width;
            if (next > piece.end) next = piece.end;
            end.value += _row(piece, place, term, next);
            term = next;
        }
    }

    /// @dev Terms [term, next) of one row, without those in the padding.
    function _row(Piece memory piece, Place memory place, uint256 term, uint256 next) private pure returns (int256) {
        uint256 first = term - term % place.width;
        (int256 base, uint256 low, uint256 high) =
            Windows.reach(place.over, place.begins, piece.operator.operands[0].shape, first / place.inner, place.taps);
        (low, high) = (first + low * place.inner, first + high * place.inner);
        if (low < term) low = term;
        if (high > next) high = next;
        if (low >= high) return 0;
        uint256 x = uint256(place.x + base * int256(_channels(piece.operator)) + int256(low - first));
        uint256 count = high - low;
        return Dot.product(_factor(piece, 0, x, count), _factor(piece, 1, place.w + low, count), count);
    }

    function _place(Operator memory operator, uint256 element) private pure returns (Place memory place) {
        uint256[] memory w = operator.operands[1].shape;
        uint256[] memory target = Positions.coordinates(element, operator.shape);
        uint256 last = target.length - 1;
        uint256 groups = uint256(operator.numbers[2]);
        place.over = _window(operator);
        place.begins = Windows.origin(place.over, target);
        place.inner = w[last];
        uint256 image = operator.operands[0].size / operator.operands[0].shape[0];
        place.x = int256(target[0] * image + (target[last] / (w[0] / groups)) * place.inner);
        place.w = target[last] * operator.terms;
        // INVARIANT: neighbouring taps have neighbouring elements exactly if no other group and no hole lies between them.
        place.taps = groups == 1 && place.over.dilations[last - 2] == 1 ? w[last - 1] : 1;
        place.width = place.taps * place.inner;
    }

    function _window(Operator memory operator) private pure returns (Window memory over) {
        uint256[] memory w = operator.operands[1].shape;
        int256[] memory kernel = new int256[](w.length - 2);
        for (uint256 axis; axis < kernel.length; ++axis) {
            kernel[axis] = int256(w[axis + 1]);
        }
        return Window(kernel, operator.lists[0], operator.lists[1], operator.lists[2]);
    }

    function _channels(Operator memory operator) private pure returns (uint256) {
        uint256[] memory x = operator.operands[0].shape;
        return x[x.length - 1];
    }
}
