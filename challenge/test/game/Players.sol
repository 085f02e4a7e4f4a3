// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Described, Leaf, Phase, Recomputation, Turn} from "../../src/game/GameState.sol";
import {Opening, Run} from "../../src/step/ISteps.sol";
import {Forest, GameWorld} from "./GameWorld.sol";
import {Toy} from "./ToySteps.sol";
import {Tree, Trees} from "./Trees.sol";

/// @title Both sides of a game. Each plays by what `turn` says and by its own trace; the challenger picks the first difference.
/// @dev A liar's list of accumulators is right up to its last piece, which brings it to the value that it asserted.
abstract contract Players is GameWorld {
    /// @dev The last list that was posted, and what it covers.
    mapping(bytes32 gameId => bytes) internal lists;
    mapping(bytes32 gameId => int64) private _excess;

    /// @dev The move that is due, made by whom it is due to.
    function move(bytes32 gameId, Forest memory asserted, Forest memory own) internal {
        Turn memory turn = games.turn(gameId);
        bytes memory data = callOf(gameId, turn, asserted, own);
        vm.prank(turn.mover);
        (bool done, bytes memory answer) = address(games).call(data);
        if (done) return;
        assembly {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @dev Plays until a phase is due, or the game is over.
    function playTo(bytes32 gameId, Forest memory asserted, Forest memory own, Phase phase) internal {
        for (uint256 i; i < 250; ++i) {
            Phase due = games.turn(gameId).phase;
            if (due == phase || due == Phase.Over) return;
            move(gameId, asserted, own);
        }
    }

    /// @dev The calldata of the move that is due.
    function callOf(bytes32 gameId, Turn memory turn, Forest memory asserted, Forest memory own)
        internal
        returns (bytes memory)
    {
        if (turn.phase == Phase.Reveal) return _reveal(gameId, turn, asserted);
        if (turn.phase == Phase.Pick) return _pick(gameId, turn, firstChild(turn, asserted, own));
        if (turn.phase == Phase.Enter) return _enter(gameId, turn, asserted);
        if (turn.phase == Phase.Block) return _block(gameId, turn, asserted);
        if (turn.phase == Phase.Name) return _name(gameId, turn, asserted, own);
        if (turn.phase == Phase.Partials) return _partials(gameId, turn);
        if (turn.phase == Phase.Interval) return _interval(gameId, turn, 63);
        return _step(gameId, turn, asserted, own);
    }

    // ---- walks ------------------------------------------------------------------------------------------------------------

    function tree(Turn memory turn, Forest memory forest) internal pure returns (Tree memory) {
        return turn.tensor == 0 ? forest.trace : forest.trees[turn.tensor];
    }

    function _reveal(bytes32 gameId, Turn memory turn, Forest memory forest) private view returns (bytes memory) {
        return abi.encodeCall(games.reveal, (gameId, turn.number, turn.node, revealed(turn, forest)));
    }

    /// @dev Children, then siblings.
    function revealed(Turn memory turn, Forest memory forest) internal pure returns (bytes32[] memory) {
        Tree memory walked = tree(turn, forest);
        bytes32[] memory children = Trees.nodes(walked, turn.height, turn.first, turn.count);
        uint256 parent = turn.first >> turn.levels;
        return joined(children, Trees.siblings(walked, turn.height + turn.levels, parent, turn.siblings));
    }

    function joined(bytes32[] memory left, bytes32[] memory right) internal pure returns (bytes32[] memory both) {
        both = new bytes32[](left.length + right.length);
        for (uint256 i; i < both.length; ++i) {
            both[i] = i < left.length ? left[i] : right[i - left.length];
        }
    }

    function _pick(bytes32 gameId, Turn memory turn, uint8 child) internal view returns (bytes memory) {
        return abi.encodeCall(games.pick, (gameId, turn.number, turn.node, child));
    }

    /// @dev The first child that differs; the first that can be picked, if none does.
    function firstChild(Turn memory turn, Forest memory asserted, Forest memory own) internal pure returns (uint8) {
        (Tree memory theirs, Tree memory mine) = (tree(turn, asserted), tree(turn, own));
        uint256 start = (turn.first >> turn.levels) << turn.levels;
        for (uint256 i = start; i < turn.first + turn.count; ++i) {
            if (theirs.levels[turn.height][i] != mine.levels[turn.height][i]) return uint8(i - start);
        }
        return uint8(turn.first - start);
    }

    function _enter(bytes32 gameId, Turn memory turn, Forest memory forest) private view returns (bytes memory) {
        Described memory opened = described(turn.tensor);
        bytes32[] memory up = Trees.siblings(forest.trace, 0, turn.tensor, turn.siblings);
        bytes memory data = forest.tensors[turn.tensor];
        if (data.length <= 1024) {
            return abi.encodeCall(games.enterByBlock, (gameId, turn.number, turn.node, opened, data, up));
        }
        bytes32[] memory nodes = joined(firstChildren(forest.trees[turn.tensor]), up);
        return abi.encodeCall(games.enterByReveal, (gameId, turn.number, turn.node, opened, nodes));
    }

    /// @dev Of the first reveal of walk 2: rule 21, computed once more.
    function firstChildren(Tree memory inside) internal view returns (bytes32[] memory) {
        uint256 levels = inside.levels.length - 3;
        uint256 rounds = (levels + games.FAN_OUT() - 1) / games.FAN_OUT();
        return inside.levels[inside.levels.length - 1 - (levels + rounds - 1) / rounds];
    }

    function _block(bytes32 gameId, Turn memory turn, Forest memory forest) private view returns (bytes memory) {
        bytes memory data = Trees.slice(forest.tensors[turn.tensor], turn.first * 256, 1024);
        bytes32[] memory up = Trees.siblings(forest.trees[turn.tensor], 2, turn.first / 4, turn.siblings);
        return abi.encodeCall(games.postBlock, (gameId, turn.number, turn.node, data, up));
    }

    // ---- elements ---------------------------------------------------------------------------------------------------------

    function _name(bytes32 gameId, Turn memory turn, Forest memory asserted, Forest memory own)
        private
        returns (bytes memory)
    {
        uint256 element = firstElement(turn, asserted, own);
        Toy memory toy = toys[turn.tensor - 1];
        _excess[gameId] = valueOf(asserted, turn.tensor, element) - int64(partialAt(toy, element, pieces(toy)));
        Leaf memory leaf = leafOf(turn.tensor, asserted, element);
        return abi.encodeCall(games.nameElement, (gameId, turn.number, turn.node, uint32(element), leaf));
    }

    function firstElement(Turn memory turn, Forest memory asserted, Forest memory own) internal view returns (uint256) {
        uint8 dtype = toys[turn.tensor - 1].dtype;
        for (uint256 i = uint256(turn.first) << dtype; i < uint256(turn.first + turn.count) << dtype; ++i) {
            if (asserted.tensors[turn.tensor][i] != own.tensors[turn.tensor][i]) return i >> dtype;
        }
        return turn.first;
    }

    function valueOf(Forest memory forest, uint256 tensor, uint256 element) internal view returns (int64) {
        uint256 width = 1 << toys[tensor - 1].dtype;
        uint64 value;
        for (uint256 i; i < width; ++i) {
            value |= uint64(uint8(forest.tensors[tensor][element * width + i])) << uint64(8 * i);
        }
        return int64(value);
    }

    function leafOf(uint256 tensor, Forest memory forest, uint256 element) internal view returns (Leaf memory) {
        uint256 place = (element << toys[tensor - 1].dtype) / 256;
        Tree memory inside = forest.trees[tensor];
        uint256 height = inside.levels.length - 1 < 2 ? inside.levels.length - 1 : 2;
        bytes memory data = Trees.slice(forest.tensors[tensor], place * 256, 256);
        return Leaf(data, Trees.siblings(inside, 0, place, height));
    }

    function _partials(bytes32 gameId, Turn memory turn) private returns (bytes memory) {
        return partialsCall(gameId, turn, listOf(gameId, turn));
    }

    function partialsCall(bytes32 gameId, Turn memory turn, bytes memory list) internal returns (bytes memory) {
        lists[gameId] = list;
        bytes memory opened = descriptor(turn.tensor);
        return abi.encodeCall(
            games.postPartials, (gameId, turn.number, turn.node, turn.element, turn.first, list, opened, noRecord())
        );
    }

    function listOf(bytes32 gameId, Turn memory turn) internal view returns (bytes memory list) {
        Toy memory toy = toys[turn.tensor - 1];
        uint256 covered = turn.last - turn.first;
        for (uint256 j = 1; j <= turn.count; ++j) {
            uint256 count = turn.first + (covered <= 64 ? j : (j * covered) / 64);
            list = abi.encodePacked(list, entry(gameId, toy, turn.element, count));
        }
    }

    /// @dev The accumulator after so many pieces.
    function entry(bytes32 gameId, Toy memory toy, uint256 element, uint256 count)
        internal
        view
        returns (bytes memory)
    {
        int64 value = int64(partialAt(toy, element, count));
        if (count == pieces(toy)) value += _excess[gameId];
        return toy.kind == 11 ? abi.encodePacked(value, uint64(count)) : abi.encodePacked(value);
    }

    function _interval(bytes32 gameId, Turn memory turn, uint8 interval) internal view returns (bytes memory) {
        return abi.encodeCall(games.pickInterval, (gameId, turn.number, turn.node, interval, lists[gameId]));
    }

    function _step(bytes32 gameId, Turn memory turn, Forest memory asserted, Forest memory own)
        private
        view
        returns (bytes memory)
    {
        Recomputation memory evidence = evidenceOf(turn.tensor);
        if (pieces(toys[turn.tensor - 1]) > 1) {
            uint32 piece = turn.first + turn.count - 1;
            return abi.encodeCall(games.stepPiece, (gameId, turn.number, turn.node, piece, lists[gameId], evidence));
        }
        uint256 element = firstElement(turn, asserted, own);
        Leaf memory leaf = leafOf(turn.tensor, asserted, element);
        return abi.encodeCall(games.stepElement, (gameId, turn.number, turn.node, uint32(element), leaf, evidence));
    }

    function evidenceOf(uint256 tensor) internal view returns (Recomputation memory) {
        return Recomputation(descriptor(tensor), new Opening[](0), noRecord());
    }

    function noRecord() internal pure returns (Run memory) {
        return Run(0, "", new bytes32[](0));
    }
}
