// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {EzklCall} from "../src/EzklCall.sol";
import {RecordedProofs} from "./RecordedProofs.sol";

/// @title True proofs of ezkl, and what they do not prove.
contract RealProof_Test is RecordedProofs {
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
}
