// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {OnceOnly} from "../src/OnceOnly.sol";
import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {ISettlement} from "../src/settle/ISettlement.sol";
import {IWay} from "../src/settle/IWay.sol";
import {Question} from "../src/settle/Question.sol";
import {QuestionId} from "../src/settle/QuestionId.sol";
import {Settlement} from "../src/settle/Settlement.sol";
import {Reentrant} from "./Reentrant.sol";
import {StubWay} from "./settle/StubWay.sol";
import {Test} from "./Test.sol";

/// @title The main contract: who is paid, when, and how often.
contract VerifiedPayout_Test is Test {
    address private constant FUNDER = address(0xF);
    address private constant BENEFICIARY = address(0xB);
    uint40 private constant DEADLINE = 1000;
    bytes32 private constant PROGRAM = keccak256("program");
    bytes32 private constant INPUTS = keccak256("inputs");

    Settlement private settlement = new Settlement();
    StubWay private way = new StubWay();
    VerifiedPayout private payout = _make(0, 1);
    uint32 private callbackGas = payout.CALLBACK_GAS();
    bytes[] private seven;
    bytes[] private two;
    bytes32 private requestId;

    function setUp() external {
        vm.warp(1);
        seven.push(hex"0000010002000300040005000600ff7f0800feff");
        two.push(hex"feff0000090001000200");
        vm.deal(FUNDER, 10 ether);
        requestId = _open();
    }

    function _make(uint8 privacy, uint8 dtype) private returns (VerifiedPayout) {
        IWay[] memory ways = new IWay[](1);
        ways[0] = way;
        return new VerifiedPayout(settlement, PROGRAM, privacy, dtype, ways);
    }

    function _open() private returns (bytes32) {
        vm.prank(FUNDER);
        return payout.open{value: 1 ether}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 0, "");
    }

    function _question(uint64 nonce) private view returns (Question memory) {
        return Question(address(payout), nonce, PROGRAM, INPUTS, 0, address(way), callbackGas, DEADLINE);
    }

    function _deliver(bytes[] memory outputs) private returns (bool) {
        return settlement.deliver(_question(0), outputs, "final");
    }

    function _claim(bytes[] memory outputs) private pure returns (bytes32) {
        return keccak256(abi.encode(PROGRAM, INPUTS, outputs));
    }

    function test_open_question_isWhatIsAsked() external view {
        assertEq(requestId, QuestionId.ofQuestion(address(settlement), _question(0)));
    }

    function test_onAnswer_wantedAnswer_paysTheBeneficiary() external {
        vm.assertTrue(_deliver(seven), "not told");
        vm.prank(BENEFICIARY);
        payout.withdraw();
        assertEq(BENEFICIARY.balance, 1 ether);
        assertEq(address(payout).balance, 0);
    }

    function test_onAnswer_anotherAnswer_paysTheFunder() external {
        vm.assertTrue(_deliver(two), "not told");
        vm.prank(FUNDER);
        payout.withdraw();
        assertEq(FUNDER.balance, 10 ether);
        assertEq(payout.balances(BENEFICIARY), 0);
    }

    function test_onAnswer_notFinal_reverts() external {
        vm.expectRevert(StubWay.NotFinal.selector);
        settlement.deliver(_question(0), seven, "soon");
    }

    function test_onAnswer_twice_reverts() external {
        _deliver(seven);
        bytes memory refused =
            abi.encodeWithSelector(ISettlement.WrongStatus.selector, requestId, ISettlement.Status.Delivered);
        vm.expectRevert(refused);
        _deliver(seven);
        vm.expectRevert(refused);
        payout.settle(_question(0), _claim(seven), seven);
        assertEq(payout.balances(BENEFICIARY), 1 ether);
    }

    function test_onAnswer_notSettlement_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.NotSettlement.selector, address(this)));
        payout.onAnswer(requestId, _claim(seven), seven);
    }

    function test_onAnswer_deliveredBySomebodyElse_paysTheSame() external {
        vm.prank(address(0xBAD));
        _deliver(seven);
        assertEq(payout.balances(BENEFICIARY), 1 ether);
        assertEq(payout.balances(address(0xBAD)), 0);
    }

    /// @dev Another order of the same input, with the same answer, pays nobody here.
    function test_onAnswer_anothersRequest_settlesNoOrderOfOurs() external {
        Question memory other = _question(0);
        other.consumer = address(this);
        settlement.request(other, "");
        vm.assertTrue(!settlement.deliver(other, seven, "final"), "this contract has no onAnswer");
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotConsumer.selector, address(payout)));
        payout.settle(other, _claim(seven), seven);
        assertEq(payout.balances(BENEFICIARY), 0);
    }

    /// @dev Orders of one public input do not see each other: a stranger's, open for ever, blocks none.
    function test_open_sameInput_isAnOrderOfItsOwn() external {
        payout.open{value: 1}(INPUTS, 0, address(this), type(uint40).max, way, 0, "");
        _deliver(seven);
        assertEq(payout.balances(BENEFICIARY), 1 ether);
        assertEq(payout.balances(address(this)), 0);
        Question memory second = _question(1);
        second.deadline = type(uint40).max;
        settlement.deliver(second, seven, "final");
        assertEq(payout.balances(address(this)), 1);
    }

    /// @dev Rule 9, after a settlement and after a reclaim.
    function test_open_hiddenInputAgain_reverts() external {
        VerifiedPayout hidden = _make(1, 1);
        bytes32 other = keccak256("other");
        hidden.open{value: 1}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 0, "");
        bytes32 second = hidden.open{value: 1}(other, 7, BENEFICIARY, DEADLINE, way, 0, "");
        vm.warp(DEADLINE);
        hidden.reclaim(second);
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, INPUTS));
        hidden.open{value: 1}(INPUTS, 7, BENEFICIARY, DEADLINE + 1, way, 0, "");
        vm.expectRevert(abi.encodeWithSelector(OnceOnly.AlreadySpent.selector, other));
        hidden.open{value: 1}(other, 7, BENEFICIARY, DEADLINE + 1, way, 0, "");
    }

    function test_open_badOrder_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no money"));
        payout.open{value: 3}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 3, "");
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no beneficiary"));
        payout.open{value: 1}(INPUTS, 7, address(0), DEADLINE, way, 0, "");
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.BadOrder.selector, "no time"));
        payout.open{value: 1}(INPUTS, 7, BENEFICIARY, 1, way, 0, "");
    }

    /// @dev A funder who brings a way of its own would decide by itself what is final.
    function test_open_wayThatNobodyNamed_reverts() external {
        StubWay own = new StubWay();
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongWay.selector, address(own)));
        payout.open{value: 1}(INPUTS, 7, BENEFICIARY, DEADLINE, own, 0, "");
    }

    function test_open_fee_goesToTheWayAndTheRestIsLocked() external {
        vm.deal(address(this), 1 ether);
        bytes32 id = payout.open{value: 1 ether}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 0.25 ether, "");
        assertEq(address(way).balance, 0.25 ether);
        (,,,, uint256 amount) = payout.orders(id);
        assertEq(amount, 0.75 ether);
    }

    /// @dev Words whose high bits do not fit their type are refused, never cut.
    function testFuzz_open_dirtyHighBits_reverts(uint256 answer, uint256 beneficiary, uint256 deadline) external {
        vm.assume(answer >> 32 != 0 || beneficiary >> 160 != 0 || deadline >> 40 != 0);
        vm.assertTrue(_sendsWords(1, 1, DEADLINE), "clean words were refused");
        vm.assertTrue(!_sendsWords(answer, beneficiary, deadline), "dirty bits were taken");
    }

    function _sendsWords(uint256 answer, uint256 beneficiary, uint256 deadline) private returns (bool done) {
        bytes memory rest = abi.encode(way, 0, 224, 0);
        bytes memory sent = abi.encodePacked(VerifiedPayout.open.selector, INPUTS, answer, beneficiary, deadline, rest);
        (done,) = address(payout).call{value: 1}(sent);
    }

    /// @dev INVARIANT: at every timestamp exactly one of {settle, reclaim} is legal.
    function testFuzz_deadline_anyTimestamp_allowsExactlyOne(uint40 timestamp) external {
        vm.assume(timestamp > 0);
        vm.warp(timestamp);
        bool told = _deliver(seven);
        vm.assertTrue(told == (timestamp < DEADLINE), "told at another time");
        if (told) vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, requestId));
        vm.prank(FUNDER);
        payout.reclaim(requestId);
    }

    function test_reclaim_beforeAnAnswer_isTooEarlyUntilTheDeadline() external {
        vm.warp(DEADLINE - 1);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooEarly.selector, DEADLINE));
        payout.reclaim(requestId);
        vm.assertTrue(_deliver(seven), "the last second");
        assertEq(payout.balances(BENEFICIARY), 1 ether);
    }

    function test_settle_atDeadline_reverts() external {
        vm.warp(DEADLINE);
        vm.assertTrue(!_deliver(seven), "too late");
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TooLate.selector, DEADLINE));
        payout.settle(_question(0), _claim(seven), seven);
        vm.prank(FUNDER);
        payout.reclaim(requestId);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, requestId));
        payout.settle(_question(0), _claim(seven), seven);
    }

    /// @dev An output whose reading exceeds the callback's gas is read by whoever pays for it.
    function test_settle_outputTooLongForTheCallback_pays() external {
        seven[0] = abi.encodePacked(hex"01000200", new bytes(4092));
        vm.assertTrue(!_deliver(seven), "it fits");
        payout.settle(_question(0), _claim(seven), seven);
        assertEq(payout.balances(FUNDER), 1 ether);
    }

    function test_onAnswer_fiveHundredIntegers_fit() external {
        seven[0] = abi.encodePacked(hex"01000200", new bytes(996));
        vm.assertTrue(_deliver(seven), "it does not fit");
    }

    function test_onAnswer_noOutput_keepsTheMoneyUntilTheDeadline() external {
        vm.assertTrue(!_deliver(new bytes[](0)), "an answer without an output");
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(requestId);
        assertEq(payout.balances(FUNDER), 1 ether);
    }

    /// @dev Two orders; the thief is owed one of them, and asks again each time it is paid.
    function test_withdraw_reentered_paysOnce() external {
        Reentrant thief = new Reentrant(payout);
        vm.deal(address(thief), 1 ether);
        vm.prank(address(thief));
        bytes32 id = payout.open{value: 1 ether}(INPUTS, 7, address(thief), 2, way, 0, "");
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
    function test_onAnswer_withForcedEther_paysTheOrderOnly() external {
        vm.deal(address(payout), 5 ether);
        _deliver(seven);
        vm.prank(BENEFICIARY);
        payout.withdraw();
        assertEq(BENEFICIARY.balance, 1 ether);
        assertEq(address(payout).balance, 4 ether);
    }

    function test_receive_plainEther_reverts() external {
        (bool done,) = address(payout).call{value: 1}("");
        vm.assertTrue(!done, "ether without an order was taken");
    }

    function test_reclaim_notFunder_reverts() external {
        vm.warp(DEADLINE);
        vm.prank(BENEFICIARY);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.NotFunder.selector, BENEFICIARY));
        payout.reclaim(requestId);
    }

    function test_reclaim_afterDeadline_returnsTheMoneyOnce() external {
        vm.warp(DEADLINE);
        vm.prank(FUNDER);
        payout.reclaim(requestId);
        assertEq(payout.balances(FUNDER), 1 ether);
        vm.prank(FUNDER);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.UnknownOrder.selector, requestId));
        payout.reclaim(requestId);
    }

    /// @dev This test contract has no receive function.
    function test_withdraw_refusedMoney_reverts() external {
        bytes32 id = payout.open{value: 1}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 0, "");
        vm.warp(DEADLINE);
        payout.reclaim(id);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.TransferFailed.selector, address(this)));
        payout.withdraw();
    }

    /// @dev Read as another dtype, the same bytes pay somebody else.
    function test_constructor_otherDtype_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongDtype.selector, 1, 0));
        _make(0, 0);
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongDtype.selector, 1, 200));
        _make(0, 200);
    }

    function test_open_privateInput_reverts() external {
        VerifiedPayout made = _make(2, 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NothingCommitted.selector, 2));
        made.open{value: 1}(INPUTS, 7, BENEFICIARY, DEADLINE, way, 0, "");
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
    function testFuzz_onAnswer_anyOutput_paysExactlyOne(bytes32 first, bytes8 second) external {
        seven[0] = abi.encodePacked(first, second);
        vm.assertTrue(_deliver(seven), "not told");
        assertEq(payout.balances(BENEFICIARY) + payout.balances(FUNDER), address(payout).balance);
    }
}
