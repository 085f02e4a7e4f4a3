// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Question} from "../../src/settle/Question.sol";

/// @title A way that writes while it is asked. Its `check` is no view, whatever the interface says.
contract DoubleWay {
    uint256 private _asked;

    error Static();

    function open(Question calldata, bytes calldata) external payable {}

    function check(bytes32, Question calldata, bytes[] calldata, bytes calldata) external returns (bytes32) {
        try this.write{gas: 30_000}() {
            return keccak256("anything");
        } catch {
            revert Static();
        }
    }

    function write() external {
        ++_asked;
    }
}
