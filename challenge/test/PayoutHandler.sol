// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {ISettlement} from "../src/settle/ISettlement.sol";
import {IWay} from "../src/settle/IWay.sol";
import {Question} from "../src/settle/Question.sol";
import {Vm} from "./Vm.sol";

/// @title Three people who do anything, in any order, with a VerifiedPayout; it counts what went in.
contract PayoutHandler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    VerifiedPayout public immutable PAYOUT;
    IWay public immutable WAY;
    /// @notice Wei that was sent with `open`, and that was forced in.
    uint256 public paidIn;
    uint256 public forcedIn;
    /// @notice How often each thing succeeded: open, settle, reclaim, withdraw.
    uint256[4] public done;

    /// @notice What was asked, and its ids.
    Question[] public questions;
    bytes32[] public ids;

    constructor(VerifiedPayout payout, IWay way) {
        (PAYOUT, WAY) = (payout, way);
    }

    function person(uint8 index) public pure returns (address) {
        return address(uint160(0xA0 + index % 3));
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    function open(uint8 who, uint32 answer, uint8 beneficiary, uint8 time, uint64 amount, uint64 fee) external {
        vm.deal(person(who), person(who).balance + amount);
        uint40 deadline = uint40(block.timestamp) + time;
        vm.prank(person(who));
        try PAYOUT.open{value: amount}(
            bytes32(0), answer % 3, person(beneficiary), deadline, WAY, fee % 100, ""
        ) returns (
            bytes32 id
        ) {
            uint64 nonce = uint64(ids.length);
            questions.push(
                Question(
                    address(PAYOUT), nonce, PAYOUT.PROGRAM_ID(), 0, 0, address(WAY), PAYOUT.CALLBACK_GAS(), deadline
                )
            );
            ids.push(id);
            paidIn += amount - fee % 100;
            ++done[0];
        } catch {}
    }

    function deliver(uint256 which, int16 first, int16 second, int16 third, bool failed) external {
        if (ids.length == 0) return;
        Question memory question = questions[which % ids.length];
        bytes[] memory outputs = new bytes[](1);
        outputs[0] = abi.encodePacked(first, second, third);
        bytes32 claimId = keccak256(abi.encode(question.programId, question.inputsId, outputs));
        ISettlement settlement = PAYOUT.SETTLEMENT();
        if (failed) {
            try PAYOUT.settle(question, claimId, outputs) {
                ++done[1];
            } catch {}
        } else {
            try settlement.deliver(question, outputs, "final") returns (bool told) {
                if (told) ++done[1];
            } catch {}
        }
    }

    function reclaim(uint8 who, uint256 which) external {
        if (ids.length == 0) return;
        vm.prank(person(who));
        try PAYOUT.reclaim(ids[which % ids.length]) {
            ++done[2];
        } catch {}
    }

    function withdraw(uint8 who) external {
        uint256 before = address(PAYOUT).balance;
        vm.prank(person(who));
        PAYOUT.withdraw();
        paidIn -= before - address(PAYOUT).balance;
        ++done[3];
    }

    function wait_(uint8 time) external {
        vm.warp(block.timestamp + time);
    }

    function force(uint64 amount) external {
        vm.deal(address(PAYOUT), address(PAYOUT).balance + amount);
        forcedIn += amount;
    }
}
