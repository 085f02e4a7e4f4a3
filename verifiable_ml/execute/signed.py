# SPDX-License-Identifier: MIT OR Apache-2.0
"""Products of bytes by constant signed bytes, four times as fast as those of bytes by bytes, where they are exact.

Where a processor has VNNI, or is no x86, onnxruntime sums them in 32 bits. Elsewhere it saturates pairs of products at 16 bits
without a word, so which it is here is tried, once, on the values that would saturate first.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.graph import Graph
from verifiable_ml.execute.planes import Plane, joined
from verifiable_ml.program import Interval

TRIED = ((1, 64, 33), (5, 300, 64), (70, 129, 17))
"""Rows, terms and columns: a vector, whole blocks, and what is left over of them."""


@cache
def signed_products_are_exact() -> bool:
    """Whether onnxruntime multiplies bytes by signed bytes exactly on this processor."""
    return all(_tried(*shape, zero) for shape in TRIED for zero in (0, -128))


def _tried(rows: int, terms: int, columns: int, zero: int) -> bool:
    x = np.full((rows, terms), 255, np.uint8)
    w = np.where(np.arange(columns) % 3, 127, -128).astype(np.int8) * np.ones((terms, 1), np.int8)
    constants = {"w": w, "none": np.array(0, np.uint8), "zero": np.array(zero, np.int8)}
    weights = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    node = helper.make_node("MatMulInteger", ["x", "w", "none", "zero"], ["y"])
    given = helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)
    made = helper.make_tensor_value_info("y", TensorProto.INT32, (rows, columns))
    graph = helper.make_graph([node], "tried", [given], [made], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    try:
        (y,) = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"]).run(None, {"x": x})
    except Exception:  # onnxruntime's own errors share no base class; without this product there are the others
        return False
    return np.array_equal(y, x.astype(np.int64) @ (w.astype(np.int64) - zero))


def signed_count(weights: Interval) -> int:
    """How many planes signed_planes makes of weights from the one end to the other, both reached."""
    return 1 if _lone(weights) is not None else 1 + signed_count(Interval(weights.low >> 8, weights.high >> 8))


def _lone(weights: Interval) -> int | None:
    """The zero point with which one plane holds them all; None if none does."""
    if weights.within(Interval(-128, 127)):
        return 0
    fits = weights.high - weights.low <= 255 and -255 <= weights.low <= 0
    return -(weights.low + 128) if fits else None


def signed_planes(weights: IntArray) -> tuple[tuple[IntArray, int, int], ...]:
    """(plane, its zero point, its place): weights = sum of 2^(8 place) (plane - zero), each plane within signed bytes."""
    zero = _lone(Interval(int(weights.min()), int(weights.max())))
    if zero is not None:
        return (((weights + zero).astype(np.int8), zero, 0),)
    lowest = (((weights & 255) - 128).astype(np.int8), -128, 0)
    return (lowest, *((plane, zero, place + 1) for plane, zero, place in signed_planes(weights >> 8)))


def times_weights(graph: Graph, xs: list[Plane], weights: IntArray) -> tuple[str, str]:
    """Planes of bytes [M, K] times weights [N, K], zero points taken away from both: the name of [M, N], and its type."""

    def product(x: Plane, w: Plane) -> tuple[str, str]:
        zeros = [graph.constant(x.zero, "uint8"), *([graph.constant(w.zero, "int8")] if w.zero else [])]
        return graph.node("MatMulInteger", x.value.name, w.value.name, *zeros), "int32"

    ws = [
        Plane(graph.value(graph.constant(plane.T, "int8"), "int8", plane.shape[::-1]), zero, place)
        for plane, zero, place in signed_planes(weights)
    ]
    return joined(graph, xs, ws, weights.shape[1], product)
