// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "./Curve.sol";
import {Axis, IndexTable} from "./IndexTable.sol";
import {LookupRounds} from "./LookupRounds.sol";
import {Mercury} from "./Mercury.sol";
import {Multilinear} from "./Multilinear.sol";
import {PublicValue} from "./PublicValue.sol";
import {Rounds} from "./Rounds.sol";
import {P, Scalar} from "./Scalar.sol";
import {Transcript} from "./Transcript.sol";

/// @title The verifier of every program's proofs: it follows a plan, which circuits/sumcheck/crates/plan makes of a key.
/// @notice Registers are words of memory, written once; an instruction is code u8, registers d, a, b u24, count n u16, immediate u32.
/// What each does is said in machine.rs beside its name, in the order of the numbers here.
library Machine {
    /// @notice The proof does not show the statement. Reasons: 1 lookups, 2 products, 3 what is stored.
    error Rejected(uint256 reason);

    /// @notice An instruction that no plan of ours holds.
    error NoInstruction(uint256 code);

    /// @notice What instructions share.
    struct Run {
        bytes32 state; // of the transcript
        uint256 proof; // where in calldata the next word is
        uint256 statement; // likewise
        uint256 data; // address of the plan's data
        Sum sum; // of folded rows
        uint256[4] tau;
    }

    /// @notice Runs instructions from address `code` to `end`; registers are from address `registers` on.
    function run(Run memory r, uint256 code, uint256 end, uint256 registers) internal view {
        for (; code < end;) {
            uint256 word;
            assembly ("memory-safe") {
                word := shr(128, mload(code))
                code := add(code, 16)
            }
            unchecked {
                uint256 d = registers + ((word >> 91) & 0x1fffffe0);
                uint256 a = registers + ((word >> 67) & 0x1fffffe0);
                uint256 b = registers + ((word >> 43) & 0x1fffffe0);
                if (word >> 120 == 1) _products(d, registers, (word >> 32) & 0xffff, r.data + (word & 0xffffffff));
                else if (word >> 120 == 2) _sum(d, registers, (word >> 32) & 0xffff, r.data + (word & 0xffffffff));
                else if (word >> 120 < 32) _weights(r, word, d, a, b);
                else _protocol(r, word, d, a, b);
            }
        }
    }

    // ---- arithmetic -----------------------------------------------------------------------------------------------------

    /// @dev Operands are pairs of u24 in the data: distances from the first register r, in bytes. A word w holds five of them; the loop is
    /// unrolled so, since its own steps cost as much as a product.
    function _products(uint256 d, uint256 r, uint256 n, uint256 data) private pure {
        assembly ("memory-safe") {
            let p := P
            let m := 0xffffff
            let end := add(d, shl(5, n))
            for { let fives := sub(end, shl(5, mod(n, 5))) } lt(d, fives) { d := add(d, 160) } {
                let w := mload(data)
                mstore(d, mulmod(mload(add(r, shr(232, w))), mload(add(r, and(shr(208, w), m))), p))
                mstore(add(d, 32), mulmod(mload(add(r, and(shr(184, w), m))), mload(add(r, and(shr(160, w), m))), p))
                mstore(add(d, 64), mulmod(mload(add(r, and(shr(136, w), m))), mload(add(r, and(shr(112, w), m))), p))
                mstore(add(d, 96), mulmod(mload(add(r, and(shr(88, w), m))), mload(add(r, and(shr(64, w), m))), p))
                mstore(add(d, 128), mulmod(mload(add(r, and(shr(40, w), m))), mload(add(r, and(shr(16, w), m))), p))
                data := add(data, 30)
            }
            for {} lt(d, end) { d := add(d, 32) } {
                let w := mload(data)
                mstore(d, mulmod(mload(add(r, shr(232, w))), mload(add(r, and(shr(208, w), m))), p))
                data := add(data, 6)
            }
        }
    }

    function _sum(uint256 d, uint256 r, uint256 n, uint256 data) private pure {
        assembly ("memory-safe") {
            let p := P
            let m := 0xffffff
            let sum := mload(sub(d, 32))
            let end := add(data, mul(6, n))
            for { let fives := sub(end, mul(6, mod(n, 5))) } lt(data, fives) { data := add(data, 30) } {
                let w := mload(data)
                sum := addmod(sum, mulmod(mload(add(r, shr(232, w))), mload(add(r, and(shr(208, w), m))), p), p)
                sum := addmod(sum, mulmod(mload(add(r, and(shr(184, w), m))), mload(add(r, and(shr(160, w), m))), p), p)
                sum := addmod(sum, mulmod(mload(add(r, and(shr(136, w), m))), mload(add(r, and(shr(112, w), m))), p), p)
                sum := addmod(sum, mulmod(mload(add(r, and(shr(88, w), m))), mload(add(r, and(shr(64, w), m))), p), p)
                sum := addmod(sum, mulmod(mload(add(r, and(shr(40, w), m))), mload(add(r, and(shr(16, w), m))), p), p)
            }
            for {} lt(data, end) { data := add(data, 6) } {
                let w := mload(data)
                sum := addmod(sum, mulmod(mload(add(r, shr(232, w))), mload(add(r, and(shr(208, w), m))), p), p)
            }
            mstore(add(d, shl(5, sub(n, 1))), sum)
        }
    }

    function _weights(Run memory r, uint256 word, uint256 d, uint256 a, uint256 b) private pure {
        uint256 op = word >> 120;
        (uint256 n, uint256 imm) = ((word >> 32) & 0xffff, word & 0xffffffff);
        uint256 value;
        if (op == 3) return _copy(d, a, n);
        if (op == 4) value = Multilinear.eq(a, b, n);
        else if (op == 6) value = Multilinear.prefix(a, n, imm);
        else if (op == 7) value = Multilinear.eqPrefix(a, b, n, imm);
        else if (op == 8) value = Multilinear.ramp(a, n, imm);
        else if (op == 10) value = _evaluate(a, b, n);
        else if (op == 11) value = Multilinear.dot(a, b, n);
        else if (op == 17) value = Multilinear.sum(a, n);
        else if (op == 18) value = _pairDot(a, b, n, r.data + imm);
        else if (op == 14) value = _scaled(a, n, r.data + imm, 0);
        else return _tables(r, op, d, a, b, n, imm);
        assembly ("memory-safe") {
            mstore(d, value)
        }
    }

    function _copy(uint256 d, uint256 a, uint256 n) private pure {
        assembly ("memory-safe") {
            mcopy(d, a, shl(5, n))
        }
    }

    /// @dev Instructions that write many registers.
    function _tables(Run memory r, uint256 op, uint256 d, uint256 a, uint256 b, uint256 n, uint256 imm) private pure {
        if (op == 9) Multilinear.eqTable(a, n, d);
        else if (op == 5) Multilinear.complement(a, n, d);
        else if (op == 12) _map(d, a, n, r.data + imm);
        else if (op == 13) _scaled(a, n, r.data + imm, d);
        else if (op == 15) _outer(d, a, b, n, imm);
        else if (op == 16) _window(d, a, b, r.data + imm);
        else revert NoInstruction(op);
    }

    function _protocol(Run memory r, uint256 word, uint256 d, uint256 a, uint256 b) private view {
        uint256 op = word >> 120;
        (uint256 n, uint256 imm) = ((word >> 32) & 0xffff, word & 0xffffffff);
        if (op == 32) _read(r, d, n, imm);
        else if (op == 33) _draw(r, d, n, imm);
        else if (op == 34) _rounds(r, d, a, n, imm);
        else if (op == 35) _lookupRounds(r, d, a, n);
        else if (op == 36) _defect(d, a, b, imm);
        else if (op == 37) _same(a, b, imm);
        else if (op == 38) r.proof = _points(r, d, n, imm, r.proof, 64);
        else if (op == 39) _fold(r, a, b, n, imm);
        else if (op == 40) _opening(r, a, b, n);
        else if (op == 41) r.statement = _points(r, d, n, imm, r.statement, 32);
        else if (op == 42) _publicValue(r, d, a, b, n, imm);
        else revert NoInstruction(op);
    }

    // ---- weights --------------------------------------------------------------------------------------------------------

    /// @dev On a copy: tables are read more than once.
    function _evaluate(uint256 a, uint256 b, uint256 n) private pure returns (uint256) {
        uint256 copy;
        assembly ("memory-safe") {
            copy := mload(0x40)
            mcopy(copy, b, shl(add(n, 5), 1))
        }
        return Multilinear.evaluate(copy, a, n);
    }

    function _map(uint256 d, uint256 a, uint256 n, uint256 data) private pure {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(data, shl(2, n)) } lt(data, end) { data := add(data, 4) } {
                let pair := shr(224, mload(data))
                let to := add(d, shl(5, and(pair, 0xffff)))
                mstore(to, addmod(mload(to), mload(add(a, shl(5, shr(16, pair)))), p))
            }
        }
    }

    function _pairDot(uint256 a, uint256 b, uint256 n, uint256 data) private pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(data, shl(3, n)) } lt(data, end) { data := add(data, 8) } {
                let places := mload(data)
                let product := mulmod(mload(add(a, shr(240, places))), mload(add(a, and(shr(224, places), 0xffff))), p)
                product := mulmod(product, mload(add(b, and(shr(208, places), 0xffff))), p)
                sum := addmod(sum, mulmod(product, mload(add(b, and(shr(192, places), 0xffff))), p), p)
            }
        }
    }

    /// @dev Entries times integers: each written from d on if d is not 0, and their sum.
    function _scaled(uint256 a, uint256 n, uint256 data, uint256 d) private pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := P
            for { let end := add(data, shl(3, n)) } lt(data, end) { data := add(data, 8) } {
                let integer := sar(192, mload(data))
                let value := mulmod(mload(a), add(integer, mul(p, slt(integer, 0))), p)
                if d {
                    mstore(d, value)
                    d := add(d, 32)
                }
                sum := addmod(sum, value, p)
                a := add(a, 32)
            }
        }
    }

    function _outer(uint256 d, uint256 a, uint256 b, uint256 n, uint256 count) private pure {
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

    function _window(uint256 d, uint256 a, uint256 b, uint256 data) private pure {
        Axis memory axis =
            Axis(_u32(data, 2), _u32(data, 3), _u32(data, 4), _u32(data, 5), _u32(data, 6), _u32(data, 7));
        (uint256[] memory r, uint256[] memory i) = (_array(a, _u32(data, 0)), _array(b, _u32(data, 1)));
        uint256[] memory sums = IndexTable.values(axis, r, i);
        assembly ("memory-safe") {
            mcopy(d, add(sums, 32), shl(5, mload(sums)))
        }
    }

    function _u32(uint256 data, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(data, shl(2, place))))
        }
    }

    function _array(uint256 from, uint256 n) private pure returns (uint256[] memory words) {
        words = new uint256[](n);
        assembly ("memory-safe") {
            mcopy(add(words, 32), from, shl(5, n))
        }
    }

    // ---- protocol -------------------------------------------------------------------------------------------------------

    function _label(Run memory r, uint256 imm) private pure returns (bytes32 label) {
        uint256 place = r.data + imm;
        assembly ("memory-safe") {
            label := mload(place)
        }
    }

    function _read(Run memory r, uint256 d, uint256 n, uint256 imm) private pure {
        uint256 start = r.proof;
        r.state = Transcript.absorb(r.state, _label(r, imm), start, n);
        Scalar.checkWords(start, n);
        assembly ("memory-safe") {
            calldatacopy(d, start, shl(5, n))
        }
        r.proof = start + 32 * n;
    }

    function _draw(Run memory r, uint256 d, uint256 n, uint256 imm) private pure {
        (bytes32 state, bytes32 label) = (r.state, _label(r, imm));
        assembly ("memory-safe") {
            let p := P
            mstore(32, label)
            for { let end := add(d, shl(5, n)) } lt(d, end) { d := add(d, 32) } {
                mstore(0, state)
                state := keccak256(0, 64)
                mstore(d, mod(state, p))
            }
        }
        r.state = state;
    }

    function _rounds(Run memory r, uint256 d, uint256 a, uint256 n, uint256 degree) private pure {
        uint256[] memory point = new uint256[](n);
        uint256 value;
        assembly ("memory-safe") {
            value := mload(a)
        }
        (r.state, value) = Rounds.verify(r.state, value, r.proof, degree, point);
        assembly ("memory-safe") {
            mcopy(d, add(point, 32), shl(5, n))
            mstore(add(d, shl(5, n)), value)
        }
        r.proof += 32 * n * degree;
    }

    function _lookupRounds(Run memory r, uint256 d, uint256 a, uint256 n) private pure {
        r.state = LookupRounds.verify(r.state, r.proof, a, n, d);
        r.proof += 32 * n * LookupRounds.DEGREE;
    }

    function _defect(uint256 d, uint256 a, uint256 b, uint256 imm) private pure {
        uint256 alpha;
        assembly ("memory-safe") {
            alpha := mload(b)
        }
        uint256 value = LookupRounds.defect(a, imm == 0 ? 0 : a + 288, alpha);
        assembly ("memory-safe") {
            mstore(d, value)
        }
    }

    function _same(uint256 a, uint256 b, uint256 reason) private pure {
        bool same;
        assembly ("memory-safe") {
            same := eq(mload(a), mload(b))
        }
        if (!same) revert Rejected(reason);
    }

    /// @dev n items of `size` bytes of calldata, absorbed; where they begin goes to d, where they end is returned.
    function _points(Run memory r, uint256 d, uint256 n, uint256 imm, uint256 start, uint256 size)
        private
        pure
        returns (uint256)
    {
        r.state = Transcript.absorb(r.state, _label(r, imm), start, n * size / 32);
        assembly ("memory-safe") {
            mstore(d, start)
        }
        return start + n * size;
    }

    function _fold(Run memory r, uint256 a, uint256 b, uint256 n, uint256 imm) private view {
        uint256 start;
        assembly ("memory-safe") {
            start := mload(b)
        }
        bool pinned = start == 0;
        unchecked {
            start += pinned ? r.data + imm : imm;
            for (uint256 end = start + 64 * n; start < end; start += 64) {
                (uint256 x, uint256 y, uint256 weight) = (0, 0, 0);
                assembly ("memory-safe") {
                    switch pinned
                    case 0 {
                        x := calldataload(start)
                        y := calldataload(add(start, 32))
                    }
                    default {
                        x := mload(start)
                        y := mload(add(start, 32))
                    }
                    weight := mload(a)
                    a := add(a, 32)
                }
                Curve.add(r.sum, x, y, weight);
            }
        }
    }

    function _opening(Run memory r, uint256 a, uint256 b, uint256 n) private view {
        uint256 value;
        assembly ("memory-safe") {
            value := mload(b)
        }
        r.state = Mercury.verify(r.state, [r.sum.x, r.sum.y], _array(a, n), value, r.proof, r.tau);
        r.proof += 32 * Mercury.WORDS;
    }

    /// @dev In the data: how integers are read, and `inner` of them for each outer weight.
    function _publicValue(Run memory r, uint256 d, uint256 a, uint256 b, uint256 n, uint256 imm) private pure {
        (uint256 form, uint256 inner) = (_u32(r.data + imm, 0), _u32(r.data + imm, 1));
        uint256 start;
        assembly ("memory-safe") {
            start := mload(sub(d, 32))
        }
        uint256 value = PublicValue.at(form, start, inner, a, n, b);
        assembly ("memory-safe") {
            mstore(d, value)
        }
    }
}
