// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimId} from "../../src/ClaimId.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {IExecution} from "../../src/settle/IExecution.sol";

/// @title Runs one program, which says the same of every input.
contract StubExecution is IExecution {
    IProgramRegistry private immutable REGISTRY;
    bytes32 private immutable PROGRAM;
    bytes private _output;

    error UnknownProgram();

    constructor(IProgramRegistry registry, bytes32 program, bytes memory output) {
        (REGISTRY, PROGRAM, _output) = (registry, program, output);
    }

    function isRegistered(bytes32 programId) external view returns (bool) {
        return programId == PROGRAM;
    }

    function run(bytes32 programId, bytes[] calldata inputs)
        external
        view
        returns (bytes32 claimId, bytes[] memory outputs)
    {
        if (programId != PROGRAM) revert UnknownProgram();
        outputs = new bytes[](1);
        outputs[0] = _output;
        bytes memory commitments = ClaimId.publicCommitments(REGISTRY.rootsOfInputs(programId, inputs));
        claimId = ClaimId.ofClaim(programId, commitments, REGISTRY.rootsOfOutputs(programId, outputs), 0);
    }
}
