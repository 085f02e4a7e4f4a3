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

    /// @notice `count` elements that lie in memory from `source` on, a word each.
    /// @dev INVARIANT: as above. Narrow ones go four at a time, so that up to three words of free memory are written as well.
    function wide(uint256 source, uint8 dtype, uint256 count) internal pure returns (int256[] memory values) {
        assembly ("memory-safe") {
            values := mload(0x40)
            mstore(values, count)
            let to := add(values, 32)
            let end := add(to, shl(5, count))
            mstore(0x40, end)
            switch dtype
            case 0 {
                for {} lt(to, end) { to := add(to, 128) } {
                    let word := mload(source)
                    mstore(to, byte(0, word))
                    mstore(add(to, 32), byte(1, word))
                    mstore(add(to, 64), byte(2, word))
                    mstore(add(to, 96), byte(3, word))
                    source := add(source, 4)
                }
            }
            case 1 {
                for {} lt(to, end) { to := add(to, 128) } {
                    let word := mload(source)
                    word := or(shl(8, and(shr(192, word), 0x00FF00FF00FF00FF)), and(shr(200, word), 0x00FF00FF00FF00FF))
                    mstore(to, signextend(1, shr(48, word)))
                    mstore(add(to, 32), signextend(1, shr(32, word)))
                    mstore(add(to, 64), signextend(1, shr(16, word)))
                    mstore(add(to, 96), signextend(1, word))
                    source := add(source, 8)
                }
            }
            case 2 {
                for {} lt(to, end) { to := add(to, 32) } {
                    let word := mload(source)
                    let low := or(byte(0, word), shl(8, byte(1, word)))
                    mstore(to, signextend(3, or(low, or(shl(16, byte(2, word)), shl(24, byte(3, word))))))
                    source := add(source, 4)
                }
            }
            default {
                for {} lt(to, end) { to := add(to, 32) } {
                    let word := shr(192, mload(source))
                    word := or(shl(8, and(word, 0x00FF00FF00FF00FF)), and(shr(8, word), 0x00FF00FF00FF00FF))
                    word := or(shl(16, and(word, 0x0000FFFF0000FFFF)), and(shr(16, word), 0x0000FFFF0000FFFF))
                    mstore(to, signextend(7, or(shl(32, and(word, 0xFFFFFFFF)), shr(32, word))))
                    source := add(source, 8)
                }
            }
        }
    }

    /// @notice Writes the integer at `index` of a tensor in memory, and says whether its type holds it.
    /// @dev INVARIANT: (index + 1) * width <= data.length, checked by the caller.
    function store(bytes memory data, uint8 dtype, uint256 index, int256 value) internal pure returns (bool fits) {
        assembly ("memory-safe") {
            let size := shl(dtype, 1)
            switch dtype
            case 0 { fits := eq(value, and(value, 0xFF)) }
            default { fits := eq(value, signextend(sub(size, 1), value)) }
            let to := add(add(data, 32), mul(size, index))
            for { let end := add(to, size) } lt(to, end) { to := add(to, 1) } {
                mstore8(to, value)
                value := shr(8, value)
            }
        }
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
