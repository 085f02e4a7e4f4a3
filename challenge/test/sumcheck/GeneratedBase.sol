// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "../../src/sumcheck/Curve.sol";
import {Axis, IndexTable} from "../../src/sumcheck/IndexTable.sol";
import {LookupRounds} from "../../src/sumcheck/LookupRounds.sol";
import {Mercury} from "../../src/sumcheck/Mercury.sol";
import {Multilinear} from "../../src/sumcheck/Multilinear.sol";
import {PublicValue} from "../../src/sumcheck/PublicValue.sol";
import {Rounds} from "../../src/sumcheck/Rounds.sol";
import {P, Scalar} from "../../src/sumcheck/Scalar.sol";
import {Transcript} from "../../src/sumcheck/Transcript.sol";

/// @title What verifiers share that `vml bench gas-generated` writes, one for each program: a measurement, deployed by nobody.
/// @notice Steps of the protocol with everything said by the caller: addresses in memory and calldata, counts, labels.
abstract contract GeneratedBase {
    /// @notice As Machine's.
    error Rejected(uint256 reason);

    /// @notice As SumcheckVerifier's.
    error WrongLength();

    function _begin(uint256 digest, bytes32 context, uint256 batch) internal pure returns (bytes32) {
        uint256[] memory words = new uint256[](5);
        (words[0], words[1], words[2], words[4]) = (1, digest, uint256(context), batch);
        return Transcript.absorb(Transcript.begin("vml.sumcheck"), "statement", words);
    }

    function _put(uint256 d, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(d, value)
        }
    }

    function _get(uint256 a) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(a)
        }
    }

    function _read(bytes32 state, uint256 start, uint256 d, uint256 n, bytes32 label)
        internal
        pure
        returns (bytes32 next)
    {
        next = Transcript.absorb(state, label, start, n);
        Scalar.checkWords(start, n);
        assembly ("memory-safe") {
            calldatacopy(d, start, shl(5, n))
        }
    }

    function _draw(bytes32 state, uint256 d, uint256 n, bytes32 label) internal pure returns (bytes32) {
        assembly ("memory-safe") {
            let p := P
            mstore(32, label)
            for { let end := add(d, shl(5, n)) } lt(d, end) { d := add(d, 32) } {
                mstore(0, state)
                state := keccak256(0, 64)
                mstore(d, mod(state, p))
            }
        }
        return state;
    }

    function _rounds(bytes32 state, uint256 start, uint256 claim, uint256 d, uint256 n, uint256 degree)
        internal
        pure
        returns (bytes32 next)
    {
        uint256[] memory point = new uint256[](n);
        uint256 value;
        (next, value) = Rounds.verify(state, _get(claim), start, degree, point);
        assembly ("memory-safe") {
            mcopy(d, add(point, 32), shl(5, n))
            mstore(add(d, shl(5, n)), value)
        }
    }

    function _same(uint256 a, uint256 b, uint256 reason) internal pure {
        if (_get(a) != _get(b)) revert Rejected(reason);
    }

    function _fold(Sum memory sum, uint256 start, uint256 a, uint256 n) internal view {
        unchecked {
            for (uint256 end = start + 64 * n; start < end; start += 64) {
                uint256 x;
                uint256 y;
                assembly ("memory-safe") {
                    x := calldataload(start)
                    y := calldataload(add(start, 32))
                }
                Curve.add(sum, x, y, _get(a));
                a += 32;
            }
        }
    }

    function _pinned(Sum memory sum, uint256 x, uint256 y, uint256 a) internal view {
        Curve.add(sum, x, y, _get(a));
    }

    function _opening(
        bytes32 state,
        uint256 start,
        Sum memory sum,
        uint256 a,
        uint256 n,
        uint256 value,
        uint256[4] memory tau
    ) internal view {
        Mercury.verify(state, [sum.x, sum.y], _array(a, n), _get(value), start, tau);
    }

    function _array(uint256 from, uint256 n) internal pure returns (uint256[] memory words) {
        words = new uint256[](n);
        assembly ("memory-safe") {
            mcopy(add(words, 32), from, shl(5, n))
        }
    }

    /// @dev On a copy: tables are read more than once.
    function _evaluate(uint256 a, uint256 b, uint256 n) internal pure returns (uint256) {
        uint256 copy;
        assembly ("memory-safe") {
            copy := mload(0x40)
            mcopy(copy, b, shl(add(n, 5), 1))
        }
        return Multilinear.evaluate(copy, a, n);
    }

    function _window(uint256 d, Axis memory axis, uint256[] memory r, uint256[] memory i) internal pure {
        uint256[] memory sums = IndexTable.values(axis, r, i);
        assembly ("memory-safe") {
            mcopy(d, add(sums, 32), shl(5, mload(sums)))
        }
    }

    function _outer(uint256 d, uint256 a, uint256 b, uint256 n, uint256 count) internal pure {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(a, shl(5, count)) } lt(a, end) { a := add(a, 32) } {
                let high := mload(a)
                for {
                    let low := b
                    let last := add(b, shl(5, n))
                } lt(low, last) { low := add(low, 32) } {
                    mstore(d, mulmod(high, mload(low), p))
                    d := add(d, 32)
                }
            }
        }
    }

    /// @dev What was too much for one contract: `part` is given memory from `start` on, and what it returns goes to `d`.
    function _ask(address part, uint256 start, uint256 size, uint256 d) internal view {
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), part, start, size, 0, 0)) { revert(0, 0) }
            returndatacopy(d, 0, returndatasize())
        }
    }
}
