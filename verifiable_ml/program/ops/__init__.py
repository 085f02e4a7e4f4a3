# SPDX-License-Identifier: MIT OR Apache-2.0
"""The thirteen operators, one file each: the table is the truth, and what each file says is what the operator means everywhere.

Each file has the same bands in the same order: NAME and CODE, Attributes, output_shape, accumulate (the reference, in
the plainest NumPy), bounds (what the accumulation can reach), runs (how terms lie in memory, for rule 36).
"""

from __future__ import annotations

from typing import cast

from verifiable_ml.program.operator import Kind
from verifiable_ml.program.ops import (
    add,
    argmax,
    compare,
    conv,
    divide,
    gather,
    isqrt,
    lookup,
    matmul,
    max,
    mul,
    rearrange,
    sum,
)

OPERATORS: dict[str, Kind] = {
    op.NAME: cast(Kind, op)
    for op in (matmul, conv, add, mul, sum, max, lookup, divide, isqrt, compare, argmax, gather, rearrange)
}
