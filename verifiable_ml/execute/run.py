# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fastest exact way to run a program: onnxruntime, or the reference where onnxruntime cannot be exact.

Both give the same bits, so nobody needs to know which it was. Building takes milliseconds to seconds: keep what is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.onnxruntime import OnnxView
from verifiable_ml.execute.reference import run_reference
from verifiable_ml.execute.trace import Trace
from verifiable_ml.program import Program

Inputs = Mapping[str, IntArray]


def recorder(program: Program) -> Callable[[Inputs], Trace]:
    """From integers by input name to the whole trace. What it returns raises InvalidInput."""
    try:
        return OnnxView(program, every_output=True).trace
    except UnsupportedModel:
        return partial(run_reference, program)


def predictor(program: Program) -> Callable[[Inputs], tuple[IntArray, ...]]:
    """From integers by input name to the outputs, in order. What it returns raises InvalidInput."""
    try:
        return OnnxView(program).outputs
    except UnsupportedModel:
        return lambda inputs: run_reference(program, inputs).outputs
