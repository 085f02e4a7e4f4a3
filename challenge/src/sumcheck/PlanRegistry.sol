// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ClaimId} from "../ClaimId.sol";
import {TensorLayout} from "../Deployment.sol";
import {TensorRoot} from "../TensorRoot.sol";
import {PlanPin} from "./PlanPin.sol";
import {Statement} from "./Statement.sol";
import {SumcheckVerifier} from "./SumcheckVerifier.sol";

/// @title Plans that a deployer pinned, and what a proof under one shows.
/// @notice The statement is made here, out of bytes that a claim's id commits to, and judged by the pinned plan: a stranger chooses bytes,
/// nothing else. What a claim is, and under which name a plan is pinned, is said by the contracts that inherit this.
/// @dev Assures what SumcheckVerifier assures, and a deployer that pinned the right plan (`vml deploy --check` recomputes it). ezkl's keys are
/// pinned elsewhere, so that a program may have both.
abstract contract PlanRegistry {
    /// @notice Who may register.
    address public immutable DEPLOYER;
    /// @notice Runs plans. Has no state, so it serves everybody.
    SumcheckVerifier public immutable VERIFIER;

    mapping(bytes32 name => address) private _pinned;

    /// @notice A program's plan was pinned, for ever.
    /// @param deploymentId Rule 10: H(14 || program id || SRS id || plan digest).
    event Registered(bytes32 indexed programId, bytes32 indexed deploymentId);

    /// @notice A proof of this claim was checked.
    event ClaimVerified(bytes32 indexed claimId, bytes32 indexed programId, bytes32 indexed inputsId);

    /// @notice Only the deployer pins plans.
    error NotDeployer(address sender);
    /// @notice The fields of a pin contradict each other; `rule` says how.
    error BadDeployment(string rule);
    /// @notice Another number of inputs or outputs than the program has.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice A proof that is too long or too short.
    error WrongProofLength(uint256 wanted, uint256 given);
    /// @notice The proof does not show the statement in this context.
    error ProofRejected();
    /// @notice The call was given too little gas to tell.
    error OutOfGas();

    constructor(SumcheckVerifier verifier) {
        // INVARIANT: an account without code accepts everything; this one has code, and no instruction that could end it.
        if (address(verifier).code.length == 0) revert BadDeployment("the verifier has no code");
        (DEPLOYER, VERIFIER) = (msg.sender, verifier);
    }

    /// @dev Pins a plan of `runs` runs in one proof. INVARIANT: a pin is written once, so a claim id that was accepted keeps its meaning.
    /// @return deploymentId Rule 10, or 0 if something has this name already.
    function _pin(bytes32 name, PlanPin calldata pin, uint256 runs) internal returns (bytes32 deploymentId) {
        if (msg.sender != DEPLOYER) revert NotDeployer(msg.sender);
        if (_pinned[name] != address(0)) return 0;
        _check(pin, runs);
        _pinned[name] = SSTORE2.write(abi.encode(pin));
        deploymentId = keccak256(abi.encodePacked(hex"14", pin.programId, pin.srsId, pin.planDigest));
        emit Registered(pin.programId, deploymentId);
    }

    /// @dev What has this name, if anything has.
    function _find(bytes32 name) internal view returns (bool found, PlanPin memory pin) {
        address pointer = _pinned[name];
        found = pointer != address(0);
        if (found) pin = abi.decode(SSTORE2.read(pointer), (PlanPin));
    }

    /// @dev Reverts unless the proof shows that these inputs give these outputs, in this context.
    function _demand(
        PlanPin memory pin,
        bytes32 context,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) internal view {
        if (inputs.length != pin.inputs.length) {
            revert WrongCount(pin.inputs.length, inputs.length);
        }
        if (outputs.length != pin.outputs.length) revert WrongCount(pin.outputs.length, outputs.length);
        if (proof.length != pin.proofLength) revert WrongProofLength(pin.proofLength, proof.length);
        // INVARIANT: every word of the statement is computed here, from bytes that are hashed into the ids of claims.
        _ask(bytes.concat(_question(pin.plans, context, _statement(pin, inputs, outputs), proof.length / 32), proof));
    }

    /// @dev Rules 7 and 8 of one run of several.
    function _claim(PlanPin memory pin, bytes[] calldata inputs, bytes[] calldata outputs, uint256 run, uint256 runs)
        internal
        pure
        returns (bytes32 claimId, bytes32 inputsId)
    {
        bytes memory commitments = ClaimId.publicCommitments(_roots(pin.inputs, inputs, run, runs));
        inputsId = keccak256(commitments);
        claimId = ClaimId.ofClaim(pin.programId, commitments, _roots(pin.outputs, outputs, run, runs), 0);
    }

    /// @dev Rule 2, of each tensor of one run. Tensors hold all runs, one after the other; their lengths were checked.
    function _roots(TensorLayout[] memory layouts, bytes[] calldata tensors, uint256 run, uint256 runs)
        private
        pure
        returns (bytes32[] memory roots)
    {
        roots = new bytes32[](tensors.length);
        for (uint256 i; i < tensors.length; ++i) {
            uint256 own = tensors[i].length / runs;
            roots[i] = TensorRoot.ofTensor(layouts[i].dtype, tensors[i][run * own:(run + 1) * own]);
        }
    }

    /// @dev Whatever refuses a proof says why; a callee that ran dry says nothing. Gas that is left tells nothing here: a precompile takes all
    /// that it is given for a point off the curve.
    function _ask(bytes memory question) private view {
        (bool holds, bytes memory reason) = address(VERIFIER).staticcall(question);
        if (holds) return;
        if (reason.length == 0) revert OutOfGas();
        revert ProofRejected();
    }

    function _statement(PlanPin memory pin, bytes[] calldata inputs, bytes[] calldata outputs)
        private
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](_size(pin.inputs) + _size(pin.outputs));
        uint256 to;
        assembly ("memory-safe") {
            to := add(words, 32)
        }
        for (uint256 i; i < inputs.length; ++i) {
            Statement.write(pin.inputs[i], i, inputs[i], to);
            to += 32 * Statement.size(pin.inputs[i]);
        }
        for (uint256 i; i < outputs.length; ++i) {
            Statement.write(pin.outputs[i], inputs.length + i, outputs[i], to);
            to += 32 * Statement.size(pin.outputs[i]);
        }
    }

    /// @dev The call but for the words of the proof, which are the last thing in it: word by word they would cost 15k gas more.
    function _question(address[] memory plans, bytes32 context, uint256[] memory statement, uint256 count)
        private
        pure
        returns (bytes memory question)
    {
        question = abi.encodeCall(SumcheckVerifier.verify, (plans, context, statement, new uint256[](0)));
        assembly ("memory-safe") {
            mstore(add(question, mload(question)), count) // the length of the array that is empty so far
        }
    }

    function _size(TensorLayout[] memory layouts) private pure returns (uint256 words) {
        for (uint256 i; i < layouts.length; ++i) {
            words += Statement.size(layouts[i]);
        }
    }

    function _check(PlanPin calldata pin, uint256 runs) private view {
        _checkLayouts(pin.inputs, runs);
        _checkLayouts(pin.outputs, runs);
        bytes memory plan = _plan(pin.plans);
        if (plan.length < 32 || keccak256(plan) != pin.planDigest) revert BadDeployment("plan digest");
        (uint256 statement, uint256 proof) = (uint32(bytes4(_slice(plan, 20))), uint32(bytes4(_slice(plan, 24))));
        if (statement != _size(pin.inputs) + _size(pin.outputs)) revert BadDeployment("the plan is of other tensors");
        if (pin.proofLength != 32 * proof) revert BadDeployment("proof length");
        if (uint32(bytes4(_slice(plan, 28))) != runs) revert BadDeployment("the plan is of another number of runs");
    }

    function _slice(bytes memory plan, uint256 at) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(plan, 32), at))
        }
    }

    /// @dev INVARIANT: each part begins with STOP, so no call runs it, and code that cannot run does not change.
    function _plan(address[] calldata plans) private view returns (bytes memory plan) {
        for (uint256 i; i < plans.length; ++i) {
            bytes memory code = plans[i].code;
            if (code.length < 2 || code[0] != 0) revert BadDeployment("a part of the plan is no data contract");
            plan = bytes.concat(plan, SSTORE2.read(plans[i]));
        }
    }

    function _checkLayouts(TensorLayout[] calldata tensors, uint256 runs) private pure {
        if (tensors.length == 0 || tensors.length > 255) revert BadDeployment("number of tensors");
        for (uint256 i; i < tensors.length; ++i) {
            if (tensors[i].dtype > 3 || tensors[i].count == 0) revert BadDeployment("tensor");
            if (tensors[i].count % runs != 0) revert BadDeployment("a tensor of so many runs");
            if (tensors[i].low > tensors[i].high) revert BadDeployment("interval");
        }
    }
}
