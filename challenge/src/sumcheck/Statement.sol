// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorLayout} from "../Deployment.sol";
import {TensorReader} from "../TensorReader.sol";

/// @title A claim's tensors as the native proof absorbs them, rule 59 (a).
/// @notice A byte an integer if the interval holds no other, else eight, little endian and signed; each tensor fills whole words.
library Statement {
    /// @notice A tensor of another length than the program fixes. Outputs are counted after the inputs.
    error WrongLength(uint256 tensor, uint256 wanted, uint256 given);
    /// @notice An integer outside the interval that the key has for it.
    error OutsideInterval(uint256 tensor, uint256 index, int256 value);

    uint8 private constant U8 = 0;
    uint8 private constant I64 = 3;

    /// @notice Words that a tensor fills.
    function size(TensorLayout memory layout) internal pure returns (uint256) {
        return (uint256(layout.count) * (_isNarrow(layout) ? 1 : 8) + 31) / 32;
    }

    /// @notice Writes a tensor from memory `to` on, where zeros are. INVARIANT: one statement has one encoding, as each integer is in its interval.
    function write(TensorLayout memory layout, uint256 tensor, bytes calldata data, uint256 to) internal pure {
        uint256 wanted = layout.count * TensorReader.width(layout.dtype);
        if (data.length != wanted) revert WrongLength(tensor, wanted, data.length);
        bool narrow = _isNarrow(layout);
        bool copied = narrow ? layout.dtype == U8 : layout.dtype == I64;
        if (copied) {
            assembly ("memory-safe") {
                calldatacopy(to, data.offset, data.length)
            }
        }
        if (layout.dtype == U8 && layout.low == 0 && layout.high == 255) return; // nothing else is a byte
        for (uint256 i; i < layout.count; ++i) {
            int256 value = TensorReader.element(data, layout.dtype, i);
            if (value < layout.low || value > layout.high) revert OutsideInterval(tensor, i, value);
            if (!copied) _put(to, i, value, narrow);
        }
    }

    function _put(uint256 to, uint256 i, int256 value, bool narrow) private pure {
        if (narrow) {
            assembly ("memory-safe") {
                mstore8(add(to, i), value)
            }
            return;
        }
        uint256 little = uint64(uint256(value));
        little = ((little & 0xFF00FF00FF00FF00) >> 8) | ((little & 0x00FF00FF00FF00FF) << 8);
        little = ((little & 0xFFFF0000FFFF0000) >> 16) | ((little & 0x0000FFFF0000FFFF) << 16);
        little = ((little >> 32) | (little << 32)) & type(uint64).max;
        assembly ("memory-safe") {
            let place := add(to, shl(5, shr(2, i)))
            mstore(place, or(mload(place), shl(sub(192, shl(6, and(i, 3))), little)))
        }
    }

    function _isNarrow(TensorLayout memory layout) private pure returns (bool) {
        return layout.low >= 0 && layout.high < 256;
    }
}
