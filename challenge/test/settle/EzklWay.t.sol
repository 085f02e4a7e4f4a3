// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimVerifier} from "../../src/ClaimVerifier.sol";
import {EzklCall} from "../../src/EzklCall.sol";
import {VerifiedPayout} from "../../src/VerifiedPayout.sol";
import {EzklWay} from "../../src/settle/EzklWay.sol";
import {IWay} from "../../src/settle/IWay.sol";
import {Question} from "../../src/settle/Question.sol";
import {Settlement} from "../../src/settle/Settlement.sol";
import {Asker} from "./Asker.sol";
import {RecordedProofs} from "../RecordedProofs.sol";

/// @title Answers that are final by a proof of ezkl: true proofs, true verifier.
contract EzklWay_Test is RecordedProofs {
    Settlement private settlement = new Settlement();
    EzklWay private way = new EzklWay(verifier);
    Asker private asker = new Asker(settlement);

    function _question(Recorded memory recorded) private view returns (Question memory) {
        return Question({
            consumer: address(asker),
            nonce: 0,
            programId: recorded.programId,
            inputsId: recorded.inputsId,
            privacy: recorded.privacy,
            way: address(way),
            callbackGas: 200_000,
            deadline: 0
        });
    }

    function _evidence(Recorded memory recorded) private pure returns (bytes memory) {
        return abi.encode(recorded.inputs, recorded.proof);
    }

    function _settles(string memory name) private {
        Recorded memory recorded = _register(name);
        Question memory question = _question(recorded);
        bytes32 requestId = asker.ask(question, "");
        vm.assertTrue(settlement.deliver(question, recorded.outputs, _evidence(recorded)), "not told");
        assertEq(asker.lastClaim(), recorded.claimId);
        assertEq(keccak256(asker.lastOutput()), keccak256(recorded.outputs[0]));
        vm.assertTrue(settlement.isAnswer(requestId, recorded.claimId, recorded.outputs), "not the answer");
    }

    function test_deliver_proofOfAPublicInput_settles() external {
        _settles("public_public");
    }

    function test_deliver_proofOfAHiddenInput_settles() external {
        _settles("hashed_hashed");
    }

    function test_deliver_falseOutput_reverts() external {
        Recorded memory recorded = _register("public_public");
        Question memory question = _question(recorded);
        asker.ask(question, "");
        recorded.outputs[0][0] ^= 0x01;
        vm.expectRevert(EzklCall.ProofRejected.selector);
        settlement.deliver(question, recorded.outputs, _evidence(recorded));
    }

    /// @dev A true proof, of another input than the one that was asked about.
    function test_deliver_proofOfAnotherInput_reverts() external {
        Recorded memory recorded = _register("public_public");
        Question memory question = _question(recorded);
        question.inputsId = keccak256("another input");
        asker.ask(question, "");
        vm.expectRevert(abi.encodeWithSelector(EzklWay.WrongInputs.selector, question.inputsId, recorded.inputsId));
        settlement.deliver(question, recorded.outputs, _evidence(recorded));
    }

    /// @dev A true proof, of another program and privacy than those that were asked about.
    function test_deliver_proofOfAnotherProgram_reverts() external {
        Recorded memory recorded = _register("public_public");
        Recorded memory other = _register("hashed_hashed");
        Question memory question = _question(other);
        asker.ask(question, "");
        vm.expectRevert();
        settlement.deliver(question, recorded.outputs, _evidence(recorded));
    }

    function test_deliver_bytesThatAreNoEvidence_revert() external {
        Recorded memory recorded = _register("public_public");
        Question memory question = _question(recorded);
        asker.ask(question, "");
        vm.expectRevert();
        settlement.deliver(question, recorded.outputs, "proof");
    }

    function testFuzz_deliver_anyGas_neverKeepsAnAnswerThatNobodyHeard(uint256 sent) external {
        Recorded memory recorded = _register("public_public");
        Question memory question = _question(recorded);
        bytes32 requestId = asker.ask(question, "");
        try settlement.deliver{gas: sent % 3_000_000}(question, recorded.outputs, _evidence(recorded)) returns (
            bool done
        ) {
            vm.assertTrue(done, "starved");
        } catch {
            assertEq(uint256(settlement.status(requestId)), 1);
        }
    }

    function test_request_programWithoutAKey_reverts() external {
        Recorded memory recorded = _register("public_public");
        Question memory question = _question(recorded);
        question.privacy = 1;
        vm.expectRevert(abi.encodeWithSelector(ClaimVerifier.UnknownProgram.selector, recorded.programId, 1));
        asker.ask(question, "");
    }

    function test_request_moneyOrTerms_reverts() external {
        Question memory question = _question(_register("public_public"));
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(EzklWay.NoFee.selector, 1));
        asker.ask{value: 1}(question, "");
        vm.expectRevert(EzklWay.NoTerms.selector);
        asker.ask(question, "x");
    }

    /// @dev From the question to the money.
    function test_payout_settledByProof_paysTheBeneficiary() external {
        Recorded memory recorded = _register("public_public");
        IWay[] memory ways = new IWay[](1);
        ways[0] = way;
        VerifiedPayout payout = new VerifiedPayout(settlement, recorded.programId, recorded.privacy, 1, ways);
        uint32 answer = uint32(payout.decision(recorded.outputs[0]));
        uint40 deadline = uint40(block.timestamp + 1);
        payout.open{value: 1 ether}(recorded.inputsId, answer, address(0xB), deadline, way, 0, "");
        Question memory question = _question(recorded);
        (question.consumer, question.deadline) = (address(payout), deadline);
        vm.assertTrue(settlement.deliver(question, recorded.outputs, _evidence(recorded)), "not told");
        assertEq(payout.balances(address(0xB)), 1 ether);
    }
}
