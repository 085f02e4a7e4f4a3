// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Curve, Sum} from "./Curve.sol";
import {Axis, IndexTable} from "./IndexTable.sol";
import {LookupRounds} from "./LookupRounds.sol";
import {Mercury} from "./Mercury.sol";
import {Multilinear} from "./Multilinear.sol";
import {Operands} from "./Operands.sol";
import {PublicValue} from "./PublicValue.sol";
import {Rounds} from "./Rounds.sol";
import {P, Scalar} from "./Scalar.sol";
import {Transcript} from "./Transcript.sol";

/// @title The verifier of every program's proofs: it follows a plan, which circuits/sumcheck/crates/plan makes of a key.
/// @notice Registers are words of memory, written once; an instruction is code u8, registers d, a, b u24, count n u16, immediate u32.
/// What each does is said in machine.rs beside its name.
/// @dev An instruction is a function of the word that begins with it and of the first register's address, and takes what it needs out of the
/// word: taking out everything for all of them would cost as much as most of them do.
library Machine {
    using Operands for uint256;

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

    /// @dev Codes of instructions are below it.
    uint256 private constant CODES = 43;

    /// @notice The address of a table in memory: by code, the function that does it.
    /// @dev INVARIANT: no entry is empty. What no instruction has is `_none`, and so is 0, which stands for every code beyond the table.
    function instructions() internal pure returns (uint256 table) {
        // forgefmt: disable-next-item
        function(Run memory, uint256, uint256) internal view[CODES] memory functions = [
            _none, _products, _sum, _copy, _eq, _complement, _prefix, _eqPrefix, _ramp, _table, // from 0 on
            _evaluate, _dot, _map, _scale, _dotData, _outer, _window, _total, _pairDot, _none, // from 10 on
            _none, _none, _none, _none, _none, _none, _none, _none, _none, _none, // from 20 on
            _none, _none, _read, _draw, _rounds, _lookupRounds, _defect, _same, _points, _fold, // from 30 on
            _opening, _public, _publicValue // from 40 on
        ];
        assembly ("memory-safe") {
            table := functions
        }
    }

    /// @notice Runs instructions from address `code` to `end`; registers are from address `registers` on.
    /// @param table Of `instructions`, made before the registers: they are written upwards, so no plan writes there.
    function run(uint256 table, Run memory r, uint256 code, uint256 end, uint256 registers) internal view {
        function(Run memory, uint256, uint256) internal view instruction;
        while (code < end) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(code)
                code := add(code, 16)
                let place := byte(0, word)
                instruction := mload(add(table, shl(5, mul(place, lt(place, CODES)))))
            }
            instruction(r, word, registers);
        }
    }

    function _none(Run memory, uint256 word, uint256) private pure {
        revert NoInstruction(word >> 248);
    }

    /// @dev Address of the data that the immediate names.
    function _data(Run memory r, uint256 word) private pure returns (uint256) {
        unchecked {
            return r.data + word.imm();
        }
    }

    function _label(Run memory r, uint256 word) private pure returns (bytes32) {
        return bytes32(_data(r, word).get());
    }

    // ---- arithmetic -----------------------------------------------------------------------------------------------------

    /// @dev Operands are pairs of u24 in the data: distances from the first register r, in bytes. A word w holds five of them; the loop is
    /// unrolled so, since its own steps cost as much as a product.
    function _products(Run memory shared, uint256 word, uint256 r) private pure {
        (uint256 d, uint256 n, uint256 data) = (word.d(r), word.n(), _data(shared, word));
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

    function _sum(Run memory shared, uint256 word, uint256 r) private pure {
        (uint256 d, uint256 n, uint256 data) = (word.d(r), word.n(), _data(shared, word));
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

    function _copy(Run memory, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 a, uint256 n) = (word.d(first), word.a(first), word.n());
        assembly ("memory-safe") {
            mcopy(d, a, shl(5, n))
        }
    }

    function _total(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.sum(word.a(first), word.n()));
    }

    function _dot(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.dot(word.a(first), word.b(first), word.n()));
    }

    function _pairDot(Run memory r, uint256 word, uint256 first) private pure {
        (uint256 a, uint256 b, uint256 n, uint256 data) = (word.a(first), word.b(first), word.n(), _data(r, word));
        uint256 sum;
        assembly ("memory-safe") {
            let p := P
            for { let end := add(data, shl(3, n)) } lt(data, end) { data := add(data, 8) } {
                let places := mload(data)
                let product := mulmod(mload(add(a, shr(240, places))), mload(add(a, and(shr(224, places), 0xffff))), p)
                product := mulmod(product, mload(add(b, and(shr(208, places), 0xffff))), p)
                sum := addmod(sum, mulmod(product, mload(add(b, and(shr(192, places), 0xffff))), p), p)
            }
        }
        word.d(first).put(sum);
    }

    function _map(Run memory r, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 a, uint256 n, uint256 data) = (word.d(first), word.a(first), word.n(), _data(r, word));
        assembly ("memory-safe") {
            let p := P
            for { let end := add(data, shl(2, n)) } lt(data, end) { data := add(data, 4) } {
                let pair := shr(224, mload(data))
                let to := add(d, shl(5, and(pair, 0xffff)))
                mstore(to, addmod(mload(to), mload(add(a, shl(5, shr(16, pair)))), p))
            }
        }
    }

    function _scale(Run memory r, uint256 word, uint256 first) private pure {
        _scaled(word.a(first), word.n(), _data(r, word), word.d(first));
    }

    function _dotData(Run memory r, uint256 word, uint256 first) private pure {
        word.d(first).put(_scaled(word.a(first), word.n(), _data(r, word), 0));
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

    function _outer(Run memory, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 a, uint256 b) = (word.d(first), word.a(first), word.b(first));
        (uint256 n, uint256 count) = (word.n(), word.imm());
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

    // ---- weights --------------------------------------------------------------------------------------------------------

    function _eq(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.eq(word.a(first), word.b(first), word.n()));
    }

    function _complement(Run memory, uint256 word, uint256 first) private pure {
        Multilinear.complement(word.a(first), word.n(), word.d(first));
    }

    function _prefix(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.prefix(word.a(first), word.n(), word.imm()));
    }

    function _eqPrefix(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.eqPrefix(word.a(first), word.b(first), word.n(), word.imm()));
    }

    function _ramp(Run memory, uint256 word, uint256 first) private pure {
        word.d(first).put(Multilinear.ramp(word.a(first), word.n(), word.imm()));
    }

    function _table(Run memory, uint256 word, uint256 first) private pure {
        Multilinear.eqTable(word.a(first), word.n(), word.d(first));
    }

    /// @dev On a copy: tables are read more than once.
    function _evaluate(Run memory, uint256 word, uint256 first) private pure {
        (uint256 b, uint256 n) = (word.b(first), word.n());
        uint256 copy;
        assembly ("memory-safe") {
            copy := mload(0x40)
            mcopy(copy, b, shl(add(n, 5), 1))
        }
        word.d(first).put(Multilinear.evaluate(copy, word.a(first), n));
    }

    function _window(Run memory shared, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 data) = (word.d(first), _data(shared, word));
        Axis memory axis = Axis(data.u32(2), data.u32(3), data.u32(4), data.u32(5), data.u32(6), data.u32(7));
        uint256[] memory r = word.a(first).array(data.u32(0));
        uint256[] memory i = word.b(first).array(data.u32(1));
        uint256[] memory sums = IndexTable.values(axis, r, i);
        assembly ("memory-safe") {
            mcopy(d, add(sums, 32), shl(5, mload(sums)))
        }
    }

    // ---- protocol -------------------------------------------------------------------------------------------------------

    function _read(Run memory r, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 n, uint256 start) = (word.d(first), word.n(), r.proof);
        r.state = Transcript.absorb(r.state, _label(r, word), start, n);
        Scalar.checkWords(start, n);
        assembly ("memory-safe") {
            calldatacopy(d, start, shl(5, n))
        }
        r.proof = start + 32 * n;
    }

    function _draw(Run memory r, uint256 word, uint256 first) private pure {
        (bytes32 state, bytes32 label) = (r.state, _label(r, word));
        (uint256 d, uint256 n) = (word.d(first), word.n());
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

    function _rounds(Run memory r, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 n, uint256 degree) = (word.d(first), word.n(), word.imm());
        uint256[] memory point = new uint256[](n);
        uint256 value;
        (r.state, value) = Rounds.verify(r.state, word.a(first).get(), r.proof, degree, point);
        assembly ("memory-safe") {
            mcopy(d, add(point, 32), shl(5, n))
            mstore(add(d, shl(5, n)), value)
        }
        r.proof += 32 * n * degree;
    }

    function _lookupRounds(Run memory r, uint256 word, uint256 first) private pure {
        r.state = LookupRounds.verify(r.state, r.proof, word.a(first), word.n(), word.d(first));
        r.proof += 32 * word.n() * LookupRounds.DEGREE;
    }

    function _defect(Run memory, uint256 word, uint256 first) private pure {
        (uint256 a, uint256 alpha) = (word.a(first), word.b(first).get());
        word.d(first).put(LookupRounds.defect(a, word.imm() == 0 ? 0 : a + 288, alpha));
    }

    function _same(Run memory, uint256 word, uint256 first) private pure {
        if (word.a(first).get() != word.b(first).get()) revert Rejected(word.imm());
    }

    function _points(Run memory r, uint256 word, uint256 first) private pure {
        r.proof = _absorb(r, word, first, r.proof, 2);
    }

    function _public(Run memory r, uint256 word, uint256 first) private pure {
        r.statement = _absorb(r, word, first, r.statement, 1);
    }

    /// @dev n items of `size` words of calldata, absorbed; where they begin goes to d, where they end is returned.
    function _absorb(Run memory r, uint256 word, uint256 first, uint256 start, uint256 size)
        private
        pure
        returns (uint256)
    {
        uint256 count = size * word.n();
        r.state = Transcript.absorb(r.state, _label(r, word), start, count);
        word.d(first).put(start);
        return start + 32 * count;
    }

    function _fold(Run memory r, uint256 word, uint256 first) private view {
        (uint256 a, uint256 start) = (word.a(first), word.b(first).get());
        bool pinned = start == 0;
        unchecked {
            start += pinned ? _data(r, word) : word.imm();
            for (uint256 end = start + 64 * word.n(); start < end; start += 64) {
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

    function _opening(Run memory r, uint256 word, uint256 first) private view {
        uint256[] memory point = word.a(first).array(word.n());
        r.state = Mercury.verify(r.state, [r.sum.x, r.sum.y], point, word.b(first).get(), r.proof, r.tau);
        r.proof += 32 * Mercury.WORDS;
    }

    /// @dev In the data: how integers are read, and `inner` of them for each outer weight.
    function _publicValue(Run memory r, uint256 word, uint256 first) private pure {
        (uint256 d, uint256 data) = (word.d(first), _data(r, word));
        (uint256 form, uint256 inner, uint256 start) = (data.u32(0), data.u32(1), (d - 32).get());
        d.put(PublicValue.at(form, start, inner, word.a(first), word.n(), word.b(first)));
    }
}
