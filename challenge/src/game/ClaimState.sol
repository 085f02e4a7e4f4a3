// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Reason} from "./GameState.sol";

/// @notice Where a request stands. Final, Void and Withdrawn are closed, for ever.
enum RequestStatus {
    None,
    Open,
    Final,
    Void,
    Withdrawn
}

/// @notice Where an assertion stands. Returned: it was right, or its request void, and its bond went back.
enum AssertionStatus {
    None,
    Living,
    Final,
    Dead,
    Returned
}

/// @notice What a requester chooses.
/// @param profile Rule 44.
/// @param fee For whoever first asserted what becomes final, rule 15; in wei.
/// @param minimumBond A proposer's bond at least, in wei.
/// @param deadline Unix time from which the fee can be withdrawn.
struct Terms {
    uint8 profile;
    uint128 fee;
    uint128 minimumBond;
    uint40 deadline;
}

/// @notice What is stored of a request.
/// @param byRoots Its input was given by tensor roots, so it may turn out to be bad.
/// @param price Of gas, in wei, at which all bonds are counted; fixed for ever.
/// @param fee 0 after it was paid or withdrawn.
/// @param firstPosted Of this epoch, unix time; 0 as long as posting is open without an end.
/// @param living Commitments that have a living assertion.
/// @param inputs Of the program.
/// @param operators Of the program.
/// @param inputsHash H of the input roots, one after the other.
/// @param finalAssertion Zero until there is one.
struct Request {
    address requester;
    uint40 deadline;
    uint32 epoch;
    uint8 profile;
    RequestStatus status;
    bool byRoots;
    uint128 price;
    uint128 minimumBond;
    uint128 fee;
    uint40 firstPosted;
    uint32 living;
    uint8 inputs;
    uint32 operators;
    bytes32 programId;
    bytes32 inputsHash;
    bytes32 finalAssertion;
}

/// @notice Who was first with a request by roots, and is paid if its input turns out to be bad: rule 33. One word, so that the
/// first challenge costs little more than another one.
/// @param proposer Of its first assertion.
/// @param challenged Serial of the assertion against which its first game was opened, which is that one's first game, too.
struct Firsts {
    address proposer;
    uint64 challenged;
}

/// @notice What is stored of a commitment: one trace root of one request.
/// @param living Assertions of it that live.
/// @param first Serial of the one that was made when no other lived: it has the fee.
struct Commitment {
    uint64 living;
    uint64 first;
}

/// @notice What is stored of an assertion. Its output roots are in its id, and follow from its trace root.
/// @param posted Unix time.
/// @param end First second in which it can no longer be challenged, unless a rival lives.
/// @param reason Why it is dead, rule 18.
/// @param serial Counted over all assertions, from 1: a short name for games.
/// @param games Ever opened against it.
/// @param openGames Of these, not over.
/// @param openDemands Neither served nor expired.
struct Assertion {
    bytes32 requestId;
    bytes32 traceRoot;
    address proposer;
    uint40 posted;
    uint40 end;
    AssertionStatus status;
    Reason reason;
    uint64 serial;
    uint32 epoch;
    uint32 games;
    uint32 openGames;
    uint32 openDemands;
}

/// @notice A trace, and what shows that its inputs and outputs are those that an assertion speaks of: rule 12.
/// @param root Rule 3.
/// @param inputRoots As the request has them.
/// @param paths Of each input, then of each output: the siblings of its root in the tree of the trace.
struct Trace {
    bytes32 root;
    bytes32[] inputRoots;
    bytes32[][] paths;
}

/// @notice What a game has to know of its assertion.
struct Subject {
    bytes32 assertionId;
    bytes32 programId;
    bytes32 traceRoot;
    address proposer;
}

/// @notice A demand of data, rule 51. The contract stores its hash alone.
/// @param payer Who demands, and is paid if nobody serves.
/// @param deadline First second in which it can no longer be served.
/// @param root Of the tensor.
/// @param nbytes Of the whole tensor.
/// @param first Leaf.
/// @param count Leaves, 1 to 32.
struct Demand {
    bytes32 assertionId;
    address payer;
    uint40 deadline;
    uint8 dtype;
    uint64 nbytes;
    bytes32 root;
    uint32 first;
    uint8 count;
}
