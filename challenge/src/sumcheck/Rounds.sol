// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {P, Scalar} from "./Scalar.sol";
import {Transcript} from "./Transcript.sol";

/// @title The rounds of a sumcheck (Lund, Fortnow, Karloff, Nisan 1992).
/// @notice A round is a polynomial p with p(0) + p(1) = claim: its coefficients but the linear one, which the claim determines.
library Rounds {
    /// @notice Reads a polynomial of that degree for each coordinate of `point`, and fills it with the challenges.
    /// @param start Where in calldata; `degree` words a round are there, and degree is at least 1.
    /// @return next The transcript's next state.
    /// @return value What the summed polynomial has to be at `point`: for the caller to check.
    function verify(bytes32 state, uint256 claim, uint256 start, uint256 degree, uint256[] memory point)
        internal
        pure
        returns (bytes32 next, uint256 value)
    {
        (next, value) = (state, claim);
        uint256 p = P;
        unchecked {
            for (uint256 i; i < point.length; ++i) {
                next = Transcript.draw(Transcript.absorb(next, "round", start, degree), "point");
                uint256 r = uint256(next) % p;
                value = _evaluate(value, start, degree, r, p);
                assembly ("memory-safe") {
                    mstore(add(point, shl(5, add(i, 1))), r)
                }
                start += 32 * degree;
            }
        }
    }

    /// @dev p(r), by Horner's rule from the highest coefficient on, and beside it the sum of all. A word that is not below P is
    /// refused in the end, so no sum that counts reaches 2^256. Each caller keeps P at hand, which costs 30 gas to fetch.
    function _evaluate(uint256 claim, uint256 start, uint256 degree, uint256 r, uint256 p)
        private
        pure
        returns (uint256 value)
    {
        bool below = true;
        assembly ("memory-safe") {
            let word
            let sum
            for { let next := add(start, shl(5, sub(degree, 1))) } gt(next, start) { next := sub(next, 32) } {
                word := calldataload(next)
                below := and(below, lt(word, p))
                sum := addmod(sum, word, p)
                value := mulmod(add(value, word), r, p)
            }
            word := calldataload(start)
            below := and(below, lt(word, p))
            sum := addmod(sum, addmod(word, word, p), p)
            value := addmod(value, addmod(claim, sub(p, sum), p), p)
            value := addmod(word, mulmod(value, r, p), p)
        }
        if (!below) revert Scalar.NotCanonical();
    }
}
