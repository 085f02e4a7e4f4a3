// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A contract that asks.
interface IConsumer {
    /// @notice The answer, once. If this reverts, or uses more gas than it asked for, it can be called again.
    /// @dev Check that the sender is the Settlement that was asked, and that the request is one of yours.
    /// @param requestId As `request` returned it.
    /// @param claimId Rule 8.
    /// @param outputs The bytes of each output.
    function onAnswer(bytes32 requestId, bytes32 claimId, bytes[] calldata outputs) external;
}
