// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Run} from "../step/ISteps.sol";
import {Described, Leaf, Phase, Reason, Recomputation, Side, Turn} from "./GameState.sol";

/// @title The game of one challenger against one assertion: rules 20 to 32 and 41 of docs/protocol.md.
/// @notice It goes down one Merkle tree, from the trace to one piece of one element, which is then recomputed. Every move names
/// the game, the number of the move and the node that it answers, so that it reverts on a chain that forgot the move before.
/// Events carry what was shown: a liar may send through a contract of its own, whose calldata no ordinary node tells. Siblings
/// are not in them: they follow from children that were revealed before.
interface IDisputeGame {
    /// @notice A game has begun, and the proposer has to reveal.
    /// @param ownRoot The challenger's own trace root.
    event GameOpened(
        bytes32 indexed gameId, bytes32 indexed assertionId, address indexed challenger, uint32 counter, bytes32 ownRoot
    );
    /// @notice The existing children of the picked node were shown, from left to right.
    event Revealed(bytes32 indexed gameId, uint8 number, bytes32[] children);
    /// @notice The descriptor of the picked tensor was opened; a Revealed or a BlockPosted of the same number goes with it.
    event Entered(bytes32 indexed gameId, uint8 number, uint32 tensor, bytes descriptor);
    /// @notice A child was picked.
    /// @param child Among the children revealed, from 0.
    event Picked(bytes32 indexed gameId, uint8 number, uint8 child);
    /// @notice The bytes of the picked block were shown.
    event BlockPosted(bytes32 indexed gameId, uint8 number, bytes data);
    /// @notice An element was named, whose value in the block is `value`.
    event ElementNamed(bytes32 indexed gameId, uint8 number, uint32 element, int64 value);
    /// @notice Accumulators were posted, packed: int64 each, of argmax int64 and uint64.
    event PartialsPosted(bytes32 indexed gameId, uint8 number, bytes partials);
    /// @notice An interval between posted accumulators was picked: the pieces from `first` to before `last`.
    event IntervalPicked(bytes32 indexed gameId, uint8 number, uint8 interval, uint32 first, uint32 last);
    /// @notice What the step has recomputed differs from what stood there.
    event Convicted(bytes32 indexed gameId, uint32 element, uint32 piece, int256 claimed, int256 computed);
    /// @notice The game is over.
    event GameOver(bytes32 indexed gameId, Side loser, Reason reason);
    /// @notice The game was moot: its bond went back to the challenger, or was lost since its request is final (rule 15).
    event GameClosed(bytes32 indexed gameId, bool returned);

    /// @notice Only OptimisticClaims opens games.
    error NotClaims(address sender);
    /// @notice OptimisticClaims was deployed for another DisputeGame.
    error WrongClaims(address games);
    /// @notice Levels a round, rule 21, are 1 to 8.
    error BadFanOut(uint8 levels);
    /// @notice There is no such game, or it is over.
    error GameNotOpen(bytes32 gameId);
    /// @notice Rule 30: the move answers another one than the last.
    error WrongNumber(uint8 wanted, uint8 given);
    /// @notice Rule 30: the move answers another node.
    error WrongNode(bytes32 wanted, bytes32 given);
    /// @notice Another move is due.
    error WrongPhase(Phase due, Phase given);
    /// @notice Rule 41: from the deadline on only `timeout` is legal.
    error ClockExpired(uint256 deadline);
    /// @notice Rule 41: before the deadline there is no timeout.
    error ClockRuns(uint256 deadline);
    /// @notice This move is another account's.
    error NotMover(address mover, address sender);
    /// @notice Another number of children, siblings, bytes or accumulators than exist there.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice Rule 22: what was sent does not hash up to what was proved before.
    error NotUnderNode(bytes32 node, bytes32 given);
    /// @notice Rule 23: there is no such child, or nothing but inputs lies under it.
    error CannotPick(uint256 child);
    /// @notice Rule 21: a tensor of at most 4 leaves is entered by its block, a larger one by a reveal.
    error WrongEntrance(uint256 leaves);
    /// @notice These bytes are not the descriptor of the picked operator.
    error WrongDescriptor(bytes32 wanted, bytes32 given);
    /// @notice An element of one piece is stepped at once, one of more pieces is named first.
    error WrongStep(uint32 pieces);
    /// @notice The element is not in the block.
    error NotInBlock(uint256 element);
    /// @notice Rule 30: the accumulators are those of another element or interval.
    error WrongInterval(uint32 element, uint32 first);
    /// @notice Rule 26: another list than the one posted.
    error WrongPartials(bytes32 wanted, bytes32 given);
    /// @notice Rule 26: the list has to end in this value, and ends in another one.
    error WrongEnd(int256 wanted, int256 given);
    /// @notice There are no such interval, piece or record.
    error OutOfRange(uint256 index, uint256 count);
    /// @notice Rule 27: recomputed, it is what stood there.
    error NothingWrong(int256 value);

