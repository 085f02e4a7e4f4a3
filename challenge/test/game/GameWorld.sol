// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms, Trace} from "../../src/game/ClaimState.sol";
import {DisputeGame} from "../../src/game/DisputeGame.sol";
import {Described} from "../../src/game/GameState.sol";
import {IDisputeGame} from "../../src/game/IDisputeGame.sol";
import {OptimisticClaims} from "../../src/game/OptimisticClaims.sol";
import {ProgramRegistry} from "../../src/game/ProgramRegistry.sol";
import {Test} from "../Test.sol";
import {Toy, ToySteps} from "./ToySteps.sol";
import {Tree, Trees} from "./Trees.sol";

/// @notice All that one side has of a trace.
struct Forest {
    bytes[] tensors;
    Tree[] trees;
    Tree trace;
    bytes32 root;
}

/// @title A registered program of toys, and requests on it.
abstract contract GameWorld is Test {
    address internal constant REQUESTER = address(0xE1);
    address internal constant PROPOSER = address(0xE2);
    address internal constant CHALLENGER = address(0xE3);
    address internal constant STRANGER = address(0xE4);
    uint256 internal constant GWEI = 1e9;
    uint256 internal constant BOND = 9_600_000 * GWEI;
    uint256 internal constant STAKE = 2_400_000 * GWEI;
    uint256 internal constant START = 1_000_000;

    ToySteps internal steps;
    ProgramRegistry internal registry;
    OptimisticClaims internal claims;
    DisputeGame internal games;

    Toy[] internal toys;
    uint64 internal inputBytes = 4;
    uint8 internal profile = 2;
    uint40 internal feeTime = 1000;
    bytes32 internal programId;

    /// @dev Deploys everything for the toys that were pushed, registers the program, and lets it come of age.
    function deploy(uint8 fanOut) internal {
        vm.warp(START);
        steps = new ToySteps();
        registry = new ProgramRegistry(steps);
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        claims = new OptimisticClaims(IDisputeGame(next), registry);
        games = new DisputeGame(claims, steps, fanOut);
        Described[] memory outputs = new Described[](1);
        outputs[0] = described(toys.length);
        programId = registry.register(
            header(), 0, descriptorTree().levels[descriptorTree().levels.length - 1][0], outputs, "ipfs://toys"
        );
        vm.warp(START + 26 hours);
        for (uint160 i = 0xE1; i <= 0xE4; ++i) {
            vm.deal(address(i), 1000 ether);
        }
    }

    // ---- the program ------------------------------------------------------------------------------------------------------

    /// @dev One input of bytes; the last toy is the output.
    function header() internal view returns (bytes memory) {
        return abi.encodePacked(
            abi.encodePacked(
                uint8(1), uint8(0), uint8(1), uint32(inputBytes), int64(0), int64(200), keccak256("encoding")
            ),
            abi.encodePacked(
                uint32(toys.length), uint8(1), uint32(toys.length), keccak256("decoding"), uint8(9), uint8(2)
            )
        );
    }

    /// @dev Of the operator whose output is a tensor of the trace.
    function descriptor(uint256 tensor) internal view virtual returns (bytes memory) {
        Toy memory toy = toys[tensor - 1];
        return abi.encodePacked(toy.kind, toy.dtype, toy.nbytes, toy.terms, toy.tau, uint32(tensor));
    }

    function descriptorTree() internal view returns (Tree memory) {
        bytes32[] memory leaves = new bytes32[](toys.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encodePacked(hex"21", descriptor(i + 1)));
        }
        return Trees.grow(leaves);
    }

    function described(uint256 tensor) internal view returns (Described memory) {
        Tree memory all = descriptorTree();
        return Described(descriptor(tensor), Trees.siblings(all, 0, tensor - 1, all.levels.length - 1));
    }

    // ---- traces -----------------------------------------------------------------------------------------------------------

    function input() internal view returns (bytes memory data) {
        data = new bytes(inputBytes);
        for (uint256 i; i < data.length; ++i) {
            data[i] = bytes1(uint8(i % 200));
        }
    }

    /// @dev What an honest run gives.
    function honest() internal view returns (Forest memory forest) {
        forest.tensors = new bytes[](toys.length + 1);
        forest.tensors[0] = input();
        for (uint256 tensor = 1; tensor <= toys.length; ++tensor) {
            forest.tensors[tensor] = output(toys[tensor - 1]);
        }
        plant(forest);
    }

    /// @dev What a run gives in which one byte of a tensor is another.
    function lying(uint256 tensor, uint256 place) internal view returns (Forest memory forest) {
        forest = honest();
        forest.tensors[tensor][place] ^= 0x01;
        plant(forest);
    }

    function output(Toy memory toy) internal pure returns (bytes memory data) {
        data = new bytes(toy.nbytes);
        uint256 width = 1 << toy.dtype;
        for (uint256 element; element < toy.nbytes / width; ++element) {
            uint256 value = uint256(partialAt(toy, element, pieces(toy)));
            for (uint256 i; i < width; ++i) {
                data[element * width + i] = bytes1(uint8(value >> (8 * i)));
            }
        }
    }

    function pieces(Toy memory toy) internal pure returns (uint256) {
        return (toy.terms + toy.tau - 1) / toy.tau;
    }

    /// @dev The accumulator's value after `count` pieces.
    function partialAt(Toy memory toy, uint256 element, uint256 count) internal pure returns (int256) {
        int256 start = toy.kind == 11 ? int256(type(int64).min) : int256(0);
        return start + int256(count * element + (count * (count + 1)) / 2);
    }

    /// @dev Grows the trees over the tensors.
    function plant(Forest memory forest) internal view {
        uint256 count = forest.tensors.length;
        forest.trees = new Tree[](count);
        bytes32[] memory roots = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            forest.trees[i] = Trees.ofTensor(forest.tensors[i]);
            uint8 dtype = i == 0 ? 0 : toys[i - 1].dtype;
            uint64 nbytes = uint64(forest.tensors[i].length);
            roots[i] = keccak256(abi.encodePacked(hex"02", dtype, nbytes, Trees.root(forest.trees[i])));
        }
        forest.trace = Trees.grow(roots);
        forest.root = keccak256(abi.encodePacked(hex"04", uint32(count), Trees.root(forest.trace)));
    }

    // ---- requests, assertions, challenges -----------------------------------------------------------------------------------

    /// @dev An account's call that has to fail, and how.
    function refused(address sender, address to, uint256 value, bytes memory data, bytes memory why) internal {
        vm.prank(sender);
        (bool done, bytes memory answer) = to.call{value: value}(data);
        vm.assertTrue(!done, "it was taken");
        vm.assertEq(answer, why, "refused for another reason");
    }

    function terms() internal view returns (Terms memory) {
        return Terms({profile: profile, fee: 1 ether, minimumBond: 0, deadline: uint40(block.timestamp) + feeTime});
    }

    function ask() internal returns (bytes32) {
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = input();
        vm.prank(REQUESTER);
        return claims.request{value: 1 ether}(programId, terms(), inputs);
    }

    /// @dev A request about an input that is known by its root; the deposit lies beside the fee.
    function askByRoots(Forest memory forest) internal returns (bytes32) {
        vm.prank(REQUESTER);
        return claims.requestByRoots{value: 1 ether + STAKE}(programId, terms(), Trees.nodes(forest.trace, 0, 0, 1));
    }

    function traceOf(Forest memory forest) internal pure returns (Trace memory trace) {
        uint256 depth = forest.trace.levels.length - 1;
        uint256 last = forest.tensors.length - 1;
        trace.root = forest.root;
        trace.inputRoots = Trees.nodes(forest.trace, 0, 0, 1);
        trace.paths = new bytes32[][](2);
        trace.paths[0] = Trees.siblings(forest.trace, 0, 0, depth);
        trace.paths[1] = Trees.siblings(forest.trace, 0, last, depth);
    }

    function outputsOf(Forest memory forest) internal pure returns (bytes[] memory outputs) {
        outputs = new bytes[](1);
        outputs[0] = forest.tensors[forest.tensors.length - 1];
    }

    function assertBy(address proposer, bytes32 requestId, Forest memory forest) internal returns (bytes32) {
        (uint256 bond,) = claims.bonds(requestId);
        vm.prank(proposer);
        return claims.assertOutputs{value: bond}(requestId, traceOf(forest), outputsOf(forest));
    }

    function challengeBy(address challenger, bytes32 assertionId, Forest memory forest) internal returns (bytes32) {
        (, uint256 bond) = claims.bonds(claims.assertions(assertionId).requestId);
        vm.prank(challenger);
        return claims.challenge{value: bond}(assertionId, forest.root);
    }
}
