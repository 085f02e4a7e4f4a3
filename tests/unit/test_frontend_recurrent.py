# SPDX-License-Identifier: MIT OR Apache-2.0
"""Recurrent layers in all their forms become plain operators; each rewrite is judged by onnxruntime on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.frontend import Prepared, load
from verifiable_ml.frontend.graph import STATE

STEPS, BATCH, INPUTS, HIDDEN = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent(kind: str, drop: tuple[str, ...] = (), lengths: Any = None, **attributes: Any) -> onnx.ModelProto:
    """One recurrent layer with every operand but those in `drop`; all its outputs are outputs."""
    rng = np.random.default_rng(3)
    count = 2 if attributes.get("direction") == "bidirectional" else 1
    gates, names = GATES[kind], ["x", "w", "r", "b", "lengths", "h0", *(["c0", "p"] if kind == "LSTM" else [])]
    shapes = {
        "w": (count, gates * HIDDEN, INPUTS),
        "r": (count, gates * HIDDEN, HIDDEN),
        "b": (count, 2 * gates * HIDDEN),
        "h0": (count, BATCH, HIDDEN),
        "c0": (count, BATCH, HIDDEN),
        "p": (count, 3 * HIDDEN),
    }
    constants = {name: rng.uniform(-0.7, 0.7, shape).astype(np.float32) for name, shape in shapes.items() if name in names}
    constants["lengths"] = np.array([STEPS] * BATCH if lengths is None else lengths, np.int32)
    kept = {name: value for name, value in constants.items() if name not in drop}
    outputs = ["y", "y_h", "y_c"][: 3 if kind == "LSTM" else 2]
    node = helper.make_node(kind, [n if n == "x" or n in kept else "" for n in names], outputs, hidden_size=HIDDEN, **attributes)
    sizes = [[STEPS, count, BATCH, HIDDEN], [count, BATCH, HIDDEN], [count, BATCH, HIDDEN]]
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, BATCH, INPUTS])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(outputs, sizes, strict=False)],
        [numpy_helper.from_array(value, name) for name, value in kept.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def prepared(model: onnx.ModelProto) -> Prepared:
    rng = np.random.default_rng(4)
    return load(model, [{"x": rng.normal(size=(STEPS, BATCH, INPUTS)).astype(np.float32)} for _ in range(6)])


PLAIN = ("lengths", "h0", "c0", "p")
FORMS: dict[str, dict[str, Any]] = {
    "plain": {"drop": PLAIN},
    "no bias": {"drop": ("b", *PLAIN)},
    "reverse": {"drop": PLAIN, "direction": "reverse"},
    "both directions, initial states": {"drop": ("p",), "direction": "bidirectional"},
    "shorter": {"drop": ("p",), "lengths": [3, 3], "direction": "bidirectional"},
    "clipped": {"drop": PLAIN, "clip": 0.4},
}
CASES = {f"{kind}, {name}": (kind, form) for kind in GATES for name, form in FORMS.items()} | {
    "LSTM, peepholes": ("LSTM", {}),
    "LSTM, peepholes, no states": ("LSTM", {"drop": ("h0", "c0")}),
    "LSTM, coupled": ("LSTM", {"drop": ("p",), "input_forget": 1}),
    "LSTM, activations": (
        "LSTM",
        {"drop": PLAIN, "activations": ["HardSigmoid", "Relu", "Softsign"], "activation_alpha": [0.3], "activation_beta": [0.4]},
    ),
    "GRU, linear before reset": ("GRU", {"drop": ("lengths",), "linear_before_reset": 1}),
    "GRU, linear before reset, no state": ("GRU", {"drop": PLAIN, "linear_before_reset": 1}),
    "RNN, affine": ("RNN", {"drop": PLAIN, "activations": ["Affine"], "activation_alpha": [0.5], "activation_beta": [0.1]}),
    "RNN, scaled tanh": (
        "RNN",
        {"drop": PLAIN, "activations": ["ScaledTanh"], "activation_alpha": [1.5], "activation_beta": [0.7]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_recurrent_layer_in_each_form_becomes_plain_operators_that_answer_the_same(case: str) -> None:
    kind, form = CASES[case]
    found = prepared(recurrent(kind, **form))
    assert not {node.op_type for node in found.model.graph.node} & GATES.keys()
    assert any(rewrite.name == "unroll_recurrent" for rewrite in found.rewrites)


def test_state_of_a_cell_is_marked_where_it_adds_up() -> None:
    nodes = prepared(recurrent("LSTM", drop=PLAIN)).model.graph.node
    marked = {node.op_type for node in nodes if any(p.key == STATE for p in node.metadata_props)}
    assert marked == {"Mul", "Add"}


@pytest.mark.parametrize("kind", GATES)
def test_recurrent_layer_with_the_batch_first_answers_as_the_one_with_time_first(kind: str) -> None:
    plain = recurrent(kind, drop=("p", "lengths"), direction="bidirectional")
    turned = recurrent(kind, drop=("p", "lengths"), direction="bidirectional", layout=1)
    for tensor in turned.graph.initializer:
        if tensor.name in ("h0", "c0"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).transpose(1, 0, 2).copy(), tensor.name))
    for value in (*turned.graph.input, *turned.graph.output):
        dims, order = value.type.tensor_type.shape.dim, (2, 0, 1, 3) if value.name == "y" else (1, 0, 2)
        sizes = [dims[axis].dim_value for axis in order]
        for dim, size in zip(dims, sizes, strict=True):
            dim.dim_value = size
    x = np.random.default_rng(4).normal(size=(STEPS, BATCH, INPUTS)).astype(np.float32)
    expected = answers(load(plain, [x]).model, x)
    found = answers(load(turned, [x.transpose(1, 0, 2)]).model, x.transpose(1, 0, 2))
    assert np.allclose(found[0], expected[0].transpose(2, 0, 1, 3), atol=1e-5)
    assert all(np.allclose(a, b.transpose(1, 0, 2), atol=1e-5) for a, b in zip(found[1:], expected[1:], strict=True))


def answers(model: onnx.ModelProto, x: np.ndarray) -> list[np.ndarray]:
    return list(onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x}))


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("GRU", {"drop": ("h0",), "lengths": [3, 5]}),
        ("LSTM", {"drop": ("w",)}),
    ],
    ids=["lengths that differ", "no weights"],
)
def test_recurrent_layer_out_of_reach_is_refused_with_the_node(kind: str, form: dict[str, Any]) -> None:
    model = recurrent(kind, **form)
    if "w" in form["drop"]:
        model.graph.node[0].input[1] = "weights"
        count = helper.make_tensor_value_info("weights", TensorProto.FLOAT, [1, 16, INPUTS])
        model.graph.input.append(count)
    with pytest.raises(UnsupportedModel, match=kind):
        load(
            model, [{i.name: np.ones([d.dim_value for d in i.type.tensor_type.shape.dim], np.float32) for i in model.graph.input}]
        )
