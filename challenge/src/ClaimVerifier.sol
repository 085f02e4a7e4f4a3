// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {ClaimId} from "./ClaimId.sol";
import {Deployment, TensorLayout} from "./Deployment.sol";
import {EzklCall} from "./EzklCall.sol";
import {IClaimVerifier} from "./IClaimVerifier.sol";
import {IEzklReusableVerifier} from "./IEzklReusableVerifier.sol";
import {TensorReader} from "./TensorReader.sol";
import {TensorRoot} from "./TensorRoot.sol";

/// @title Binds (program id, input commitment, output) to an ezkl proof.
/// @notice A proof speaks about field elements under a verification key. This contract makes those field elements itself, out
/// of the bytes of the claim, under the key that its deployer pinned for the program: a stranger chooses bytes, nothing else.
/// @dev Assures the claim under: soundness of ezkl's circuit and halo2-KZG, an honest reference string, and a deployer that
/// pinned the right key for the program (`vml deploy --check` recomputes it).
contract ClaimVerifier is IClaimVerifier {
    /// @notice Order of BN254's scalar field.
    uint256 public constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    uint8 private constant PUBLIC = 0;
    uint8 private constant HASHED = 1;
    uint8 private constant PRIVATE = 2;
    uint8 private constant COMMITTED = 3;

    /// @dev Schemes of an input commitment, rule 7, in the order of the input modes: tensor root, Poseidon, nothing.
    bytes3 private constant SCHEMES = hex"000104";

    /// @notice Who may register.
    address public immutable DEPLOYER;

    mapping(bytes32 programId => mapping(uint8 privacy => address)) private _pinned;

    /// @notice A program's key was pinned, for ever.
    /// @param deploymentId Rule 10: H(14 || program id || SRS id || vk digest).
    event Registered(bytes32 indexed programId, uint8 indexed privacy, bytes32 indexed deploymentId);

    /// @notice A proof of this claim was checked.
    event ClaimVerified(bytes32 indexed claimId, bytes32 indexed programId, bytes32 indexed inputsId);

    /// @notice Only the deployer pins keys.
    error NotDeployer(address sender);
    /// @notice A pin is never changed.
    error AlreadyRegistered(bytes32 programId, uint8 privacy);
    /// @notice The fields of a deployment contradict each other; `rule` says how.
    error BadDeployment(string rule);
    /// @notice No key is pinned for this program with this privacy.
    error UnknownProgram(bytes32 programId, uint8 privacy);
    /// @notice Another number of inputs or outputs than the program has.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice A tensor of another length than the program fixes. Outputs are counted after the inputs.
    error WrongLength(uint256 tensor, uint256 wanted, uint256 given);
    /// @notice An integer outside the interval that the program declares.
    error OutsideInterval(uint256 tensor, uint256 index, int256 value);
    /// @notice A Poseidon digest that is no field element.
    error NotCanonical(uint256 tensor, uint256 value);
    /// @notice A proof that is too long or too short: trailing bytes are never accepted.
    error WrongProofLength(uint256 wanted, uint256 given);
    /// @notice A proof under other committed weights.
    error WrongProofPrefix();

    constructor() {
        DEPLOYER = msg.sender;
    }

    /// @notice Pins the key of a program. The words go to a data contract, so that no later call has to bring them.
    function register(Deployment calldata deployment) external returns (bytes32 deploymentId) {
        bytes32 programId = deployment.programId;
        uint8 privacy = deployment.privacy;
        if (msg.sender != DEPLOYER) revert NotDeployer(msg.sender);
        // INVARIANT: a pin is written once, so a claim id that was accepted keeps its meaning.
        if (_pinned[programId][privacy] != address(0)) revert AlreadyRegistered(programId, privacy);
        _check(deployment);
        _pinned[programId][privacy] = SSTORE2.write(abi.encode(deployment));
        if (deployment.vka.length > 0 && _registerVka(deployment) != deployment.vkDigest) {
            revert BadDeployment("the verifier names another key");
        }
        deploymentId = keccak256(abi.encodePacked(hex"14", programId, deployment.srsId, deployment.vkDigest));
        emit Registered(programId, privacy, deploymentId);
    }

    /// @notice What is pinned, for anybody to compare with what the program asks for.
    function registered(bytes32 programId, uint8 privacy) public view returns (Deployment memory) {
        address pointer = _pinned[programId][privacy];
        if (pointer == address(0)) revert UnknownProgram(programId, privacy);
        return abi.decode(SSTORE2.read(pointer), (Deployment));
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
        (claimId, inputsId) = verify(programId, privacy, inputs, outputs, proof);
        emit ClaimVerified(claimId, programId, inputsId);
    }

    /// @inheritdoc IClaimVerifier
    function verify(
        bytes32 programId,
        uint8 privacy,
        bytes[] calldata inputs,
        bytes[] calldata outputs,
        bytes calldata proof
    ) public view returns (bytes32 claimId, bytes32 inputsId) {
        Deployment memory pinned = registered(programId, privacy);
        if (inputs.length != pinned.inputs.length) revert WrongCount(pinned.inputs.length, inputs.length);
        if (outputs.length != pinned.outputs.length) revert WrongCount(pinned.outputs.length, outputs.length);
        _checkProof(pinned, proof);
        // INVARIANT: every instance is computed here, from bytes that are hashed into the claim id below, or pinned.
        EzklCall.check(pinned, proof, _instances(pinned, inputs, outputs));
        bytes memory commitments = _commitments(pinned, inputs);
        inputsId = keccak256(commitments);
        claimId = ClaimId.ofClaim(programId, commitments, _roots(pinned, outputs), privacy);
    }

    function _registerVka(Deployment calldata deployment) private returns (bytes32) {
        return IEzklReusableVerifier(deployment.verifier).registerVka(deployment.vka);
    }

    function _check(Deployment calldata deployment) private view {
        if (deployment.privacy & 15 > PRIVATE || deployment.privacy >> 4 > 3) revert BadDeployment("privacy");
        if (deployment.verifier.code.length == 0) revert BadDeployment("the verifier has no code");
        if (deployment.proofLength == 0 || deployment.proofLength % 32 != 0) revert BadDeployment("proof length");
        if (deployment.proofPrefix.length >= deployment.proofLength) revert BadDeployment("proof prefix");
        bool reusable = deployment.vka.length > 0;
        if (reusable && keccak256(abi.encodePacked(deployment.vka)) != deployment.vkDigest) {
            revert BadDeployment("vk digest");
        }
        _checkLayout(deployment.inputs);
        _checkLayout(deployment.outputs);
        _checkWeights(deployment);
    }

    function _checkWeights(Deployment calldata deployment) private pure {
        uint8 mode = deployment.privacy >> 4;
        // INVARIANT: weights that claims call hashed or committed are pinned, else a prover would choose them.
        if ((mode == HASHED) != (deployment.weightInstances.length > 0)) revert BadDeployment("hashed weights");
        if ((mode == COMMITTED) != (deployment.proofPrefix.length > 0)) revert BadDeployment("committed weights");
        if (deployment.proofPrefix.length % 64 != 0) revert BadDeployment("proof prefix");
        for (uint256 i; i < deployment.weightInstances.length; ++i) {
            if (deployment.weightInstances[i] >= FIELD) revert BadDeployment("weight instance");
        }
    }

    function _checkLayout(TensorLayout[] calldata tensors) private pure {
        if (tensors.length == 0 || tensors.length > 255) revert BadDeployment("number of tensors");
        for (uint256 i; i < tensors.length; ++i) {
            if (tensors[i].dtype > 3 || tensors[i].count == 0) revert BadDeployment("tensor");
            if (tensors[i].low > tensors[i].high) revert BadDeployment("interval");
        }
    }

    function _checkProof(Deployment memory pinned, bytes calldata proof) private pure {
        // INVARIANT: ezkl's verifiers read as many bytes as the key says and do not look for more, so the length is checked here.
        if (proof.length != pinned.proofLength) revert WrongProofLength(pinned.proofLength, proof.length);
        if (keccak256(proof[:pinned.proofPrefix.length]) != keccak256(pinned.proofPrefix)) revert WrongProofPrefix();
    }

    /// @dev ezkl's order: digests of inputs, digests of weights, integers of public inputs, integers of outputs.
    function _instances(Deployment memory pinned, bytes[] calldata inputs, bytes[] calldata outputs)
        private
        pure
        returns (uint256[] memory instances)
    {
        uint8 mode = pinned.privacy & 15;
        instances = new uint256[](_count(pinned, mode));
        uint256 cursor;
        for (uint256 i; i < inputs.length; ++i) {
            if (mode == HASHED) instances[cursor++] = _digest(i, inputs[i]);
            if (mode == PRIVATE) _checkLength(i, 0, inputs[i].length);
        }
        for (uint256 i; i < pinned.weightInstances.length; ++i) {
            instances[cursor++] = pinned.weightInstances[i];
        }
        for (uint256 i; i < inputs.length && mode == PUBLIC; ++i) {
            cursor = _integers(instances, cursor, pinned.inputs[i], i, inputs[i]);
        }
        for (uint256 i; i < outputs.length; ++i) {
            cursor = _integers(instances, cursor, pinned.outputs[i], inputs.length + i, outputs[i]);
        }
    }

    function _count(Deployment memory pinned, uint8 mode) private pure returns (uint256 count) {
        count = pinned.weightInstances.length;
        for (uint256 i; i < pinned.inputs.length; ++i) {
            if (mode != PRIVATE) count += mode == PUBLIC ? pinned.inputs[i].count : 1;
        }
        for (uint256 i; i < pinned.outputs.length; ++i) {
            count += pinned.outputs[i].count;
        }
    }

    /// @dev Appends a tensor's integers as field elements: x, or FIELD + x for a negative one.
    function _integers(
        uint256[] memory instances,
        uint256 cursor,
        TensorLayout memory expected,
        uint256 tensor,
        bytes calldata data
    ) private pure returns (uint256) {
        (uint8 dtype, uint256 count) = (expected.dtype, expected.count);
        (int256 low, int256 high) = (expected.low, expected.high);
        _checkLength(tensor, count * TensorReader.width(dtype), data.length);
        for (uint256 i; i < count; ++i) {
            int256 value = TensorReader.element(data, dtype, i);
            // INVARIANT: a circuit is only meant for declared inputs; its range checks may be loose outside of them.
            if (value < low || value > high) revert OutsideInterval(tensor, i, value);
            instances[cursor + i] = value < 0 ? FIELD - uint256(-value) : uint256(value);
        }
        return cursor + count;
    }

    function _digest(uint256 tensor, bytes calldata data) private pure returns (uint256 value) {
        _checkLength(tensor, 32, data.length);
        value = uint256(bytes32(data));
        // INVARIANT: one digest has one encoding, otherwise a spent one could come back as value + FIELD.
        if (value >= FIELD) revert NotCanonical(tensor, value);
    }

    function _checkLength(uint256 tensor, uint256 wanted, uint256 given) private pure {
        if (wanted != given) revert WrongLength(tensor, wanted, given);
    }

    /// @dev Rules 7 and 8: count u8 || (scheme u8, digest 32)...
    function _commitments(Deployment memory pinned, bytes[] calldata inputs) private pure returns (bytes memory list) {
        uint8 mode = pinned.privacy & 15;
        list = abi.encodePacked(uint8(inputs.length));
        for (uint256 i; i < inputs.length; ++i) {
            bytes32 digest;
            if (mode == PUBLIC) digest = TensorRoot.ofTensor(pinned.inputs[i].dtype, inputs[i]);
            else if (mode == HASHED) digest = bytes32(inputs[i]);
            list = abi.encodePacked(list, SCHEMES[mode], digest);
        }
    }

    /// @dev Rule 2, of each output.
    function _roots(Deployment memory pinned, bytes[] calldata outputs) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](outputs.length);
        for (uint256 i; i < outputs.length; ++i) {
            roots[i] = TensorRoot.ofTensor(pinned.outputs[i].dtype, outputs[i]);
        }
    }
}
