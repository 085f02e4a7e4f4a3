// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IClaimVerifier} from "../IClaimVerifier.sol";
import {ISumcheckClaimVerifier} from "./ISumcheckClaimVerifier.sol";
import {PlanPin} from "./PlanPin.sol";
import {PlanRegistry} from "./PlanRegistry.sol";
import {SumcheckVerifier} from "./SumcheckVerifier.sol";

/// @title Binds (program id, inputs, outputs) to a native proof. Everything is public: privacy is 0.
/// @notice One pin a program, one claim a proof; SumcheckBatchVerifier takes several.
contract SumcheckClaimVerifier is PlanRegistry, ISumcheckClaimVerifier {
    /// @notice A pin is never changed.
    error AlreadyRegistered(bytes32 programId, uint8 privacy);
    /// @notice No plan is pinned for this program with this privacy.
    error UnknownProgram(bytes32 programId, uint8 privacy);

    constructor(SumcheckVerifier verifier) PlanRegistry(verifier) {}

    /// @notice Pins the plan of a program.
    function register(PlanPin calldata pin) external returns (bytes32 deploymentId) {
        deploymentId = _pin(pin.programId, pin, 1);
        if (deploymentId == 0) revert AlreadyRegistered(pin.programId, 0);
    }

    /// @notice What is pinned, for anybody to compare with what the program asks for.
    function registered(bytes32 programId, uint8 privacy) public view returns (PlanPin memory pin) {
        bool found;
        (found, pin) = _find(programId);
        if (privacy != 0 || !found) revert UnknownProgram(programId, privacy);
    }

    /// @inheritdoc IClaimVerifier
    function outputDtype(bytes32 programId, uint8 privacy) external view returns (uint8 dtype) {
        return registered(programId, privacy).outputs[0].dtype;
    }

    /// @notice `verify` as a transaction that leaves an event. Anybody may leave it again: an event is no payment.
    function record(
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) external returns (bytes32 claimId, bytes32 inputsId) {
        (claimId, inputsId) = verifyFor(0, programId, privacy, inputs, outputs, proof);
        emit ClaimVerified(claimId, programId, inputsId);
    }

    /// @inheritdoc IClaimVerifier
    function verify(
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) external view returns (bytes32 claimId, bytes32 inputsId) {
        return verifyFor(0, programId, privacy, inputs, outputs, proof);
    }

    /// @inheritdoc ISumcheckClaimVerifier
    function verifyFor(
        bytes32 context,
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) public view returns (bytes32 claimId, bytes32 inputsId) {
        PlanPin memory pin = registered(programId, privacy);
        _demand(pin, context, inputs, outputs, proof);
        return _claim(pin, inputs, outputs, 0, 1);
    }
}
