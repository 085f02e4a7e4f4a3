// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Machine} from "./Machine.sol";
import {Transcript} from "./Transcript.sol";

/// @title Verifies native proofs of every program: the plan says which, and lives in data contracts.
/// @notice Assures that the program's integers give these outputs on these inputs, with a random oracle, in the algebraic group model under q-SDH, if
/// the plan follows from the program (whoever pins it checks that) and nobody knows the reference string's secret. Hides nothing.
contract SumcheckVerifier {
    /// @notice Statement or proof have not as many words as the plan's.
    error WrongLength();

    /// @notice A plan of another version, or none.
    error NoPlan();

    uint256 private constant VERSION = 1;
    /// @dev Of fields, and behind them of the key's digest and of the reference string's secret in the second group.
    uint256 private constant HEADER = 192;

    /// @notice Reverts unless the proof holds.
    /// @param plans Data contracts: a zero byte, then a part of the plan each. Pinned by the caller: a plan says what is true.
    /// @param context What the proof is bound to beside: a request's id, or zero.
    /// @param statement Inputs, then outputs, as they are absorbed: 32 bytes a word.
    function verify(address[] calldata plans, bytes32 context, uint256[] calldata statement, uint256[] calldata proof)
        external
        view
    {
        uint256 table = Machine.instructions();
        uint256 plan = _load(plans);
        if (_field(plan, 0) != VERSION) revert NoPlan();
        if (statement.length != _field(plan, 5) || proof.length != _field(plan, 6)) revert WrongLength();
        uint256 code = plan + HEADER + _field(plan, 3);
        uint256 registers = code + 16 * _field(plan, 4);
        _claim(registers + 32 * _field(plan, 2)); // INVARIANT: nothing has written there, so registers begin as zeros
        Machine.Run memory run;
        run.data = plan + HEADER;
        run.state = _begin(plan, context);
        uint256[4] memory tau = run.tau;
        assembly ("memory-safe") {
            mcopy(tau, add(plan, 64), 128)
            mstore(add(run, 32), proof.offset)
            mstore(add(run, 64), statement.offset)
        }
        Machine.run(table, run, code, registers, registers);
    }

    /// @dev The transcript knows version, key, context, that nothing is hidden, and how many inputs are run at once.
    function _begin(uint256 plan, bytes32 context) private pure returns (bytes32) {
        uint256[] memory words = new uint256[](5);
        uint256 digest;
        assembly ("memory-safe") {
            digest := mload(add(plan, 32))
        }
        (words[0], words[1], words[2], words[4]) = (VERSION, digest, uint256(context), _field(plan, 7));
        return Transcript.absorb(Transcript.begin("vml.sumcheck"), "statement", words);
    }

    /// @dev The plan's address in memory, where it is the last thing: registers follow its constants.
    function _load(address[] calldata plans) private view returns (uint256 plan) {
        assembly ("memory-safe") {
            plan := mload(0x40)
        }
        uint256 end = plan;
        for (uint256 i; i < plans.length; ++i) {
            address part = plans[i];
            assembly ("memory-safe") {
                let size := extcodesize(part)
                if size {
                    extcodecopy(part, end, 1, sub(size, 1))
                    end := add(end, sub(size, 1))
                }
            }
        }
        _claim(end);
    }

    /// @dev Memory below is taken.
    function _claim(uint256 end) private pure {
        assembly ("memory-safe") {
            mstore(0x40, end)
        }
    }

    function _field(uint256 plan, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(plan, shl(2, place))))
        }
    }
}
