# SPDX-License-Identifier: MIT OR Apache-2.0
"""Convolution by fewer products: two neighbouring outputs at once, 7 products where plain sums take 10 for 5 taps.

The taps along the last axis are cut into pieces of three and two. With inputs d and kernel g, twice the two outputs are

    F(2,3):  m1 = (d0 - d2) 2g0   m2 = (d1 + d2)(g0 + g1 + g2)   m3 = (d2 - d1)(g0 - g1 + g2)   m4 = (d3 - d1) 2g2
    F(2,2):  m1 = (d0 - d1) 2g0   m2 = d1 2(g0 + g1)                                            m4 = (d2 - d1) 2g1
    2 y0 = m1 + m2 + m3           2 y1 = m2 - m3 + m4

Products that reach the outputs alike are one sum over all pieces, rows of taps and channels. Exact in integers: no
division. Source: Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, arXiv 1509.09308; F(2,2) is
Karatsuba's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.proving.ezkl.graph import EXACT, Graph

PADDING = -1
SUMS = ("first", "both", "apart", "second")
"""What m1, m2, m3 and m4 add to: 2 y0; both; 2 y0 and, negated, 2 y1; 2 y1."""


@dataclass
class Sum:
    """One dot product a pair of outputs and an output channel: where it reads in the bank, and with which weights."""

    reads: list[IntArray] = field(default_factory=list)
    """Each [pairs, ...]."""
    weights: list[IntArray] = field(default_factory=list)
    """Each [O, ...], as reads."""

    @property
    def terms(self) -> int:
        """Of one dot product."""
        return sum(read[0].size for read in self.reads)


class Bank:
    """The source, flat, and differences and sums of two of its entries, each made once. Reads are indices into it."""

    def __init__(self, graph: Graph, source: str, size: int) -> None:
        self.graph, self.source, self.size = graph, source, size
        self.parts = [source, graph.constant([0])]
        self.length = size + 1

    def plain(self, at: IntArray) -> IntArray:
        """Entries of the source, 0 in the padding."""
        return np.where(at == PADDING, self.size, at)

    def paired(self, kind: str, left: IntArray, right: IntArray) -> IntArray:
        """The sums or, with Sub as `kind`, differences of two entries."""
        both = np.stack([self.plain(left).ravel(), self.plain(right).ravel()])
        distinct, place = np.unique(both, axis=1, return_inverse=True)
        padded = self.graph.op("Concat", *self.parts[:2], axis=0)
        a, b = (self.graph.op("Gather", padded, self.graph.integers(row), axis=0) for row in distinct)
        self.parts.append(self.graph.op(kind, a, b))
        start, self.length = self.length, self.length + distinct.shape[1]
        found: IntArray = start + place.reshape(left.shape)
        return found

    def name(self) -> str:
        """The whole bank, flat."""
        return self.graph.op("Concat", *self.parts, axis=0)


def pays(windows: int, width: int, rows: IntArray) -> bool:
    """Whether fewer cells are in use, and no weight outgrows float32.

    windows: outputs a channel; width: along the last axis; rows: kernels [O, rows of taps, taps, C].
    """
    outer, lines, taps, inner = rows.shape
    if taps < 2 or width < 2 or 4 * np.abs(rows).max() >= EXACT:
        return False
    threes, twos = _cut(taps)
    lengths = [lines * inner * count for count in (threes + twos, threes + twos, threes, threes + twos)]
    pairs = windows // width * -(-width // 2)
    made = pairs * outer * (sum(length + length % 2 for length in lengths) + 4) + pairs * lines * inner * (4 * threes + 2 * twos)
    terms = lines * taps * inner
    return bool(made < windows * outer * (terms + terms % 2))


def twice(graph: Graph, source: str, size: int, positions: IntArray, rows: IntArray) -> str:
    """Twice the convolution, [windows, O].

    source: flat, of `size` entries. positions: [lines, width, rows of taps, taps, C], what each window reads, where
    neighbours along the width read one tap further; -1 in the padding. rows: kernels [O, rows of taps, taps, C].
    """
    width = positions.shape[1]
    if width % 2:
        positions = np.concatenate([positions, np.full_like(positions[:, :1], PADDING)], axis=1)
    bank, sums = Bank(graph, source, size), {name: Sum() for name in SUMS}
    even = positions[:, ::2].reshape(-1, *positions.shape[2:])
    after = positions[:, 1::2, :, -1:].reshape(-1, *positions.shape[2:3], 1, positions.shape[-1])
    reads = np.moveaxis(np.concatenate([even, after], axis=2), 2, 0)  # [taps + 1, pairs, rows of taps, C]
    kernels = np.moveaxis(rows, 2, 0)
    start, (threes, twos) = 0, _cut(rows.shape[2])
    for taps in (3,) * threes + (2,) * twos:
        _piece(bank, sums, reads[start : start + taps + 1], kernels[start : start + taps])
        start += taps
    name = bank.name()
    made = {key: _dot(graph, name, each) for key, each in sums.items() if each.reads}
    first = second = made["both"]
    if "apart" in made:
        first, second = graph.op("Add", first, made["apart"]), graph.op("Sub", second, made["apart"])
    outputs = [graph.op("Add", first, made["first"]), graph.op("Add", second, made["second"])]
    pairs = len(even)
    order = np.arange(2 * pairs).reshape(2, len(positions), -1).transpose(1, 2, 0).reshape(len(positions), -1)[:, :width]
    return graph.op("Gather", graph.op("Concat", *outputs, axis=0), graph.integers(order.ravel()), axis=0)


def _cut(taps: int) -> tuple[int, int]:
    """How many pieces of three and of two make up so many taps, two or more."""
    twos = -taps % 3
    return (taps - 2 * twos) // 3, twos


def _piece(bank: Bank, sums: dict[str, Sum], d: IntArray, g: IntArray) -> None:
    """Add the products of one piece. d: [taps + 1, pairs, rows, C]; g: [taps, O, rows, C]."""

    def add(name: str, read: IntArray, weights: IntArray) -> None:
        sums[name].reads.append(read)
        sums[name].weights.append(weights)

    add("first", bank.paired("Sub", d[0], d[len(g) - 1]), 2 * g[0])
    add("second", bank.paired("Sub", d[-1], d[1]), 2 * g[-1])
    if len(g) == 2:
        add("both", bank.plain(d[1]), 2 * (g[0] + g[1]))
        return
    add("both", bank.paired("Add", d[1], d[2]), g[0] + g[1] + g[2])
    add("apart", bank.paired("Sub", d[2], d[1]), g[0] - g[1] + g[2])


def _dot(graph: Graph, bank: str, each: Sum) -> str:
    """[pairs, O]."""
    reads = np.concatenate([read.reshape(len(read), -1) for read in each.reads], axis=1)
    weights = np.concatenate([part.reshape(len(part), -1) for part in each.weights], axis=1)
    return graph.op("MatMul", graph.op("Gather", bank, graph.integers(reads), axis=0), graph.constant(weights.T))
