// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The first byte of a descriptor: the operators in the order of docs/program.md, from 1.
library Kind {
    uint8 internal constant MATMUL = 1;
    uint8 internal constant CONV = 2;
    uint8 internal constant ADD = 3;
    uint8 internal constant MUL = 4;
    uint8 internal constant SUM = 5;
    uint8 internal constant MAX = 6;
    uint8 internal constant LOOKUP = 7;
    uint8 internal constant DIVIDE = 8;
    uint8 internal constant ISQRT = 9;
    uint8 internal constant COMPARE = 10;
    uint8 internal constant ARGMAX = 11;
    uint8 internal constant GATHER = 12;
    uint8 internal constant REARRANGE = 13;

    /// @notice Whether its output may be requantised.
    function requantises(uint8 kind) internal pure returns (bool) {
        return kind <= SUM;
    }

    /// @notice The accumulator before the first piece, rule 26: 0; for max and argmax the least i64.
    function neutral(uint8 kind) internal pure returns (int256) {
        return kind == MAX || kind == ARGMAX ? type(int64).min : int256(0);
    }

    /// @notice The attributes of a descriptor in their order: `i` a number, `l` a list, `m` a list of maps of four numbers.
    function attributes(uint8 kind) internal pure returns (bytes6) {
        if (kind == MATMUL || kind == MUL || kind == LOOKUP) return "ii"; // zero points; base and mantissa
        if (kind == CONV) return "iillli"; // zero points, strides, pads, dilations, groups
        if (kind == SUM || kind == DIVIDE) return "i"; // axes; scale
        if (kind == MAX) return "illll"; // axes, kernel, strides, pads, dilations
        if (kind == REARRANGE) return "lllmii"; // shape, view, permutation, maps, axis, fill
        return "";
    }
}
