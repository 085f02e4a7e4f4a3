// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {OnceOnly} from "../src/OnceOnly.sol";
import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {StubClaims} from "./StubClaims.sol";
import {Test} from "./Test.sol";

/// @title The main contract: who is paid, when, and how often.
contract VerifiedPayout_Test is Test {
    address private constant FUNDER = address(0xF);
    address private constant BENEFICIARY = address(0xB);
    uint64 private constant DEADLINE = 1000;

    StubClaims private claims = new StubClaims();
    VerifiedPayout private payout = new VerifiedPayout(claims, keccak256("program"), 0, 1);
    bytes[] private inputs;
    bytes[] private seven;
    bytes[] private two;
    bytes32 private inputsId;

    function setUp() external {
        vm.warp(1);
        inputs.push(hex"0102");
        seven.push(hex"0000010002000300040005000600ff7f0800feff");
        two.push(hex"feff0000090001000200");
        inputsId = keccak256(abi.encode(inputs));
        vm.deal(FUNDER, 10 ether);
        _open(inputsId);
    }

    function _open(bytes32 id) private {
        vm.prank(FUNDER);
        payout.open{value: 1 ether}(id, 7, BENEFICIARY, DEADLINE);
    }

    function test_settle_wantedAnswer_paysTheBeneficiary() external {
        assertEq(payout.settle(inputs, seven, "true"), 7);
        vm.prank(BENEFICIARY);
        payout.withdraw();
        assertEq(BENEFICIARY.balance, 1 ether);
        assertEq(address(payout).balance, 0);
    }

    function test_settle_anotherAnswer_paysTheFunder() external {
        assertEq(payout.settle(inputs, two, "true"), 2);
        vm.prank(FUNDER);
        payout.withdraw();
        assertEq(FUNDER.balance, 10 ether);
        assertEq(payout.balances(BENEFICIARY), 0);
    }

    function test_settle_falseProof_reverts() external {
        vm.expectRevert(StubClaims.NotProved.selector);
        payout.settle(inputs, seven, "false");
    }

    function test_settle_twice_reverts() external {
        payout.settle(inputs, seven, "true");
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, inputsId));
        payout.settle(inputs, seven, "true");
    }

    function test_settle_inputNobodyOrdered_reverts() external {
        inputs[0] = hex"0103";
        bytes32 other = keccak256(abi.encode(inputs));
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, other));
        payout.settle(inputs, seven, "true");
    }

    function test_settle_bySomebodyElse_paysTheSame() external {
        vm.prank(address(0xBAD));
        payout.settle(inputs, seven, "true");
        assertEq(payout.balances(BENEFICIARY), 1 ether);
        assertEq(payout.balances(address(0xBAD)), 0);
    }

    function test_open_sameInputAgain_reverts() external {
        payout.settle(inputs, seven, "true");
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, inputsId));
        payout.open{value: 1 ether}(inputsId, 7, BENEFICIARY, DEADLINE);
    }

    function test_open_badOrder_reverts() external {
        vm.expectRevert(VerifiedPayout.BadOrder.selector);
        payout.open(keccak256("x"), 7, BENEFICIARY, DEADLINE);
        vm.expectRevert(VerifiedPayout.BadOrder.selector);
        payout.open{value: 1}(keccak256("x"), 7, address(0), DEADLINE);
        vm.expectRevert(VerifiedPayout.BadOrder.selector);
        payout.open{value: 1}(keccak256("x"), 7, BENEFICIARY, 1);
    }

    function test_reclaim_beforeDeadline_reverts() external {
        vm.warp(DEADLINE - 1);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooEarly.selector, DEADLINE));
        payout.reclaim(inputsId);
    }

    function test_reclaim_notFunder_reverts() external {
        vm.warp(DEADLINE);
        vm.prank(BENEFICIARY);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.NotFunder.selector, BENEFICIARY));
        payout.reclaim(inputsId);
    }

    function test_reclaim_afterDeadline_returnsTheMoneyOnce() external {
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(inputsId);
        assertEq(payout.balances(FUNDER), 1 ether);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, inputsId));
        payout.reclaim(inputsId);
    }

    function test_withdraw_refusedMoney_reverts() external {
        bytes32 id = keccak256("mine");
        vm.prank(FUNDER);
        payout.open{value: 1 ether}(id, 7, address(claims), DEADLINE);
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(id);
        // This test contract has no receive function.
        payout.open{value: 1}(keccak256("this"), 7, BENEFICIARY, DEADLINE + 1);
        vm.warp(DEADLINE + 1);
        payout.reclaim(keccak256("this"));
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TransferFailed.selector, address(this)));
        payout.withdraw();
    }

    function test_constructor_privateInput_reverts() external {
        vm.expectRevert(VerifiedPayout.NothingCommitted.selector);
        new VerifiedPayout(claims, keccak256("program"), 2, 1);
    }

    function test_decision_ties_takesTheFirst() external view {
        assertEq(payout.decision(hex"050007000700"), 1);
    }

    function test_decision_oneInteger_isItsSign() external view {
        assertEq(payout.decision(hex"0100"), 1);
        assertEq(payout.decision(hex"0000"), 0);
        assertEq(payout.decision(hex"ffff"), 0);
    }

    /// @dev INVARIANT: what accounts can withdraw is what the contract holds beyond open orders.
    function testFuzz_settle_anyOutput_paysExactlyOne(bytes32 first, bytes8 second) external {
        seven[0] = abi.encodePacked(first, second);
        payout.settle(inputs, seven, "true");
        assertEq(payout.balances(BENEFICIARY) + payout.balances(FUNDER), address(payout).balance);
    }
}
