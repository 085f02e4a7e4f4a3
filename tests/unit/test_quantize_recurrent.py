# SPDX-License-Identifier: MIT OR Apache-2.0
"""Recurrent layers as integers: what adds up over the steps keeps its bits, and steps share their scales."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.execute import encode_inputs, recorder, run_reference
from verifiable_ml.frontend import load
from verifiable_ml.quantize import QuantSpec, quantise

STEPS, INPUTS, HIDDEN = 30, 4, 12


def tagger(kind: str, gates: int) -> onnx.ModelProto:
    """A recurrent layer over [30, 1, 4], then 3 tags a step."""
    rng = np.random.default_rng(5)
    shapes = {"w": (1, gates * HIDDEN, INPUTS), "r": (1, gates * HIDDEN, HIDDEN), "b": (1, 2 * gates * HIDDEN), "t": (HIDDEN, 3)}
    constants = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    constants["s"] = np.array([STEPS, HIDDEN])
    nodes = [
        helper.make_node(kind, ["x", "w", "r", "b"], ["h"], hidden_size=HIDDEN),
        helper.make_node("Reshape", ["h", "s"], ["rows"]),
        helper.make_node("MatMul", ["rows", "t"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, 1, INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [STEPS, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def walks(count: int) -> list[dict[str, np.ndarray]]:
    steps = np.random.default_rng(6).normal(size=(count, STEPS, 1, INPUTS))
    return [{"x": walk.cumsum(axis=0).astype(np.float32) * 0.3} for walk in steps]


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_tagger_reaches_the_threshold_and_both_worlds_agree_on_every_tensor(kind: str, gates: int) -> None:
    prepared = load(tagger(kind, gates), walks(30))
    compiled = quantise(prepared)
    assert compiled.fidelity.cosine >= 0.999
    assert compiled.fidelity.decisions >= 0.99
    inputs = encode_inputs(compiled.program, prepared.samples[0], saturate=True)
    pairs = zip(run_reference(compiled.program, inputs).tensors, recorder(compiled.program)(inputs).tensors, strict=True)
    assert all(np.array_equal(reference, view) for reference, view in pairs)


@pytest.mark.parametrize(("kind", "gates", "state"), [("LSTM", 4, "/c/"), ("GRU", 3, "/h/")])
def test_state_of_a_recurrent_layer_keeps_its_bits_at_8_and_steps_share_one_table(kind: str, gates: int, state: str) -> None:
    compiled = quantise(load(tagger(kind, gates), walks(10)), QuantSpec(width="8"), refuse=False)
    layers = [layer for layer in compiled.fidelity.layers if state in layer.name and layer.kind == "add"]
    assert len(layers) >= STEPS - 1
    assert {layer.dtype for layer in layers} == {"i32"}
    tables = {o.operands[1] for o in compiled.program.operators if o.kind == "lookup"}
    assert len(tables) <= 12 < STEPS, "of the first steps, where no state was yet, and of all others"
