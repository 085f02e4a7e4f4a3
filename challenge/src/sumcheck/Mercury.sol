// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "./Curve.sol";
import {P, Scalar} from "./Scalar.sol";
import {Transcript} from "./Transcript.sol";

/// @title Mercury: a multilinear polynomial opened at a point by 8 points and 6 scalars (Eagen, Gabizon, eprint 2025/385).
/// @notice Equations and names are those of circuits/sumcheck/crates/commitment/src/mercury.rs, in its order; here they are checked for a contract.
/// @dev Words of an opening: h, q, g, s, d (10), g, h, s each at zeta and 1/zeta (6), t, w, w' (6).
library Mercury {
    /// @notice Thrown when the opening does not show that value.
    error OpeningFails();

    /// @notice Thrown when one of the opening's points is infinity, of which no honest opening holds any.
    error Infinity();

    /// @notice Thrown for a point of fewer than two coordinates.
    error TooFewCoordinates();

    /// @notice How many words of calldata an opening has.
    uint256 internal constant WORDS = 22;

    uint256 private constant HALF = (P + 1) / 2;

    struct Challenges {
        uint256 alpha;
        uint256 gamma;
        uint256 zeta;
        uint256 beta;
        uint256 z;
        uint256 delta;
        uint256 inverse; // of zeta
        uint256 zetaToB;
        uint256 hAlpha; // h at alpha, which the inner products determine
        uint256 beta2;
        uint256 beta3;
        uint256 beta4;
        uint256 short; // delta (z - alpha)
        uint256 long; // delta beta^3 (z - 1/zeta)
    }

    /// @notice Reverts unless the polynomial below (x, y) has `value` at `point`; returns the transcript's next state.
    /// @param start Where in calldata the opening begins; its 22 words are there.
    /// @param tau The reference string's secret in the second group, from the pinned key.
    function verify(
        bytes32 state,
        uint256[2] memory row,
        uint256[] memory point,
        uint256 value,
        uint256 start,
        uint256[4] memory tau
    ) internal view returns (bytes32) {
        if (point.length < 2) revert TooFewCoordinates();
        Challenges memory c;
        state = _draw(_absorbStatement(state, row, point, value), start, c);
        Scalar.checkWords(start + 320, 6);
        c.inverse = Scalar.inverse(c.zeta);
        _evaluate(c, point, value, start);

        Sum memory left = Sum(row[0], row[1], 0, 0, 0);
        _addPoints(left, c, start);
        Sum memory right = Sum(_word(start, 16), _word(start, 17), 0, 0, 0);
        Curve.add(right, _word(start, 20), _word(start, 21), c.delta);
        if (!Curve.pairingHolds(left, right, tau)) revert OpeningFails();
        return state;
    }

    function _absorbStatement(bytes32 state, uint256[2] memory row, uint256[] memory point, uint256 value)
        private
        pure
        returns (bytes32 next)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, mload(point))
            mstore(free, state)
            mstore(add(free, 32), "mercury.statement")
            mstore(add(free, 64), add(mload(point), 3))
            mcopy(add(free, 96), row, 64)
            mcopy(add(free, 160), add(point, 32), size)
            mstore(add(free, add(160, size)), value)
            next := keccak256(free, add(192, size))
        }
    }

    function _draw(bytes32 state, uint256 start, Challenges memory c) private pure returns (bytes32) {
        state = Transcript.draw(Transcript.absorb(state, "mercury.h", start, 2), "mercury.alpha");
        c.alpha = Transcript.scalar(state);
        state = Transcript.draw(Transcript.absorb(state, "mercury.qg", start + 64, 4), "mercury.gamma");
        c.gamma = Transcript.scalar(state);
        state = Transcript.draw(Transcript.absorb(state, "mercury.sd", start + 192, 4), "mercury.zeta");
        c.zeta = Transcript.scalar(state);
        state = Transcript.draw(Transcript.absorb(state, "mercury.values", start + 320, 6), "mercury.beta");
        c.beta = Transcript.scalar(state);
        state = Transcript.draw(Transcript.absorb(state, "mercury.tw", start + 512, 4), "mercury.z");
        c.z = Transcript.scalar(state);
        state = Transcript.draw(Transcript.absorb(state, "mercury.last", start + 640, 2), "mercury.delta");
        c.delta = Transcript.scalar(state);
        return state;
    }

    /// @dev zeta^b, and h(alpha) from the two inner products.
    function _evaluate(Challenges memory c, uint256[] memory point, uint256 value, uint256 start) private pure {
        (uint256 columns, uint256 rows, uint256 power) = _evaluateEq(point, c.zeta);
        (uint256 columnsInverse, uint256 rowsInverse,) = _evaluateEq(point, c.inverse);
        c.zetaToB = power;
        uint256 sum = addmod(mulmod(_word(start, 12), rowsInverse, P), mulmod(_word(start, 13), rows, P), P);
        sum = mulmod(c.gamma, Scalar.sub(sum, addmod(value, value, P)), P);
        sum = addmod(sum, mulmod(_word(start, 10), columnsInverse, P), P);
        sum = addmod(sum, mulmod(_word(start, 11), columns, P), P);
        sum = Scalar.sub(sum, mulmod(c.zeta, _word(start, 14), P));
        sum = Scalar.sub(sum, mulmod(c.inverse, _word(start, 15), P));
        c.hAlpha = mulmod(sum, HALF, P);
    }

    /// @dev E_w(x), E_u(x) and x^b: of n coordinates the last ceil(n/2) are the columns', the others the rows'.
    function _evaluateEq(uint256[] memory point, uint256 x)
        private
        pure
        returns (uint256 columns, uint256 rows, uint256 power)
    {
        columns = 1;
        rows = 1;
        power = x;
        assembly ("memory-safe") {
            let p := P
            let n := mload(point)
            let first := add(point, 32)
            let w := add(point, shl(5, n))
            let half := shr(1, add(n, 1))
            let u := sub(w, shl(5, half))
            for { let end := u } gt(w, end) { w := sub(w, 32) } {
                let less := addmod(power, sub(p, 1), p) // factors are 1 + u (x^(2^j) - 1)
                columns := mulmod(columns, addmod(1, mulmod(mload(w), less, p), p), p)
                if iszero(lt(u, first)) { rows := mulmod(rows, addmod(1, mulmod(mload(u), less, p), p), p) }
                u := sub(u, 32)
                power := mulmod(power, power, p)
            }
        }
    }

    /// @dev left += every point of the opening by its scalar.
    function _addPoints(Sum memory left, Challenges memory c, uint256 start) private view {
        c.beta2 = mulmod(c.beta, c.beta, P);
        c.beta3 = mulmod(c.beta2, c.beta, P);
        c.beta4 = mulmod(c.beta2, c.beta2, P);
        c.short = mulmod(c.delta, Scalar.sub(c.z, c.alpha), P);
        uint256 toInverse = Scalar.sub(c.z, c.inverse);
        c.long = mulmod(mulmod(c.delta, c.beta3, P), toInverse, P);
        _addPoint(left, start, 0, addmod(addmod(c.beta2, mulmod(c.short, c.beta, P), P), c.long, P)); // h
        _addPoint(left, start, 2, Scalar.sub(c.alpha, c.zetaToB)); // q
        _addPoint(left, start, 4, addmod(c.beta, c.short, P)); // g
        _addPoint(left, start, 6, addmod(c.beta3, mulmod(c.short, c.beta2, P), P)); // s
        _addPoint(left, start, 8, c.beta4); // d
        _addPoint(left, start, 16, c.zeta); // t
        _addPoint(left, start, 18, mulmod(c.short, P - toInverse, P)); // w
        _addPoint(left, start, 20, mulmod(c.delta, c.z, P)); // w'
        Curve.add(left, 1, 2, Scalar.sub(0, _claimed(c, start)));
    }

    /// @dev What all claimed values add up to, each by the scalar of its polynomial.
    function _claimed(Challenges memory c, uint256 start) private pure returns (uint256 sum) {
        uint256 gInverse = _word(start, 11);
        sum = mulmod(c.beta4, mulmod(c.zetaToB, mulmod(c.inverse, gInverse, P), P), P); // d = zeta^(b - 1) g(1/zeta)
        sum = addmod(sum, mulmod(addmod(c.beta, 1, P), _word(start, 10), P), P);
        sum = addmod(sum, mulmod(c.beta2, _word(start, 12), P), P);
        sum = addmod(sum, mulmod(c.beta3, _word(start, 14), P), P);
        uint256 short = addmod(gInverse, mulmod(c.beta, _word(start, 13), P), P);
        short = addmod(short, mulmod(c.beta2, _word(start, 15), P), P);
        sum = addmod(sum, mulmod(c.short, short, P), P);
        sum = addmod(sum, mulmod(c.long, c.hAlpha, P), P);
    }

    function _addPoint(Sum memory left, uint256 start, uint256 place, uint256 scalar) private view {
        (uint256 x, uint256 y) = (_word(start, place), _word(start, place + 1));
        if ((x | y) == 0) revert Infinity();
        Curve.add(left, x, y, scalar);
    }

    function _word(uint256 start, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(start, shl(5, place)))
        }
    }
}
