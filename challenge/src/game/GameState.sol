// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Opening, Run} from "../step/ISteps.sol";

/// @notice The two sides of a game.
enum Side {
    Proposer,
    Challenger
}

/// @notice Why an assertion was rejected, or a challenge lost: rule 18.
enum Reason {
    None,
    Step,
    Timeout,
    Data
}

/// @notice Which move is due. Reveal, Enter, Block and Partials are the proposer's turn, the others the challenger's.
enum Phase {
    None,
    Reveal,
    Pick,
    Enter,
    Block,
    Name,
    Partials,
    Interval,
    Step,
    Over
}

/// @notice What changes in a game, and what is fixed in it and fits: 256 bits.
/// @param number Moves so far; the next one names it.
/// @param phase Which move is due.
/// @param round Of the present walk, from 0: whose reveal is due or was the last one.
/// @param inputs Of the program.
/// @param profile Of the request, rule 44.
/// @param form kind << 4 | dtype of the picked operator's output, after its descriptor was opened.
/// @param child The picked node, counted from the left end of its level.
/// @param tensor Index in the trace of the picked tensor, at the end of walk 1.
/// @param pieces Of an element of the picked operator: ceil(K / tau).
/// @param rest What the side that waits has left, in seconds.
/// @param deadline First second, unix time, in which the side to move has lost.
/// @param nbytes Of the picked tensor; 0 in walk 1.
struct State {
    uint8 number;
    Phase phase;
    uint8 round;
    uint8 inputs;
    uint8 profile;
    uint8 form;
    uint32 child;
    uint32 tensor;
    uint32 pieces;
    uint32 rest;
    uint40 deadline;
    uint40 nbytes;
}

/// @notice The accumulators of the named element that are in dispute: after `first`, up to `last` pieces.
/// @param value y: what the block has for the element.
/// @param element Index in the picked tensor.
/// @param first Pieces before the interval.
/// @param last Pieces until its end.
struct Dispute {
    int64 value;
    uint32 element;
    uint32 first;
    uint32 last;
}

/// @notice The accumulators at both ends of an interval that was picked.
struct Ends {
    int64 startValue;
    uint64 startIndex;
    int64 endValue;
    uint64 endIndex;
}

/// @notice All that is stored of a game. The first three words are written when it opens.
/// @param serial Of the assertion, as OptimisticClaims counts them.
/// @param count Tensors of the trace.
/// @param state A State, packed by States.
/// @param node Proved to lie under the asserted trace root; that root itself before the first reveal.
/// @param descriptor Rule 4's leaf of the picked operator, H(21 || descriptor).
/// @param posted Hash of the last list of accumulators.
struct Game {
    address challenger;
    uint64 serial;
    uint32 count;
    uint256 state;
    bytes32 node;
    bytes32 descriptor;
    bytes32 posted;
    Dispute dispute;
    Ends ends;
}

/// @notice Whose turn it is, what is legal, and until when. At every second exactly one of these is legal: the move of `phase`
/// before the deadline, `timeout` from it on; or, whatever the time, only `close` of a game that has become moot.
/// @param phase Which move is due.
/// @param mover Who has to move; a reveal, an entering or a block may be sent by anybody.
/// @param late Only `timeout` is legal.
/// @param moot The assertion is dead or the request closed: only `close` is legal.
/// @param deadline First second in which `timeout` is legal.
/// @param number What the move has to name.
/// @param node What the move has to name.
/// @param tensor Index in the trace of the picked tensor; 0 in walk 1, where there is none.
/// @param element That was named.
/// @param height Of the children to reveal or to pick among; 0 elsewhere.
/// @param levels From these up to the node whose children they are; 0 elsewhere.
/// @param siblings How many siblings the move has to bring, from what it shows up to `node`.
/// @param first Reveal, Pick: the leftmost child, by its place in its level. Enter: the tensor. Block: the first leaf. Name,
/// Step of an element in one piece: the first element of the block. Partials, Step: the first piece. Interval: 0.
/// @param count How many of those: children that exist, or can be picked; leaves; elements; accumulators; intervals.
/// @param last Partials, Interval, Step of a piece: the disputed pieces end before it; 0 elsewhere.
struct Turn {
    Phase phase;
    address mover;
    bool late;
    bool moot;
    uint40 deadline;
    uint8 number;
    bytes32 node;
    uint32 tensor;
    uint32 element;
    uint8 height;
    uint8 levels;
    uint8 siblings;
    uint32 first;
    uint32 count;
    uint32 last;
}

/// @notice A descriptor of rule 5, and its siblings under the registered root.
struct Described {
    bytes data;
    bytes32[] siblings;
}

/// @notice The leaf of the output that holds an element, and its siblings up to the block's node.
struct Leaf {
    bytes data;
    bytes32[] siblings;
}

/// @notice What a step recomputes a piece from.
/// @param descriptor Of the picked operator.
/// @param operands Opened under the asserted trace root, or the constant's.
/// @param record Of the element's channel; empty where the operator has none.
struct Recomputation {
    bytes descriptor;
    Opening[] operands;
    Run record;
}
