// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title ezkl 23's reusable verifier: one contract for every circuit.
interface IEzklReusableVerifier {
    /// @notice Anybody may register any words, so a caller compares digests itself.
    function registerVka(bytes32[] calldata vka) external returns (bytes32 vkaDigest);

    /// @notice Reverts without data on a false proof.
    /// @dev Its answer is no valid ABI: word 0 is 1, word 1 the digest, word 2 a length in bytes, then that many. Read it raw.
    function verifyProof(bytes calldata proof, uint256[] calldata instances, bytes32[] calldata vka)
        external
        returns (bool success, bytes32 vkaDigest, int256[] memory rescaledInstances);
}
