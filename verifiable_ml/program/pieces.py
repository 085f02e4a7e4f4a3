# SPDX-License-Identifier: MIT OR Apache-2.0
"""How an accumulation is cut into pieces that a contract can recompute from openings: K and tau of rules 5 and 36."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from verifiable_ml.commitment.merkle import depth_of
from verifiable_ml.commitment.roots import LEAF_BYTES

HASH_BYTES = 32
MAX_TERMS = 1024
MAX_LEAVES = 16
MAX_SHOWN = 7_500
"""Bytes of leaves and of their paths that a piece shows: what is left of 0.4M gas, at 40 a byte, for all else in a step."""
FAN_OUT = 64
"""Accumulators that a proposer posts in one move (rule 26)."""


class Read(NamedTuple):
    """How an element reads an operand: the lengths of contiguous runs in term order, bytes an element, bytes of it all."""

    runs: Sequence[int]
    width: int
    nbytes: int

    def most_leaves(self, tau: int) -> int:
        """The most leaves that any aligned window of `tau` terms touches: sum over its runs of ceil((bytes - 1)/256) + 1."""
        return self._most(tau, lambda terms: -(-(terms * self.width - 1) // LEAF_BYTES) + 1)

    def most_shown(self, tau: int) -> int:
        """The most bytes that such a window shows: of each run its leaves, whole elements in each, and a path of the tree; of
        runs longer than an element one path more, since a run that spans leaves has siblings on both sides.
        """
        path = HASH_BYTES * depth_of(-(-self.nbytes // LEAF_BYTES))
        both = path if max(self.runs) > 1 else 0
        return both + self._most(tau, lambda terms: LEAF_BYTES * (-(-(terms - 1) * self.width // LEAF_BYTES) + 1) + path)

    def _most(self, tau: int, weigh: Callable[[int], int]) -> int:
        most = total = filled = 0
        for length in self.runs:
            while length:
                if not filled and length > 2 * tau:  # whole windows are all alike: one of them is enough
                    length -= (length // tau - 1) * tau
                taken = min(length, tau - filled)
                total += weigh(taken)
                most, filled, length = max(most, total), filled + taken, length - taken
                if filled == tau:
                    total = filled = 0
        return most


def largest_piece(reads: Sequence[Read]) -> tuple[int, int]:
    """(K, tau) from how each operand is read.

    tau is the largest power of two <= 1,024 such that any aligned run of tau terms touches at most 16 leaves of each
    operand, and shows at most 7,500 bytes of all of them, by the bounds of rule 36; at least 1. No reads at all: one piece of
    one term.
    """
    if not reads:
        return 1, 1
    tau = MAX_TERMS
    while tau > 1 and not _fits(reads, tau):
        tau //= 2
    return sum(reads[0].runs), tau


def _fits(reads: Sequence[Read], tau: int) -> bool:
    return max(read.most_leaves(tau) for read in reads) <= MAX_LEAVES and sum(read.most_shown(tau) for read in reads) <= MAX_SHOWN


def partial_levels(terms: int, tau: int) -> int:
    """How often a proposer must post accumulators before one piece is left: L of rule 42."""
    pieces, levels = -(-terms // tau), 0
    while pieces > 1:
        pieces, levels = -(-pieces // FAN_OUT), levels + 1
    return levels
