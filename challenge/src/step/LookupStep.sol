// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LibBit} from "solady/utils/LibBit.sol";
import {Operator} from "./Descriptor.sol";
import {Accumulator} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings} from "./Openings.sol";
import {Positions} from "./Positions.sol";
import {Piece, Step} from "./Step.sol";

/// @title lookup, an element at a time: the entry of a table at the position that x says.
contract LookupStep is Step {
    uint256 private constant MAX_ENTRIES = 1 << 16;

    /// @inheritdoc Step
    function kind() public pure override returns (uint8) {
        return Kind.LOOKUP;
    }

    /// @inheritdoc Step
    function _fits(Operator memory operator) internal pure override returns (bool) {
        if (operator.operands.length != 2 || operator.terms != 1) return false;
        (int256 base, int256 mantissa) = (operator.numbers[0], operator.numbers[1]);
        if (mantissa < 0 || mantissa > 16 || (mantissa > 0 && base != 0)) return false;
        uint256[] memory table = operator.operands[1].shape;
        if (table.length != 1 || table[0] > MAX_ENTRIES) return false;
        return Positions.keeps(operator.operands[0], operator.shape, 0);
    }

    /// @inheritdoc Step
    function _accumulate(Piece memory piece, Accumulator memory) internal pure override returns (Accumulator memory) {
        int256 x = Openings.read(piece.opened[0], piece.element);
        int256 position = _position(piece.operator, x);
        uint256 entries = piece.operator.operands[1].size;
        if (position < 0 || position >= int256(entries)) revert OutsideDomain(x);
        return Accumulator(Openings.read(piece.opened[1], uint256(position)), 0);
    }

    /// @dev x - base; or by mantissa: x itself below 2^m, above it the exponent and the m bits behind the leading one.
    function _position(Operator memory operator, int256 x) private pure returns (int256) {
        int256 m = operator.numbers[1];
        if (m == 0) return x - operator.numbers[0];
        if (x < int256(1) << uint256(m)) return x;
        int256 above = int256(LibBit.fls(uint256(x))) - m;
        return ((above + 1) << uint256(m)) + (x >> uint256(above)) - (int256(1) << uint256(m));
    }
}
