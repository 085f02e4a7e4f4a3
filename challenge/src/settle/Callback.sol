// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A call to a stranger that can hurt nobody but himself.
library Callback {
    /// @dev For the call itself, and for what has to be written if it fails.
    uint256 private constant RESERVE = 50_000;

    /// @notice The sender gives less gas than the callee was promised. Send more.
    error NotEnoughGas(uint256 wanted, uint256 given);

    /// @notice Calls with exactly `gasLimit`, or reverts.
    /// @return done Whether the callee did not revert. What it answers is not looked at.
    function call(address callee, uint256 gasLimit, bytes memory data) internal returns (bool done) {
        // INVARIANT: a call passes on at most 63/64 of what is left (EIP-150), silently. Who sends too little is refused, so that
        // a callback fails by its own fault only. 64/63 of the limit, and what the call costs, leave the limit.
        uint256 wanted = gasLimit + gasLimit / 63 + RESERVE;
        uint256 given = gasleft();
        if (given < wanted) revert NotEnoughGas(wanted, given);
        assembly ("memory-safe") {
            // Not one byte of the answer is copied: it may be as long as the callee's gas can make it.
            done := call(gasLimit, callee, 0, add(data, 32), mload(data), 0, 0)
        }
    }
}
