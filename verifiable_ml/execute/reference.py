# SPDX-License-Identifier: MIT OR Apache-2.0
"""The reference: every operator by its own definition in program/ops, in NumPy int64, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.trace import Trace, check_inputs
from verifiable_ml.program import OPERATORS, ConstantRef, Operator, Program


def run_reference(program: Program, inputs: Mapping[str, IntArray]) -> Trace:
    """What the program means on `inputs` (integers by input name). Raises InvalidInput; total on every legal input."""
    tensors = list(check_inputs(program, inputs))
    for operator in program.operators:
        tensors.append(run_operator(program, operator, tensors))
    return Trace(program, tuple(tensors))


def run_operator(program: Program, operator: Operator, tensors: Sequence[IntArray]) -> IntArray:
    """One operator's output; `tensors`: the trace so far, at least up to what it reads."""
    operands = tuple(
        (program.constants if isinstance(operand, ConstantRef) else tensors)[operand.index].astype(np.int64)
        for operand in operator.operands
    )
    accumulator = OPERATORS[operator.kind].accumulate(operator.attributes, operands)
    values = accumulator if operator.requantise is None else operator.requantise(accumulator)
    return values.astype(operator.output.dtype.numpy).reshape(operator.output.shape)
