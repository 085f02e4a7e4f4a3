// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A contract that runs programs, rule 40.
interface IExecution {
    /// @notice The outputs of a program on public inputs, and the id of the claim that says so.
    function run(bytes32 programId, bytes[] calldata inputs)
        external
        view
        returns (bytes32 claimId, bytes[] memory outputs);

    /// @notice Whether a program can be run.
    function isRegistered(bytes32 programId) external view returns (bool);
}
