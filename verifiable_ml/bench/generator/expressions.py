# SPDX-License-Identifier: MIT OR Apache-2.0
"""Steps as assembly: a value that is read once stands where it is read, others are stored.

Sums are reduced late, as five residues are below 2^256. In what comes out, `&7` is the address of register 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from verifiable_ml.bench.generator.code import P
from verifiable_ml.bench.generator.steps import MINUS, Call, Lines, Steps, Term, Value

DEEPEST = 9
"""Words of the stack that an expression inside of another may take: an EVM reaches 16."""
UNITS = 5
"""So many residues are below 2^256 together."""
LONGEST, CHUNK = 16, 4
"""Products in one expression, and in each part of a longer sum."""
SHORT = 64
"""Bits of c for which p - c is written as that."""


@dataclass(frozen=True)
class Expression:
    """In assembly. height: words of the stack it takes. units: it is at most so many times p."""

    text: str
    height: int = 1
    units: int = 1


@dataclass
class Writer:
    """inlined: values that stand where they are read."""

    steps: Steps
    inlined: dict[int, Expression] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, ...] | str]:
        """Assembly's statements, and Solidity's one by one."""
        yield from ((self._store(reg, self.steps.known[reg]),) for reg in sorted(self.steps.kept & self.steps.known.keys()))
        for step in self.steps.steps:
            if isinstance(step, Call):
                yield step.text
            elif isinstance(step, Lines):
                yield tuple(re.sub(r"\$(\d+)", lambda found: self._operand(int(found[1])).text, line) for line in step.lines)
            else:
                yield tuple(self._valued(step))

    def _store(self, reg: int, value: int) -> str:
        return f"mstore(&{reg}, {_literal(value).text})"

    def _operand(self, reg: int) -> Expression:
        if reg in self.inlined:
            return self.inlined[reg]
        if reg in self.steps.known and reg not in self.steps.kept:
            return _literal(self.steps.known[reg])
        self.steps.kept.add(reg)
        return Expression(f"mload(&{reg})")

    def _valued(self, value: Value) -> Iterator[str]:
        kept, uses = value.register in self.steps.kept, self.steps.uses[value.register]
        if not (kept or uses):
            return
        products = [product for product in map(self._product, value.terms) if product.text != "0"] or [Expression("0")]
        if len(products) > LONGEST:
            yield from self._long(value.register, products)
            return
        plain = _sum(products)
        if not kept and plain.height <= DEEPEST and (uses == 1 or (_complement(value.terms) and uses <= 3)):
            self.inlined[value.register] = plain
            return
        self.steps.kept.add(value.register)
        yield f"mstore(&{value.register}, {_reduced(products).text})"

    def _long(self, reg: int, products: Sequence[Expression]) -> Iterator[str]:
        self.steps.kept.add(reg)
        yield "{"
        yield f"let v := {_sum(products[:CHUNK]).text}"
        for place in range(CHUNK, len(products), CHUNK):
            yield f"v := addmod({_sum(products[place : place + CHUNK]).text}, v, p)"
        yield f"mstore(&{reg}, v)"
        yield "}"

    def _product(self, term: Term) -> Expression:
        number, factors = 1, list[Expression]()
        for reg in term:
            if reg in self.steps.known and (reg not in self.steps.kept or self.steps.known[reg] in (0, 1, P - 1)):
                number = number * self.steps.known[reg] % P
            else:
                factors.append(self._operand(reg))
        if not factors or not number:
            return _literal(number)
        if number not in (1, P - 1):
            factors.insert(0, _literal(number))
        product = reduce(_times, factors)
        return _negative(product) if number == P - 1 else product


def _literal(value: int) -> Expression:
    short = 0 < P - value < 1 << SHORT
    return Expression(f"sub(p, {P - value})", 2) if short else Expression(f"{value:#x}" if value > 9 else str(value))


def _times(a: Expression, b: Expression) -> Expression:
    low, high = sorted((a, b), key=lambda each: each.height)
    return Expression(f"mulmod({low.text}, {high.text}, p)", max(3, 2 + low.height, 1 + high.height))


def _negative(a: Expression) -> Expression:
    if a.units > 1:
        a = Expression(f"mod({a.text}, p)", 1 + a.height)
    return Expression(f"sub(p, {a.text})", 1 + a.height)


def _sum(terms: Sequence[Expression]) -> Expression:
    """Unreduced as far as that goes. What takes most of the stack comes first, as arguments are evaluated from the last on."""
    first, *others = sorted(terms, key=lambda each: -each.height)
    total = first
    for each in others:
        units, height = total.units + each.units, max(total.height, each.height + 1)
        if units > UNITS:
            total = Expression(f"addmod({each.text}, {total.text}, p)", 1 + height)
        else:
            total = Expression(f"add({each.text}, {total.text})", height, units)
    return total


def _reduced(terms: Sequence[Expression]) -> Expression:
    *others, last = sorted(terms, key=lambda each: -each.height)
    if others:
        rest = _sum(others)
        return Expression(f"addmod({last.text}, {rest.text}, p)", 1 + max(rest.height, last.height + 1))
    below = last.text.startswith(("mload", "mulmod", "addmod")) or "(" not in last.text
    return last if below else Expression(f"mod({last.text}, p)")


def _complement(terms: Sequence[Term]) -> bool:
    return len(terms) == 2 and MINUS in terms[1] and len(terms[0]) == 1
