# SPDX-License-Identifier: MIT OR Apache-2.0
"""Find the chains that exporters write for GELU (by erf or by tanh) and put the one Gelu node in their place.

Chains differ in order and in where the constants stand, so they are recognised by what they compute: a part of the graph made
of scalar operators, with one tensor going in, whose values on a grid are those of GELU (Hendrycks and Gimpel, 2016).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, make, rewrite_each

NAME = "fuse_gelu"
GRID = np.linspace(-6.0, 6.0, 97)
MOST_NODES = 14
SCALAR: dict[str, Any] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Tanh": np.tanh,
    "Erf": np.vectorize(math.erf),
    "Identity": lambda x: x,
}
GELU = {
    "none": GRID * 0.5 * (1 + np.vectorize(math.erf)(GRID / math.sqrt(2))),
    "tanh": GRID * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (GRID + 0.044715 * GRID**3))),
}


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model with Gelu nodes where it had chains."""
    return rewrite_each(model, NAME, _gelu)


def _gelu(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type != "Mul" or node.domain:
        return None
    order = index.place
    inside: list[onnx.NodeProto] = [node]
    entering = _entering(inside, index)
    while len(inside) < MOST_NODES:
        if len(entering) == 1 and any(n.op_type in ("Erf", "Tanh") for n in inside):
            variant = _variant(inside, entering[0], node.output[0], index, order)
            if variant is not None:
                return Replacement(nodes=(make("Gelu", (entering[0],), (node.output[0],), node, approximate=variant),))
        makers = [index.producer[name] for name in entering if name in index.producer]
        if not makers:
            return None
        last = max(makers, key=lambda n: order[id(n)])
        if last.op_type not in SCALAR or last.domain:
            return None
        inside.append(last)
        entering = _entering(inside, index)
    return None


def _entering(inside: list[onnx.NodeProto], index: Index) -> list[str]:
    """Tensors that go into a part of the graph; scalar constants are part of it."""
    made = {name for node in inside for name in node.output}
    return sorted({name for node in inside for name in node.input if name not in made and _scalar(name, index) is None})


def _scalar(name: str, index: Index) -> float | None:
    value = index.constant(name)
    return float(value.reshape(())) if value is not None and value.size == 1 and value.dtype.kind == "f" else None


def _variant(inside: list[onnx.NodeProto], source: str, target: str, index: Index, order: dict[int, int]) -> str | None:
    values: dict[str, Any] = {source: GRID}
    with np.errstate(all="ignore"):
        for node in sorted(inside, key=lambda n: order[id(n)]):
            operands = [values[n] if n in values else _scalar(n, index) for n in node.input]
            values[node.output[0]] = SCALAR[node.op_type](*operands)
    found = np.asarray(values[target], float)
    return next((name for name, gelu in GELU.items() if found.shape == gelu.shape and np.allclose(found, gelu, atol=2e-6)), None)
