// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../src/TensorReader.sol";
import {TensorRoot} from "../src/TensorRoot.sol";

/// @title The two libraries that read calldata, callable from a test.
contract TensorHarness {
    function root(uint8 dtype, bytes calldata data) external pure returns (bytes32) {
        return TensorRoot.ofTensor(dtype, data);
    }

    function element(bytes calldata data, uint8 dtype, uint256 index) external pure returns (int256) {
        return TensorReader.element(data, dtype, index);
    }
}
