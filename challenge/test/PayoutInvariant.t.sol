// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {IWay} from "../src/settle/IWay.sol";
import {Settlement} from "../src/settle/Settlement.sol";
import {PayoutHandler} from "./PayoutHandler.sol";
import {StubWay} from "./settle/StubWay.sol";
import {Test} from "./Test.sol";

/// @title Whatever anybody does: what went in is owed to somebody or locked in an order, and it is there.
contract PayoutInvariant_Test is Test {
    PayoutHandler private handler;
    VerifiedPayout private payout;

    function setUp() external {
        vm.warp(1);
        IWay[] memory ways = new IWay[](1);
        ways[0] = new StubWay();
        payout = new VerifiedPayout(new Settlement(), keccak256("program"), 0, 1, ways);
        handler = new PayoutHandler(payout, ways[0]);
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
        for (uint256 i; i < handler.count(); ++i) {
            (,,,, uint256 amount) = payout.orders(handler.ids(i));
            owed += amount;
        }
        assertEq(owed, handler.paidIn());
        assertEq(address(payout).balance, handler.paidIn() + handler.forcedIn());
    }
}
