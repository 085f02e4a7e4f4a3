// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bonds} from "./Bonds.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";

/// @title What accounts are owed, and what is burnt; rule 19: payments are pulled.
/// @dev INVARIANT: what the contract holds is what is owed, what is burnt, and what is at stake: fees of open requests, deposits,
/// bonds of assertions and games that are not over, pay of open demands. Each moves from stake to owed or burnt once.
abstract contract Ledger is IOptimisticClaims {
    /// @inheritdoc IOptimisticClaims
    mapping(address account => uint256) public balances;
    /// @inheritdoc IOptimisticClaims
    uint256 public burnt;

    /// @inheritdoc IOptimisticClaims
    function withdraw(address payable to) external {
        uint256 amount = balances[msg.sender];
        if (amount == 0) revert NothingOwed();
        // INVARIANT: state before transfer, so whoever is called again finds nothing left to take.
        balances[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed(to);
    }

    /// @dev What an account is owed, until it pulls it.
    function _credit(address account, uint256 amount) internal {
        if (amount == 0) return;
        balances[account] += amount;
        emit Credited(account, amount);
    }

    /// @dev A lost bond, rule 43. Part of it is burnt, so nobody gains by losing to itself.
    function _lose(uint256 bond, address winner) internal {
        (uint256 reward, uint256 gone) = Bonds.split(bond);
        burnt += gone;
        _credit(winner, reward);
    }

    /// @dev Refuses a payment of any other sum.
    function _exactly(uint256 wanted) internal view {
        if (msg.value != wanted) revert WrongValue(wanted, msg.value);
    }
}
