// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Demands} from "./Demands.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";
import {Requests} from "./Requests.sol";

/// @title Requests, assertions, bonds and finality: rules 9 to 19, 33, 43 and 50 to 54 of docs/protocol.md.
/// @notice See IOptimisticClaims. Its parts, each a file: Ledger, Requests, Assertions, Demands.
contract OptimisticClaims is Demands {
    /// @param games Where the game will be deployed, for this contract's address; it refuses another one.
    constructor(IDisputeGame games, IProgramRegistry registry) Requests(games, registry) {}
}
