// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Forest} from "./GameWorld.sol";
import {Players} from "./Players.sol";
import {Toy} from "./ToySteps.sol";

/// @notice A game that was opened, and what both sides have.
struct Play {
    bytes32 gameId;
    bytes32 assertionId;
    bytes32 requestId;
    Forest asserted;
    Forest own;
}

/// @title Games on a program of six operators, one of each way that a game can go.
abstract contract SmallGames is Players {
    /// @dev Tensors of the trace, each the output of a toy: a block alone; a walk; accumulators in one list, in two, in three.
    uint256 internal constant BLOCK_ALONE = 1;
    uint256 internal constant WALKED = 2;
    uint256 internal constant ONE_LIST = 3;
    uint256 internal constant TWO_LISTS = 4;
    uint256 internal constant THREE_LISTS = 5;
    uint256 internal constant OUTPUT = 6;

    function build(uint8 fanOut) internal {
        delete toys;
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 800, terms: 1, tau: 1}));
        toys.push(Toy({kind: 1, dtype: 0, nbytes: 5001, terms: 8, tau: 8}));
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 40, terms: 5 * 128 - 1, tau: 128}));
        toys.push(Toy({kind: 11, dtype: 3, nbytes: 24, terms: 100 * 8, tau: 8}));
        toys.push(Toy({kind: 2, dtype: 3, nbytes: 2056, terms: 5000 * 2, tau: 2}));
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 16, terms: 1, tau: 1}));
        deploy(fanOut);
    }

    /// @dev A game about one wrong byte.
    function begin(uint256 tensor, uint256 place) internal returns (Play memory play) {
        play.asserted = lying(tensor, place);
        play.own = honest();
        open(play);
    }

    function open(Play memory play) internal {
        play.requestId = ask();
        play.assertionId = assertBy(PROPOSER, play.requestId, play.asserted);
        play.gameId = challengeBy(CHALLENGER, play.assertionId, play.own);
    }
}
