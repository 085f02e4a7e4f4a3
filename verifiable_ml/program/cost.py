# SPDX-License-Identifier: MIT OR Apache-2.0
"""What one operator costs, counted: products that are summed, which every world pays for in its own currency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from verifiable_ml.program.operator import Operator
from verifiable_ml.program.program import Program


def multiply_accumulates(program: Program, operator: Operator) -> int:
    """Terms of all its sums of products: of matmul and conv those of every output, of mul one an output; 0 of all others."""
    if operator.kind in ("matmul", "conv"):
        x, w = (program.known(operand).shape for operand in operator.operands)
        return operator.output.size * (prod(w[1:]) if operator.kind == "conv" else x[-1])
    return operator.output.size if operator.kind == "mul" else 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some operators together: how many they are, their multiply-accumulates, and what they add to a trace."""

    operators: int = 0
    macs: int = 0
    trace_bytes: int = 0


def costs_between(program: Program, ends: Iterable[int]) -> dict[int, Cost]:
    """For each of these trace indices the cost of what was computed since the one before; an input costs nothing."""
    found, inputs = {}, len(program.inputs)
    first = inputs
    for end in sorted(set(ends)):
        parts = program.operators[first - inputs : max(end + 1 - inputs, 0)]
        macs = sum(multiply_accumulates(program, operator) for operator in parts)
        found[end] = Cost(len(parts), macs, sum(operator.output.nbytes for operator in parts))
        first = max(first, end + 1)
    return found
