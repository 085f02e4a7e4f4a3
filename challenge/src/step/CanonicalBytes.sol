// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice Where the next byte lies in calldata, where the last one ends, and where the first one lay.
struct Reader {
    uint256 place;
    uint256 end;
    uint256 start;
}

/// @title Headers and descriptors, field by field: big endian of fixed width, rules 4 and 5.
library CanonicalBytes {
    uint256 internal constant MAX_ELEMENTS = 1 << 31;
    uint256 private constant MAX_RANK = 32;

    /// @notice Bytes that are no header or descriptor. `place` is how far they were read.
    error MalformedDescriptor(uint256 place);

    /// @notice At the first byte.
    function reader(bytes calldata data) internal pure returns (Reader memory made) {
        assembly ("memory-safe") {
            mstore(made, data.offset)
            mstore(add(made, 32), add(data.offset, data.length))
            mstore(add(made, 64), data.offset)
        }
    }

    /// @notice 0 u8, 1 i16, 2 i32, 3 i64.
    function dtype(Reader memory from) internal pure returns (uint8 code) {
        code = uint8(number(from, 1));
        if (code > 3) refuse(from);
    }

    /// @notice rank u8 || u32..., and the number of elements.
    /// @dev INVARIANT: 1 <= size <= 2^31, so that no position of an element overflows.
    function shape(Reader memory from) internal pure returns (uint256[] memory dims, uint256 size) {
        uint256 rank = number(from, 1);
        if (rank > MAX_RANK) refuse(from);
        uint256 source = taken(from, 4 * rank);
        dims = new uint256[](rank);
        bool isBad;
        size = 1;
        assembly ("memory-safe") {
            let to := add(dims, 32)
            for { let end := add(source, mul(4, rank)) } lt(source, end) { source := add(source, 4) } {
                let length := shr(224, calldataload(source))
                mstore(to, length)
                to := add(to, 32)
                // both factors are below 2^32, or it was bad before
                size := mul(size, length)
                isBad := or(isBad, or(iszero(size), gt(size, MAX_ELEMENTS)))
            }
        }
        if (isBad) refuse(from);
    }

    /// @notice An i64.
    function signed(Reader memory from) internal pure returns (int256) {
        return int64(uint64(number(from, 8)));
    }

    /// @notice The next `width` bytes, 1 to 32, big endian.
    function number(Reader memory from, uint256 width) internal pure returns (uint256 word) {
        uint256 source = taken(from, width);
        assembly ("memory-safe") {
            word := shr(sub(256, shl(3, width)), calldataload(source))
        }
    }

    /// @notice Where in calldata the next `count` bytes lie.
    function taken(Reader memory from, uint256 count) internal pure returns (uint256 source) {
        unchecked {
            source = from.place;
            if (source + count > from.end) refuse(from);
            from.place = source + count;
        }
    }

    /// @notice Nothing is left over.
    function close(Reader memory from) internal pure {
        if (from.place != from.end) refuse(from);
    }

    /// @notice Reverts.
    function refuse(Reader memory from) internal pure {
        revert MalformedDescriptor(from.place - from.start);
    }
}
