// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimId} from "../../src/ClaimId.sol";
import {ExecutionWay} from "../../src/settle/ExecutionWay.sol";
import {Question} from "../../src/settle/Question.sol";
import {Settlement} from "../../src/settle/Settlement.sol";
import {GameWorld} from "../game/GameWorld.sol";
import {Toy} from "../game/ToySteps.sol";
import {Asker} from "./Asker.sol";
import {StubExecution} from "./StubExecution.sol";

/// @title Answers that the chain computes while they are delivered: the true registry, a stub that runs.
contract ExecutionWay_Test is GameWorld {
    Settlement private settlement = new Settlement();
    Asker private asker = new Asker(settlement);
    ExecutionWay private way;
    Question private asked;
    bytes[] private outputs;
    bytes[] private inputs;

    function setUp() external {
        toys.push(Toy(1, 3, 16, 1, 1));
        deploy(6);
        outputs = outputsOf(honest());
        inputs.push(input());
        way = new ExecutionWay(new StubExecution(registry, programId, outputs[0]), registry);
        bytes32 inputsId = keccak256(ClaimId.publicCommitments(registry.rootsOfInputs(programId, inputs)));
        asked = Question(address(asker), 0, programId, inputsId, 0, address(way), 200_000, 0);
    }

    function test_deliver_whatTheProgramSays_settles() external {
        asker.ask(asked, "");
        vm.assertTrue(settlement.deliver(asked, outputs, abi.encode(inputs)), "not told");
        assertEq(keccak256(asker.lastOutput()), keccak256(outputs[0]));
        bytes memory commitments = ClaimId.publicCommitments(registry.rootsOfInputs(programId, inputs));
        bytes32[] memory roots = registry.rootsOfOutputs(programId, outputs);
        assertEq(asker.lastClaim(), ClaimId.ofClaim(programId, commitments, roots, 0));
    }

    function test_deliver_anythingElse_reverts() external {
        asker.ask(asked, "");
        outputs[0][0] ^= 0x01;
        vm.expectRevert(ExecutionWay.WrongOutputs.selector);
        settlement.deliver(asked, outputs, abi.encode(inputs));
        outputs[0][0] ^= 0x01;
        outputs.push("");
        vm.expectRevert(ExecutionWay.WrongOutputs.selector);
        settlement.deliver(asked, outputs, abi.encode(inputs));
    }

    function test_deliver_anotherInput_reverts() external {
        asker.ask(asked, "");
        inputs[0][0] ^= 0x01;
        bytes32 given = keccak256(ClaimId.publicCommitments(registry.rootsOfInputs(programId, inputs)));
        vm.expectRevert(abi.encodeWithSelector(ExecutionWay.WrongInputs.selector, asked.inputsId, given));
        settlement.deliver(asked, outputs, abi.encode(inputs));
    }

    function test_check_hiddenClaim_reverts() external {
        asked.privacy = 1;
        vm.expectRevert(abi.encodeWithSelector(ExecutionWay.HiddenClaim.selector, 1));
        way.check(0, asked, outputs, abi.encode(inputs));
        vm.expectRevert(abi.encodeWithSelector(ExecutionWay.HiddenClaim.selector, 1));
        asker.ask(asked, "");
    }

    function test_request_programThatCannotBeRun_reverts() external {
        ExecutionWay other = new ExecutionWay(new StubExecution(registry, 0, outputs[0]), registry);
        asked.way = address(other);
        vm.expectRevert(abi.encodeWithSelector(ExecutionWay.NotRunnable.selector, programId));
        asker.ask(asked, "");
    }

    function test_request_moneyOrTerms_reverts() external {
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(ExecutionWay.NoFee.selector, 1));
        asker.ask{value: 1}(asked, "");
        vm.expectRevert(ExecutionWay.NoTerms.selector);
        asker.ask(asked, "x");
    }
}
