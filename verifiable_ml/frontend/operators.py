# SPDX-License-Identifier: MIT OR Apache-2.0
"""The operators that a prepared model consists of: the whole contract between frontend/ and quantize/.

A row is the operator and what must hold of a node; `refusal` says why a node breaks its row, and what to do about it. All
operators are of the default domain, opset 20 (ONNX operator specification), on tensors with static shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.graph import Index, attributes
from verifiable_ml.frontend.trees import CANONICAL, DOMAIN, is_canonical
from verifiable_ml.frontend.unary import UNARY

OPSET = 20


@dataclass(frozen=True)
class Refusal:
    """Why a node is out of reach (reason), and what a person can do (fix)."""

    reason: str
    fix: str


Condition = Callable[[onnx.NodeProto, Index], str | None]


def _gather(node: onnx.NodeProto, index: Index) -> str | None:
    """Indices that are constant, computed, or an input of tokens."""
    whole = index.element_type(node.input[1]) in (TensorProto.INT64, TensorProto.INT32)
    return None if whole else "its indices are no whole numbers"


def _any(node: onnx.NodeProto, index: Index) -> str | None:
    return None


def _constant(*positions: int) -> Condition:
    """The operands at these positions, where present, are constants."""

    def condition(node: onnx.NodeProto, index: Index) -> str | None:
        for position in positions:
            if len(node.input) > position and node.input[position] and index.operand(node, position) is None:
                return f"its operand {position} ({node.input[position]!r}) depends on the input"
        return None

    return condition


def _convolution(node: onnx.NodeProto, index: Index) -> str | None:
    return _constant(1, 2)(node, index) or _at_most_3_spatial(node, index)


def _at_most_3_spatial(node: onnx.NodeProto, index: Index) -> str | None:
    shape = index.shape(node.input[0])
    return None if shape is not None and 3 <= len(shape) <= 5 else "it has not one to three spatial dimensions"


def _pool(node: onnx.NodeProto, index: Index) -> str | None:
    if len([name for name in node.output if name]) > 1:
        return "its indices are used"
    if attributes(node).get("ceil_mode", 0):
        return "ceil_mode is on and changes the shape"
    return _at_most_3_spatial(node, index)


def _pad(node: onnx.NodeProto, index: Index) -> str | None:
    mode = attributes(node).get("mode", "constant")
    return f"its mode is {mode!r}, not 'constant'" if mode != "constant" else _constant(1, 2, 3)(node, index)


def _layer_norm(node: onnx.NodeProto, index: Index) -> str | None:
    if len([name for name in node.output if name]) > 1:
        return "its mean or deviation is an output"
    return _constant(1, 2)(node, index)


def _divide(node: onnx.NodeProto, index: Index) -> str | None:
    return "it divides integers" if index.element_type(node.input[0]) != TensorProto.FLOAT else None


def _float_operand(node: onnx.NodeProto, index: Index) -> str | None:
    return "its operand is no float" if index.element_type(node.input[0]) != TensorProto.FLOAT else None


def _number(node: onnx.NodeProto, index: Index) -> str | None:
    """A unary function with one constant number in it."""
    value = index.operand(node, 1)
    if value is None or value.size != 1 or value.dtype.kind not in "fiu":
        return "its second operand is not one constant number"
    if index.shape(node.input[0]) != index.shape(node.output[0]):
        return "its second operand adds axes"
    if node.op_type == "Mod" and not value.any():
        return "it divides by zero"
    return _float_operand(node, index)


def _clip(node: onnx.NodeProto, index: Index) -> str | None:
    return _constant(1, 2)(node, index) or _float_operand(node, index)


def _last_axis(node: onnx.NodeProto, index: Index) -> str | None:
    rank = len(index.shape(node.input[0]) or ())
    axis = attributes(node).get("axis", -1)
    return None if rank and axis in (-1, rank - 1) else f"it runs along axis {axis} of {rank}"


def _arg_max(node: onnx.NodeProto, index: Index) -> str | None:
    if attributes(node).get("select_last_index", 0):
        return "it asks for the last of equal maxima"
    return _float_operand(node, index)


def _cast(node: onnx.NodeProto, index: Index) -> str | None:
    before, after = index.element_type(node.input[0]), attributes(node).get("to")
    if before not in TYPES or after not in TYPES:
        return "it is to or from another type than float, int32, int64 and bool"
    return "it turns numbers into truth values" if after == TensorProto.BOOL != before else None


def _forest(node: onnx.NodeProto, index: Index) -> str | None:
    """Splits `<=` and `==`, sums or means, no post_transform: what the pass plain_trees leaves."""
    shape = index.static_shape(node.input[0])
    if index.element_type(node.input[0]) != TensorProto.FLOAT or shape is None or len(shape) != 2:
        return "its features are no rows of floats"
    return None if is_canonical(node) else "its trees are malformed, or decide or add up in a way that is not taken"


def _quantised(node: onnx.NodeProto, index: Index) -> str | None:
    """One scale and one zero point a tensor, both constants."""
    numbers = [index.operand(node, place) for place in (1, 2) if len(node.input) > place and node.input[place]]
    if any(number is None or number.size != 1 for number in numbers):
        return "its scale or its zero point is not one constant number"
    return None


OPERATORS: dict[str, Condition] = {
    **dict.fromkeys(UNARY, _float_operand),
    "MatMul": _any,
    "Conv": _convolution,  # every attribute explicit, no auto_pad
    "Add": _any,
    "Sub": _any,
    "Mul": _any,  # a subtracted constant is an Add, a dividing one a Mul
    "Div": _divide,
    "Neg": _any,
    "Relu": _any,
    "Pow": _number,
    "Mod": _number,
    "Clip": _clip,
    "Softmax": _last_axis,
    "LayerNormalization": _layer_norm,
    "MaxPool": _pool,
    "AveragePool": _pool,  # every attribute explicit, no auto_pad, no ceil_mode
    "GlobalAveragePool": _any,
    "ReduceMean": _constant(1),
    "ReduceSum": _constant(1),
    "ReduceMax": _constant(1),
    "ArgMax": _arg_max,
    "Less": _any,
    "LessOrEqual": _any,
    "Greater": _any,
    "GreaterOrEqual": _any,
    "Equal": _any,
    "And": _any,
    "Or": _any,
    "Xor": _any,
    "Not": _any,
    "Where": _any,
    "Cast": _cast,
    "Reshape": _constant(1),  # a literal shape, without 0 and -1
    "Transpose": _any,
    "Slice": _constant(1, 2, 3, 4),  # starts, ends, axes and steps all present, non-negative starts
    "Concat": _any,
    "Pad": _pad,
    "Gather": _gather,
    "Identity": _any,
    CANONICAL: _forest,
    "QuantizeLinear": _quantised,
    "DequantizeLinear": _quantised,
}

TYPES = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)
STEPS = (TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16)
STEPPED = frozenset({"QuantizeLinear", "Reshape", "Transpose", "Slice", "Concat", "Gather", "MaxPool", "Identity"})
"""What may hand on the integers of a quantised tensor."""
EXACT = frozenset(OPERATORS) - {*UNARY, "Conv", "Div", "Pow", "Mod", "Clip", "Softmax", "LayerNormalization"}
"""What may hand on whole numbers and truth values: moved, compared, added and multiplied, never divided or looked up."""

# Operators that only passes can remove, and what to do where they could not.
WAYS_OUT: dict[str, str] = {
    "Loop": "unroll the loop, or let a constant say how often it runs: export with a fixed sequence length",
    "Scan": "it has no fixed number of steps, or too many: export with a fixed sequence length",
    "If": "fix the input that decides (`vml compile --fix name=value`), or export with the condition fixed, in eval mode",
    "BatchNormalization": "export in eval mode (model.eval()), so that it has constant statistics",
    "Dropout": "export in eval mode (model.eval())",
    "NonZero": "its output has no fixed shape: use a mask and a multiplication",
    "TopK": "give a constant k of at most a few thousand pairs a row, or sort the scores outside",
    "LSTM": "make its weights, its biases and one sequence length for the whole batch constants",
    "GRU": "make its weights, its biases and one sequence length for the whole batch constants",
    "RNN": "make its weights, its biases and one sequence length for the whole batch constants",
    "Expand": "fix the shape that it expands to",
}
FALLBACK = "express it with: " + ", ".join(sorted(OPERATORS))


def refusal(node: onnx.NodeProto, index: Index) -> Refusal | None:
    """Why quantize/ cannot lower this node, or None if it can."""
    if node.domain == DOMAIN and node.op_type != CANONICAL:
        return Refusal("what it is set to do has no form in standard operators", CLASSICAL.get(node.op_type, FALLBACK))
    if node.domain not in ("", "ai.onnx", DOMAIN):
        return foreign(node.domain)
    if node.op_type != "Identity" and all(index.constant(name) is not None for name in node.input if name):
        return Refusal("it depends on no input", "drop this output: it is a constant")
    if node.op_type not in OPERATORS:
        return Refusal("no lowering to integers exists for this operator", WAYS_OUT.get(node.op_type, FALLBACK))
    typed = _unfixed_output(node, index) or _other_type(node, index)
    reason = None if typed else OPERATORS[node.op_type](node, index)
    if reason is not None:
        return Refusal(reason, "make it a constant at export, or change the layer")
    return typed or _unbounded_constant(node, index)


CLASSICAL = {
    "TreeEnsembleClassifier": "export raw scores (post_transform NONE), every class named by every tree",
    "TreeEnsemble": "export raw scores, without splits by membership in a set",
    "SVMClassifier": "export raw scores: train with probability=False",
    "OneHotEncoder": "encode texts as numbers outside",
    "LabelEncoder": "encode texts as numbers outside",
    "CategoryMapper": "encode texts as numbers outside",
    "DictVectorizer": "give features as one array of numbers",
}
"""Operators of ai.onnx.ml that a pass could not rewrite, and what to do."""


def foreign(domain: str) -> Refusal:
    """Why an operator of another domain is out of reach."""
    return Refusal(f"its domain is {domain!r}, not the standard one", "export with standard operators only")


def _unbounded_constant(node: onnx.NodeProto, index: Index) -> Refusal | None:
    for name in node.input:
        value = index.constant(name)
        infinite = value is not None and value.dtype.kind == "f" and not np.isfinite(value).all()
        if infinite and node.op_type not in ("Clip", "Pad"):
            return Refusal(f"its constant {name!r} has infinite values", "use a large finite value, such as -1e4 in a mask")
    return None


def _other_type(node: onnx.NodeProto, index: Index) -> Refusal | None:
    """Arithmetic is float32; whole numbers and truth values stay what they are."""
    found = index.element_type(node.output[0])
    if found == TensorProto.FLOAT or (found in TYPES and node.op_type in EXACT) or (found in STEPS and node.op_type in STEPPED):
        return None
    name = TensorProto.DataType.Name(found)
    return Refusal(f"its output {node.output[0]!r} is {name}, not FLOAT", "export the model in float32")


def _unfixed_output(node: onnx.NodeProto, index: Index) -> Refusal | None:
    for name in node.output:
        if name and index.static_shape(name) is None:
            reason = f"the shape of its output {name!r} depends on the input"
            return Refusal(reason, "fix every dimension, or remove what depends on values")
    return None
