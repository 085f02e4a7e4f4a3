// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Demand} from "../../src/game/ClaimState.sol";
import {Phase, Turn} from "../../src/game/GameState.sol";
import {Run} from "../../src/step/ISteps.sol";
import {Forest} from "./GameWorld.sol";
import {Players} from "./Players.sol";
import {Toy} from "./ToySteps.sol";
import {Trees} from "./Trees.sol";

/// @notice What the handler counts, one kind of action each.
enum Kind {
    Ask,
    Assert,
    Challenge,
    Move,
    Timeout,
    Close,
    Finalise,
    ReturnBond,
    WithdrawFee,
    Demand,
    Serve,
    CloseDemand,
    Withdraw
}

/// @title Four people who do anything, in any order, with requests, assertions, games and demands; it counts what was taken.
contract SettlementHandler is Players {
    /// @notice How often each kind of action was taken.
    uint256[13] public done;
    bytes32[] public requestIds;
    bytes32[] public assertionIds;
    bytes32[] public gameIds;
    bytes32[] public demandIds;
    /// @notice When a game was opened.
    mapping(bytes32 gameId => uint256) public opened;
    /// @notice What a demand pays.
    mapping(bytes32 demandId => uint256) public pays;

    mapping(bytes32 => uint8) private _variant;
    mapping(bytes32 demandId => bytes) private _demands;

    constructor() {
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 16, terms: 1, tau: 1}));
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 16, terms: 3, tau: 1}));
        toys.push(Toy({kind: 1, dtype: 3, nbytes: 16, terms: 1, tau: 1}));
        feeTime = 40;
        deploy(1);
        for (uint160 i = 0xE1; i <= 0xE4; ++i) {
            vm.deal(address(i), type(uint128).max);
        }
        ask_(0, false);
        assert_(1, 0, 4);
    }

    function contracts() external view returns (address, address) {
        return (address(claims), address(games));
    }

    function counts() external view returns (uint256, uint256, uint256, uint256) {
        return (requestIds.length, assertionIds.length, gameIds.length, demandIds.length);
    }

    function person(uint256 index) public pure returns (address) {
        return address(uint160(0xE1 + index % 4));
    }

    // ---- actions ----------------------------------------------------------------------------------------------------------

    function ask_(uint8 who, bool byRoots) public {
        if (requestIds.length > 0 && who % 4 != 0) return; // seldom: else nobody meets
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = input();
        bytes memory data = byRoots
            ? abi.encodeCall(claims.requestByRoots, (programId, terms(), Trees.nodes(honest().trace, 0, 0, 1)))
            : abi.encodeCall(claims.request, (programId, terms(), inputs));
        (bool taken, bytes memory answer) = _try(Kind.Ask, person(who / 4), 1 ether + (byRoots ? STAKE : 0), data);
        if (taken) requestIds.push(abi.decode(answer, (bytes32)));
    }

    function assert_(uint8 who, uint8 which, uint8 variant) public {
        bytes32 requestId = _recent(requestIds, which);
        variant = variant % 6 < 4 ? 0 : variant % 6 - 3; // two in three are honest
        Forest memory forest = forestOf(variant);
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(forest), outputsOf(forest)));
        (bool taken, bytes memory answer) = _try(Kind.Assert, person(who), BOND, data);
        if (!taken) return;
        assertionIds.push(abi.decode(answer, (bytes32)));
        _variant[assertionIds[assertionIds.length - 1]] = variant;
    }

    function challenge_(uint8 who, uint8 which, uint8 variant) external {
        bytes32 assertionId = _recent(assertionIds, which);
        bytes memory data = abi.encodeCall(claims.challenge, (assertionId, forestOf(variant % 3).root));
        (bool taken, bytes memory answer) = _try(Kind.Challenge, person(who), STAKE, data);
        if (!taken) return;
        bytes32 gameId = abi.decode(answer, (bytes32));
        gameIds.push(gameId);
        (_variant[gameId], opened[gameId]) = (_variant[assertionId], block.timestamp);
    }

    /// @dev Three names for one thing, so that it is done thrice as often.
    function move_(uint8 which) public {
        if (gameIds.length == 0) return;
        bytes32 gameId = _recent(gameIds, which);
        (bytes memory data, address mover) = dueMove(gameId);
        if (data.length == 0) return;
        vm.prank(mover);
        (bool taken,) = address(games).call(data);
        if (taken) ++done[uint256(Kind.Move)];
    }

    function moveAgain_(uint8 which) external {
        move_(which);
    }

    function moveOnceMore_(uint8 which) external {
        move_(which);
    }

    function timeout_(uint8 which) external {
        if (gameIds.length == 0) return;
        bytes32 gameId = _recent(gameIds, which);
        Turn memory turn = games.turn(gameId);
        (bool taken,) = address(games).call(abi.encodeCall(games.timeout, (gameId, turn.number, turn.node)));
        if (taken) ++done[uint256(Kind.Timeout)];
    }

    function close_(uint8 which) external {
        if (gameIds.length == 0) return;
        (bool taken,) = address(games).call(abi.encodeCall(games.close, (_recent(gameIds, which))));
        if (taken) ++done[uint256(Kind.Close)];
    }

    function finalise_(uint8 which) external {
        _try(Kind.Finalise, STRANGER, 0, abi.encodeCall(claims.finalise, (_recent(assertionIds, which))));
    }

    /// @dev Of any of the last ones, since it is seldom that two have asserted the same.
    function returnBond_(uint8) external {
        for (uint256 i = assertionIds.length > 6 ? assertionIds.length - 6 : 0; i < assertionIds.length; ++i) {
            _try(Kind.ReturnBond, STRANGER, 0, abi.encodeCall(claims.returnBond, (assertionIds[i])));
        }
    }

    function withdrawFee_(uint8 which) external {
        bytes32 requestId = _recent(requestIds, which);
        address requester = claims.requests(requestId).requester;
        _try(Kind.WithdrawFee, requester, 0, abi.encodeCall(claims.withdrawFee, (requestId)));
    }

    function demand_(uint8 who, uint8 which) external {
        bytes32 assertionId = _recent(assertionIds, which);
        bytes32[] memory roots = Trees.nodes(honest().trace, 0, 0, 1);
        uint256 pay = 80 * uint256(inputBytes) * GWEI;
        bytes memory data = abi.encodeCall(claims.demandInput, (assertionId, roots, 0, 0, 1));
        (bool taken, bytes memory answer) = _try(Kind.Demand, person(who), pay, data);
        if (!taken) return;
        bytes32 demandId = abi.decode(answer, (bytes32));
        if (pays[demandId] == 0) demandIds.push(demandId); // served, it may be demanded anew in the same second
        pays[demandId] = pay;
        uint40 deadline = uint40(block.timestamp + 60);
        _demands[demandId] = abi.encode(Demand(assertionId, person(who), deadline, 0, inputBytes, roots[0], 0, 1));
    }

    function serve_(uint8 which) external {
        if (demandIds.length == 0) return;
        Demand memory demand = abi.decode(_demands[_recent(demandIds, which)], (Demand));
        Run memory run = Run(0, input(), new bytes32[](0));
        _try(Kind.Serve, STRANGER, 0, abi.encodeCall(claims.serve, (demand, run)));
    }

    function closeDemand_(uint8 which) external {
        if (demandIds.length == 0) return;
        Demand memory demand = abi.decode(_demands[_recent(demandIds, which)], (Demand));
        _try(Kind.CloseDemand, STRANGER, 0, abi.encodeCall(claims.closeDemand, (demand)));
    }

    function withdraw_(uint8 who) external {
        _try(Kind.Withdraw, person(who), 0, abi.encodeCall(claims.withdraw, (payable(person(who)))));
    }

    function wait_(uint8 time) external {
        vm.warp(block.timestamp + time % 16);
    }

    /// @dev To the second before, or at which, the time of a game is over.
    function waitForGame_(uint8 which, bool isLate) external {
        if (gameIds.length == 0) return;
        uint256 deadline = games.turn(_recent(gameIds, which)).deadline;
        if (deadline > block.timestamp) vm.warp(isLate ? deadline : deadline - 1);
    }

    /// @dev To the second at which the window of an assertion ends.
    function waitForWindow_(uint8 which) external {
        if (which % 4 != 0) return; // seldom: most things are over then
        uint256 end = claims.assertions(_recent(assertionIds, which / 4)).end;
        if (end > block.timestamp) vm.warp(end);
    }

    // ---- what it does them with -------------------------------------------------------------------------------------------

    /// @notice The move that is due in a game, and whose it is; nothing if the game is over.
    function dueMove(bytes32 gameId) public returns (bytes memory data, address mover) {
        Turn memory turn = games.turn(gameId);
        if (turn.phase == Phase.None || turn.phase == Phase.Over) return ("", address(0));
        Forest memory asserted = forestOf(_variant[gameId]);
        return (callOf(gameId, turn, asserted, forestOf(_variant[gameId] == 0 ? 1 : 0)), turn.mover);
    }

    /// @notice An honest run, one with a lie in an element of one piece, one with a lie in an element of three.
    function forestOf(uint8 variant) public view returns (Forest memory) {
        return variant == 0 ? honest() : lying(variant, 8);
    }

    /// @dev One of the last two, or four.
    function _recent(bytes32[] storage all, uint256 which) private view returns (bytes32) {
        uint256 most = which % 3 == 0 ? 4 : 2;
        uint256 from = all.length > most ? all.length - most : 0;
        return all[from + which % (all.length - from)];
    }

    function _try(Kind kind, address sender, uint256 value, bytes memory data)
        private
        returns (bool taken, bytes memory answer)
    {
        vm.prank(sender);
        (taken, answer) = address(claims).call{value: value}(data);
        if (taken) ++done[uint256(kind)];
    }
}
