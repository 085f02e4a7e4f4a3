# SPDX-License-Identifier: MIT OR Apache-2.0
"""program: what a model *is* here. Integer operators in order, their constants, what goes in and what comes out.

In: operators and constants (from quantize/). Out: a frozen Program with proven intervals, its id and its files.
Knows no ONNX, no proof, no chain; running a Program is execute/'s job.
"""

from verifiable_ml.program.builder import Builder, identify
from verifiable_ml.program.encoding import Encoding, Linear, Ranks, Tokens
from verifiable_ml.program.files import load, save
from verifiable_ml.program.operator import ConstantRef, Operand, Operator, TraceRef
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.program import Input, Output, Program
from verifiable_ml.program.requantise import Requantise
from verifiable_ml.program.tensor import Interval, TensorSpec

__all__ = [
    "OPERATORS",
    "Builder",
    "ConstantRef",
    "Encoding",
    "Input",
    "Interval",
    "Linear",
    "Operand",
    "Operator",
    "Output",
    "Program",
    "Ranks",
    "Requantise",
    "TensorSpec",
    "Tokens",
    "TraceRef",
    "identify",
    "load",
    "save",
]
