// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimVerifier} from "../src/ClaimVerifier.sol";
import {Deployment, TensorLayout} from "../src/Deployment.sol";
import {EzklCall} from "../src/EzklCall.sol";
import {LoudVerifier} from "./LoudVerifier.sol";
import {StubVerifier} from "./StubVerifier.sol";
import {Test} from "./Test.sol";
import {WritingVerifier} from "./WritingVerifier.sol";

/// @title ClaimVerifier with a stub in the verifier's place: what is pinned, what is computed, what is refused.
contract ClaimVerifier_Test is Test {
    uint256 private constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    bytes32 private constant PROGRAM = keccak256("program");

    ClaimVerifier private verifier = new ClaimVerifier();
    StubVerifier private stub = new StubVerifier();
    bytes[] private inputs;
    bytes[] private outputs;
    bytes private proof = abi.encode(1, 2, 3);

    /// @dev One u8 input of 3 elements in [0, 16], one i16 output of 2 elements; no words, so a dedicated verifier.
    function setUp() external {
        inputs.push(hex"000510");
        outputs.push(hex"feff0100"); // -2, 1
    }

    function _deployment() private view returns (Deployment memory deployment) {
        deployment.programId = PROGRAM;
        deployment.srsId = keccak256("srs");
        deployment.vkDigest = keccak256("vk");
        deployment.verifier = address(stub);
        deployment.proofLength = 96;
        deployment.inputs = new TensorLayout[](1);
        deployment.inputs[0] = TensorLayout(0, 3, 0, 16);
        deployment.outputs = new TensorLayout[](1);
        deployment.outputs[0] = TensorLayout(1, 2, type(int16).min, type(int16).max);
    }

    function _hashed() private returns (Deployment memory deployment) {
        deployment = _deployment();
        deployment.privacy = 0x11;
        deployment.weightInstances = new uint256[](1);
        deployment.weightInstances[0] = 77;
        inputs[0] = abi.encode(uint256(5));
    }

    function _integers(uint256 length) private pure returns (uint256[] memory) {
        return new uint256[](length);
    }

    /// @dev The stub accepts exactly the instances that the honest claim stands for.
    function _acceptHonest() private {
        uint256[] memory instances = _integers(5);
        (instances[1], instances[2], instances[3], instances[4]) = (5, 16, FIELD - 2, 1);
        stub.accept(proof, instances);
    }

    function _registered() private {
        verifier.register(_deployment());
        _acceptHonest();
    }

    // ---- register ---------------------------------------------------------------------------------------------------

    function test_register_honest_emitsTheDeploymentId() external {
        bytes32 id = keccak256(abi.encodePacked(hex"14", PROGRAM, keccak256("srs"), keccak256("vk")));
        vm.expectEmit();
        emit ClaimVerifier.Registered(PROGRAM, 0, id);
        assertEq(verifier.register(_deployment()), id);
        assertEq(keccak256(abi.encode(verifier.registered(PROGRAM, 0))), keccak256(abi.encode(_deployment())));
    }

    function test_register_notDeployer_reverts() external {
        Deployment memory deployment = _deployment();
        vm.prank(address(7));
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.NotDeployer.selector, address(7)));
        verifier.register(deployment);
    }

    function test_register_twice_reverts() external {
        verifier.register(_deployment());
        Deployment memory deployment = _deployment();
        deployment.vkDigest = keccak256("another");
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.AlreadyRegistered.selector, PROGRAM, 0));
        verifier.register(deployment);
    }

    function test_register_badPrivacy_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 3;
        _refused(deployment, "privacy");
        deployment.privacy = 0x40;
        _refused(deployment, "privacy");
    }

    function test_register_verifierWithoutCode_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.verifier = address(7);
        _refused(deployment, "the verifier has no code");
    }

    function test_register_badProofLength_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.proofLength = 0;
        _refused(deployment, "proof length");
        deployment.proofLength = 97;
        _refused(deployment, "proof length");
    }

    function test_register_prefixAsLongAsProof_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 0x30;
        deployment.proofPrefix = new bytes(128);
        _refused(deployment, "proof prefix");
    }

    function test_register_prefixOfHalfACommitment_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 0x30;
        deployment.proofPrefix = new bytes(32);
        _refused(deployment, "proof prefix");
    }

    /// @dev Claims would call weights hashed or committed that any prover could choose.
    function test_register_hiddenWeightsThatNothingPins_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 0x10;
        _refused(deployment, "hashed weights");
        deployment.privacy = 0x30;
        _refused(deployment, "committed weights");
    }

    function test_register_weightsPinnedThatAreNotHidden_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.proofPrefix = new bytes(64);
        _refused(deployment, "committed weights");
        deployment = _hashed();
        deployment.privacy = 0x01;
        _refused(deployment, "hashed weights");
    }

    function test_register_verifierThatNamesAnotherKey_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.vka = new bytes32[](2);
        deployment.vkDigest = keccak256(abi.encodePacked(deployment.vka));
        stub.setNamed(keccak256("another"));
        _refused(deployment, "the verifier names another key");
    }

    /// @dev The stub has no such function: a contract in the verifier's place cannot be pinned for ever by mistake.
    function test_register_reusableVerifierWithoutRegisterVka_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.vka = new bytes32[](2);
        deployment.vkDigest = keccak256(abi.encodePacked(deployment.vka));
        deployment.verifier = address(verifier);
        vm.expectRevert(bytes(""));
        verifier.register(deployment);
    }

    /// @dev A field whose high bits do not fit its type is refused, never cut: two encodings of one deployment do not exist.
    function testFuzz_register_dirtyHighBits_reverts(uint256 dirt, uint8 field) external {
        bytes memory sent = abi.encodeCall(ClaimVerifier.register, (_deployment()));
        // Selector, offset of the struct; then its words: 1 privacy, 4 verifier, 5 proof length.
        uint256 word = [1, 4, 5][field % 3];
        uint256 bits = [8, 160, 32][field % 3];
        vm.assume(dirt >> bits != 0);
        uint256 place = 4 + 32 + 32 * word + 32;
        assembly ("memory-safe") {
            mstore(add(sent, place), or(mload(add(sent, place)), shl(bits, shr(bits, dirt))))
        }
        (bool accepted,) = address(verifier).call(sent);
        vm.assertTrue(!accepted, "dirty bits were taken");
    }

    function test_outputDtype_pinned_isThatOfTheFirstOutput() external {
        verifier.register(_deployment());
        assertEq(verifier.outputDtype(PROGRAM, 0), 1);
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.UnknownProgram.selector, PROGRAM, 1));
        verifier.outputDtype(PROGRAM, 1);
    }

    function test_register_wordsOfAnotherDigest_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.vka = new bytes32[](2);
        _refused(deployment, "vk digest");
    }

    function test_register_badLayout_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.outputs[0].dtype = 4;
        _refused(deployment, "tensor");
        deployment = _deployment();
        deployment.inputs[0].count = 0;
        _refused(deployment, "tensor");
        deployment = _deployment();
        deployment.inputs[0].low = 17;
        _refused(deployment, "interval");
        deployment = _deployment();
        deployment.inputs = new TensorLayout[](0);
        _refused(deployment, "number of tensors");
    }

    /// @dev A claim id counts them in one byte.
    function test_register_moreTensorsThanAByteCounts_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.outputs = new TensorLayout[](256);
        for (uint256 i; i < 256; ++i) {
            deployment.outputs[i] = TensorLayout(0, 1, 0, 255);
        }
        _refused(deployment, "number of tensors");
    }

    function test_register_weightInstanceBeyondField_reverts() external {
        Deployment memory deployment = _hashed();
        deployment.weightInstances[0] = FIELD;
        _refused(deployment, "weight instance");
    }

    function _refused(Deployment memory deployment, string memory rule) private {
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.BadDeployment.selector, rule));
        verifier.register(deployment);
    }

    // ---- verify: what is accepted -----------------------------------------------------------------------------------

    function test_verify_publicInput_returnsClaimIdOfRule8() external {
        _registered();
        bytes32 inputRoot =
            keccak256(abi.encodePacked(hex"02", uint8(0), uint64(3), keccak256(abi.encodePacked(hex"00", inputs[0]))));
        bytes32 outputRoot =
            keccak256(abi.encodePacked(hex"02", uint8(1), uint64(4), keccak256(abi.encodePacked(hex"00", outputs[0]))));
        bytes memory commitments = abi.encodePacked(uint8(1), uint8(0), inputRoot);
        bytes32 claimId = keccak256(abi.encodePacked(hex"10", PROGRAM, commitments, uint8(1), outputRoot, uint8(0)));
        vm.expectEmit();
        emit ClaimVerifier.ClaimVerified(claimId, PROGRAM, keccak256(commitments));
        (bytes32 got, bytes32 inputsId) = verifier.record(PROGRAM, 0, inputs, outputs, proof);
        assertEq(got, claimId);
        assertEq(inputsId, keccak256(commitments));
    }

    function test_verify_hashedInputAndWeights_ordersInstancesAsEzkl() external {
        verifier.register(_hashed());
        uint256[] memory instances = _integers(4);
        (instances[0], instances[1], instances[2], instances[3]) = (5, 77, FIELD - 2, 1);
        stub.accept(proof, instances);
        (, bytes32 inputsId) = verifier.verify(PROGRAM, 0x11, inputs, outputs, proof);
        assertEq(inputsId, keccak256(abi.encodePacked(uint8(1), uint8(1), uint256(5))));
    }

    function test_verify_publicInputHashedWeights_ordersInstancesAsEzkl() external {
        Deployment memory deployment = _hashed();
        deployment.privacy = 0x10;
        inputs[0] = hex"000510";
        verifier.register(deployment);
        uint256[] memory instances = _integers(6);
        (instances[0], instances[2], instances[3], instances[4], instances[5]) = (77, 5, 16, FIELD - 2, 1);
        stub.accept(proof, instances);
        verifier.verify(PROGRAM, 0x10, inputs, outputs, proof);
    }

    function test_verify_privateInput_claimsNothingOfIt() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 2;
        verifier.register(deployment);
        uint256[] memory instances = _integers(2);
        (instances[0], instances[1]) = (FIELD - 2, 1);
        stub.accept(proof, instances);
        inputs[0] = "";
        (, bytes32 inputsId) = verifier.verify(PROGRAM, 2, inputs, outputs, proof);
        assertEq(inputsId, keccak256(abi.encodePacked(uint8(1), uint8(4), bytes32(0))));
    }

    function test_verify_reusableAnswer_isReadRaw() external {
        _reusable(abi.encodePacked(uint256(1), _vkDigest(), uint256(160), _integers(5)));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function testFuzz_verify_anyOutput_isBoundToItsInstances(int16 first, int16 second) external {
        vm.assume(first != -2 || second != 1);
        _registered();
        outputs[0] = abi.encodePacked(_swap(first), _swap(second));
        vm.expectRevert(EzklCall.ProofRejected.selector);
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function _swap(int16 value) private pure returns (bytes2) {
        return bytes2((uint16(value) << 8) | (uint16(value) >> 8));
    }

    // ---- verify: what is refused ------------------------------------------------------------------------------------

    function test_verify_anotherProgram_reverts() external {
        _registered();
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.UnknownProgram.selector, keccak256("other"), 0));
        verifier.verify(keccak256("other"), 0, inputs, outputs, proof);
    }

    function test_verify_anotherPrivacy_reverts() external {
        _registered();
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.UnknownProgram.selector, PROGRAM, 1));
        verifier.verify(PROGRAM, 1, inputs, outputs, proof);
    }

    function test_verify_anotherInput_reverts() external {
        _registered();
        inputs[0] = hex"000511";
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.OutsideInterval.selector, 0, 2, 17));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        inputs[0] = hex"00050f";
        vm.expectRevert(EzklCall.ProofRejected.selector);
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function test_verify_belowItsInterval_reverts() external {
        Deployment memory deployment = _deployment();
        (deployment.outputs[0].low, deployment.outputs[0].high) = (-2, 1);
        verifier.register(deployment);
        _acceptHonest();
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        outputs[0] = hex"fdff0100"; // -3, 1
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.OutsideInterval.selector, 1, 0, -3));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function test_verify_anotherCount_reverts() external {
        _registered();
        inputs.push(hex"");
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongCount.selector, 1, 2));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        inputs.pop();
        outputs.pop();
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongCount.selector, 1, 0));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function test_verify_anotherLength_reverts() external {
        _registered();
        inputs[0] = hex"00051000";
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongLength.selector, 0, 3, 4));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        inputs[0] = hex"000510";
        outputs[0] = hex"feff01";
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongLength.selector, 1, 4, 3));
        verifier.verify(PROGRAM, 0, inputs, outputs, proof);
    }

    function test_verify_trailingProofBytes_reverts() external {
        _registered();
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongProofLength.selector, 96, 128));
        verifier.verify(PROGRAM, 0, inputs, outputs, abi.encodePacked(proof, bytes32(0)));
    }

    function test_verify_shortProof_reverts() external {
        _registered();
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongProofLength.selector, 96, 0));
        verifier.verify(PROGRAM, 0, inputs, outputs, "");
    }

    function test_verify_anotherProof_reverts() external {
        _registered();
        vm.expectRevert(EzklCall.ProofRejected.selector);
        verifier.verify(PROGRAM, 0, inputs, outputs, abi.encode(1, 2, 4));
    }

    function test_verify_otherCommittedWeights_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 0x30;
        deployment.proofPrefix = abi.encode(1, 3);
        verifier.register(deployment);
        _acceptHonest();
        vm.expectRevert(ClaimVerifier.WrongProofPrefix.selector);
        verifier.verify(PROGRAM, 0x30, inputs, outputs, proof);
    }

    function test_verify_digestPlusField_reverts() external {
        verifier.register(_hashed());
        inputs[0] = abi.encode(FIELD + 5);
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.NotCanonical.selector, 0, FIELD + 5));
        verifier.verify(PROGRAM, 0x11, inputs, outputs, proof);
    }

    function test_verify_bytesForPrivateInput_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.privacy = 2;
        verifier.register(deployment);
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.WrongLength.selector, 0, 0, 3));
        verifier.verify(PROGRAM, 2, inputs, outputs, proof);
    }

    function test_verify_verifierOutOfGas_doesNotLookFalse() external {
        _registered();
        stub.setBurns(true);
        vm.expectRevert(EzklCall.OutOfGas.selector);
        verifier.verify{gas: 2_000_000}(PROGRAM, 0, inputs, outputs, proof);
    }

    /// @dev A megabyte costs whoever answers it; the caller reads three words.
    function test_verify_verifierAnswersAMegabyte_isRefusedAtNoCost() external {
        Deployment memory deployment = _deployment();
        deployment.verifier = address(new LoudVerifier());
        verifier.register(deployment);
        vm.expectRevert(EzklCall.StrangeAnswer.selector);
        verifier.verify{gas: 3_000_000}(PROGRAM, 0, inputs, outputs, proof);
    }

    /// @dev The verifier is called by a static call: it can change nothing, not even by calling back.
    function test_verify_verifierThatWrites_reverts() external {
        Deployment memory deployment = _deployment();
        deployment.verifier = address(new WritingVerifier());
        verifier.register(deployment);
        vm.expectRevert(EzklCall.OutOfGas.selector);
        verifier.verify{gas: 3_000_000}(PROGRAM, 0, inputs, outputs, proof);
    }

    /// @dev Offsets and lengths that point outside of the calldata, or overlap: refused or read as they are, never beyond.
    function testFuzz_verify_hostileCalldata_neverAccepts(uint256 word, uint256 value) external {
        _registered();
        bytes memory sent = abi.encodeCall(ClaimVerifier.verify, (PROGRAM, 0, inputs, outputs, proof));
        uint256 place = 4 + 32 * (word % ((sent.length - 4) / 32)) + 32;
        assembly ("memory-safe") {
            mstore(add(sent, place), value)
        }
        (bool accepted, bytes memory answer) = address(verifier).staticcall(sent);
        // Bytes in the padding behind a tensor do not count: then it is the honest claim in another encoding.
        (bytes32 claimId, bytes32 inputsId) = verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        if (accepted) assertEq(keccak256(answer), keccak256(abi.encode(claimId, inputsId)));
    }

    function test_verify_dedicatedAnswersStrangely_reverts() external {
        _registered();
        bytes[4] memory answers = [abi.encode(0), abi.encode(2), bytes(""), abi.encode(1, 1)];
        for (uint256 i; i < answers.length; ++i) {
            stub.setAnswer(answers[i]);
            vm.expectRevert(EzklCall.StrangeAnswer.selector);
            verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        }
    }

    function test_verify_reusableAnswersStrangely_reverts() external {
        bytes32 digest = _reusable("");
        bytes[5] memory answers = [
            abi.encodePacked(uint256(0), digest, uint256(0)),
            abi.encodePacked(uint256(1), bytes32(uint256(digest) ^ 1), uint256(0)),
            abi.encodePacked(uint256(1), digest, uint256(32)),
            abi.encodePacked(uint256(1), digest, uint256(192), new uint256[](6)),
            abi.encodePacked(uint256(1), digest)
        ];
        for (uint256 i; i < answers.length; ++i) {
            stub.setAnswer(answers[i]);
            vm.expectRevert(EzklCall.StrangeAnswer.selector);
            verifier.verify(PROGRAM, 0, inputs, outputs, proof);
        }
    }

    function _vkDigest() private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint256(8), uint256(9)));
    }

    function _reusable(bytes memory answer) private returns (bytes32) {
        Deployment memory deployment = _deployment();
        deployment.vka = new bytes32[](2);
        (deployment.vka[0], deployment.vka[1]) = (bytes32(uint256(8)), bytes32(uint256(9)));
        deployment.vkDigest = _vkDigest();
        verifier.register(deployment);
        _acceptHonest();
        stub.setAnswer(answer);
        return _vkDigest();
    }
}
