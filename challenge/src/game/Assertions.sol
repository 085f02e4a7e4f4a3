// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bonds} from "./Bonds.sol";
import {Assertion, AssertionStatus, Commitment, Firsts, Request, RequestStatus, Subject, Trace} from "./ClaimState.sol";
import {Reason, Side} from "./GameState.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";
import {Ids} from "./Ids.sol";
import {Profiles} from "./Profiles.sol";
import {Requests} from "./Requests.sol";

/// @title Assertions, challenges and finality: rules 12 to 20 and 43.
/// @dev A commitment is told by its trace root alone: its output roots are leaves under that root, where the program has them.
abstract contract Assertions is Requests {
    /// @dev Of all outputs together, rule 12.
    uint256 private constant MAX_OUTPUT_BYTES = 4 * 1024;

    mapping(bytes32 assertionId => Assertion) internal _assertions;
    mapping(bytes32 requestId => mapping(bytes32 traceRoot => Commitment)) private _commitments;
    uint64 private _serials;

    /// @inheritdoc IOptimisticClaims
    function assertOutputs(bytes32 requestId, Trace calldata trace, bytes[] calldata outputs)
        external
        payable
        returns (bytes32 assertionId)
    {
        bytes32 programId = _open(requestId).programId;
        uint256 nbytes = REGISTRY.program(programId).outputBytes;
        if (nbytes > MAX_OUTPUT_BYTES) revert TooLong(MAX_OUTPUT_BYTES, nbytes);
        bytes32[] memory roots = REGISTRY.rootsOfOutputs(programId, outputs);
        uint32 epoch;
        (assertionId, epoch) = _assert(requestId, trace, roots);
        emit Asserted(assertionId, requestId, msg.sender, epoch, trace.root, roots, outputs);
    }

    /// @inheritdoc IOptimisticClaims
    function assertRoots(bytes32 requestId, Trace calldata trace, bytes32[] calldata outputRoots)
        external
        payable
        returns (bytes32 assertionId)
    {
        uint256 nbytes = REGISTRY.program(_open(requestId).programId).outputBytes;
        if (nbytes <= MAX_OUTPUT_BYTES) revert BytesWanted(MAX_OUTPUT_BYTES);
        uint32 epoch;
        (assertionId, epoch) = _assert(requestId, trace, outputRoots);
        emit Asserted(assertionId, requestId, msg.sender, epoch, trace.root, outputRoots, new bytes[](0));
    }

    /// @inheritdoc IOptimisticClaims
    function challenge(bytes32 assertionId, bytes32 ownRoot) external payable returns (bytes32 gameId) {
        (Assertion storage made, Request storage asked) = _livingOne(assertionId);
        // INVARIANT: what nobody may challenge any more has no rival, so nothing wrong is final because its window ended first.
        if (block.timestamp >= made.end && asked.living < 2) revert WindowClosed(made.end);
        _exactly(Bonds.challenge(asked.price));
        bytes32 traceRoot = made.traceRoot;
        if (ownRoot == traceRoot) revert SameTrace(ownRoot);
        uint32 counter = made.games;
        (made.games, made.openGames) = (counter + 1, made.openGames + 1);
        uint32 count = asked.inputs + asked.operators;
        gameId = GAMES.open(
            assertionId, made.serial, msg.sender, counter, traceRoot, ownRoot, asked.profile, asked.inputs, count
        );
        if (asked.byRoots) _rememberFirst(made);
    }

    /// @inheritdoc IOptimisticClaims
    function finalise(bytes32 assertionId) external {
        (Assertion storage made, Request storage asked) = _livingOne(assertionId);
        // INVARIANT: sole survivor. Whoever knows better has had W to say so, and whoever has said so was wrong.
        if (block.timestamp < _postingEnd(asked)) revert NotFinal("posting is open");
        if (block.timestamp < made.end) revert NotFinal("its window is open");
        if (made.openGames > 0) revert NotFinal("a game against it is open");
        if (made.openDemands > 0) revert NotFinal("a demand on it is open");
        if (asked.living > 1) revert NotFinal("a rival lives");
        bytes32 requestId = made.requestId;
        made.status = AssertionStatus.Final;
        uint256 fee = asked.fee;
        (asked.status, asked.finalAssertion, asked.fee) = (RequestStatus.Final, assertionId, 0);
        emit Finalised(requestId, assertionId, made.proposer);
        _credit(_earner(made), fee);
        _credit(made.proposer, _bond(asked));
        _credit(asked.requester, _deposit(asked));
    }

    /// @inheritdoc IOptimisticClaims
    function returnBond(bytes32 assertionId) external {
        Assertion storage made = _assertions[assertionId];
        Request storage asked = _requests[made.requestId];
        if (made.status != AssertionStatus.Living) revert NotLiving(assertionId, made.status);
        // INVARIANT: what lives when its request is final has the final commitment, since that was the only one left.
        if (asked.status == RequestStatus.Open) revert NotMoot(assertionId);
        made.status = AssertionStatus.Returned;
        emit BondReturned(assertionId, made.proposer);
        _credit(made.proposer, _bond(asked));
    }

    /// @inheritdoc IOptimisticClaims
    function settle(uint64 serial, address challenger, Side loser, Reason reason) external {
        if (msg.sender != address(GAMES)) revert NotGame(msg.sender);
        bytes32 assertionId = _bySerial[serial];
        (Assertion storage made, Request storage asked) = _livingOne(assertionId);
        --made.openGames;
        uint256 bond = Bonds.challenge(asked.price);
        if (loser == Side.Challenger) return _lose(bond, made.proposer);
        _credit(challenger, bond);
        _reject(assertionId, reason, challenger);
    }

    /// @inheritdoc IOptimisticClaims
    function release(uint64 serial, address challenger) external returns (bool returned) {
        if (msg.sender != address(GAMES)) revert NotGame(msg.sender);
        bytes32 assertionId = _bySerial[serial];
        Assertion storage made = _assertions[assertionId];
        Request storage asked = _requests[made.requestId];
        if (!_moot(made, asked)) revert NotMoot(assertionId);
        --made.openGames;
        returned = made.status == AssertionStatus.Dead || asked.status == RequestStatus.Void;
        uint256 bond = Bonds.challenge(asked.price);
        if (returned) _credit(challenger, bond);
        else _lose(bond, made.proposer);
    }

    /// @inheritdoc IOptimisticClaims
    function isFinal(bytes32 requestId, bytes[] calldata outputs) external view returns (bool) {
        if (_requests[requestId].status != RequestStatus.Final) return false;
        return isFinalByRoots(requestId, REGISTRY.rootsOfOutputs(_requests[requestId].programId, outputs));
    }

    /// @inheritdoc IOptimisticClaims
    function assertions(bytes32 assertionId) external view returns (Assertion memory) {
        return _assertions[assertionId];
    }

    /// @inheritdoc IOptimisticClaims
    function living(bytes32 requestId, bytes32 traceRoot) external view returns (uint256) {
        return _commitments[requestId][traceRoot].living;
    }

    /// @inheritdoc IOptimisticClaims
    function subject(uint64 serial) external view returns (Subject memory) {
        bytes32 assertionId = _bySerial[serial];
        Assertion storage made = _assertions[assertionId];
        return Subject(assertionId, _requests[made.requestId].programId, made.traceRoot, made.proposer);
    }

    /// @inheritdoc IOptimisticClaims
    function isMoot(uint64 serial) external view returns (bool) {
        Assertion storage made = _assertions[_bySerial[serial]];
        return _moot(made, _requests[made.requestId]);
    }

    /// @inheritdoc IOptimisticClaims
    function isFinalByRoots(bytes32 requestId, bytes32[] memory outputRoots) public view returns (bool) {
        bytes32 assertionId = _requests[requestId].finalAssertion;
        if (assertionId == 0) return false;
        Assertion storage made = _assertions[assertionId];
        // The id is a hash of the roots, so it need not be told what they were.
        return assertionId == Ids.assertion(requestId, made.epoch, made.proposer, outputRoots, made.traceRoot);
    }

    /// @dev Kills an assertion, never a commitment: rule 14. Its bond goes as a lost one.
    function _reject(bytes32 assertionId, Reason reason, address winner) internal {
        Assertion storage made = _assertions[assertionId];
        bytes32 requestId = made.requestId;
        Request storage asked = _requests[requestId];
        (made.status, made.reason) = (AssertionStatus.Dead, reason);
        emit Rejected(assertionId, requestId, reason, winner);
        if (--_commitments[requestId][made.traceRoot].living == 0 && --asked.living == 0) {
            (asked.epoch, asked.firstPosted) = (asked.epoch + 1, 0);
            emit EpochBegun(requestId, asked.epoch);
        }
        _lose(_bond(asked), winner);
    }

    /// @dev A living assertion of an open request.
    function _livingOne(bytes32 assertionId) internal view returns (Assertion storage made, Request storage asked) {
        made = _assertions[assertionId];
        if (made.status != AssertionStatus.Living) revert NotLiving(assertionId, made.status);
        asked = _open(made.requestId);
    }

    /// @dev Whether no verdict on it matters any more: it is dead, or its request is closed.
    function _moot(Assertion storage made, Request storage asked) internal view returns (bool) {
        return made.status != AssertionStatus.Living || asked.status != RequestStatus.Open;
    }

    /// @dev Rule 33: the first game of a request by roots.
    function _rememberFirst(Assertion storage made) private {
        Firsts storage first = _firsts[made.requestId];
        if (first.challenged == 0) first.challenged = made.serial;
    }

    /// @dev Whose the fee is. INVARIANT: not the copier's, who needs but one demand or game to make its copy the first to be final.
    function _earner(Assertion storage made) private view returns (address) {
        Assertion storage first = _assertions[_bySerial[_commitments[made.requestId][made.traceRoot].first]];
        return first.status == AssertionStatus.Dead ? made.proposer : first.proposer;
    }

    /// @dev What a proposer has at stake in an assertion.
    function _bond(Request storage asked) private view returns (uint256) {
        return Bonds.proposer(asked.price, asked.minimumBond);
    }

    /// @dev Rule 13: W after the epoch's first; without one it has no end.
    function _postingEnd(Request storage asked) private view returns (uint256) {
        uint256 first = asked.firstPosted;
        return first == 0 ? type(uint256).max : first + Profiles.row(asked.profile).window;
    }

    function _assert(bytes32 requestId, Trace calldata trace, bytes32[] memory outputRoots)
        private
        returns (bytes32 assertionId, uint32 epoch)
    {
        Request storage asked = _open(requestId);
        _sameInputs(asked, trace.inputRoots);
        REGISTRY.checkTrace(asked.programId, trace, outputRoots);
        uint256 end = _postingEnd(asked);
        if (block.timestamp >= end) revert PostingClosed(end);
        _exactly(_bond(asked));
        epoch = asked.epoch;
        assertionId = Ids.assertion(requestId, epoch, msg.sender, outputRoots, trace.root);
        _write(requestId, asked, assertionId, trace.root);
    }

    function _write(bytes32 requestId, Request storage asked, bytes32 assertionId, bytes32 traceRoot) private {
        Assertion storage made = _assertions[assertionId];
        // INVARIANT: an assertion that was rejected does not come back; in a new epoch it is another one.
        if (made.status != AssertionStatus.None) revert AlreadyAsserted(assertionId);
        uint40 now40 = uint40(block.timestamp);
        (made.requestId, made.traceRoot, made.proposer) = (requestId, traceRoot, msg.sender);
        (made.posted, made.end) = (now40, now40 + Profiles.row(asked.profile).window);
        (made.status, made.epoch, made.serial) = (AssertionStatus.Living, asked.epoch, ++_serials);
        _bySerial[made.serial] = assertionId;
        if (asked.firstPosted == 0) asked.firstPosted = now40;
        Commitment storage commitment = _commitments[requestId][traceRoot];
        if (commitment.living++ == 0) (commitment.first, asked.living) = (made.serial, asked.living + 1);
        if (asked.byRoots && _firsts[requestId].proposer == address(0)) _firsts[requestId].proposer = msg.sender;
    }
}
