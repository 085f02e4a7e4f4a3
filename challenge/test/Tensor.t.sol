// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorRoot} from "../src/TensorRoot.sol";
import {Test} from "./Test.sol";
import {TensorHarness} from "./TensorHarness.sol";

/// @title TensorRoot and TensorReader against naive twins.
contract Tensor_Test is Test {
    TensorHarness private harness = new TensorHarness();

    function test_root_noElements_reverts() external {
        vm.expectRevert(TensorRoot.NoElements.selector);
        harness.root(0, "");
    }

    function test_root_oneLeaf_isItsHash() external view {
        bytes32 leaf = keccak256(abi.encodePacked(hex"00", hex"0102"));
        assertEq(harness.root(1, hex"0102"), keccak256(abi.encodePacked(hex"02", uint8(1), uint64(2), leaf)));
    }

    /// @dev One leaf, full leaves, a short last one, and counts around powers of two.
    function test_root_manyLengths_agreesWithTwin() external view {
        uint16[12] memory lengths = [1, 255, 256, 257, 512, 513, 768, 1024, 1025, 2049, 4096, 4100];
        for (uint256 i; i < lengths.length; ++i) {
            bytes memory data = _counting(lengths[i]);
            assertEq(harness.root(0, data), _root(0, data));
        }
    }

    function testFuzz_root_anyBytes_agreesWithTwin(uint8 dtype, bytes calldata data) external view {
        vm.assume(data.length > 0);
        assertEq(harness.root(dtype, data), _root(dtype, data));
    }

    function testFuzz_element_u8_agrees(uint8 value, uint8 junk) external view {
        assertEq(harness.element(abi.encodePacked(junk, value, junk), 0, 1), int256(uint256(value)));
    }

    function testFuzz_element_i16_agrees(int16 value, bytes2 junk) external view {
        assertEq(harness.element(abi.encodePacked(junk, _little(value, 2), junk), 1, 1), value);
    }

    function testFuzz_element_i32_agrees(int32 value, bytes4 junk) external view {
        assertEq(harness.element(abi.encodePacked(junk, _little(value, 4), junk), 2, 1), value);
    }

    function testFuzz_element_i64_agrees(int64 value, bytes8 junk) external view {
        assertEq(harness.element(abi.encodePacked(junk, _little(value, 8), junk), 3, 1), value);
    }

    function _little(int256 value, uint256 width) private pure returns (bytes memory data) {
        data = new bytes(width);
        for (uint256 i; i < width; ++i) {
            data[i] = bytes1(uint8(uint256(value) >> (8 * i)));
        }
    }

    function _counting(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i; i < length; ++i) {
            data[i] = bytes1(uint8(i * 7 + i / 256));
        }
    }

    function _root(uint8 dtype, bytes memory data) private pure returns (bytes32) {
        uint256 leaves = (data.length + 255) / 256;
        uint256 width = 1;
        while (width < leaves) width *= 2;
        return keccak256(abi.encodePacked(hex"02", dtype, uint64(data.length), _subtree(data, 0, width)));
    }

    /// @dev The definition, top down: the tree over `width` places from leaf `start`.
    function _subtree(bytes memory data, uint256 start, uint256 width) private pure returns (bytes32) {
        if (width > 1) {
            bytes32 left = _subtree(data, start, width / 2);
            return keccak256(abi.encodePacked(hex"01", left, _subtree(data, start + width / 2, width / 2)));
        }
        if (start * 256 >= data.length) return keccak256(hex"03");
        uint256 size = data.length - start * 256 > 256 ? 256 : data.length - start * 256;
        bytes memory leaf = new bytes(size);
        for (uint256 i; i < size; ++i) {
            leaf[i] = data[start * 256 + i];
        }
        return keccak256(abi.encodePacked(hex"00", leaf));
    }
}
