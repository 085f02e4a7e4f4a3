// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "../../src/game/ClaimState.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";

/// @title A requester that asks for its money again whenever it is paid, or refuses it.
contract Greedy {
    IOptimisticClaims private immutable _CLAIMS;

    /// @notice How often it was called with money.
    uint256 public calls;
    /// @notice How often a call from within succeeded.
    uint256 public gains;
    /// @notice Whether it refuses money.
    bool public refuses;

    constructor(IOptimisticClaims claims) {
        _CLAIMS = claims;
    }

    receive() external payable {
        require(!refuses, "no, thank you");
        ++calls;
        if (calls > 3) return;
        try _CLAIMS.withdraw(payable(address(this))) {
            ++gains;
        } catch {}
    }

    function ask(bytes32 programId, Terms calldata terms, bytes[] calldata inputs) external payable returns (bytes32) {
        return _CLAIMS.request{value: msg.value}(programId, terms, inputs);
    }

    function withdrawFee(bytes32 requestId) external {
        _CLAIMS.withdrawFee(requestId);
    }

    function withdraw(address payable to) external {
        _CLAIMS.withdraw(to);
    }

    function refuse(bool whether) external {
        refuses = whether;
    }
}
