// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IClaimVerifier} from "../src/IClaimVerifier.sol";

/// @title A ClaimVerifier that accepts the proof "true", and names inputs by their hash.
contract StubClaims is IClaimVerifier {
    error NotProved();

    /// @notice Every program's first output is i16.
    function outputDtype(bytes32, uint8) external pure returns (uint8) {
        return 1;
    }

    function verify(bytes32, uint8, bytes[] calldata inputs, bytes[] calldata outputs, bytes calldata proof)
        external
        pure
        returns (bytes32 claimId, bytes32 inputsId)
    {
        if (keccak256(proof) != keccak256("true")) revert NotProved();
        return (keccak256(abi.encode(inputs, outputs)), keccak256(abi.encode(inputs)));
    }
}
