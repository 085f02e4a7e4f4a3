# SPDX-License-Identifier: MIT OR Apache-2.0
"""Operands that broadcast get as many axes as the result, so that they can be stored in one order."""

from __future__ import annotations

import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "equal_ranks"
BROADCAST = frozenset(
    {"Add", "Sub", "Mul", "Div", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "And", "Or", "Xor", "Where"}
)


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which operands that depend on an input have the rank of the result. Source: ONNX, Broadcasting."""
    return rewrite_each(model, NAME, _padded)


def _padded(node: onnx.NodeProto, index: Index) -> Replacement | None:
    made = index.static_shape(node.output[0]) if node.op_type in BROADCAST and not node.domain else None
    shapes = [index.static_shape(name) for name in node.input]
    if made is None or any(shape is None for shape in shapes):
        return None
    draft, operands = Draft(node, index), []
    for name, shape in zip(node.input, shapes, strict=True):
        missing = len(made) - len(shape or ())
        fixed = index.constant(name) is not None
        operands.append(name if fixed or not missing else draft.reshape(name, (*[1] * missing, *(shape or ()))))
    if operands == [*node.input]:
        return None
    return draft.done(draft.add(node.op_type, *operands, **attributes(node)))
