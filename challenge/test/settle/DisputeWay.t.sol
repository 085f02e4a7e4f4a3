// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimId} from "../../src/ClaimId.sol";
import {VerifiedPayout} from "../../src/VerifiedPayout.sol";
import {Terms} from "../../src/game/ClaimState.sol";
import {Phase} from "../../src/game/GameState.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {DisputeWay} from "../../src/settle/DisputeWay.sol";
import {ISettlement} from "../../src/settle/ISettlement.sol";
import {IWay} from "../../src/settle/IWay.sol";
import {Question} from "../../src/settle/Question.sol";
import {QuestionId} from "../../src/settle/QuestionId.sol";
import {Settlement} from "../../src/settle/Settlement.sol";
import {Forest} from "../game/GameWorld.sol";
import {Players} from "../game/Players.sol";
import {Toy} from "../game/ToySteps.sol";

/// @title Answers that are final by a dispute window, and money that waits for them: the real games, on a program of toys.
contract DisputeWay_Test is Players {
    uint256 private constant FEE = 0.25 ether;

    Settlement private settlement = new Settlement();
    DisputeWay private way;
    VerifiedPayout private payout;
    Question private asked;
    bytes32 private requestId;
    bytes32 private claimsRequest;
    bytes private evidence;

    function setUp() external {
        toys.push(Toy(1, 3, 800, 1, 1));
        toys.push(Toy(1, 3, 16, 1, 1));
        deploy(6);
        way = new DisputeWay(claims, 2, uint128(BOND));
        IWay[] memory ways = new IWay[](1);
        ways[0] = way;
        payout = new VerifiedPayout(settlement, programId, 0, 3, ways);
        evidence = abi.encode(_roots());
        asked = _question();
        requestId = _open(_terms(input()));
        (, claimsRequest) = way.opened(requestId);
    }

    function _roots() private view returns (bytes32[] memory) {
        return traceOf(honest()).inputRoots;
    }

    function _question() private view returns (Question memory) {
        return Question({
            consumer: address(payout),
            nonce: 0,
            programId: programId,
            inputsId: keccak256(ClaimId.publicCommitments(_roots())),
            privacy: 0,
            way: address(way),
            callbackGas: payout.CALLBACK_GAS(),
            deadline: uint40(block.timestamp + 1000)
        });
    }

    function _terms(bytes memory data) private pure returns (bytes memory) {
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = data;
        return abi.encode(REQUESTER, inputs);
    }

    /// @dev One ether and the fee on the output's greatest integer, which is the second one's.
    function _open(bytes memory terms_) private returns (bytes32) {
        vm.prank(REQUESTER);
        return payout.open{value: 1 ether + FEE}(asked.inputsId, 1, STRANGER, asked.deadline, way, FEE, terms_);
    }

    function _deliver(Forest memory forest) private returns (bool) {
        return settlement.deliver(asked, outputsOf(forest), evidence);
    }

    function _expectNotFinal() private {
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.NotFinal.selector, claimsRequest));
    }

    function _claimId(Forest memory forest) private view returns (bytes32) {
        bytes32[] memory outputRoots = registry.rootsOfOutputs(programId, outputsOf(forest));
        return ClaimId.ofClaim(programId, ClaimId.publicCommitments(_roots()), outputRoots, 0);
    }

    function test_payout_settledByTheWindow_paysTheBeneficiary() external {
        Forest memory own = honest();
        bytes32 assertionId = assertBy(PROPOSER, claimsRequest, own);
        vm.warp(block.timestamp + 121);
        claims.finalise(assertionId);
        vm.assertTrue(_deliver(own), "not told");
        assertEq(payout.balances(STRANGER), 1 ether);
        assertEq(claims.balances(PROPOSER), BOND + FEE);
        assertEq(address(way).balance, 0);
        vm.assertTrue(settlement.isAnswer(requestId, _claimId(own), outputsOf(own)), "another claim");
    }

    /// @dev The liar is convicted, the truth is asserted, and the same order pays on it.
    function test_payout_liarConvicted_paysOnTheTruth() external {
        (Forest memory liar, Forest memory own) = (lying(2, 0), honest());
        bytes32 lie = assertBy(STRANGER, claimsRequest, liar);
        bytes32 truth = assertBy(PROPOSER, claimsRequest, own);
        bytes32 gameId = challengeBy(CHALLENGER, lie, own);
        playTo(gameId, liar, own, Phase.Over);
        vm.warp(block.timestamp + 400);
        _expectNotFinal();
        _deliver(liar);
        claims.finalise(truth);
        _expectNotFinal();
        _deliver(liar);
        vm.assertTrue(_deliver(own), "not told");
        assertEq(payout.balances(STRANGER), 1 ether);
    }

    function test_deliver_beforeItIsFinal_reverts() external {
        Forest memory own = honest();
        _expectNotFinal();
        _deliver(own);
        assertBy(PROPOSER, claimsRequest, own);
        vm.warp(block.timestamp + 500);
        _expectNotFinal();
        _deliver(own);
    }

    /// @dev Nobody watches a liar's own request of the same input; what becomes final there is not our answer.
    function test_deliver_anothersRequestOfTheSameInput_isNotOurs() external {
        Forest memory liar = lying(2, 0);
        bytes32 assertionId = assertBy(STRANGER, ask(), liar);
        vm.warp(block.timestamp + 121);
        claims.finalise(assertionId);
        _expectNotFinal();
        _deliver(liar);
    }

    function test_deliver_rootsOfAnotherInput_reverts() external {
        Forest memory own = honest();
        bytes32 assertionId = assertBy(PROPOSER, claimsRequest, own);
        vm.warp(block.timestamp + 121);
        claims.finalise(assertionId);
        evidence = abi.encode(new bytes32[](1));
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, requestId));
        _deliver(own);
    }

    /// @dev Whoever asks the way itself, with a question of its own, is told of that request's program, input and privacy only.
    function test_check_questionOfAnotherKind_reverts() external {
        Forest memory own = honest();
        bytes32 assertionId = assertBy(PROPOSER, claimsRequest, own);
        vm.warp(block.timestamp + 121);
        claims.finalise(assertionId);
        Question memory question = asked;
        assertEq(way.check(requestId, question, outputsOf(own), evidence), _claimId(own));
        question.programId = keccak256("another program");
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, requestId));
        way.check(requestId, question, outputsOf(own), evidence);
        (question.programId, question.privacy) = (programId, 1);
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, requestId));
        way.check(requestId, question, outputsOf(own), evidence);
        // other inputs in the question alone, then in the evidence as well: Erc8274Verifier asks what it is told to ask
        question.privacy = 0;
        bytes32[] memory others = new bytes32[](1);
        question.inputsId = keccak256(abi.encodePacked(uint8(1), uint8(0), others));
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, requestId));
        way.check(requestId, question, outputsOf(own), evidence);
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, requestId));
        way.check(requestId, question, outputsOf(own), abi.encode(others));
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.NotOpened.selector, keccak256("never")));
        way.check(keccak256("never"), asked, outputsOf(own), evidence);
    }

    function test_open_inputsOfAnotherQuestion_reverts() external {
        bytes memory other = input();
        other[0] ^= 0x01;
        asked.nonce = 1;
        vm.expectRevert(
            abi.encodeWithSelector(DisputeWay.WrongQuestion.selector, QuestionId.ofQuestion(address(settlement), asked))
        );
        _open(_terms(other));
    }

    /// @dev Whoever opens in a Settlement's name opens under its own.
    function test_open_byAFakeSettlement_takesNoIdOfOurs() external {
        asked.nonce = 1;
        way.open(asked, _terms(input()));
        bytes32 ours = QuestionId.ofQuestion(address(settlement), asked);
        (, bytes32 found) = way.opened(ours);
        assertEq(found, bytes32(0));
        vm.expectRevert(
            abi.encodeWithSelector(DisputeWay.AlreadyOpened.selector, QuestionId.ofQuestion(address(this), asked))
        );
        way.open(asked, _terms(input()));
        assertEq(_open(_terms(input())), ours);
    }

    /// @dev Neither can a funder choose a bond that nobody has, nor a window that nobody watches in.
    function test_open_terms_areTheWaysOwn() external view {
        assertEq(claims.requests(claimsRequest).minimumBond, BOND);
        assertEq(claims.requests(claimsRequest).profile, 2);
        assertEq(claims.requests(claimsRequest).deadline, asked.deadline);
        assertEq(claims.requests(claimsRequest).requester, address(way));
    }

    function testFuzz_open_hiddenClaim_reverts(uint8 privacy) external {
        vm.assume(privacy > 0);
        asked.privacy = privacy;
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.HiddenClaim.selector, privacy));
        way.open(asked, _terms(input()));
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.HiddenClaim.selector, privacy));
        way.outputDtype(programId, privacy);
    }

    /// @dev A funder that could close the request early would never have to pay.
    function test_reclaim_beforeTheDeadline_reverts() external {
        vm.warp(asked.deadline - 1);
        vm.prank(REQUESTER);
        vm.expectRevert(abi.encodeWithSelector(IOptimisticClaims.TooEarly.selector, asked.deadline));
        way.reclaim(requestId);
    }

    function test_reclaim_atTheDeadline_returnsFeeAndSumOnce() external {
        uint256 before = REQUESTER.balance;
        vm.warp(asked.deadline);
        vm.prank(CHALLENGER);
        vm.expectRevert(abi.encodeWithSelector(DisputeWay.NotPayer.selector, CHALLENGER));
        way.reclaim(requestId);
        vm.startPrank(REQUESTER);
        way.reclaim(requestId);
        payout.reclaim(requestId);
        payout.withdraw();
        assertEq(REQUESTER.balance, before + 1 ether + FEE);
        vm.expectRevert();
        way.reclaim(requestId);
        vm.stopPrank();
    }

    /// @dev The answer comes after the deadline: no order waits for it, and who proposed it has its bond back.
    function test_deliver_afterTheFeeWasReclaimed_paysNobody() external {
        Forest memory own = honest();
        bytes32 assertionId = assertBy(PROPOSER, claimsRequest, own);
        vm.warp(asked.deadline);
        vm.startPrank(REQUESTER);
        way.reclaim(requestId);
        payout.reclaim(requestId);
        vm.stopPrank();
        claims.finalise(assertionId);
        vm.assertTrue(!_deliver(own), "an order was left");
        assertEq(uint256(settlement.status(requestId)), uint256(ISettlement.Status.Answered));
        assertEq(payout.balances(STRANGER), 0);
        assertEq(claims.balances(PROPOSER), BOND);
    }

    function test_constructor_dtypeOfTheRegistry_isCompared() external {
        IWay[] memory ways = new IWay[](1);
        ways[0] = way;
        vm.expectRevert(abi.encodeWithSelector(VerifiedPayout.WrongDtype.selector, 3, 1));
        new VerifiedPayout(settlement, programId, 0, 1, ways);
    }
}
