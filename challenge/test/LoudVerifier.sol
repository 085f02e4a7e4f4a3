// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Answers a megabyte that begins with a yes.
contract LoudVerifier {
    function verifyProof(bytes calldata, uint256[] calldata) external pure returns (bool) {
        assembly {
            mstore(0, 1)
            return(0, 1000000)
        }
    }
}
