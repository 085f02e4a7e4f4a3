# SPDX-License-Identifier: MIT OR Apache-2.0
"""The thirteen operators once more, one file each: what a term reads of each operand, and how the accumulator advances.

Each file has the same bands in the same order: NAME, NEUTRAL, terms, accumulate. The meaning is program/ops; these files say
how one element is computed without the others, and challenge/src/step says it in Solidity.
"""

from __future__ import annotations

from typing import cast

from verifiable_ml.dispute.steps import (
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
from verifiable_ml.dispute.steps.piece import Step

STEPS: dict[str, Step] = {
    step.NAME: cast(Step, step)
    for step in (matmul, conv, add, mul, sum, max, lookup, divide, isqrt, compare, argmax, gather, rearrange)
}
