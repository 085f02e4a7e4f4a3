// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {VerifiedPayout} from "../src/VerifiedPayout.sol";

/// @title A payee that asks for its money again while it is being paid.
contract Reentrant {
    VerifiedPayout private immutable PAYOUT;
    /// @notice How often it was called with or without money.
    uint256 public tries;

    constructor(VerifiedPayout payout) {
        PAYOUT = payout;
    }

    function reclaimAndWithdraw(bytes32 requestId) external {
        PAYOUT.reclaim(requestId);
        PAYOUT.withdraw();
    }

    receive() external payable {
        if (++tries < 4) PAYOUT.withdraw();
    }
}
