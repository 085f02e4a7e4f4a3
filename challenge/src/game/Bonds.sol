// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Profile, Profiles} from "./Profiles.sol";

/// @title Rules 43 and 51: what one puts at stake. All in wei.
/// @dev Gas of a whole game at worst: 0.6M for the proposer, 0.8M for the challenger. Half of a lost bond is burnt, and what is
/// left pays the winner's gas twice.
library Bonds {
    uint256 internal constant CHALLENGE_GAS = 2_400_000;
    uint256 internal constant PROPOSER_GAS = 9_600_000;
    /// @dev Twice the dearest byte of calldata, EIP-7623.
    uint256 internal constant BYTE_GAS = 2 * 40;

    /// @notice The price of gas that a request fixes: four times the present one, between the profile's floor and cap.
    function price(uint8 profile, uint256 basefee) internal pure returns (uint128) {
        Profile memory row = Profiles.row(profile);
        uint256 wanted = 4 * basefee;
        if (wanted < row.floor) return row.floor;
        return wanted > row.cap ? row.cap : uint128(wanted);
    }

    /// @notice What a challenger puts at stake in one game, and a requester that gives roots only.
    function challenge(uint256 gasPrice) internal pure returns (uint256) {
        return CHALLENGE_GAS * gasPrice;
    }

    /// @notice What a proposer puts at stake with one assertion.
    function proposer(uint256 gasPrice, uint256 least) internal pure returns (uint256) {
        uint256 wanted = PROPOSER_GAS * gasPrice;
        return wanted > least ? wanted : least;
    }

    /// @notice What a demand of data pays to whom serves it.
    function demand(uint256 gasPrice, uint256 nbytes) internal pure returns (uint256) {
        return BYTE_GAS * nbytes * gasPrice;
    }

    /// @notice A lost bond: half to the winner, the rest is burnt.
    function split(uint256 bond) internal pure returns (uint256 reward, uint256 burnt) {
        reward = bond / 2;
        burnt = bond - reward;
    }
}
