# SPDX-License-Identifier: MIT OR Apache-2.0
"""How many bytes a step of a dispute shows at most: a byte costs up to 40 gas, and rule 39 allows 0.4M."""

from __future__ import annotations

from math import prod

from verifiable_ml.commitment.merkle import depth_of
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.errors import UnsupportedOperator
from verifiable_ml.program.identity import descriptor, pieces, reads, records
from verifiable_ml.program.operator import Operator, TraceRef
from verifiable_ml.program.pieces import HASH_BYTES, Read
from verifiable_ml.program.program import Program

MAX_EVIDENCE = 8_600
"""Bytes: with what a transaction costs anyway, and the words that say where each part lies, 0.4M gas."""


def check_affordable(program: Program) -> None:
    """Whether each of its operators can be disputed. Raises UnsupportedOperator."""
    for operator in program.operators:
        shown = most_shown(program, operator)
        if shown > MAX_EVIDENCE:
            raise UnsupportedOperator(
                thing=f"operator `{operator.label or operator.kind}`",
                reason=f"one step of a dispute about it shows up to {shown:,} bytes; {MAX_EVIDENCE:,} cost 0.4M gas, the limit",
                hint="add fewer operands at once, or smaller ones; proofs take it as it is",
            )


def most_shown(program: Program, operator: Operator) -> int:
    """Bytes of a piece's leaves with their paths, in the tensors and in the trace, of the record and of the descriptor."""
    _, tau = pieces(program, operator)
    path = HASH_BYTES * depth_of(len(program.inputs) + len(program.operators))
    opened = [
        read.most_shown(tau) + (path if isinstance(operand, TraceRef) else 0)
        for read, operand in zip(_reads(program, operator), operator.operands, strict=True)
    ]
    # rearrange opens the operand from which its element comes, and no other
    operands = max(opened) if operator.kind == "rearrange" else sum(opened)
    return operands + _record(operator) + len(descriptor(program, operator))


def _reads(program: Program, operator: Operator) -> tuple[Read, ...]:
    """Of an operator of one term: an element of each operand."""
    known = [program.known(operand) for operand in operator.operands]
    widths = [each.interval.dtype.width for each in known]
    alone = (Read((1,), width, width * prod(each.shape)) for width, each in zip(widths, known, strict=True))
    return reads(program, operator) or tuple(alone)


def _record(operator: Operator) -> int:
    table = records(operator)
    return 0 if table is None else min(table.nbytes, LEAF_BYTES) + HASH_BYTES * depth_of(-(-table.nbytes // LEAF_BYTES))
