// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifiedPayout} from "../src/VerifiedPayout.sol";
import {Vm} from "./Vm.sol";

/// @title Three people who do anything, in any order, with a VerifiedPayout; it counts what went in.
contract PayoutHandler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    VerifiedPayout public immutable PAYOUT;
    /// @notice Wei that was sent with `open`, and that was forced in.
    uint256 public paidIn;
    uint256 public forcedIn;
    /// @notice How often each thing succeeded: open, settle, reclaim, withdraw.
    uint256[4] public done;

    constructor(VerifiedPayout payout) {
        PAYOUT = payout;
    }

    function person(uint8 index) public pure returns (address) {
        return address(uint160(0xA0 + index % 3));
    }

    function inputsOf(uint8 index) public pure returns (bytes[] memory inputs) {
        inputs = new bytes[](1);
        inputs[0] = abi.encodePacked(index % 4);
    }

    function open(uint8 who, uint8 input, uint32 answer, uint8 beneficiary, uint8 time, uint64 amount) external {
        vm.deal(person(who), person(who).balance + amount);
        uint256 before = address(PAYOUT).balance;
        bytes32 id = keccak256(abi.encode(inputsOf(input)));
        vm.prank(person(who));
        try PAYOUT.open{value: amount}(id, answer % 3, person(beneficiary), uint64(block.timestamp) + time) {
            paidIn += address(PAYOUT).balance - before;
            ++done[0];
        } catch {}
    }

    function settle(uint8 input, int16 first, int16 second, int16 third) external {
        bytes[] memory outputs = new bytes[](1);
        outputs[0] = abi.encodePacked(first, second, third);
        try PAYOUT.settle(inputsOf(input), outputs, "true") {
            ++done[1];
        } catch {}
    }

    function reclaim(uint8 who, uint8 input) external {
        vm.prank(person(who));
        try PAYOUT.reclaim(keccak256(abi.encode(inputsOf(input)))) {
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
