// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Described, Game, Phase, State} from "./GameState.sol";
import {Program} from "./Forms.sol";
import {Blocks} from "./Blocks.sol";
import {GameMoves} from "./GameMoves.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";
import {Position} from "./Position.sol";
import {Stand, Walk} from "./Walk.sol";

/// @title From the root of the trace to a block of 4 leaves: rules 21 to 24.
abstract contract WalkMoves is GameMoves {
    /// @inheritdoc IDisputeGame
    function reveal(bytes32 gameId, uint8 number, bytes32 node, bytes32[] calldata nodes) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Reveal);
        Stand memory here = Position.stand(game, state, FAN_OUT);
        uint256 count = here.children;
        _count(count + here.climb, nodes.length);
        bytes32 parent = Merkle.fold(nodes[:count], here.height, here.levels);
        // INVARIANT: `node` and all that was picked under it lie under the asserted trace root.
        if (number == 0) _under(game.node, Merkle.trace(game.count, parent));
        else _under(node, Merkle.climb(parent, state.child, nodes[count:]));
        game.node = parent;
        _pass(game, state, Phase.Pick);
        emit Revealed(gameId, number, nodes[:count]);
    }

    /// @inheritdoc IDisputeGame
    function pick(bytes32 gameId, uint8 number, bytes32 node, uint8 child) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Pick);
        _only(game.challenger);
        Stand memory here = Position.stand(game, state, FAN_OUT);
        if (child >= here.children) revert CannotPick(child);
        uint256 picked = uint256(state.child) << here.levels | child;
        // INVARIANT: what is picked at the end of walk 1 is the output of an operator.
        if (state.nbytes == 0 && (picked + 1) << here.height <= state.inputs) revert CannotPick(child);
        (state.child, state.round) = (uint32(picked), state.round + 1);
        Phase next = Phase.Reveal;
        if (here.last) next = state.nbytes == 0 ? Phase.Enter : Phase.Block;
        if (next == Phase.Enter) state.tensor = uint32(picked);
        _pass(game, state, next);
        emit Picked(gameId, number, child);
    }

    /// @inheritdoc IDisputeGame
    function enterByReveal(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        Described calldata descriptor,
        bytes32[] calldata nodes
    ) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Enter);
        _describe(game, state, descriptor);
        uint256 leaves = Merkle.leafCount(state.nbytes);
        if (leaves <= 1 << Walk.BLOCK_HEIGHT) revert WrongEntrance(leaves);
        Stand memory here = Position.stand(game, state, FAN_OUT);
        uint256 count = here.children;
        if (nodes.length < count) revert WrongCount(count, nodes.length);
        _enter(game, state, Merkle.fold(nodes[:count], here.height, here.levels), nodes[count:]);
        _pass(game, state, Phase.Pick);
        emit Entered(gameId, number, state.tensor, descriptor.data);
        emit Revealed(gameId, number, nodes[:count]);
    }

    /// @inheritdoc IDisputeGame
    function enterByBlock(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        Described calldata descriptor,
        bytes calldata data,
        bytes32[] calldata siblings
    ) external {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Enter);
        _describe(game, state, descriptor);
        uint256 leaves = Merkle.leafCount(state.nbytes);
        if (leaves > 1 << Walk.BLOCK_HEIGHT) revert WrongEntrance(leaves);
        _count(state.nbytes, data.length);
        _enter(game, state, Merkle.fold(Merkle.leaves(data), 0, Merkle.depth(leaves)), siblings);
        _pass(game, state, state.pieces > 1 ? Phase.Name : Phase.Step);
        emit Entered(gameId, number, state.tensor, descriptor.data);
        emit BlockPosted(gameId, number, data);
    }

    /// @inheritdoc IDisputeGame
    function postBlock(bytes32 gameId, uint8 number, bytes32 node, bytes calldata data, bytes32[] calldata siblings)
        external
    {
        (Game storage game, State memory state) = _due(gameId, number, node, Phase.Block);
        _count(Blocks.length(state), data.length);
        _count(Position.lastLevels(game, state, FAN_OUT), siblings.length);
        bytes32 root = Merkle.fold(Merkle.leaves(data), 0, Walk.BLOCK_HEIGHT);
        _under(node, Merkle.climb(root, state.child, siblings));
        game.node = root;
        _pass(game, state, state.pieces > 1 ? Phase.Name : Phase.Step);
        emit BlockPosted(gameId, number, data);
    }

    /// @dev From the tree of a tensor up to `node` in the tree of the trace: rule 2 lies between.
    function _enter(Game storage game, State memory state, bytes32 root, bytes32[] calldata siblings) private {
        _count(Walk.lastLevels(game.count, 0, FAN_OUT), siblings.length);
        bytes32 leaf = Merkle.tensor(state.form & 15, state.nbytes, root);
        _under(game.node, Merkle.climb(leaf, state.tensor, siblings));
        game.node = root;
    }

    /// @dev Opens the descriptor of the picked tensor, keeps what the game needs of it, and begins walk 2.
    function _describe(Game storage game, State memory state, Described calldata descriptor) private {
        Program memory program = REGISTRY.program(CLAIMS.subject(game.serial).programId);
        _count(Merkle.depth(program.operators), descriptor.siblings.length);
        bytes32 leaf = Ids.descriptor(descriptor.data);
        bytes32 root = Merkle.climb(leaf, state.tensor - state.inputs, descriptor.siblings);
        if (root != program.descriptorsRoot) revert WrongDescriptor(program.descriptorsRoot, root);
        (uint8 kind, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau) = STEPS.form(descriptor.data);
        // INVARIANT: kind < 16, dtype < 4, and 2^31 elements of 8 bytes take 35 bits: `form` has checked it.
        (state.form, state.nbytes) = (kind << 4 | dtype, uint40(nbytes));
        state.pieces = (terms + tau - 1) / tau;
        (state.child, state.round) = (0, 0);
        game.descriptor = leaf;
    }
}
