// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice One input or output as it stands among the circuit's instances.
/// @param dtype 0 u8, 1 i16, 2 i32, 3 i64.
/// @param count Number of elements.
/// @param low Least integer that the program declares.
/// @param high Greatest one.
struct TensorLayout {
    uint8 dtype;
    uint32 count;
    int64 low;
    int64 high;
}

/// @notice What a deployer pins for one program and privacy.
/// @param programId Rule 4.
/// @param privacy Input mode in the low four bits (0 public, 1 hashed, 2 private), mode of the weights in the high four.
/// @param srsId keccak-256 of the reference string.
/// @param vkDigest keccak-256 of the words of ezkl's verification key artifact.
/// @param verifier ezkl's reusable verifier if `vka` has words, else the dedicated one of this key.
/// @param proofLength Exact bytes of a proof, a multiple of 32.
/// @param proofPrefix What every proof begins with (committed weights), or nothing.
/// @param weightInstances Pinned instances (hashed weights), behind hashed inputs and before public ones.
/// @param inputs The program's inputs, in its order.
/// @param outputs The program's outputs, in its order.
/// @param vka Words for the reusable verifier; none for a dedicated one.
struct Deployment {
    bytes32 programId;
    uint8 privacy;
    bytes32 srsId;
    bytes32 vkDigest;
    address verifier;
    uint32 proofLength;
    bytes proofPrefix;
    uint256[] weightInstances;
    TensorLayout[] inputs;
    TensorLayout[] outputs;
    bytes32[] vka;
}
