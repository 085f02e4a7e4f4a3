// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Run} from "../step/ISteps.sol";
import {Openings} from "../step/Openings.sol";
import {Assertions} from "./Assertions.sol";
import {Bonds} from "./Bonds.sol";
import {Assertion, Demand, Request} from "./ClaimState.sol";
import {InputForm, OutputForm} from "./Forms.sol";
import {Described, Reason} from "./GameState.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";
import {Profile, Profiles} from "./Profiles.sol";

/// @title Demands of data: rules 50 to 52.
/// @dev Who asserts has run the program on the input, so it has input, constants and output, and shows what is asked for.
abstract contract Demands is Assertions {
    uint256 private constant MAX_LEAVES = 32;

    /// @inheritdoc IOptimisticClaims
    mapping(bytes32 demandId => bool) public isDemanded;

    /// @inheritdoc IOptimisticClaims
    function demandInput(bytes32 assertionId, bytes32[] calldata inputRoots, uint256 input, uint32 first, uint8 count)
        external
        payable
        returns (bytes32)
    {
        (, Request storage asked) = _livingOne(assertionId);
        _sameInputs(asked, inputRoots);
        if (input >= inputRoots.length) revert WrongCount(inputRoots.length, input);
        (InputForm[] memory forms,) = REGISTRY.forms(asked.programId);
        return _demand(assertionId, forms[input].dtype, forms[input].nbytes, inputRoots[input], first, count);
    }

    /// @inheritdoc IOptimisticClaims
    function demandOutput(
        bytes32 assertionId,
        bytes32[] calldata outputRoots,
        uint256 output,
        uint32 first,
        uint8 count
    ) external payable returns (bytes32) {
        (Assertion storage made, Request storage asked) = _livingOne(assertionId);
        bytes32 id = Ids.assertion(made.requestId, made.epoch, made.proposer, outputRoots, made.traceRoot);
        if (id != assertionId) revert WrongRoots();
        if (output >= outputRoots.length) revert WrongCount(outputRoots.length, output);
        (, OutputForm[] memory forms) = REGISTRY.forms(asked.programId);
        return _demand(assertionId, forms[output].dtype, forms[output].nbytes, outputRoots[output], first, count);
    }

    /// @inheritdoc IOptimisticClaims
    function demandConstant(
        bytes32 assertionId,
        uint32 operator,
        Described calldata descriptor,
        uint8 operand,
        uint32 first,
        uint8 count
    ) external payable returns (bytes32) {
        (, Request storage asked) = _livingOne(assertionId);
        (bytes32 root, uint8 dtype, uint64 nbytes) = REGISTRY.constantOf(asked.programId, operator, descriptor, operand);
        return _demand(assertionId, dtype, nbytes, root, first, count);
    }

    /// @inheritdoc IOptimisticClaims
    function serve(Demand calldata demand, Run calldata run) external {
        (bytes32 demandId, Assertion storage made, Request storage asked) = _demanded(demand);
        _livingOne(demand.assertionId);
        // INVARIANT: at every second exactly one of {serve, closeDemand} is legal.
        if (block.timestamp >= demand.deadline) revert DemandExpired(demand.deadline);
        uint256 nbytes = _length(demand);
        if (run.first != demand.first || run.data.length != nbytes) revert BadDemand(run.first, run.data.length);
        (bytes32 root,) = Openings.tensorRootOf(demand.dtype, demand.nbytes, run);
        if (root != demand.root) revert NotUnderRoot(demand.root);
        isDemanded[demandId] = false;
        --made.openDemands;
        // INVARIANT: who demanded has half of T to run the program before nobody can challenge any more.
        uint40 least = uint40(block.timestamp + Profiles.row(asked.profile).clock / 2);
        if (least > made.end) made.end = least;
        emit Served(demandId, demand.assertionId, run.data, made.end);
        _credit(made.proposer, Bonds.demand(asked.price, nbytes));
    }

    /// @inheritdoc IOptimisticClaims
    function closeDemand(Demand calldata demand) external {
        (bytes32 demandId, Assertion storage made, Request storage asked) = _demanded(demand);
        bool moot = _moot(made, asked);
        if (!moot && block.timestamp < demand.deadline) revert DemandRuns(demand.deadline);
        isDemanded[demandId] = false;
        --made.openDemands;
        emit DemandClosed(demandId, demand.assertionId, !moot);
        _credit(demand.payer, Bonds.demand(asked.price, _length(demand)));
        if (!moot) _reject(demand.assertionId, Reason.Data, demand.payer);
    }

    function _demand(bytes32 assertionId, uint8 dtype, uint64 nbytes, bytes32 root, uint32 first, uint8 count)
        private
        returns (bytes32 demandId)
    {
        (Assertion storage made, Request storage asked) = _livingOne(assertionId);
        Profile memory profile = Profiles.row(asked.profile);
        // INVARIANT: demands end with the first window, so nobody delays an answer by one after the other.
        uint256 end = made.posted + profile.window;
        if (block.timestamp >= end) revert WindowClosed(end);
        bool exist = count > 0 && count <= MAX_LEAVES && uint256(first) + count <= Merkle.leafCount(nbytes);
        if (!exist) revert BadDemand(first, count);
        uint40 deadline = uint40(block.timestamp) + profile.clock;
        Demand memory demand = Demand(assertionId, msg.sender, deadline, dtype, nbytes, root, first, count);
        demandId = keccak256(abi.encode(demand));
        if (isDemanded[demandId]) revert BadDemand(first, count);
        _exactly(Bonds.demand(asked.price, _length(demand)));
        isDemanded[demandId] = true;
        ++made.openDemands;
        emit Demanded(demandId, assertionId, demand);
    }

    function _demanded(Demand calldata demand)
        private
        view
        returns (bytes32 demandId, Assertion storage made, Request storage asked)
    {
        demandId = keccak256(abi.encode(demand));
        if (!isDemanded[demandId]) revert UnknownDemand(demandId);
        made = _assertions[demand.assertionId];
        asked = _requests[made.requestId];
    }

    /// @dev Bytes of the demanded leaves.
    function _length(Demand memory demand) private pure returns (uint256) {
        uint256 start = demand.first * Merkle.LEAF_BYTES;
        uint256 end = start + demand.count * Merkle.LEAF_BYTES;
        return (end < demand.nbytes ? end : demand.nbytes) - start;
    }
}
