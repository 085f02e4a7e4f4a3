// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title ERC-8274's inner layer, as the draft stood in summer 2026; interface id 0x86761e49.
/// @notice Source: https://eips.ethereum.org/EIPS/eip-8274 (draft, github.com/ethereum/ERCs/pull/1771). It moves: before, it had
/// `name` and `version` in place of `proofSystem`. Nothing but Erc8274Verifier.sol knows it.
interface IProofVerifier {
    /// @notice Whether this output is the model's on this input.
    /// @param inputHash Commitment to the input, by the implementation's scheme.
    /// @param outputHash Commitment to the output, by the implementation's scheme.
    /// @param metadata What does not change from call to call.
    /// @param proof What does.
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        returns (bool);

    /// @notice "{paradigm}/{variant}", such as "zk/ezkl".
    function proofSystem() external view returns (string memory);

    /// @notice H(proofSystem || a salt of this deployment).
    function proofProfile() external view returns (bytes32);
}
