// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P, Scalar} from "./Scalar.sol";
import {Transcript} from "./Transcript.sol";

/// @title The rounds of the lookup argument (rule 61): eight fractions a helper, eq factored out.
/// @notice A round is q with (1 - tau) q(0) + tau q(1) = claim: its coefficients but the constant, which the claim determines.
library LookupRounds {
    /// @notice Of a round polynomial.
    uint256 internal constant DEGREE = 9;

    /// @notice Reads a polynomial for each coordinate of tau. The claim begins as 0.
    /// @param start Where in calldata; 9 words a round are there.
    /// @param tau Address of n words in memory.
    /// @param point Address where the n challenges go, and behind them the value left, for the caller to check.
    function verify(bytes32 state, uint256 start, uint256 tau, uint256 n, uint256 point)
        internal
        pure
        returns (bytes32)
    {
        (uint256 value, uint256 p) = (0, P);
        unchecked {
            for (uint256 end = tau + 32 * n; tau < end; tau += 32) {
                state = Transcript.draw(Transcript.absorb(state, "lookup round", start, DEGREE), "lookup point");
                uint256 r = uint256(state) % p;
                value = _evaluate(value, start, r, tau, p);
                assembly ("memory-safe") {
                    mstore(point, r)
                }
                (start, point) = (start + 32 * DEGREE, point + 32);
            }
        }
        assembly ("memory-safe") {
            mstore(point, value)
        }
        return state;
    }

    /// @dev q(r), by Horner's rule; q(0) = claim - tau (q(1) - q(0)). A word that is not below P is refused in the end, so no sum that
    /// counts reaches 2^256.
    function _evaluate(uint256 claim, uint256 start, uint256 r, uint256 tau, uint256 p)
        private
        pure
        returns (uint256 value)
    {
        bool below = true;
        assembly ("memory-safe") {
            let sum
            for { let next := add(start, 256) } iszero(lt(next, start)) { next := sub(next, 32) } {
                let word := calldataload(next)
                below := and(below, lt(word, p))
                sum := addmod(sum, word, p)
                value := mulmod(add(value, word), r, p)
            }
            value := addmod(value, addmod(claim, sub(p, mulmod(mload(tau), sum, p)), p), p)
        }
        if (!below) revert Scalar.NotCanonical();
    }

    /// @notice helper prod(alpha - f_b) - sum over b of n_b prod of the others, for eight fractions.
    /// @param helper Address of the helper's value, and behind it the eight f.
    /// @param numerators Address of the eight n, or 0 if all are 1.
    function defect(uint256 helper, uint256 numerators, uint256 alpha) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let p := P
            let numerator := 0
            let denominator := 1
            for { let i := 32 } lt(i, 288) { i := add(i, 32) } {
                let d := addmod(alpha, sub(p, mload(add(helper, i))), p)
                let n := 1
                if numerators { n := mload(add(sub(numerators, 32), i)) }
                numerator := addmod(mulmod(numerator, d, p), mulmod(n, denominator, p), p)
                denominator := mulmod(denominator, d, p)
            }
            value := addmod(mulmod(mload(helper), denominator, p), sub(p, numerator), p)
        }
    }
}
