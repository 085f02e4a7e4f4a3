// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimVerifier} from "../src/ClaimVerifier.sol";
import {Deployment, TensorLayout} from "../src/Deployment.sol";
import {Test} from "./Test.sol";

/// @title Base of tests on true proofs of ezkl (challenge/tool/record_proofs.py), against the committed reusable verifier.
abstract contract RecordedProofs is Test {
    struct Recorded {
        bytes32 programId;
        uint8 privacy;
        bytes[] inputs;
        bytes[] outputs;
        bytes proof;
        bytes32 claimId;
        bytes32 inputsId;
    }

    ClaimVerifier internal verifier = new ClaimVerifier();
    address private reusable;

    function setUp() public virtual {
        bytes memory code = vm.parseJsonBytes(vm.readFile("artifacts/Halo2VerifierReusable.json"), ".bytecode.object");
        address created;
        assembly {
            created := create(0, add(code, 32), mload(code))
        }
        reusable = created;
    }

    function _register(string memory name) internal returns (Recorded memory recorded) {
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
