// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "../../src/sumcheck/Curve.sol";
import {Axis, IndexTable} from "../../src/sumcheck/IndexTable.sol";
import {Machine} from "../../src/sumcheck/Machine.sol";
import {Mercury} from "../../src/sumcheck/Mercury.sol";
import {Rounds} from "../../src/sumcheck/Rounds.sol";
import {Rows} from "../../src/sumcheck/Rows.sol";
import {Transcript} from "../../src/sumcheck/Transcript.sol";

/// @title The parts of the native proof's verifier, callable from a test; each also says how much gas the part alone took.
contract SumcheckHarness {
    error WrongLength();

    /// @notice The states after each step (count -1 draws) and the challenges drawn.
    function transcript(bytes32 domain, bytes32[] calldata labels, int256[] calldata counts, uint256[] calldata words)
        external
        pure
        returns (bytes32[] memory states, uint256[] memory challenges)
    {
        states = new bytes32[](labels.length + 1);
        challenges = new uint256[](labels.length);
        uint256 drawn;
        states[0] = Transcript.begin(domain);
        for (uint256 i; i < labels.length; ++i) {
            if (counts[i] < 0) {
                states[i + 1] = Transcript.draw(states[i], labels[i]);
                challenges[drawn++] = Transcript.scalar(states[i + 1]);
            } else {
                uint256[] calldata taken = words[:uint256(counts[i])];
                states[i + 1] = Transcript.absorb(states[i], labels[i], _start(taken), taken.length);
                if (Transcript.absorb(states[i], labels[i], taken) != states[i + 1]) revert WrongLength();
                words = words[taken.length:];
            }
        }
        assembly ("memory-safe") {
            mstore(challenges, drawn)
        }
    }

    function opening(
        bytes32 state,
        uint256[2] memory row,
        uint256[] memory point,
        uint256 value,
        uint256[] calldata words,
        uint256[4] memory tau
    ) external view returns (bytes32 next, uint256 gas) {
        if (words.length != Mercury.WORDS) revert WrongLength();
        gas = gasleft();
        next = Mercury.verify(state, row, point, value, _start(words), tau);
        gas -= gasleft();
    }

    function rows(uint256[] calldata words, uint256[] memory weights)
        external
        view
        returns (uint256 x, uint256 y, uint256 gas)
    {
        if (words.length != 2 * weights.length) revert WrongLength();
        Sum memory sum;
        gas = gasleft();
        Rows.fold(sum, _start(words), weights);
        gas -= gasleft();
        return (sum.x, sum.y, gas);
    }

    function rounds(bytes32 state, uint256 claim, uint256 degree, uint256[] calldata words)
        external
        view
        returns (bytes32 next, uint256 value, uint256[] memory point, uint256 gas)
    {
        point = new uint256[](words.length / degree);
        gas = gasleft();
        (next, value) = Rounds.verify(state, claim, _start(words), degree, point);
        gas -= gasleft();
    }

    function indexTable(Axis memory axis, bool byCarry, uint256[] memory r, uint256[] memory i)
        external
        view
        returns (uint256[] memory values, uint256 gas)
    {
        gas = gasleft();
        values = byCarry ? IndexTable.byCarry(axis, r, i) : IndexTable.byTable(axis, r, i);
        gas -= gasleft();
    }

    /// @notice What instructions make of registers that begin as these.
    function machine(uint256[] memory registers, bytes memory data, bytes memory code)
        external
        view
        returns (uint256[] memory, uint256 gas)
    {
        Machine.Run memory run;
        (uint256 first, uint256 from) = (0, 0);
        assembly ("memory-safe") {
            mstore(add(run, 96), add(data, 32))
            first := add(registers, 32)
            from := add(code, 32)
        }
        uint256 table = Machine.instructions();
        gas = gasleft();
        Machine.run(table, run, from, from + code.length, first);
        return (registers, gas - gasleft());
    }

    function _start(uint256[] calldata words) private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := words.offset
        }
    }
}
