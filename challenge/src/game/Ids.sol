// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Rules 4 and 9: the ids of programs, requests, assertions and games.
/// @dev Chain, contract and account are in them, so nothing that was said here counts elsewhere.
library Ids {
    /// @notice The version of rule 4.
    uint16 internal constant VERSION = 1;

    /// @notice Rule 4: H(20 || "vml.program" || version u16 || salt || H(header) || merkle(descriptors)).
    function program(bytes32 salt, bytes32 headerHash, bytes32 descriptorsRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"20", "vml.program", VERSION, salt, headerHash, descriptorsRoot));
    }

    /// @notice Rule 4: H(21 || descriptor).
    function descriptor(bytes calldata data) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"21", data));
    }

    /// @notice Rule 9: H(11 || chain || contract || requester || nonce u64 || program || input roots || parameters).
    /// @param parameters profile u8 || price u128 || minimum bond u128.
    function request(
        address requester,
        uint64 nonce,
        bytes32 programId,
        bytes32[] memory inputRoots,
        bytes memory parameters
    ) internal view returns (bytes32) {
        return keccak256(
            abi.encodePacked(hex"11", block.chainid, address(this), requester, nonce, programId, inputRoots, parameters)
        );
    }

    /// @notice Rule 9: H(12 || request || epoch u32 || proposer || output roots || trace root).
    function assertion(
        bytes32 requestId,
        uint32 epoch,
        address proposer,
        bytes32[] memory outputRoots,
        bytes32 traceRoot
    ) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"12", requestId, epoch, proposer, outputRoots, traceRoot));
    }

    /// @notice Rule 9: H(13 || assertion || challenger || counter u32).
    function game(bytes32 assertionId, address challenger, uint32 counter) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"13", assertionId, challenger, counter));
    }
}
