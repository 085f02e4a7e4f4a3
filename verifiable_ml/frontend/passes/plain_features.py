# SPDX-License-Identifier: MIT OR Apache-2.0
"""What prepares features in ai.onnx.ml, by standard operators: Scaler, Normalizer, Imputer, Binarizer, OneHotEncoder,
LabelEncoder, FeatureVectorizer, ArrayFeatureExtractor.

Source: ONNX operator specification, domain ai.onnx.ml; where it is silent, what onnxruntime does.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each
from verifiable_ml.frontend.trees import DOMAIN

NAME = "plain_features"
MOVES = frozenset({"Identity", "Cast", "Concat", "Gather", "Slice", "Reshape"})
LEAST = 1e-30
"""A norm below it is that of zeros, which stay zeros."""


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose features are prepared by standard operators."""
    rules = (_scaler, _normalizer, _imputer, _binarizer, _one_hot, _label_encoder, _feature_vectorizer, _array_feature_extractor)
    return rewrite_each(model, NAME, *rules)


def _is(node: onnx.NodeProto, kind: str) -> bool:
    return node.domain == DOMAIN and node.op_type == kind


def _single(draft: Draft, index: Index, x: str) -> str:
    return x if index.element_type(x) == TensorProto.FLOAT else draft.add("Cast", x, to=TensorProto.FLOAT)


