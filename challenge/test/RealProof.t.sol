// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimVerifier} from "../src/ClaimVerifier.sol";
import {Deployment, TensorLayout} from "../src/Deployment.sol";
import {EzklCall} from "../src/EzklCall.sol";
import {Test} from "./Test.sol";

/// @title True proofs of ezkl (challenge/tool/record_proofs.py) against the committed reusable verifier.
contract RealProof_Test is Test {
    struct Recorded {
        bytes32 programId;
        uint8 privacy;
        bytes[] inputs;
        bytes[] outputs;
        bytes proof;
        bytes32 claimId;
        bytes32 inputsId;
    }

    ClaimVerifier private verifier = new ClaimVerifier();
    address private reusable;

    function setUp() external {
        bytes memory code = vm.parseJsonBytes(vm.readFile("artifacts/Halo2VerifierReusable.json"), ".bytecode.object");
        address created;
        assembly {
            created := create(0, add(code, 32), mload(code))
        }
        reusable = created;
    }

    function test_verify_publicInput_accepts() external {
        _accepts("public_public");
    }

    function test_verify_hashedInputAndWeights_accepts() external {
        _accepts("hashed_hashed");
    }

    function test_verify_privateInputCommittedWeights_accepts() external {
        _accepts("private_committed");
    }

    function test_verify_outputOffByOne_reverts() external {
        Recorded memory recorded = _register("public_public");
        recorded.outputs[0][0] ^= 0x01;
        _rejects(recorded);
    }

    function test_verify_inputOffByOne_reverts() external {
        Recorded memory recorded = _register("public_public");
        recorded.inputs[0][7] ^= 0x01;
        _rejects(recorded);
    }

    function test_verify_anotherDigest_reverts() external {
        Recorded memory recorded = _register("hashed_hashed");
        recorded.inputs[0][31] ^= 0x01;
        _rejects(recorded);
    }

    function testFuzz_verify_anyBitOfTheProof_reverts(uint256 place, uint8 bit) external {
        Recorded memory recorded = _register("public_public");
        recorded.proof[place % recorded.proof.length] ^= bytes1(uint8(1 << (bit % 8)));
        _rejects(recorded);
    }

    function _accepts(string memory name) private {
        Recorded memory recorded = _register(name);
        (bytes32 claimId, bytes32 inputsId) =
            verifier.record(recorded.programId, recorded.privacy, recorded.inputs, recorded.outputs, recorded.proof);
        assertEq(claimId, recorded.claimId);
        assertEq(inputsId, recorded.inputsId);
    }

    function _rejects(Recorded memory recorded) private {
        vm.expectRevert(EzklCall.ProofRejected.selector);
        verifier.verify(recorded.programId, recorded.privacy, recorded.inputs, recorded.outputs, recorded.proof);
    }

    function _register(string memory name) private returns (Recorded memory recorded) {
        string memory json = vm.readFile(string.concat("test/fixtures/", name, ".json"));
        recorded = Recorded({
            programId: vm.parseJsonBytes32(json, ".program_id"),
            privacy: uint8(vm.parseJsonUint(json, ".privacy")),
            inputs: vm.parseJsonBytesArray(json, ".inputs"),
            outputs: vm.parseJsonBytesArray(json, ".outputs"),
            proof: vm.parseJsonBytes(json, ".proof"),
            claimId: vm.parseJsonBytes32(json, ".claim_id"),
            inputsId: vm.parseJsonBytes32(json, ".inputs_id")
        });
        verifier.register(_deployment(json, recorded));
    }

    function _deployment(string memory json, Recorded memory recorded) private view returns (Deployment memory made) {
        made.programId = recorded.programId;
        made.privacy = recorded.privacy;
        made.srsId = vm.parseJsonBytes32(json, ".srs_id");
        made.verifier = reusable;
        made.proofLength = uint32(recorded.proof.length);
        made.proofPrefix = vm.parseJsonBytes(json, ".proof_prefix");
        made.weightInstances = _numbers(vm.parseJsonBytes32Array(json, ".weight_instances"));
        made.inputs = new TensorLayout[](1);
        made.inputs[0] = TensorLayout(0, 8, 0, 250);
        made.outputs = new TensorLayout[](1);
        made.outputs[0] = TensorLayout(1, 3, type(int16).min, type(int16).max);
        made.vka = _words(vm.parseJsonBytes(json, ".vka"));
        made.vkDigest = keccak256(abi.encodePacked(made.vka));
    }

    function _words(bytes memory data) private pure returns (bytes32[] memory words) {
        words = new bytes32[](data.length / 32);
        for (uint256 i; i < words.length; ++i) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 32), mul(i, 32)))
            }
            words[i] = word;
        }
    }

    function _numbers(bytes32[] memory words) private pure returns (uint256[] memory numbers) {
        numbers = new uint256[](words.length);
        for (uint256 i; i < words.length; ++i) {
            numbers[i] = uint256(words[i]);
        }
    }
}
