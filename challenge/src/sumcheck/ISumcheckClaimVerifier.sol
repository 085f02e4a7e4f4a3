// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IClaimVerifier} from "../IClaimVerifier.sol";

/// @title Whether a claim is proved in a context: a proof can be made for one request alone (rule 9).
interface ISumcheckClaimVerifier is IClaimVerifier {
    /// @notice As `verify`, whose context is zero. Reverts on a proof that was made for another context.
    /// @param context A request's id.
    function verifyFor(
        bytes32 context,
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) external view returns (bytes32 claimId, bytes32 inputsId);
}
