// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title What an instruction of the machine is about: its fields, registers and data.
/// @notice An instruction is the higher half of a word: code u8, registers d, a, b u24, count n u16, immediate u32.
/// @dev Each of the short ones is compiled into the place where it is used.
library Operands {
    /// @notice The address of register d, given that of the first register.
    function d(uint256 word, uint256 first) internal pure returns (uint256) {
        unchecked {
            return first + ((word >> 219) & 0x1fffffe0);
        }
    }

    /// @notice Likewise of register a.
    function a(uint256 word, uint256 first) internal pure returns (uint256) {
        unchecked {
            return first + ((word >> 195) & 0x1fffffe0);
        }
    }

    /// @notice Likewise of register b.
    function b(uint256 word, uint256 first) internal pure returns (uint256) {
        unchecked {
            return first + ((word >> 171) & 0x1fffffe0);
        }
    }

    /// @notice How many.
    function n(uint256 word) internal pure returns (uint256) {
        return (word >> 160) & 0xffff;
    }

    /// @notice The immediate.
    function imm(uint256 word) internal pure returns (uint256) {
        return (word >> 128) & 0xffffffff;
    }

    /// @notice What stands at an address.
    function get(uint256 from) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(from)
        }
    }

    /// @notice Writes to an address: of a register.
    function put(uint256 to, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(to, value)
        }
    }

    /// @notice One of several u32 in the data.
    function u32(uint256 data, uint256 place) internal pure returns (uint256) {
        unchecked {
            return get(data + 4 * place) >> 224;
        }
    }

    /// @notice A copy of so many words from an address on.
    function array(uint256 from, uint256 count) internal pure returns (uint256[] memory words) {
        words = new uint256[](count);
        assembly ("memory-safe") {
            mcopy(add(words, 32), from, shl(5, count))
        }
    }
}
