// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Erc8274Verifier} from "../../src/settle/Erc8274Verifier.sol";
import {EzklWay} from "../../src/settle/EzklWay.sol";
import {IProofVerifier} from "../../src/settle/IProofVerifier.sol";
import {RecordedProofs} from "../RecordedProofs.sol";
import {StubWay} from "./StubWay.sol";

/// @title ERC-8274 over our ways: true, false, and no verdict are three things.
contract Erc8274Verifier_Test is RecordedProofs {
    Erc8274Verifier private adapter = new Erc8274Verifier(new EzklWay(verifier), "zk/ezkl");

    function _verify(Recorded memory recorded, bytes32 outputHash) private view returns (bool) {
        return adapter.verify(recorded.inputsId, outputHash, _metadata(recorded), _proof(recorded));
    }

    function _metadata(Recorded memory recorded) private pure returns (bytes memory) {
        return abi.encode(recorded.programId, recorded.privacy);
    }

    function _proof(Recorded memory recorded) private pure returns (bytes memory) {
        return abi.encode(bytes32(0), recorded.outputs, abi.encode(recorded.inputs, recorded.proof));
    }

    function _hash(Recorded memory recorded) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(keccak256(recorded.outputs[0])));
    }

    function test_verify_trueProof_isTrue() external {
        Recorded memory recorded = _register("public_public");
        vm.assertTrue(_verify(recorded, _hash(recorded)), "false");
        recorded = _register("hashed_hashed");
        vm.assertTrue(_verify(recorded, _hash(recorded)), "false");
    }

    function test_verify_anotherInputOrOutput_isFalse() external {
        Recorded memory recorded = _register("public_public");
        bytes32 hash = _hash(recorded);
        vm.assertTrue(!_verify(recorded, hash ^ bytes32(uint256(1))), "another output hash");
        recorded.inputsId ^= bytes32(uint256(1));
        vm.assertTrue(!_verify(recorded, hash), "another input hash");
        recorded.inputsId ^= bytes32(uint256(1));
        recorded.outputs[0][0] ^= 0x01;
        vm.assertTrue(!_verify(recorded, _hash(recorded)), "a false output");
        vm.assertTrue(!_verify(recorded, hash), "a false output under the true hash");
    }

    function test_verify_proofThatIsChanged_isFalse() external {
        Recorded memory recorded = _register("public_public");
        recorded.proof[100] ^= 0x01;
        vm.assertTrue(!_verify(recorded, _hash(recorded)), "true");
    }

    function test_verify_anotherProgram_isFalse() external {
        Recorded memory recorded = _register("public_public");
        bytes32 hash = _hash(recorded);
        recorded.programId = keccak256("another");
        vm.assertTrue(!_verify(recorded, hash), "true");
    }

    function test_verify_bytesThatAreNoEvidence_revert() external {
        Recorded memory recorded = _register("public_public");
        (bytes32 input, bytes32 hash, bytes memory metadata) = (recorded.inputsId, _hash(recorded), _metadata(recorded));
        vm.expectRevert(Erc8274Verifier.NoVerdict.selector);
        adapter.verify(input, hash, metadata, abi.encode(bytes32(0), recorded.outputs, bytes("proof")));
        vm.expectRevert();
        adapter.verify(input, hash, metadata, "proof");
    }

    /// @dev A true proof is never called false for want of gas.
    function testFuzz_verify_anyGas_isTrueOrReverts(uint256 sent) external {
        Recorded memory recorded = _register("public_public");
        (bytes memory metadata, bytes memory proof) = (_metadata(recorded), _proof(recorded));
        try adapter.verify{gas: sent % 1_500_000}(recorded.inputsId, _hash(recorded), metadata, proof) returns (
            bool found
        ) {
            vm.assertTrue(found, "called false");
        } catch {}
    }

    function test_verify_anotherWay_isAskedAlike() external {
        Erc8274Verifier other = new Erc8274Verifier(new StubWay(), "op/stub");
        bytes[] memory outputs = new bytes[](1);
        bytes32 hash = keccak256(abi.encodePacked(keccak256("")));
        bytes memory metadata = abi.encode(bytes32(0), uint8(0));
        vm.assertTrue(other.verify(0, hash, metadata, abi.encode(bytes32(0), outputs, bytes("final"))), "false");
        vm.assertTrue(!other.verify(0, hash, metadata, abi.encode(bytes32(0), outputs, bytes("soon"))), "true");
        vm.assertTrue(other.proofProfile() != adapter.proofProfile(), "one profile");
    }

    function test_supportsInterface_draftOf2026_isNamed() external view {
        assertEq(bytes32(type(IProofVerifier).interfaceId), bytes32(bytes4(0x86761e49)));
        vm.assertTrue(adapter.supportsInterface(0x86761e49), "ERC-8274");
        vm.assertTrue(adapter.supportsInterface(0x01ffc9a7), "ERC-165");
        vm.assertTrue(!adapter.supportsInterface(0xffffffff), "ERC-165 forbids this one");
        assertEq(keccak256(bytes(adapter.proofSystem())), keccak256("zk/ezkl"));
    }
}
