// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Accumulator, Opening, Run, Statement} from "./ISteps.sol";

/// @title One step of one operator. As in `ISteps`, which hands calls on unread.
interface IStep {
    /// @notice The operator, as in the first byte of a descriptor.
    function kind() external pure returns (uint8);

    /// @notice As `ISteps.form`.
    function form(bytes calldata descriptor)
        external
        pure
        returns (uint8 kind, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau);

    /// @notice As `ISteps.advance`.
    function advance(
        Statement calldata statement,
        Opening[] calldata operands,
        Run calldata record,
        Accumulator calldata start
    ) external pure returns (Accumulator memory end);

    /// @notice As `ISteps.finish`.
    function finish(bytes calldata descriptor, uint256 element, Accumulator calldata accumulator, Run calldata record)
        external
        pure
        returns (int256 value);

    /// @notice The whole output of an operator from its whole operands: no openings, the same element functions (rule 40).
    /// @param operands Bytes of each.
    /// @param records Bytes of the requantisation records; none for the identity. Not compared with their root.
    function evaluate(bytes calldata descriptor, bytes[] calldata operands, bytes calldata records)
        external
        pure
        returns (bytes memory output);
}