    /// @notice Opens a game; rule 20. Only OptimisticClaims, which has taken the bond.
    /// @param serial Of the assertion.
    /// @param counter Games against it so far.
    /// @param traceRoot The asserted root.
    /// @param ownRoot The challenger's own.
    /// @param inputs Of the program.
    /// @param count Tensors of its trace.
    /// @return gameId Rule 9.
    function open(
        bytes32 assertionId,
        uint64 serial,
        address challenger,
        uint32 counter,
        bytes32 traceRoot,
        bytes32 ownRoot,
        uint8 profile,
        uint8 inputs,
        uint32 count
    ) external returns (bytes32 gameId);

    /// @notice Rule 22: the children of the picked node. By anybody: a preimage is unique.
    /// @param number Moves so far.
    /// @param node The node that was proved last; zero before the first reveal.
    /// @param nodes The children that exist, from left to right, then the siblings from the picked node up to `node`; of these
    /// none in the first reveal. One list, since a second one's length would cost more than it says.
    function reveal(bytes32 gameId, uint8 number, bytes32 node, bytes32[] calldata nodes) external;

    /// @notice Rule 23: the child, from 0, that differs first from the challenger's own.
    function pick(bytes32 gameId, uint8 number, bytes32 node, uint8 child) external;

    /// @notice Rule 22: the first reveal inside a picked tensor of more than 4 leaves, which opens its descriptor. By anybody.
    /// @param nodes The children that exist, then the siblings from the tensor root up to `node`.
    function enterByReveal(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        Described calldata descriptor,
        bytes32[] calldata nodes
    ) external;

    /// @notice Rules 21 and 24: the whole of a picked tensor of at most 4 leaves, with its descriptor. By anybody.
    /// @param siblings From the tensor root up to `node`.
    function enterByBlock(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        Described calldata descriptor,
        bytes calldata data,
        bytes32[] calldata siblings
    ) external;

    /// @notice Rule 24: the bytes of the picked block. By anybody.
    /// @param siblings From the block's node up to `node`.
    function postBlock(bytes32 gameId, uint8 number, bytes32 node, bytes calldata data, bytes32[] calldata siblings)
        external;

    /// @notice Rule 26: the element of the block that the challenger will show to be wrong, if it has more than one piece.
    function nameElement(bytes32 gameId, uint8 number, bytes32 node, uint32 element, Leaf calldata leaf) external;

    /// @notice Rule 26: the accumulators of the named element, by the proposer alone. It names element and first piece as well:
    /// the node does not tell one naming from another.
    /// @param partials Packed: int64 each, of argmax int64 and uint64. Of n pieces min(n, 64): after piece floor(j * n / 64).
    /// @param record Opened for the first list, whose end finishes as the block's value; empty for the others.
    function postPartials(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 element,
        uint32 first,
        bytes calldata partials,
        bytes calldata descriptor,
        Run calldata record
    ) external;

    /// @notice Rule 26: of more than 64 pieces, the interval that the next list covers.
    /// @param partials The list as it was posted.
    function pickInterval(bytes32 gameId, uint8 number, bytes32 node, uint8 interval, bytes calldata partials) external;

    /// @notice Rules 25 and 27: convicts if the element, recomputed in its one piece, is not what the block has.
    function stepElement(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 element,
        Leaf calldata leaf,
        Recomputation calldata evidence
    ) external;

    /// @notice Rules 26 and 27: convicts if a piece, recomputed from the accumulator before it, does not end in the one posted.
    /// @param piece From 0, over the whole element.
    /// @param partials The list as it was posted.
    function stepPiece(
        bytes32 gameId,
        uint8 number,
        bytes32 node,
        uint32 piece,
        bytes calldata partials,
        Recomputation calldata evidence
    ) external;

    /// @notice Rule 41: the side to move has let its time pass. By anybody.
    function timeout(bytes32 gameId, uint8 number, bytes32 node) external;

    /// @notice Ends a game whose assertion died otherwise, or whose request is closed: rules 15, 33 and 43. By anybody.
    function close(bytes32 gameId) external;

    /// @notice Whose turn it is, what is legal, and until when.
    function turn(bytes32 gameId) external view returns (Turn memory);

    /// @notice Who plays, and whether the game goes on. Zero if there is no such game.
    function player(bytes32 gameId) external view returns (address challenger, bool isOpen);
}
