// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {GameWorld} from "./GameWorld.sol";
import {Greedy} from "./Greedy.sol";
import {Toy} from "./ToySteps.sol";

/// @title Who is owed what, and that nobody is paid twice or in the way of others: rule 19, properties 16, 21 and 22.
contract Ledger_Test is GameWorld {
    Greedy private greedy;
    bytes32 private requestId;

    function setUp() external {
        toys.push(Toy(1, 3, 16, 1, 1));
        toys.push(Toy(1, 3, 16, 1, 1));
        deploy(6);
        greedy = new Greedy(claims);
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = input();
        requestId = greedy.ask{value: 1 ether}(programId, terms(), inputs);
        ask();
    }

    /// @dev Called again with nothing left, it gains nothing; the money of others stays.
    function test_withdraw_reentered_paysOnce() external {
        vm.warp(block.timestamp + 1000);
        greedy.withdrawFee(requestId);
        greedy.withdraw(payable(address(greedy)));
        assertEq(greedy.calls(), 1);
        assertEq(greedy.gains(), 0);
        assertEq(address(greedy).balance, 1 ether);
        assertEq(address(claims).balance, 1 ether);
    }

    /// @dev It refuses its own money, which waits for it; it may name another account.
    function test_withdraw_refused_leavesItOwed() external {
        vm.warp(block.timestamp + 1000);
        greedy.withdrawFee(requestId);
        greedy.refuse(true);
        vm.expectRevert(abi.encodeWithSelector(IOptimisticClaims.TransferFailed.selector, address(greedy)));
        greedy.withdraw(payable(address(greedy)));
        assertEq(claims.balances(address(greedy)), 1 ether);
        greedy.withdraw(payable(address(0xB0)));
        assertEq(address(0xB0).balance, 1 ether);
        assertEq(claims.balances(address(greedy)), 0);
    }

    /// @dev Property 21: a requester that takes no money stops nobody from having the answer, and the proposer its pay.
    function test_finalise_requesterThatRefuses_paysTheProposer() external {
        greedy.refuse(true);
        bytes32 assertionId = assertBy(PROPOSER, requestId, honest());
        vm.warp(block.timestamp + 120);
        claims.finalise(assertionId);
        uint256 had = PROPOSER.balance;
        vm.prank(PROPOSER);
        claims.withdraw(payable(PROPOSER));
        assertEq(PROPOSER.balance, had + BOND + 1 ether);
    }

    function test_withdraw_nothingOwed_reverts() external {
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IOptimisticClaims.NothingOwed.selector));
        claims.withdraw(payable(STRANGER));
    }

    /// @dev What was burnt is in the contract, and nobody's.
    function test_burnt_half_staysForEver() external {
        bytes32 assertionId = assertBy(PROPOSER, requestId, lying(1, 0));
        bytes32 gameId = challengeBy(CHALLENGER, assertionId, honest());
        vm.warp(games.turn(gameId).deadline);
        games.timeout(gameId, 0, 0);
        vm.prank(CHALLENGER);
        claims.withdraw(payable(CHALLENGER));
        vm.warp(block.timestamp + 1000);
        greedy.withdrawFee(requestId);
        greedy.withdraw(payable(STRANGER));
        assertEq(claims.burnt(), BOND / 2);
        assertEq(address(claims).balance, BOND / 2 + 1 ether); // and the fee of the other request
    }

    /// @dev Money that comes without a call, or by none that takes it, changes nothing that is owed.
    function test_receive_plainEther_reverts() external {
        (bool done,) = address(claims).call{value: 1}("");
        vm.assertTrue(!done, "it was taken");
        (done,) = address(games).call{value: 1}("");
        vm.assertTrue(!done, "it was taken");
        vm.deal(address(claims), 10 ether);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IOptimisticClaims.NothingOwed.selector));
        claims.withdraw(payable(STRANGER));
    }

    receive() external payable {}
}
