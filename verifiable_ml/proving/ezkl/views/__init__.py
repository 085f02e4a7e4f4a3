# SPDX-License-Identifier: MIT OR Apache-2.0
"""views: each operator as ezkl nodes, one file an operator. What cannot be made exact is refused in its file, by name."""

from verifiable_ml.proving.ezkl.view import Emit
from verifiable_ml.proving.ezkl.views import (
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

VIEWS: dict[str, Emit] = {
    "matmul": matmul.emit,
    "conv": conv.emit,
    "add": add.emit,
    "mul": mul.emit,
    "sum": sum.emit,
    "max": max.emit,
    "lookup": lookup.emit,
    "divide": divide.emit,
    "isqrt": isqrt.emit,
    "compare": compare.emit,
    "argmax": argmax.emit,
    "gather": gather.emit,
    "rearrange": rearrange.emit,
}
