# SPDX-License-Identifier: MIT OR Apache-2.0
"""Small graphs in onnx's own notation, and what the passes leave of them."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser

from verifiable_ml.frontend import judge, passes

RNG = np.random.default_rng(7)


def graph(text: str, *, opset: int = 18, **constants: np.ndarray | float | list[int]) -> onnx.ModelProto:
    """`text` is `(inputs) => (outputs) { nodes }` in onnx's own notation; floats become float32, lists int64."""
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : {opset}]> g {text}')
    for name, value in constants.items():
        array = np.asarray(value, np.int64 if isinstance(value, list) else None)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return model


def prepared(model: onnx.ModelProto, samples: list[dict[str, np.ndarray]] | None = None) -> onnx.ModelProto:
    shapes = {name: array.shape for name, array in samples[0].items()} if samples else {}
    return passes.run(model, shapes, samples or [])[0]


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def random(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


IMAGE = "(float[1,3,9,9] x) => (float[a,b,c,d] y)"
ROWS = "(float[2,6] x) => (float[a,b] y)"
TOKENS = "(float[1,4,6] x) => (float[a,b,c] y)"


def assert_leaves(text: str, constants: dict[str, np.ndarray], left: list[str], opset: int = 18) -> onnx.ModelProto:
    """The passes leave these operators, the same answers, and nothing that they would change again."""
    model = graph(text, opset=opset, **constants)
    trials = [{v.name: random(*(d.dim_value for d in v.type.tensor_type.shape.dim)) for v in model.graph.input} for _ in range(3)]
    expected = judge.outputs(model, trials, "original")
    result = prepared(model)
    assert kinds(result) == left
    assert judge.difference(expected, judge.outputs(result, trials, "prepared")) is None
    assert passes.run(result, {}, [])[1] == (), "a prepared model needs no more rewrites"
    return result