def _scaler(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """(x - offset) * scale"""
    if not _is(node, "Scaler"):
        return None
    options, draft = attributes(node), Draft(node, index)
    offset, scale = (np.array(options.get(name, (default,)), np.float32) for name, default in (("offset", 0.0), ("scale", 1.0)))
    x = draft.add("Sub", _single(draft, index, node.input[0]), offset)
    return draft.done(draft.add("Mul", x, scale))


def _normalizer(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Divided by the row's norm; nothing, behind what has the norm 1 already."""
    if not _is(node, "Normalizer"):
        return None
    kind, draft = attributes(node).get("norm", "MAX"), Draft(node, index)
    maker = index.producer.get(node.input[0])
    if kind == "L1" and maker is not None and maker.op_type == "Softmax" and attributes(maker).get("axis", -1) in (-1, 1):
        return draft.done(node.input[0], note="nothing, since the sum is 1")
    x = _single(draft, index, node.input[0])
    if kind == "MAX":
        return draft.done(draft.add("Div", x, draft.add("ReduceMax", x, [-1], keepdims=1)))
    if kind == "L1":
        norm = draft.add("ReduceSum", draft.add("Abs", x), [-1], keepdims=1)
    else:
        norm = draft.add("Sqrt", draft.add("ReduceSum", draft.add("Mul", x, x), [-1], keepdims=1))
    return draft.done(draft.add("Div", x, draft.add("Clip", norm, LEAST)))


def _imputer(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Nothing where NaN is replaced, since no input is NaN; else Where(x == replaced, imputed, x)."""
    if not _is(node, "Imputer"):
        return None
    options, draft = attributes(node), Draft(node, index)
    floats = options.get("imputed_value_floats")
    imputed = np.array(floats, np.float32) if floats else np.array(options.get("imputed_value_int64s", (0,)), np.int64)
    replaced = options.get("replaced_value_float", 0.0) if floats else options.get("replaced_value_int64", 0)
    if np.isnan(replaced):
        never = node.input[0] in index.inputs or node.input[0] in _handed_on(index)
        return draft.done(node.input[0], note="nothing, since no input is NaN") if never else None
    missing = draft.add("Equal", node.input[0], np.array(replaced, imputed.dtype))
    return draft.done(draft.add("Where", missing, imputed, node.input[0]))


def _handed_on(index: Index) -> set[str]:
    """Tensors whose elements are those of inputs."""
    found: set[str] = set()
    for node in index.model.graph.node:
        sources = [name for name in node.input if name and index.constant(name) is None]
        if node.op_type in MOVES and all(name in found or name in index.inputs for name in sources):
            found.update(node.output)
    return found


def _binarizer(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """1 where x > threshold, else 0."""
    if not _is(node, "Binarizer"):
        return None
    draft, kind = Draft(node, index), index.element_type(node.input[0])
    threshold = np.array(attributes(node).get("threshold", 0.0), np.float32)
    return draft.done(draft.add("Cast", draft.add("Greater", _single(draft, index, node.input[0]), threshold), to=kind))


def _one_hot(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """1 where x is the category; what is none of them is zeros, where onnxruntime may raise (zeros = 0)."""
    shape = index.static_shape(node.input[0]) if _is(node, "OneHotEncoder") else None
    categories = attributes(node).get("cats_int64s")
    if shape is None or not categories:
        return None
    draft, kind = Draft(node, index), index.element_type(node.input[0])
    known = np.array(categories).astype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    column = draft.reshape(node.input[0], (*shape, 1))
    return draft.done(draft.add("Cast", draft.add("Equal", column, known), to=TensorProto.FLOAT))


def _label_encoder(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The value of the key that x is, else the default: the first that is equal, or the entry behind them."""
    shape = index.static_shape(node.input[0]) if _is(node, "LabelEncoder") else None
    pairs = _table(attributes(node)) if shape is not None else None
    if pairs is None or shape is None:
        return None
    (keys, values), draft = pairs, Draft(node, index)
    keys = keys.astype(onnx.helper.tensor_dtype_to_np_dtype(index.element_type(node.input[0])))
    equal = draft.add("Cast", draft.add("Equal", draft.reshape(node.input[0], (*shape, 1)), keys), to=TensorProto.FLOAT)
    found = draft.add("Concat", equal, np.full((*shape, 1), 0.5), axis=-1)
    return draft.done(draft.add("Gather", values, draft.add("ArgMax", found, axis=-1, keepdims=0), axis=0))


def _table(options: dict[str, object]) -> tuple[np.ndarray, np.ndarray] | None:
    found = []
    for part, default in (("keys", None), ("values", "default")):
        for name, dtype in (("int64s", np.int64), ("floats", np.float32), ("tensor", None)):
            value = options.get(f"{part}_{name}")
            if value is None or (not isinstance(value, onnx.TensorProto) and not len(value)):  # type: ignore[arg-type]
                continue
            array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.array(value, dtype)
            rest = options.get(f"{default}_{name.rstrip('s')}", -1 if name == "int64s" else -0.0) if default else None
            rest = numpy_helper.to_array(rest).reshape(-1)[0] if isinstance(rest, onnx.TensorProto) else rest
            found.append(array if rest is None else np.append(array, np.array(rest, array.dtype)))
    numbers = all(each.dtype.kind in "if" and each.ndim == 1 for each in found)
    return (found[0], found[1]) if len(found) == 2 and numbers and len(found[1]) == len(found[0]) + 1 else None


def _feature_vectorizer(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The features of all inputs in one row."""
    shapes = [index.static_shape(name) for name in node.input] if _is(node, "FeatureVectorizer") else []
    if not shapes or any(shape is None for shape in shapes):
        return None
    draft = Draft(node, index)
    rows = [shape if shape and len(shape) > 1 else (1, *(shape or (1,))) for shape in shapes]
    parts = [
        draft.reshape(_single(draft, index, name), (shape[0], int(np.prod(shape[1:]))))
        for name, shape in zip(node.input, rows, strict=True)
    ]
    return draft.done(draft.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0])


def _array_feature_extractor(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Entries of the last axis; of a table of one row the result is one row too, however many places are asked for."""
    shape = index.static_shape(node.input[0]) if _is(node, "ArrayFeatureExtractor") else None
    if shape is None:
        return None
    draft, places = Draft(node, index), index.operand(node, 1)
    table, asked = index.operand(node, 0), index.static_shape(node.input[1])
    if places is not None:
        picked = draft.add("Gather", node.input[0], places.reshape(-1), axis=len(shape) - 1)
        return draft.done(picked if len(shape) > 1 else draft.reshape(picked, (1, places.size)))
    if table is None or asked is None or table.size != shape[-1]:
        return None
    flat = draft.add("Gather", table.reshape(-1), draft.reshape(node.input[1], (int(np.prod(asked)),)), axis=0)
    return draft.done(draft.reshape(flat, (1, int(np.prod(asked)))))
