// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IStep} from "./IStep.sol";
import {Accumulator, ISteps, Opening, Run, Statement} from "./ISteps.sol";
import {Kind} from "./Kind.sol";

/// @title One step of any operator: finds the operator's contract by the first byte of a descriptor.
/// @notice Thirteen contracts, since one would be larger than an EVM takes (EIP-170).
contract Steps is ISteps {
    uint256 private constant KINDS = 13;

    /// @dev By kind, from 1. Never written again.
    address[KINDS + 1] private _steps;

    /// @notice A contract that is another operator's.
    error WrongStep(uint8 wanted, uint8 given);
    /// @notice A descriptor that begins with no operator.
    error NoSuchKind(uint256 kind);

    /// @param steps One contract an operator, in the order of their kinds.
    constructor(address[KINDS] memory steps) {
        for (uint8 i; i < steps.length; ++i) {
            uint8 kind = IStep(steps[i]).kind();
            if (kind != i + 1) revert WrongStep(i + 1, kind);
            _steps[kind] = steps[i];
        }
    }

    /// @notice The contract of an operator.
    function step(uint8 kind) public view returns (address) {
        if (kind == 0 || kind > KINDS) revert NoSuchKind(kind);
        return _steps[kind];
    }

    /// @inheritdoc ISteps
    function form(bytes calldata descriptor)
        external
        view
        returns (uint8 kind, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau)
    {
        return IStep(_stepOf(descriptor)).form(descriptor);
    }

    /// @inheritdoc ISteps
    function neutral(uint8 kind) external pure returns (Accumulator memory) {
        if (kind == 0 || kind > KINDS) revert NoSuchKind(kind);
        return Accumulator(Kind.neutral(kind), 0);
    }

    /// @inheritdoc ISteps
    function advance(Statement calldata statement, Opening[] calldata, Run calldata, Accumulator calldata)
        external
        view
        returns (Accumulator memory)
    {
        _handOn(_stepOf(statement.descriptor));
    }

    /// @inheritdoc ISteps
    function finish(bytes calldata descriptor, uint256, Accumulator calldata, Run calldata)
        external
        view
        returns (int256)
    {
        _handOn(_stepOf(descriptor));
    }

    function _stepOf(bytes calldata descriptor) private view returns (address) {
        if (descriptor.length == 0) revert NoSuchKind(0);
        return step(uint8(descriptor[0]));
    }

    /// @dev The same call to `target`, and its answer or its error as ours: `IStep` has the functions of `ISteps`. Ends the call.
    function _handOn(address target) private view {
        assembly {
            // the end of this call: memory needs to be safe for nobody after it
            calldatacopy(0, 0, calldatasize())
            let success := staticcall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(success) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
