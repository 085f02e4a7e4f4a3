# SPDX-License-Identifier: MIT OR Apache-2.0
"""The thirteen operators as onnxruntime computes them: one file each, of the name it has in program/ops.

In: a Graph, a Step and the operands' values. Out: the value of the exact accumulation, whatever its type and layout;
requantisation follows outside. A view that cannot be exact raises Inexact.
"""

from __future__ import annotations

from collections.abc import Callable

from verifiable_ml.execute.graph import Graph, Step, Value
from verifiable_ml.execute.views import (
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

View = Callable[[Graph, Step, tuple[Value, ...]], Value]

VIEWS: dict[str, View] = {
    "matmul": matmul.view,
    "conv": conv.view,
    "add": add.view,
    "mul": mul.view,
    "sum": sum.view,
    "max": max.view,
    "lookup": lookup.view,
    "divide": divide.view,
    "isqrt": isqrt.view,
    "compare": compare.view,
    "argmax": argmax.view,
    "gather": gather.view,
    "rearrange": rearrange.view,
}
