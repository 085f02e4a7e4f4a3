# SPDX-License-Identifier: MIT OR Apache-2.0
"""A plan as a list of values and calls: what each instruction means once its operands are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from verifiable_ml.bench.generator.code import Instruction, P, Plan

ONE, MINUS, ZERO = -1, -2, -3
"""Registers that no plan has: 1, p - 1, 0."""
TABLE, EVALUATION, OUTER = 4, 6, 64
"""Written out rather than called: tables and evaluations of so many bits, products of vectors of so many in all."""
Term = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A register that is a sum of products of others."""

    register: int
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Lines:
    """Assembly in a block of its own. `$7` is the value of register 7, `&7` its address."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A statement of Solidity, addresses likewise."""

    text: str


@dataclass
class Steps:
    """known: registers that are numbers. uses: how often a value is read as such. kept: what lies in memory. spans: what lies
    there side by side, first and count. homes: for a register that the plan does not have, one of its instruction's.
    """

    plan: Plan
    steps: list[Value | Lines | Call] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=lambda: {ONE: 1, MINUS: P - 1, ZERO: 0})
    uses: Counter[int] = field(default_factory=Counter)
    kept: set[int] = field(default_factory=set)
    spans: set[tuple[int, int]] = field(default_factory=set)
    homes: dict[int, int] = field(default_factory=dict)
    _written: set[int] = field(default_factory=set)
    _places: dict[int, str] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=lambda: {"w": 0, "s": 0})
    _fresh: int = 1 << 24

    def __post_init__(self) -> None:
        self.known |= dict(enumerate(self.plan.constants))
        for each in self.plan.instructions():
            getattr(self, f"_op{each.op}")(each)

    # ---- what steps are made of ----

    def _new(self, home: int) -> int:
        self._fresh += 1
        self.homes[self._fresh] = home
        return self._fresh

    def _constant(self, value: int, home: int) -> int:
        reg = self._new(home)
        self.known[reg] = value % P
        return reg

    def _read(self, reg: int) -> int:
        return reg if reg in self._written or reg in self.known else ZERO

    def _value(self, reg: int, *terms: Term) -> int:
        terms = tuple(tuple(map(self._read, term)) for term in terms)
        self.uses.update(factor for term in terms for factor in term)
        self._written.add(reg)
        self.steps.append(Value(reg, terms))
        return reg

    def _span(self, first: int, count: int) -> str:
        self.kept.update(range(first, first + count))
        self.spans.add((first, count))
        return f"&{first}"

    def _call(self, text: str, d: int = 0, count: int = 0) -> None:
        """With `#` for the address of `count` registers from d on, which it writes."""
        self._written.update(range(d, d + count))
        self.steps.append(Call(text.replace("#", self._span(d, count))))

    def _lines(self, d: int, operands: Sequence[int], lines: Sequence[str]) -> None:
        for reg in operands:
            self.uses[reg] += 2
        self._written.add(d)
        self.steps.append(Lines(("{", *lines, f"mstore({self._span(d, 1)}, v)", "}")))

    def _next(self, kind: str, words: int) -> str:
        place = self._taken[kind]
        self._taken[kind] += words
        return f"{kind} + {32 * place}"

    def _label(self, imm: int) -> str:
        (label,) = self.plan.data(imm, 32, 1)
        return f"bytes32({label:#066x})"

    # ---- arithmetic, by the numbers of machine.rs ----

    def _op1(self, i: Instruction) -> None:
        for place, pair in enumerate(self._pairs(i)):
            self._value(i.d + place, pair)

    def _op2(self, i: Instruction) -> None:
        self._value(i.d + i.n - 1, (ONE, i.d - 1), *self._pairs(i))

    def _pairs(self, i: Instruction) -> list[Term]:
        operands = [offset // 32 for offset in self.plan.data(i.imm, 3, 2 * i.n)]
        return list(zip(operands[::2], operands[1::2], strict=True))

    def _op3(self, i: Instruction) -> None:
        for place in range(i.n):
            if i.a + place in self._places:
                self._places[i.d + place] = self._places[i.a + place]
        if i.d in self._places:
            return
        if i.n == 1:
            self._value(i.d, (i.a,))
        else:
            self.steps.append(Lines((f"mcopy({self._span(i.d, i.n)}, {self._span(i.a, i.n)}, {32 * i.n})",)))
            self._written.update(range(i.d, i.d + i.n))

    def _op4(self, i: Instruction) -> None:
        lines = []
        for place in range(i.n):
            x, y = f"${i.a + place}", f"${i.b + place}"
            factor = f"add(sub(pp, add({x}, {y})), shl(1, mulmod({x}, {y}, p)))"
            lines.append(f"v := mulmod(v, {factor}, p)" if place else f"let v := {factor}")
        if i.n == 1:
            lines.append("v := mod(v, p)")
        self._lines(i.d, [*range(i.a, i.a + i.n), *range(i.b, i.b + i.n)], lines)

    def _op5(self, i: Instruction) -> None:
        for place in range(i.n):
            self._value(i.d + place, (ONE,), (MINUS, i.a + place))

    def _op6(self, i: Instruction) -> None:
        self._call(f"_put(#, Multilinear.prefix({self._span(i.a, i.n)}, {i.n}, {i.imm}));", i.d, 1)

    def _op7(self, i: Instruction) -> None:
        if i.imm == 1 << i.n:
            return self._op4(i)
        if i.imm >> i.n or not i.imm:
            spans = f"{self._span(i.a, i.n)}, {self._span(i.b, i.n)}"
            return self._call(f"_put(#, Multilinear.eqPrefix({spans}, {i.n}, {i.imm}));", i.d, 1)
        lines, operands = ["let v := 0", "let all := 1", "let both := 0", "let neither := 0"], list[int]()
        for bit, place in enumerate(range(i.n - 1, -1, -1)):
            x, y = f"${i.a + place}", f"${i.b + place}"
            operands += [i.a + place, i.b + place]
            lines += [f"both := mulmod({x}, {y}, p)", f"neither := add(both, sub(pp, add({x}, {y})))"]
            if i.imm >> bit & 1:
                lines.append("v := addmod(mulmod(neither, all, p), mulmod(both, v, p), p)")
            elif i.imm & ((1 << bit) - 1):
                lines.append("v := mulmod(neither, v, p)")
            if i.imm >> (bit + 1):
                lines.append("all := mulmod(all, add(neither, both), p)")
        return self._lines(i.d, operands, lines)

    def _op8(self, i: Instruction) -> None:
        bound = min(i.imm, (1 << i.n) - 1)
        ones = (~bound & (bound + 1)).bit_length() - 1  # the lowest bits, below which min(k, bound) is k
        lines, operands = ["let v := 0", "let k := 0"], range(i.a, i.a + i.n)
        for j, reg in enumerate(reversed(operands)):
            x, bit, low = f"${reg}", 1 << j, bound & ((1 << j) - 1)
            if j == ones:
                lines.append("v := k")
            if j > ones and bound & bit:
                lines.append(f"v := addmod(k, mulmod({x}, add({bit}, add(v, sub(p, k))), p), p)")
            elif j >= ones and low:
                lines.append(f"v := addmod(v, mulmod({x}, add({low}, sub(p, v)), p), p)")
            if bound >> (j + 1) or j < ones:
                lines.append(f"k := addmod(k, mulmod({x}, {bit}, p), p)" if j else f"k := {x}")
        if ones == i.n:
            lines.append("v := k")
        self._lines(i.d, operands, lines)

    def _op9(self, i: Instruction) -> None:
        if i.n > TABLE:
            return self._call(f"Multilinear.eqTable({self._span(i.a, i.n)}, {i.n}, #);", i.d, 1 << i.n)
        table = [ONE]
        for place in range(i.n - 1, -1, -1):
            names = [i.d + each if place == 0 else self._new(i.d) for each in range(2 * len(table))]
            for each, low in enumerate(table):
                high = self._value(names[each + len(table)], (low, i.a + place))
                self._value(names[each], (low,), (MINUS, high))
            table = names
        return None

    def _op10(self, i: Instruction) -> None:
        if i.n > EVALUATION or not i.n:
            return self._call(f"_put(#, _evaluate({self._span(i.a, i.n)}, {self._span(i.b, 1 << i.n)}, {i.n}));", i.d, 1)
        table = [i.b + each for each in range(1 << i.n)]
        for place in range(i.n):
            half = len(table) // 2
            apart = [self._value(self._new(i.d), (table[k + half],), (MINUS, table[k])) for k in range(half)]
            names = [i.d if half == 1 else self._new(i.d) for _ in range(half)]
            table = [self._value(names[k], (table[k],), (i.a + place, apart[k])) for k in range(half)]
        return None

    def _op11(self, i: Instruction) -> None:
        self._value(i.d, *((i.a + k, i.b + k) for k in range(i.n)))

    def _op12(self, i: Instruction) -> None:
        places = self.plan.data(i.imm, 2, 2 * i.n)
        sums: dict[int, list[Term]] = {}
        for source, target in zip(places[::2], places[1::2], strict=True):
            sums.setdefault(target, []).append((i.a + source,))
        for target, terms in sums.items():
            self._value(i.d + target, *terms)

    def _integers(self, i: Instruction) -> list[int]:
        return [self._constant(each - (each >> 63 << 64), i.d) for each in self.plan.data(i.imm, 8, i.n)]

    def _op13(self, i: Instruction) -> None:
        for k, factor in enumerate(self._integers(i)):
            self._value(i.d + k, (factor, i.a + k))

    def _op14(self, i: Instruction) -> None:
        self._value(i.d, *((factor, i.a + k) for k, factor in enumerate(self._integers(i))))

    def _op15(self, i: Instruction) -> None:
        if i.n * i.imm > OUTER:
            spans = f"{self._span(i.a, i.imm)}, {self._span(i.b, i.n)}"
            return self._call(f"_outer(#, {spans}, {i.n}, {i.imm});", i.d, i.n * i.imm)
        for k in range(i.n * i.imm):
            self._value(i.d + k, (i.a + k // i.n, i.b + k % i.n))
        return None

    def _op16(self, i: Instruction) -> None:
        bits, more, *axis = self.plan.data(i.imm, 4, 8)
        arrays = f"_array({self._span(i.a, bits)}, {bits}), _array({self._span(i.b, more)}, {more})"
        self._call(f"_window(#, Axis({', '.join(map(str, axis))}), {arrays});", i.d, axis[2])

    def _op17(self, i: Instruction) -> None:
        self._value(i.d, *((i.a + k,) for k in range(i.n)))

    def _op18(self, i: Instruction) -> None:
        places = [offset // 32 for offset in self.plan.data(i.imm, 2, 4 * i.n)]
        fours = [places[4 * k : 4 * k + 4] for k in range(i.n)]
        self._value(i.d, *((i.a + h, i.a + k, i.b + j, i.b + m) for h, k, j, m in fours))

    # ---- the protocol ----

    def _op32(self, i: Instruction) -> None:
        self._call(f"state = _read(state, {self._next('w', i.n)}, #, {i.n}, {self._label(i.imm)});", i.d, i.n)

    def _op33(self, i: Instruction) -> None:
        self._call(f"state = _draw(state, #, {i.n}, {self._label(i.imm)});", i.d, i.n)

    def _op34(self, i: Instruction) -> None:
        claim, start = self._span(i.a, 1), self._next("w", i.n * i.imm)
        self._call(f"state = _rounds(state, {start}, {claim}, #, {i.n}, {i.imm});", i.d, i.n + 1)

    def _op35(self, i: Instruction) -> None:
        tau, start = self._span(i.a, i.n), self._next("w", 9 * i.n)
        self._call(f"state = LookupRounds.verify(state, {start}, {tau}, {i.n}, #);", i.d, i.n + 1)

    def _op36(self, i: Instruction) -> None:
        helper, alpha = self._span(i.a, 17 if i.imm else 9), self._span(i.b, 1)
        numerators = f"{helper} + 288" if i.imm else "0"
        self._call(f"_put(#, LookupRounds.defect({helper}, {numerators}, _get({alpha})));", i.d, 1)

    def _op37(self, i: Instruction) -> None:
        self._call(f"_same({self._span(i.a, 1)}, {self._span(i.b, 1)}, {i.imm});")

    def _op38(self, i: Instruction) -> None:
        self._absorb(i, "w", 2 * i.n)

    def _op41(self, i: Instruction) -> None:
        self._absorb(i, "s", i.n)

    def _absorb(self, i: Instruction, kind: str, words: int) -> None:
        self._places[i.d] = self._next(kind, words)
        self._call(f"state = Transcript.absorb(state, {self._label(i.imm)}, {self._places[i.d]}, {words});")

    def _op39(self, i: Instruction) -> None:
        weights = self._span(i.a, i.n)
        if i.b in self._places:
            return self._call(f"_fold(sum, {self._places[i.b]} + {i.imm}, {weights}, {i.n});")
        for k in range(i.n):
            x, y = self.plan.data(i.imm + 64 * k, 32, 2)
            self._call(f"_pinned(sum, {x:#x}, {y:#x}, {weights} + {32 * k});")
        return None

    def _op40(self, i: Instruction) -> None:
        first, *others = self.plan.tau
        tau = f"[uint256({first:#x}), {', '.join(f'{each:#x}' for each in others)}]"
        where = f"{self._span(i.a, i.n)}, {i.n}, {self._span(i.b, 1)}"
        self._call(f"_opening(state, {self._next('w', 22)}, sum, {where}, {tau});")

    def _op42(self, i: Instruction) -> None:
        form, inner = self.plan.data(i.imm, 4, 2)
        each = -(-inner // 16) if form == 16 else inner
        weights = f"{inner}, {self._span(i.a, i.n)}, {i.n}, {self._span(i.b, each)}"
        self._call(f"_put(#, PublicValue.at({form}, {self._places[i.d - 1]}, {weights}));", i.d, 1)
