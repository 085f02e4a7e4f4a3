// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Whether a claim about a program is proved.
interface IClaimVerifier {
    /// @notice Checks a proof of "this program, on these inputs, gives these outputs". Reverts unless it holds.
    /// @param programId The program, as pinned by the deployer of the verifier.
    /// @param privacy Who sees what; see Deployment.
    /// @param inputs Public: the bytes of each input. Hashed: its Poseidon digest, 32 bytes. Private: empty bytes each.
    /// @param outputs The bytes of each output.
    /// @param proof The halo2 proof.
    /// @return claimId Rule 8.
    /// @return inputsId H(count u8 || (scheme u8, digest)...): the list of input commitments as one word.
    function verify(
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) external view returns (bytes32 claimId, bytes32 inputsId);

    /// @notice Dtype of the program's first output, 0 u8, 1 i16, 2 i32, 3 i64. Reverts if no key is pinned.
    /// @param programId The program, as pinned by the deployer of the verifier.
    /// @param privacy Who sees what; see Deployment.
    function outputDtype(bytes32 programId, uint8 privacy) external view returns (uint8 dtype);
}
