// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorLayout} from "../Deployment.sol";

/// @notice What a deployer pins for one program and its native proofs. Everything is public, so there is one pin a program.
/// @param programId Rule 4.
/// @param srsId H(the reference string's secret in the second group || its size).
/// @param planDigest keccak-256 of the plan, in which the key's digest and the string's secret stand.
/// @param plans Data contracts: a zero byte, then a part of the plan each.
/// @param proofLength Exact bytes of a proof, a multiple of 32.
/// @param inputs The program's inputs, in its order.
/// @param outputs The program's outputs, in its order.
struct PlanPin {
    bytes32 programId;
    bytes32 srsId;
    bytes32 planDigest;
    address[] plans;
    uint32 proofLength;
    TensorLayout[] inputs;
    TensorLayout[] outputs;
}
