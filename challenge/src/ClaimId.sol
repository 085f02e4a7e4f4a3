// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules 7 and 8 of docs/protocol.md: what a claim is called.
/// @notice The same bytes as `verifiable_ml/commitment/claim.py`, so a claim has one id whichever way made it final.
library ClaimId {
    /// @notice Rule 8: H(10 || program id || inputs u8 || (scheme, digest)... || outputs u8 || output roots... || privacy u8).
    /// @param commitments `inputs u8 || (scheme, digest)...`.
    function ofClaim(bytes32 programId, bytes memory commitments, bytes32[] memory outputRoots, uint8 privacy)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(hex"10", programId, commitments, uint8(outputRoots.length), outputRoots, privacy)
        );
    }

    /// @notice The commitments of public inputs, scheme 0: `inputs u8 || (00, tensor root)...`.
    function publicCommitments(bytes32[] memory inputRoots) internal pure returns (bytes memory list) {
        list = abi.encodePacked(uint8(inputRoots.length));
        for (uint256 i; i < inputRoots.length; ++i) {
            list = abi.encodePacked(list, hex"00", inputRoots[i]);
        }
    }
}
