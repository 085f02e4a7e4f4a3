// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {PlanPin} from "./PlanPin.sol";
import {PlanRegistry} from "./PlanRegistry.sol";
import {SumcheckVerifier} from "./SumcheckVerifier.sol";

/// @title Binds several claims about one program to one native proof. Everything is public: privacy is 0.
/// @notice A plan is of a number of runs, and pinned for it: what one proof costs is paid once for all of them.
contract SumcheckBatchVerifier is PlanRegistry {
    /// @notice A pin is never changed.
    error AlreadyPinned(bytes32 programId, uint32 runs);
    /// @notice No plan is pinned for so many runs of this program.
    error UnknownBatch(bytes32 programId, uint32 runs);

    constructor(SumcheckVerifier verifier) PlanRegistry(verifier) {}

    /// @notice Pins the plan of so many runs of a program.
    function register(PlanPin calldata pin, uint32 runs) external returns (bytes32 deploymentId) {
        if (runs == 0) revert BadDeployment("no runs");
        deploymentId = _pin(_name(pin.programId, runs), pin, runs);
        if (deploymentId == 0) revert AlreadyPinned(pin.programId, runs);
    }

    /// @notice What is pinned, for anybody to compare with what the program asks for. Its tensors hold all runs, one after the other.
    function registered(bytes32 programId, uint32 runs) public view returns (PlanPin memory pin) {
        bool found;
        (found, pin) = _find(_name(programId, runs));
        if (!found) revert UnknownBatch(programId, runs);
    }

    /// @notice `verify` as a transaction that leaves an event a claim. Anybody may leave them again: an event is no payment.
    function record(
        bytes32 context,
        bytes32 programId,
        uint32 runs,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) external returns (bytes32[] memory claimIds, bytes32[] memory inputsIds) {
        (claimIds, inputsIds) = verify(context, programId, runs, inputs, outputs, proof);
        for (uint256 i; i < runs; ++i) {
            emit ClaimVerified(claimIds[i], programId, inputsIds[i]);
        }
    }

    /// @notice Checks one proof of "this program, on each of these inputs, gives these outputs". Reverts unless all of it holds.
    /// @param context What the proof is bound to beside: a request's id, or zero.
    /// @param runs How many claims.
    /// @param inputs The bytes of each of the program's inputs, those of all runs one after the other.
    /// @param outputs The bytes of each output, likewise.
    /// @return claimIds Rule 8, of each run.
    /// @return inputsIds The list of input commitments as one word, of each run; see IClaimVerifier.
    function verify(
        bytes32 context,
        bytes32 programId,
        uint32 runs,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) public view returns (bytes32[] memory claimIds, bytes32[] memory inputsIds) {
        PlanPin memory pin = registered(programId, runs);
        _demand(pin, context, inputs, outputs, proof);
        return _claims(pin, inputs, outputs, runs);
    }

    function _claims(PlanPin memory pin, bytes[] calldata inputs, bytes[] calldata outputs, uint256 runs)
        private
        pure
        returns (bytes32[] memory claimIds, bytes32[] memory inputsIds)
    {
        (claimIds, inputsIds) = (new bytes32[](runs), new bytes32[](runs));
        for (uint256 i; i < runs; ++i) {
            (claimIds[i], inputsIds[i]) = _claim(pin, inputs, outputs, i, runs);
        }
    }

    function _name(bytes32 programId, uint32 runs) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(programId, runs));
    }
}
