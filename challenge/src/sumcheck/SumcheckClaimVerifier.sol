// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ClaimId} from "../ClaimId.sol";
import {TensorLayout} from "../Deployment.sol";
import {TensorRoot} from "../TensorRoot.sol";
import {IClaimVerifier} from "../IClaimVerifier.sol";
import {ISumcheckClaimVerifier} from "./ISumcheckClaimVerifier.sol";
import {PlanPin} from "./PlanPin.sol";
import {Statement} from "./Statement.sol";
import {SumcheckVerifier} from "./SumcheckVerifier.sol";

/// @title Binds (program id, inputs, outputs) to a native proof. Everything is public: privacy is 0.
/// @notice The statement is made here, out of the bytes of the claim, and judged by the plan that the deployer pinned for the program: a
/// stranger chooses bytes, nothing else.
/// @dev Assures the claim under what SumcheckVerifier assures, and a deployer that pinned the right plan (`vml deploy --check`
/// recomputes it). One pin a program; ezkl's keys are pinned elsewhere, so that a program may have both.
contract SumcheckClaimVerifier is ISumcheckClaimVerifier {
    /// @notice Who may register.
    address public immutable DEPLOYER;
    /// @notice Runs plans. Has no state, so it serves everybody.
    SumcheckVerifier public immutable VERIFIER;

    mapping(bytes32 programId => address) private _pinned;

    /// @notice A program's plan was pinned, for ever.
    /// @param deploymentId Rule 10: H(14 || program id || SRS id || plan digest).
    event Registered(bytes32 indexed programId, bytes32 indexed deploymentId);

    /// @notice A proof of this claim was checked.
    event ClaimVerified(bytes32 indexed claimId, bytes32 indexed programId, bytes32 indexed inputsId);

    /// @notice Only the deployer pins plans.
    error NotDeployer(address sender);
    /// @notice A pin is never changed.
    error AlreadyRegistered(bytes32 programId, uint8 privacy);
    /// @notice The fields of a pin contradict each other; `rule` says how.
    error BadDeployment(string rule);
    /// @notice No plan is pinned for this program with this privacy.
    error UnknownProgram(bytes32 programId, uint8 privacy);
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

    /// @notice Pins the plan of a program.
    function register(PlanPin calldata pin) external returns (bytes32 deploymentId) {
        if (msg.sender != DEPLOYER) revert NotDeployer(msg.sender);
        // INVARIANT: a pin is written once, so a claim id that was accepted keeps its meaning.
        if (_pinned[pin.programId] != address(0)) revert AlreadyRegistered(pin.programId, 0);
        _check(pin);
        _pinned[pin.programId] = SSTORE2.write(abi.encode(pin));
        deploymentId = keccak256(abi.encodePacked(hex"14", pin.programId, pin.srsId, pin.planDigest));
        emit Registered(pin.programId, deploymentId);
    }

    /// @notice What is pinned, for anybody to compare with what the program asks for.
    function registered(bytes32 programId, uint8 privacy) public view returns (PlanPin memory) {
        address pointer = _pinned[programId];
        if (privacy != 0 || pointer == address(0)) revert UnknownProgram(programId, privacy);
        return abi.decode(SSTORE2.read(pointer), (PlanPin));
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
        if (inputs.length != pin.inputs.length) revert WrongCount(pin.inputs.length, inputs.length);
        if (outputs.length != pin.outputs.length) revert WrongCount(pin.outputs.length, outputs.length);
        if (proof.length != pin.proofLength) revert WrongProofLength(pin.proofLength, proof.length);
        // INVARIANT: every word of the statement is computed here, from bytes that are hashed into the claim id below.
        _ask(bytes.concat(_question(pin.plans, context, _statement(pin, inputs, outputs), proof.length / 32), proof));
        bytes memory commitments = ClaimId.publicCommitments(_roots(pin.inputs, inputs));
        inputsId = keccak256(commitments);
        claimId = ClaimId.ofClaim(programId, commitments, _roots(pin.outputs, outputs), privacy);
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

    /// @dev Rule 2, of each tensor.
    function _roots(TensorLayout[] memory layouts, bytes[] calldata tensors)
        private
        pure
        returns (bytes32[] memory roots)
    {
        roots = new bytes32[](tensors.length);
        for (uint256 i; i < tensors.length; ++i) {
            roots[i] = TensorRoot.ofTensor(layouts[i].dtype, tensors[i]);
        }
    }

    function _check(PlanPin calldata pin) private view {
        _checkLayouts(pin.inputs);
        _checkLayouts(pin.outputs);
        bytes memory plan = _plan(pin.plans);
        if (plan.length < 32 || keccak256(plan) != pin.planDigest) revert BadDeployment("plan digest");
        (uint256 statement, uint256 proof) = (uint32(bytes4(_slice(plan, 20))), uint32(bytes4(_slice(plan, 24))));
        if (statement != _size(pin.inputs) + _size(pin.outputs)) revert BadDeployment("the plan is of other tensors");
        if (pin.proofLength != 32 * proof) revert BadDeployment("proof length");
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

    function _checkLayouts(TensorLayout[] calldata tensors) private pure {
        if (tensors.length == 0 || tensors.length > 255) revert BadDeployment("number of tensors");
        for (uint256 i; i < tensors.length; ++i) {
            if (tensors[i].dtype > 3 || tensors[i].count == 0) revert BadDeployment("tensor");
            if (tensors[i].low > tensors[i].high) revert BadDeployment("interval");
        }
    }
}
