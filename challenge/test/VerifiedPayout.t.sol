// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {OnceOnly} from "../src/OnceOnly.sol";
import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {Reentrant} from "./Reentrant.sol";
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

    /// @dev An order that is open is never overwritten, neither by its funder nor by somebody with more money.
    function test_open_whileOpen_reverts() external {
        vm.deal(address(this), 100 ether);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.OrderIsOpen.selector, inputsId));
        payout.open{value: 50 ether}(inputsId, 3, address(this), DEADLINE);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.OrderIsOpen.selector, inputsId));
        payout.open{value: 1 ether}(inputsId, 7, BENEFICIARY, DEADLINE);
        assertEq(payout.settle(inputs, seven, "true"), 7);
        assertEq(payout.balances(BENEFICIARY), 1 ether);
    }

    /// @dev One wei must not block a public input for ever: nobody can commit to it in another way.
    function test_open_publicInputThatAStrangerOrdered_isFreeOnceItIsSettled() external {
        inputs[0] = hex"0909";
        bytes32 id = keccak256(abi.encode(inputs));
        payout.open{value: 1}(id, 0, address(this), type(uint64).max);
        payout.settle(inputs, seven, "true");
        _open(id);
        payout.settle(inputs, seven, "true");
        assertEq(payout.balances(BENEFICIARY), 1 ether);
    }

    function test_open_publicInputAfterReclaim_isAnOrderLikeAnother() external {
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(inputsId);
        vm.prank(FUNDER);
        payout.open{value: 1 ether}(inputsId, 7, BENEFICIARY, DEADLINE + 1);
        payout.settle(inputs, seven, "true");
        assertEq(payout.balances(BENEFICIARY), 1 ether);
        assertEq(payout.balances(FUNDER), 1 ether);
    }

    /// @dev Rule 9, after a settlement and after a reclaim.
    function test_open_hiddenInputAgain_reverts() external {
        VerifiedPayout hidden = new VerifiedPayout(claims, keccak256("program"), 1, 1);
        bytes32 other = keccak256("other");
        hidden.open{value: 1}(inputsId, 7, BENEFICIARY, DEADLINE);
        hidden.open{value: 1}(other, 7, BENEFICIARY, DEADLINE);
        hidden.settle(inputs, seven, "true");
        vm.warp(DEADLINE);
        hidden.reclaim(other);
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, inputsId));
        hidden.open{value: 1}(inputsId, 7, BENEFICIARY, DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, other));
        hidden.open{value: 1}(other, 7, BENEFICIARY, DEADLINE + 1);
    }

    function test_open_badOrder_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no money"));
        payout.open(keccak256("x"), 7, BENEFICIARY, DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no beneficiary"));
        payout.open{value: 1}(keccak256("x"), 7, address(0), DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no time"));
        payout.open{value: 1}(keccak256("x"), 7, BENEFICIARY, 1);
    }

    /// @dev Words whose high bits do not fit their type are refused, never cut.
    function testFuzz_open_dirtyHighBits_reverts(uint256 answer, uint256 beneficiary, uint256 deadline) external {
        vm.assume(answer >> 32 != 0 || beneficiary >> 160 != 0 || deadline >> 64 != 0);
        bytes memory sent =
            abi.encodePacked(VerifiedPayout.open.selector, keccak256("x"), answer, beneficiary, deadline);
        (bool done,) = address(payout).call{value: 1}(sent);
        vm.assertTrue(!done, "dirty bits were taken");
    }

    /// @dev INVARIANT: at every timestamp exactly one of {settle, reclaim} is legal.
    function testFuzz_deadline_anyTimestamp_allowsExactlyOne(uint64 timestamp) external {
        vm.assume(timestamp > 0);
        vm.warp(timestamp);
        if (timestamp < DEADLINE) {
            vm.prank(FUNDER);
            vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooEarly.selector, DEADLINE));
            payout.reclaim(inputsId);
            payout.settle(inputs, seven, "true");
        } else {
            vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooLate.selector, DEADLINE));
            payout.settle(inputs, seven, "true");
            vm.prank(FUNDER);
            payout.reclaim(inputsId);
        }
    }

    function test_settle_lastSecond_pays() external {
        vm.warp(DEADLINE - 1);
        payout.settle(inputs, seven, "true");
        assertEq(payout.balances(BENEFICIARY), 1 ether);
    }

    function test_settle_atDeadline_reverts() external {
        vm.warp(DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooLate.selector, DEADLINE));
        payout.settle(inputs, seven, "true");
    }

    function test_settle_afterReclaim_reverts() external {
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(inputsId);
        vm.warp(1);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, inputsId));
        payout.settle(inputs, seven, "true");
    }

    function test_reclaim_afterSettle_reverts() external {
        payout.settle(inputs, two, "true");
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, inputsId));
        payout.reclaim(inputsId);
        assertEq(payout.balances(FUNDER), 1 ether);
    }

    /// @dev Two orders; the thief is owed one of them, and asks again each time it is paid.
    function test_withdraw_reentered_paysOnce() external {
        Reentrant thief = new Reentrant(payout);
        bytes32 id = keccak256("thief");
        vm.deal(address(thief), 1 ether);
        vm.warp(1);
        vm.prank(address(thief));
        payout.open{value: 1 ether}(id, 7, address(thief), 2);
        vm.warp(2);
        thief.reclaimAndWithdraw(id);
        assertEq(address(thief).balance, 1 ether);
        vm.assertTrue(thief.tries() > 1, "it did not try again");
        assertEq(address(payout).balance, 1 ether);
    }

    function test_withdraw_nothingOwed_movesNothing() external {
        vm.prank(address(0xBAD));
        payout.withdraw();
        assertEq(address(payout).balance, 1 ether);
    }

    /// @dev Money that nobody sent by `open` belongs to no order, and blocks none.
    function test_settle_withForcedEther_paysTheOrderOnly() external {
        vm.deal(address(payout), 5 ether);
        payout.settle(inputs, seven, "true");
        vm.prank(BENEFICIARY);
        payout.withdraw();
        assertEq(BENEFICIARY.balance, 1 ether);
        assertEq(address(payout).balance, 4 ether);
    }

    function test_receive_plainEther_reverts() external {
        (bool done,) = address(payout).call{value: 1}("");
        vm.assertTrue(!done, "ether without an order was taken");
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
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.NothingCommitted.selector, 2));
        new VerifiedPayout(claims, keccak256("program"), 2, 1);
    }

    /// @dev Read as another dtype, the same bytes pay somebody else.
    function test_constructor_otherDtype_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongDtype.selector, 1, 0));
        new VerifiedPayout(claims, keccak256("program"), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongDtype.selector, 1, 200));
        new VerifiedPayout(claims, keccak256("program"), 0, 200);
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
