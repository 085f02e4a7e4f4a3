// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Turn} from "../../src/game/GameState.sol";
import {Forest} from "./GameWorld.sol";
import {Players} from "./Players.sol";
import {Toy} from "./ToySteps.sol";
import {Trees} from "./Trees.sol";

/// @title What a move costs as a transaction: intrinsic gas, calldata (EIP-7623), cold storage, execution.
contract Gas_Test is Players {
    /// @dev 4,096 tensors, and 64 blocks in the one that is wrong: 64 children in every reveal, 6 siblings in every one but the
    /// first.
    function setUp() external {
        for (uint256 i; i < 4095; ++i) {
            toys.push(Toy(1, 0, 8, 1, 1));
        }
        toys[2999] = Toy(1, 0, 64 * 1024, 64 * 128, 128);
        deploy(6);
    }

    function test_gas_eachMove_staysBelowItsLimit() external {
        Forest memory theirs = lying(3000, 60_000);
        Forest memory mine = honest();
        bytes32 assertionId = assertBy(PROPOSER, ask(), theirs);
        bytes memory sent = abi.encodeCall(claims.challenge, (assertionId, mine.root));
        _check("open", spent(CHALLENGER, address(claims), STAKE, sent), 130_000);
        bytes32 id = keccak256(abi.encodePacked(hex"13", assertionId, CHALLENGER, uint32(0)));
        _check("first reveal of 64", _reveal64(id, theirs), 115_000);
        _check("pick", _pick(id, theirs, mine), 40_000);
        _check("second reveal of 64", _reveal64(id, theirs), 115_000);
        _check("pick", _pick(id, theirs, mine), 40_000);
        move(id, theirs, mine);
        _check("pick", _pick(id, theirs, mine), 40_000);
        _check("block", _block(id, theirs), 75_000);
    }

    function _check(string memory what, uint256 gas, uint256 most) private {
        emit Measured(what, gas);
        vm.assertTrue(gas <= most, what);
    }

    event Measured(string what, uint256 gas);

    function _reveal64(bytes32 id, Forest memory theirs) private returns (uint256) {
        Turn memory turn = games.turn(id);
        bytes32[] memory nodes = revealed(turn, theirs);
        assertEq(nodes.length, 64 + turn.siblings);
        return spent(STRANGER, address(games), 0, abi.encodeCall(games.reveal, (id, turn.number, turn.node, nodes)));
    }

    function _pick(bytes32 id, Forest memory theirs, Forest memory mine) private returns (uint256) {
        Turn memory turn = games.turn(id);
        uint8 child = firstChild(turn, theirs, mine);
        return spent(CHALLENGER, address(games), 0, abi.encodeCall(games.pick, (id, turn.number, turn.node, child)));
    }

    function _block(bytes32 id, Forest memory theirs) private returns (uint256) {
        Turn memory turn = games.turn(id);
        bytes memory data = Trees.slice(theirs.tensors[turn.tensor], turn.first * 256, 1024);
        bytes32[] memory up = Trees.siblings(theirs.trees[turn.tensor], 2, turn.first / 4, turn.siblings);
        assertEq(up.length, 6);
        return
            spent(STRANGER, address(games), 0, abi.encodeCall(games.postBlock, (id, turn.number, turn.node, data, up)));
    }

    /// @dev max(21,000 + 16 or 4 a byte + execution, 21,000 + 40 or 10 a byte).
    function spent(address sender, address to, uint256 value, bytes memory data) internal returns (uint256) {
        uint256 zeros;
        for (uint256 i; i < data.length; ++i) {
            if (data[i] == 0) ++zeros;
        }
        uint256 tokens = zeros + 4 * (data.length - zeros);
        vm.cool(address(games));
        vm.cool(address(claims));
        vm.cool(address(registry));
        vm.cool(address(steps));
        vm.prank(sender);
        uint256 before = gasleft();
        bool done;
        assembly {
            // where it lies: a copy would pay for more memory than a transaction has
            done := call(gas(), to, value, add(data, 32), mload(data), 0, 0)
        }
        uint256 execution = before - gasleft();
        vm.assertTrue(done, "it reverted");
        uint256 standard = 21_000 + 4 * tokens + execution;
        uint256 least = 21_000 + 10 * tokens;
        return standard > least ? standard : least;
    }
}
