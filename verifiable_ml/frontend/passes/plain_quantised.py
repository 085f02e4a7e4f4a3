# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models that are quantised already, in the one form of QuantizeLinear, an operator on floats, DequantizeLinear.

An operator on integers (QLinearConv and the like, of ONNX and of onnxruntime's own domain) becomes that operator between a
DequantizeLinear of each operand and a QuantizeLinear of the result. Scales that are found at run time (DynamicQuantizeLinear) are
left out: what follows calibrates them. onnxruntime rounds an integer operator's result by other arithmetic, so the judge is less
strict with such models. Source: ONNX QLinearConv-10, QLinearMatMul-21, ConvInteger-10, MatMulInteger-10,
DynamicQuantizeLinear-11; onnxruntime's docs/ContribOperators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_quantised"
ONNXRUNTIME = "com.microsoft"
WIDE_OPSET, WIDE_IR = 21, 10
"""Where QuantizeLinear takes 16 bits in the standard domain."""
CONV = ("kernel_shape", "strides", "pads", "dilations", "group", "auto_pad")
POOL = (*CONV, "ceil_mode", "count_include_pad")

Emit = Callable[[Draft, Sequence[str], Mapping[str, Any]], str]
Triple = tuple[str, str, str]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose integers stand between QuantizeLinear and DequantizeLinear only."""
    model, log = rewrite_each(model, NAME, _operator, _integer_product, _dynamic, _standard)
    if any(node.op_type in ("QuantizeLinear", "DequantizeLinear") for node in model.graph.node if not node.domain) and log:
        for entry in model.opset_import:
            if entry.domain in ("", "ai.onnx"):
                entry.version = max(entry.version, WIDE_OPSET)
        model.ir_version = max(model.ir_version, WIDE_IR)
    return model, log


def is_quantised(model: onnx.ModelProto) -> bool:
    """Whether a model rounds inside."""
    return any(node.op_type in ROUNDING or node.op_type in TAKEN for node in model.graph.node)


def _kept(options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}


def _plain(kind: str, *names: str) -> Emit:
    """The operator of that name, with these attributes."""
    return lambda draft, x, options: draft.add(kind, *x, **_kept(options, names))


def _softmax(draft: Draft, x: Sequence[str], options: Mapping[str, Any]) -> str:
    return draft.add("Softmax", *x, axis=int(options.get("axis", -1)))


def _gemm(draft: Draft, x: Sequence[str], options: Mapping[str, Any]) -> str:
    return draft.add("Gemm", *x, **_kept(options, ("alpha", "transA", "transB")))


# each operand is a triple (integers, scale, zero) at these places; the result's scale and zero stand at the last one
BINARY, UNARY = ((0, 1, 2), (3, 4, 5), (6, 7)), ((0, 1, 2), (3, 4))
OPERATORS: dict[tuple[str, str], tuple[tuple[tuple[int, ...], ...], Emit]] = {
    ("", "QLinearConv"): (BINARY, _plain("Conv", *CONV)),
    ("", "QLinearMatMul"): (BINARY, _plain("MatMul")),
    (ONNXRUNTIME, "QLinearAdd"): (BINARY, _plain("Add")),
    (ONNXRUNTIME, "QLinearMul"): (BINARY, _plain("Mul")),
    (ONNXRUNTIME, "QLinearSigmoid"): (UNARY, _plain("Sigmoid")),
    (ONNXRUNTIME, "QLinearLeakyRelu"): (UNARY, _plain("LeakyRelu", "alpha")),
    (ONNXRUNTIME, "QLinearAveragePool"): (UNARY, _plain("AveragePool", *POOL)),
    (ONNXRUNTIME, "QLinearGlobalAveragePool"): (UNARY, _plain("GlobalAveragePool")),
    (ONNXRUNTIME, "QLinearSoftmax"): (UNARY, _softmax),
    (ONNXRUNTIME, "QGemm"): (((0, 1, 2), (3, 4, 5), (7, 8)), _gemm),
}
"""By domain and name. A bias of QLinearConv (8) and QGemm (6) has the scale of both operands, and zero 0."""
BIASES = {"QLinearConv": 8, "QGemm": 6}
TAKEN = frozenset(name for domain, name in OPERATORS if domain) | {"QLinearConcat", "QuantizeLinear", "DequantizeLinear"}
"""Of onnxruntime's own domain."""
ROUNDING = frozenset({"QuantizeLinear", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"})


def _operator(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.domain == ONNXRUNTIME and node.op_type == "QLinearConcat":
        return _concat(node, index)
    found = OPERATORS.get((node.domain if node.domain != "ai.onnx" else "", node.op_type))
    options, draft = attributes(node), Draft(node, index)
    if found is None or options.get("channels_last", 0):
        return None
    (*places, last), emit = found
    names = [*node.input, *[""] * 12]
    operands = [
        _real(draft, index, (names[a], names[b], names[c]), weights=number > 0, node=node)
        for number, (a, b, c) in enumerate(places)
    ]
    bias = _bias(draft, index, node, names)
    if None in operands or bias is None:
        return None
    made = emit(draft, [each for each in (*operands, *([bias] if bias else [])) if each], options)
    if not names[last[0]]:  # QGemm without a scale of the result gives floats
        return draft.done(made)
    return draft.done(_whole(draft, made, names[last[0]], names[last[1]]))


def _real(draft: Draft, index: Index, triple: Triple, *, weights: bool = False, node: onnx.NodeProto | None = None) -> str | None:
    """DequantizeLinear: weights by output channel where they have several scales."""
    integers, scale, zero = triple
    count, shape = index.static_shape(scale), index.shape(integers)
    if count is None or shape is None:
        return None
    single = int(np.prod(count, dtype=np.int64)) == 1
    if not single and not weights:
        return None
    axis = 0 if node is not None and node.op_type == "QLinearConv" else len(shape) - 1
    if node is not None and node.op_type == "QGemm" and attributes(node).get("transB", 0):
        axis = 0
    scale, zero = _number(draft, index, scale, single), _number(draft, index, zero, single) if zero else ""
    return draft.add("DequantizeLinear", integers, scale, *([zero] if zero else []), **({} if single else {"axis": axis}))


def _number(draft: Draft, index: Index, name: str, single: bool) -> str:
    """A scale [1] as a number."""
    value = index.constant(name)
    return name if value is None or not single or value.ndim == 0 else draft.constant(value.reshape(()))


def _bias(draft: Draft, index: Index, node: onnx.NodeProto, names: Sequence[str]) -> str | None:
    """Its real values; "" without one, None where it is no constant."""
    name = names[BIASES[node.op_type]] if node.op_type in BIASES else ""
    if not name:
        return ""
    bias, x_scale, w_scale = (index.constant(each) for each in (name, names[1], names[4]))
    if bias is None or x_scale is None or w_scale is None:
        return None
    alpha = float(attributes(node).get("alpha", 1.0))
    return draft.constant(bias.astype(np.float64) * (x_scale.astype(np.float64) * w_scale).reshape(-1) * alpha)


def _whole(draft: Draft, x: str, scale: str, zero: str) -> str:
    return draft.add("QuantizeLinear", x, scale, *([zero] if zero else []))


def _concat(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Scale and zero of the result, then a triple for each operand."""
    draft = Draft(node, index)
    triples = [tuple(node.input[i : i + 3]) for i in range(2, len(node.input), 3)]
    parts = [_real(draft, index, (a, b, c)) for a, b, c in triples]
    if None in parts:
        return None
    joined = draft.add("Concat", *[part for part in parts if part], axis=int(attributes(node)["axis"]))
    return draft.done(_whole(draft, joined, node.input[0], node.input[1]))


def _integer_product(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """MatMulInteger and ConvInteger of numbers that DynamicQuantizeLinear made: a product of what it was given, at scale 1."""
    if node.op_type not in ("MatMulInteger", "ConvInteger") or node.domain:
        return None
    maker, weights, zero = index.producer.get(node.input[0]), index.operand(node, 1), index.operand(node, 3)
    if maker is None or maker.op_type != "DynamicQuantizeLinear" or weights is None or (len(node.input) > 3 and zero is None):
        return None
    casts = index.readers[node.output[0]]
    if not casts or any(cast.op_type != "Cast" or attributes(cast)["to"] != TensorProto.FLOAT for cast in casts):
        return None
    centred = weights.astype(np.float64)
    if zero is not None:
        is_column = node.op_type == "ConvInteger" and zero.size > 1
        centred = centred - (zero.reshape(-1, *[1] * (weights.ndim - 1)) if is_column else zero).astype(np.float64)
    draft, options = Draft(node, index), attributes(node)
    kind = "MatMul" if node.op_type == "MatMulInteger" else "Conv"
    made = draft.add(kind, maker.input[0], centred, **(_kept(options, CONV) if kind == "Conv" else {}))
    return draft.done(made, note=f"{kind}, its scale is static")


def _dynamic(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Once nobody reads its integers: scale 1, zero 0."""
    if node.op_type != "DynamicQuantizeLinear" or node.domain or index.readers[node.output[0]] or node.output[0] in index.outputs:
        return None
    names = [f"{name}/static" for name in node.output[1:]]
    values = dict(zip(names, (np.float32(1), np.uint8(0)), strict=True))
    nodes = [onnx.helper.make_node("Identity", [name], [output]) for name, output in zip(names, node.output[1:], strict=True)]
    return Replacement(nodes=tuple(nodes), constants={name: np.asarray(value) for name, value in values.items()}, note="scale 1")


def _standard(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """QuantizeLinear and DequantizeLinear of onnxruntime's domain are those of the standard one."""
    if node.domain != ONNXRUNTIME or node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
        return None
    draft = Draft(node, index)
    return draft.done(draft.add(node.op_type, *node.input, **_kept(attributes(node), ("axis",))))
