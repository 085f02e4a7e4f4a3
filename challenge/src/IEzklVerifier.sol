// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title ezkl 23's dedicated verifier: a contract generated for one verification key.
interface IEzklVerifier {
    /// @notice Reverts without data on a false proof.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external returns (bool);
}
