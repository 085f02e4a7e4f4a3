// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {PayoutHandler} from "./PayoutHandler.sol";
import {StubClaims} from "./StubClaims.sol";
import {Test} from "./Test.sol";

/// @title Whatever anybody does: what went in is owed to somebody or locked in an order, and it is there.
contract PayoutInvariant_Test is Test {
    PayoutHandler private handler;
    VerifiedPayout private payout;

    function setUp() external {
        vm.warp(1);
        payout = new VerifiedPayout(new StubClaims(), keccak256("program"), 0, 1);
        handler = new PayoutHandler(payout);
    }

    /// @dev forge's convention: only these are called at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariantFuzz_payout_owesExactlyWhatWentIn() external view {
        uint256 owed;
        for (uint8 i; i < 3; ++i) {
            owed += payout.balances(handler.person(i));
        }
        for (uint8 i; i < 4; ++i) {
            (,,,, uint256 amount) = payout.orders(keccak256(abi.encode(handler.inputsOf(i))));
            owed += amount;
        }
        assertEq(owed, handler.paidIn());
        assertEq(address(payout).balance, handler.paidIn() + handler.forcedIn());
    }
}
