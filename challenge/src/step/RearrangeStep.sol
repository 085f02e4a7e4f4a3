// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CanonicalBytes} from "./CanonicalBytes.sol";
import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings} from "./Openings.sol";
import {Piece, Step} from "./Step.sol";

/// @title rearrange, an element at a time: back through the maps and the permutation to one entry of one operand, or the fill.
contract RearrangeStep is Step {
    /// @dev No number of a map reaches it.
    int256 private constant MAX_INDEX = 1 << 62;

    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.REARRANGE;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length == 0 || operator.terms != 1) return false;
        (int256[] memory shape, int256[] memory view_) = (operator.lists[0], operator.lists[1]);
        if (shape.length != operator.shape.length) return false;
        for (uint256 axis; axis < shape.length; ++axis) {
            if (shape[axis] != int256(operator.shape[axis])) return false;
        }
        return _permutes(operator.lists[2], view_.length) && _maps(operator) && _joins(operator, view_);
    }

    /// @dev Whether every axis of the view stands in the permutation once.
    function _permutes(int256[] memory permutation, uint256 rank) private pure returns (bool) {
        uint256 seen;
        for (uint256 i; i < permutation.length; ++i) {
            if (permutation[i] < 0 || permutation[i] > 255) return false;
            seen |= 1 << uint256(permutation[i]);
        }
        return permutation.length == rank && seen == (1 << rank) - 1;
    }

    /// @dev Whether there is a map for each axis, and as many entries as the output has.
    function _maps(Operator memory operator) private pure returns (bool) {
        int256[] memory maps = operator.lists[3];
        if (maps.length != 4 * operator.lists[1].length) return false;
        uint256 entries = 1;
        for (uint256 i; i < maps.length; i += 4) {
            (int256 count, int256 first, int256 step, int256 divisor) = (maps[i], maps[i + 1], maps[i + 2], maps[i + 3]);
            if (count < 1 || divisor < 1 || count >= MAX_INDEX || divisor >= MAX_INDEX) return false;
            if (!_isIndex(first) || !_isIndex(step) || !_isIndex(first + (count - 1) * step)) return false;
            entries *= uint256(count);
            if (entries > CanonicalBytes.MAX_ELEMENTS) return false;
        }
        return entries == operator.size;
    }

    function _isIndex(int256 number) private pure returns (bool) {
        return number > -MAX_INDEX && number < MAX_INDEX;
    }

    /// @dev Whether the operands, side by side along the axis, are the view.
    function _joins(Operator memory operator, int256[] memory view_) private pure returns (bool) {
        int256 axis = operator.numbers[0];
        if (view_.length > 0 && (axis < 0 || axis >= int256(view_.length))) return false;
        (uint256 all, uint256 others) = (1, 1);
        for (uint256 i; i < view_.length; ++i) {
            // INVARIANT: at most 255 operands of 2^31 elements join to it
            if (view_[i] < 1 || view_[i] > 1 << 39) return false;
            all *= uint256(view_[i]);
            if (i != uint256(axis)) others *= uint256(view_[i]);
            if (all > 1 << 39) return false;
        }
        for (uint256 i; i < operator.operands.length; ++i) {
            uint256 size = operator.operands[i].size;
            if (size % others != 0 || size > all) return false;
            all -= size;
        }
        return all == 0;
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        Operator memory operator = piece.operator;
        int256[] memory place = _place(operator, piece.element);
        for (uint256 axis; axis < place.length; ++axis) {
            if (place[axis] < 0 || place[axis] >= operator.lists[1][axis]) return Accumulator(operator.numbers[1], 0);
        }
        (uint256 operand, uint256 position) = _ofOperand(operator, place);
        return Accumulator(Openings.read(piece.opened[operand], position), 0);
    }

    /// @dev Coordinates in the view, outside of it where the fill is read: along each permuted axis, entry i reads
    /// (first + i * step) / divisor, floored.
    function _place(Operator memory operator, uint256 element) private pure returns (int256[] memory place) {
        int256[] memory maps = operator.lists[3];
        place = new int256[](operator.lists[1].length);
        for (uint256 i = place.length; i > 0;) {
            --i;
            uint256 count = uint256(maps[4 * i]);
            int256 numerator = maps[4 * i + 1] + int256(element % count) * maps[4 * i + 2];
            int256 divisor = maps[4 * i + 3];
            // Solidity's division truncates, and the map's floors
            int256 reached = numerator / divisor;
            place[uint256(operator.lists[2][i])] = numerator % divisor < 0 ? reached - 1 : reached;
            element /= count;
        }
    }

    /// @dev The operand that holds an entry of the view, and where: along the axis each operand has a width of its own.
    function _ofOperand(Operator memory operator, int256[] memory place)
        private
        pure
        returns (uint256 operand, uint256 position)
    {
        int256[] memory view_ = operator.lists[1];
        if (view_.length == 0) return (0, 0);
        uint256 axis = uint256(operator.numbers[0]);
        uint256 others = 1;
        for (uint256 i; i < view_.length; ++i) {
            if (i != axis) others *= uint256(view_[i]);
        }
        uint256 along = uint256(place[axis]);
        uint256 width = operator.operands[0].size / others;
        while (along >= width) {
            // INVARIANT: the widths add up to the axis, so that an entry of the view is some operand's.
            along -= width;
            width = operator.operands[++operand].size / others;
        }
        for (uint256 i; i < view_.length; ++i) {
            position = i == axis ? position * width + along : position * uint256(view_[i]) + uint256(place[i]);
        }
    }
}
