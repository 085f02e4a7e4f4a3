# SPDX-License-Identifier: MIT OR Apache-2.0
"""How an accumulation is cut into pieces that a contract can recompute from openings: K and tau of rules 5 and 36."""

from __future__ import annotations

from collections.abc import Sequence

from verifiable_ml.commitment.roots import LEAF_BYTES

MAX_TERMS = 1024
MAX_LEAVES = 16
FAN_OUT = 64
"""Accumulators that a proposer posts in one move (rule 26)."""


def largest_piece(runs: Sequence[tuple[Sequence[int], int]]) -> tuple[int, int]:
    """(K, tau) from each operand's (lengths of contiguous runs in term order, bytes an element).

    tau is the largest power of two <= 1,024 such that any aligned run of tau terms touches at most 16 leaves of each
    operand, by the bound of rule 36; at least 1. No runs at all: one piece of one term.
    """
    if not runs:
        return 1, 1
    terms = sum(runs[0][0])
    tau = MAX_TERMS
    while tau > 1 and any(_most_leaves(lengths, width, tau) > MAX_LEAVES for lengths, width in runs):
        tau //= 2
    return terms, tau


def _most_leaves(lengths: Sequence[int], width: int, tau: int) -> int:
    """The most leaves that any aligned window of `tau` terms touches: sum over its runs of ceil((bytes - 1)/256) + 1."""
    most = touched = filled = 0
    for length in lengths:
        while length:
            if not filled and length > 2 * tau:  # whole windows are all alike: one of them is enough
                length -= (length // tau - 1) * tau
            taken = min(length, tau - filled)
            touched += -(-(taken * width - 1) // LEAF_BYTES) + 1
            most, filled, length = max(most, touched), filled + taken, length - taken
            if filled == tau:
                touched = filled = 0
    return most


def partial_levels(terms: int, tau: int) -> int:
    """How often a proposer must post accumulators before one piece is left: L of rule 42."""
    pieces, levels = -(-terms // tau), 0
    while pieces > 1:
        pieces, levels = -(-pieces // FAN_OUT), levels + 1
    return levels
