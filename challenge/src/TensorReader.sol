// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Integers out of the bytes of a tensor.
/// @notice Elements are little endian two's complement of 1 (u8), 2, 4 or 8 bytes (i16, i32, i64), as in
/// `verifiable_ml/commitment/codec.py`.
library TensorReader {
    /// @notice Bytes an element.
    /// @param dtype 0 to 3; the caller has checked it.
    function width(uint8 dtype) internal pure returns (uint256) {
        return 1 << dtype;
    }

    /// @notice The integer at `index`.
    /// @dev INVARIANT: (index + 1) * width <= data.length, checked once by the caller, not for every element.
    function element(bytes calldata data, uint8 dtype, uint256 index) internal pure returns (int256) {
        bytes32 word;
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, shl(dtype, index)))
        }
        return decode(word, dtype);
    }

    /// @notice The integer at `index` of elements that lie in memory from `source` on.
    /// @dev INVARIANT: as for calldata, the caller has checked that they reach so far.
    function loaded(uint256 source, uint8 dtype, uint256 index) internal pure returns (int256) {
        bytes32 word;
        assembly ("memory-safe") {
            word := mload(add(source, shl(dtype, index)))
        }
        return decode(word, dtype);
    }

    /// @notice The integer at the beginning of a word.
    function decode(bytes32 bytes_, uint8 dtype) internal pure returns (int256) {
        uint256 word = uint256(bytes_);
        if (dtype == 0) return int256(word >> 248);
        if (dtype == 1) return int16(_swap16(word >> 240));
        if (dtype == 2) return int32(_swap32(word >> 224));
        return int64(_swap64(word >> 192));
    }

    function _swap16(uint256 word) private pure returns (int16) {
        return int16(uint16((word >> 8) | (word << 8)));
    }

    function _swap32(uint256 word) private pure returns (int32) {
        word = ((word & 0xFF00FF00) >> 8) | ((word & 0x00FF00FF) << 8);
        return int32(uint32((word >> 16) | (word << 16)));
    }

    function _swap64(uint256 word) private pure returns (int64) {
        word = ((word & 0xFF00FF00FF00FF00) >> 8) | ((word & 0x00FF00FF00FF00FF) << 8);
        word = ((word & 0xFFFF0000FFFF0000) >> 16) | ((word & 0x0000FFFF0000FFFF) << 16);
        return int64(uint64((word >> 32) | (word << 32)));
    }
}
