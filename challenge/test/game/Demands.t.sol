// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {AssertionStatus, Demand} from "../../src/game/ClaimState.sol";
import {Described, Reason} from "../../src/game/GameState.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {Run} from "../../src/step/ISteps.sol";
import {Openings} from "../../src/step/Openings.sol";
import {Players} from "./Players.sol";
import {Toy} from "./ToySteps.sol";
import {Tree, Trees} from "./Trees.sol";

/// @title Demands of data: rules 50 to 52, property 37.
contract Demands_Test is Players {
    bytes32 private requestId;
    bytes32 private assertionId;

    function setUp() external {
        inputBytes = 10_000;
        toys.push(Toy(1, 3, 16, 1, 1));
        toys.push(Toy(1, 3, 800, 1, 1));
        deploy(6);
        requestId = ask();
        assertionId = assertBy(PROPOSER, requestId, honest());
    }

    /// @dev The first operator is a matmul of the input and of a constant of 3 x 300 i16, as rule 5 writes it.
    function descriptor(uint256 tensor) internal view override returns (bytes memory) {
        if (tensor > 1) return super.descriptor(tensor);
        bytes memory x = abi.encodePacked(uint8(0), uint32(0), uint8(0), uint8(2), uint32(5), uint32(300));
        bytes memory w = abi.encodePacked(uint8(1), _weightsRoot(), uint8(1), uint8(2), uint32(3), uint32(300));
        bytes memory head = abi.encodePacked(uint8(1), uint8(3), uint8(2), uint32(5), uint32(3), uint8(2));
        bytes memory tail = abi.encodePacked(int64(0), int64(0), uint8(0), type(int64).min, type(int64).max);
        return abi.encodePacked(head, x, w, tail, bytes32(0), uint32(300), uint32(256));
    }

    function _weights() private pure returns (bytes memory data) {
        data = new bytes(1800);
        for (uint256 i; i < data.length; ++i) {
            data[i] = bytes1(uint8(7 * i));
        }
    }

    function _weightsRoot() private pure returns (bytes32) {
        bytes32 root = Trees.root(Trees.ofTensor(_weights()));
        return keccak256(abi.encodePacked(hex"02", uint8(1), uint64(1800), root));
    }

    // ---- demanding --------------------------------------------------------------------------------------------------------

    /// @dev Rule 51: input, output and constant, each with the root and the form that the program fixes.
    function test_demand_ofEachKind_namesTheTensor() external {
        uint256 deadline = block.timestamp + 60;
        bytes32[] memory levels = honest().trace.levels[0];
        Demand memory wanted = Demand(assertionId, CHALLENGER, uint40(deadline), 0, 10_000, levels[0], 8, 32);
        assertEq(_demandInput(8, 32), keccak256(abi.encode(wanted)));
        wanted = Demand(assertionId, CHALLENGER, uint40(deadline), 3, 800, levels[2], 1, 3);
        assertEq(_demandOutput(1, 3), keccak256(abi.encode(wanted)));
        wanted = Demand(assertionId, CHALLENGER, uint40(deadline), 1, 1800, _weightsRoot(), 7, 1);
        bytes32 demandId = _demandConstant(7, 1);
        assertEq(demandId, keccak256(abi.encode(wanted)));
        vm.assertTrue(claims.isDemanded(demandId), "it waits");
        assertEq(uint256(claims.assertions(assertionId).openDemands), 3);
    }

    /// @dev Rule 51: 2 * 40 * bytes * price, of the bytes that there are.
    function test_demand_otherPay_reverts() external {
        bytes memory data = abi.encodeCall(claims.demandInput, (assertionId, _inputRoots(), 0, 39, 1));
        uint256 pay = 80 * 16 * GWEI; // the last leaf has 16 bytes
        uint256[3] memory values = [0, pay - 1, pay + 1];
        for (uint256 i; i < values.length; ++i) {
            _refused(values[i], data, abi.encodeWithSelector(IOptimisticClaims.WrongValue.selector, pay, values[i]));
        }
        _demandInput(39, 1);
    }

    /// @dev Rule 51: 1 to 32 leaves that there are.
    function test_demand_leavesThatAreNotThere_reverts() external {
        uint8[8] memory wrong = [0, 0, 0, 33, 40, 1, 39, 2];
        for (uint256 i; i < wrong.length; i += 2) {
            (uint32 first, uint8 count) = (wrong[i], wrong[i + 1]);
            bytes memory data = abi.encodeCall(claims.demandInput, (assertionId, _inputRoots(), 0, first, count));
            _refused(0, data, abi.encodeWithSelector(IOptimisticClaims.BadDemand.selector, first, count));
        }
    }

    /// @dev Rule 52: in the first window, to the second, even if the window was moved.
    function test_demand_aroundTheEndOfTheFirstWindow_isTakenOrRefused() external {
        uint256 end = block.timestamp + 120;
        vm.warp(end - 1);
        bytes32 demandId = _demandInput(0, 1);
        _serve(demandId, 0, 1);
        vm.assertTrue(claims.assertions(assertionId).end > end, "the window was moved");
        vm.warp(end);
        bytes memory data = abi.encodeCall(claims.demandInput, (assertionId, _inputRoots(), 0, 0, 1));
        uint256 pay = 80 * 256 * GWEI;
        _refused(pay, data, abi.encodeWithSelector(IOptimisticClaims.WindowClosed.selector, end));
    }

    function test_demand_twiceAtOnce_reverts() external {
        _demandInput(3, 4);
        bytes memory data = abi.encodeCall(claims.demandInput, (assertionId, _inputRoots(), 0, 3, 4));
        _refused(80 * 1024 * GWEI, data, abi.encodeWithSelector(IOptimisticClaims.BadDemand.selector, 3, 4));
        vm.warp(block.timestamp + 1);
        _demandInput(3, 4);
    }

    /// @dev What is no tensor of the request, the assertion or the program cannot be demanded.
    function test_demand_ofAnotherTensor_reverts() external {
        bytes32[] memory roots = _outputRoots();
        bytes memory wrongRoots = abi.encodeWithSelector(IOptimisticClaims.WrongRoots.selector);
        _refused(0, abi.encodeCall(claims.demandInput, (assertionId, roots, 0, 0, 1)), wrongRoots);
        _refused(0, abi.encodeCall(claims.demandOutput, (assertionId, _inputRoots(), 0, 0, 1)), wrongRoots);
        bytes memory count = abi.encodeWithSelector(IOptimisticClaims.WrongCount.selector, 1, 1);
        _refused(0, abi.encodeCall(claims.demandInput, (assertionId, _inputRoots(), 1, 0, 1)), count);
        _refused(0, abi.encodeCall(claims.demandOutput, (assertionId, roots, 1, 0, 1)), count);
        Described memory opened = described(1);
        _refusedConstant(0, opened, 0, abi.encodeWithSelector(IProgramRegistry.NotConstant.selector, 0));
        _refusedConstant(0, opened, 2, abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 2, 2));
        _refusedConstant(2, opened, 1, abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 2, 2));
        bytes32 root = Trees.root(descriptorTree());
        bytes memory notThere = abi.encodeWithSelector(IProgramRegistry.NotUnderRoot.selector, root);
        _refusedConstant(1, opened, 1, notThere);
        opened.data[30] ^= 0x01;
        _refusedConstant(0, opened, 1, notThere);
        opened.siblings = new bytes32[](2);
        _refusedConstant(0, opened, 1, abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 1, 2));
    }

    function _refusedConstant(uint32 operator, Described memory opened, uint8 operand, bytes memory why) private {
        _refused(0, abi.encodeCall(claims.demandConstant, (assertionId, operator, opened, operand, 0, 1)), why);
    }

    // ---- serving ----------------------------------------------------------------------------------------------------------

    /// @dev Rules 51 and 52: anybody shows it, the proposer is paid, T / 2 of the window are left.
    function test_serve_eachKind_paysTheProposer() external {
        bytes32[3] memory ids = [_demandInput(8, 32), _demandOutput(3, 1), _demandConstant(4, 4)];
        vm.warp(block.timestamp + 59);
        vm.startPrank(STRANGER);
        claims.serve(_demand(ids[0]), _run(honest().tensors[0], 8, 32));
        claims.serve(_demand(ids[1]), _run(honest().tensors[2], 3, 1));
        claims.serve(_demand(ids[2]), _run(_weights(), 4, 4));
        vm.stopPrank();
        uint256 nbytes = (10_000 - 8 * 256) + (800 - 768) + (1800 - 1024);
        assertEq(claims.balances(PROPOSER), 80 * nbytes * GWEI);
        assertEq(uint256(claims.assertions(assertionId).openDemands), 0);
        assertEq(uint256(claims.assertions(assertionId).end), block.timestamp + 61);
    }

    /// @dev Rule 52: whoever demanded has T / 2 to run the program, and can challenge as long.
    function test_serve_late_movesTheEndOfTheWindow() external {
        uint256 end = block.timestamp + 120;
        vm.warp(end - 1);
        bytes32 demandId = _demandInput(0, 1);
        vm.warp(end + 58);
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotFinal.selector, "a demand on it is open");
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.finalise, (assertionId)), why);
        _serve(demandId, 0, 1);
        vm.warp(end + 58 + 29);
        why = abi.encodeWithSelector(IOptimisticClaims.NotFinal.selector, "its window is open");
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.finalise, (assertionId)), why);
        uint256 before = vm.snapshotState();
        challengeBy(CHALLENGER, assertionId, lying(2, 0));
        vm.revertToState(before);
        vm.warp(end + 58 + 30);
        claims.finalise(assertionId);
    }

    /// @dev Rule 37: the leaves that are demanded, no others, under their tensor's root.
    function test_serve_anythingElse_reverts() external {
        bytes32 demandId = _demandInput(8, 4);
        Demand memory demand = _demand(demandId);
        bytes memory data = honest().tensors[0];
        Run memory run = _run(data, 8, 4);
        run.data[1000] ^= 0x01;
        _refusedServe(demand, run, abi.encodeWithSelector(IOptimisticClaims.NotUnderRoot.selector, demand.root));
        run = _run(data, 8, 4);
        run.siblings[1] ^= bytes32(uint256(1));
        _refusedServe(demand, run, abi.encodeWithSelector(IOptimisticClaims.NotUnderRoot.selector, demand.root));
        run.siblings = new bytes32[](5);
        _refusedServe(demand, run, abi.encodeWithSelector(Openings.WrongSiblings.selector, 5));
        bytes4 why = IOptimisticClaims.BadDemand.selector;
        _refusedServe(demand, _run(data, 9, 4), abi.encodeWithSelector(why, 9, 1024));
        _refusedServe(demand, _run(data, 8, 5), abi.encodeWithSelector(why, 8, 1280));
        _refusedServe(demand, _run(data, 8, 3), abi.encodeWithSelector(why, 8, 768));
        demand.payer = STRANGER;
        demandId = keccak256(abi.encode(demand));
        _refusedServe(
            demand, _run(data, 8, 4), abi.encodeWithSelector(IOptimisticClaims.UnknownDemand.selector, demandId)
        );
    }

    /// @dev Property 29.
    function test_serve_twice_reverts() external {
        bytes32 demandId = _demandInput(0, 1);
        _serve(demandId, 0, 1);
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.UnknownDemand.selector, demandId);
        _refusedServe(_demand(demandId), _run(honest().tensors[0], 0, 1), why);
        refused(STRANGER, address(claims), 0, abi.encodeCall(claims.closeDemand, (_demand(demandId))), why);
    }

    function _refusedServe(Demand memory demand, Run memory run, bytes memory why) private {
        refused(PROPOSER, address(claims), 0, abi.encodeCall(claims.serve, (demand, run)), why);
    }

    // ---- not serving ------------------------------------------------------------------------------------------------------

    /// @dev Rule 51 and property 8: at the deadline, not a second before, the assertion is dead and the pay returns.
    function test_close_aroundTheDeadline_allowsExactlyOne() external {
        bytes32 demandId = _demandInput(0, 2);
        Demand memory demand = _demand(demandId);
        Run memory run = _run(honest().tensors[0], 0, 2);
        uint256 before = vm.snapshotState();
        vm.warp(demand.deadline - 1);
        bytes memory close = abi.encodeCall(claims.closeDemand, (demand));
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.DemandRuns.selector, demand.deadline);
        refused(STRANGER, address(claims), 0, close, why);
        claims.serve(demand, run);
        vm.revertToState(before);
        vm.warp(demand.deadline);
        _refusedServe(demand, run, abi.encodeWithSelector(IOptimisticClaims.DemandExpired.selector, demand.deadline));
        claims.closeDemand(demand);
        vm.assertTrue(claims.assertions(assertionId).status == AssertionStatus.Dead, "dead");
        vm.assertTrue(claims.assertions(assertionId).reason == Reason.Data, "for its data");
        assertEq(claims.balances(CHALLENGER), 80 * 512 * GWEI + BOND / 2);
        assertEq(claims.burnt(), BOND / 2);
        assertEq(claims.balances(PROPOSER), 0);
        assertEq(uint256(claims.requests(requestId).epoch), 1);
    }

    /// @dev A demand on what is dead anyway is moot: its pay returns, and nobody can serve it.
    function test_close_moot_returnsThePay() external {
        bytes32 demandId = _demandInput(0, 1);
        Demand memory demand = _demand(demandId);
        bytes32 gameId = challengeBy(CHALLENGER, assertionId, lying(2, 0));
        bytes32 other = challengeBy(STRANGER, assertionId, lying(2, 0));
        vm.warp(demand.deadline);
        games.timeout(gameId, 0, 0);
        uint256 had = claims.balances(CHALLENGER);
        _refusedServe(
            demand,
            _run(honest().tensors[0], 0, 1),
            abi.encodeWithSelector(IOptimisticClaims.NotLiving.selector, assertionId, AssertionStatus.Dead)
        );
        claims.closeDemand(demand);
        assertEq(claims.balances(CHALLENGER), had + 80 * 256 * GWEI);
        games.close(other);
        assertEq(claims.balances(STRANGER), STAKE);
    }

    /// @dev Rule 51: who dies for its data closes the games against it, and their bonds return.
    function test_close_withOpenGame_returnsTheChallengersBond() external {
        bytes32 demandId = _demandInput(0, 1);
        bytes32 gameId = challengeBy(STRANGER, assertionId, lying(2, 0));
        vm.warp(block.timestamp + 60);
        claims.closeDemand(_demand(demandId));
        vm.assertTrue(games.turn(gameId).moot, "moot");
        games.close(gameId);
        assertEq(claims.balances(STRANGER), STAKE);
    }

    /// @dev Rule 15: an assertion of the final commitment owes nobody data any more.
    function test_close_requestFinal_returnsThePay() external {
        bytes32 same = assertBy(STRANGER, requestId, honest());
        vm.warp(block.timestamp + 119);
        bytes32 demandId = _demandInput(0, 1);
        Demand memory demand = _demand(demandId);
        vm.warp(block.timestamp + 1);
        claims.finalise(same);
        claims.closeDemand(demand);
        assertEq(claims.balances(CHALLENGER), 80 * 256 * GWEI);
        claims.returnBond(assertionId);
        assertEq(claims.balances(PROPOSER), BOND + 1 ether); // it was the first
    }

    // ---- what they use ----------------------------------------------------------------------------------------------------

    mapping(bytes32 demandId => bytes) private _demands;

    function _demand(bytes32 demandId) private view returns (Demand memory) {
        return abi.decode(_demands[demandId], (Demand));
    }

    function _kept(bytes32 demandId, uint8 dtype, uint64 nbytes, bytes32 root, uint32 first, uint8 count)
        private
        returns (bytes32)
    {
        uint40 deadline = uint40(block.timestamp + 60);
        _demands[demandId] = abi.encode(Demand(assertionId, CHALLENGER, deadline, dtype, nbytes, root, first, count));
        return demandId;
    }

    function _pay(uint256 nbytes, uint256 first, uint256 count) private pure returns (uint256) {
        uint256 end = (first + count) * 256 < nbytes ? (first + count) * 256 : nbytes;
        return 80 * (end - first * 256) * GWEI;
    }

    function _demandInput(uint32 first, uint8 count) private returns (bytes32) {
        bytes32[] memory roots = _inputRoots();
        vm.prank(CHALLENGER);
        bytes32 id = claims.demandInput{value: _pay(10_000, first, count)}(assertionId, roots, 0, first, count);
        return _kept(id, 0, 10_000, roots[0], first, count);
    }

    function _demandOutput(uint32 first, uint8 count) private returns (bytes32) {
        bytes32[] memory roots = _outputRoots();
        vm.prank(CHALLENGER);
        bytes32 id = claims.demandOutput{value: _pay(800, first, count)}(assertionId, roots, 0, first, count);
        return _kept(id, 3, 800, roots[0], first, count);
    }

    function _demandConstant(uint32 first, uint8 count) private returns (bytes32) {
        Described memory opened = described(1);
        vm.prank(CHALLENGER);
        bytes32 id = claims.demandConstant{value: _pay(1800, first, count)}(assertionId, 0, opened, 1, first, count);
        return _kept(id, 1, 1800, _weightsRoot(), first, count);
    }

    function _serve(bytes32 demandId, uint32 first, uint32 count) private {
        claims.serve(_demand(demandId), _run(honest().tensors[0], first, count));
    }

    /// @dev Rule 37, as plainly as can be.
    function _run(bytes memory data, uint32 first, uint32 count) private pure returns (Run memory run) {
        Tree memory whole = Trees.ofTensor(data);
        run.first = first;
        run.data = Trees.slice(data, first * 256, count * 256);
        (uint256 left, uint256 right) = (first, first + (run.data.length + 255) / 256 - 1);
        for (uint256 height; height + 1 < whole.levels.length; ++height) {
            if (left % 2 == 1) run.siblings = joined(run.siblings, Trees.siblings(whole, height, left, 1));
            if (right % 2 == 0) run.siblings = joined(run.siblings, Trees.siblings(whole, height, right, 1));
            (left, right) = (left / 2, right / 2);
        }
    }

    function _inputRoots() private view returns (bytes32[] memory) {
        return Trees.nodes(honest().trace, 0, 0, 1);
    }

    function _outputRoots() private view returns (bytes32[] memory) {
        return Trees.nodes(honest().trace, 0, 2, 1);
    }

    function _refused(uint256 value, bytes memory data, bytes memory why) private {
        refused(CHALLENGER, address(claims), value, data, why);
    }
}
