# SPDX-License-Identifier: MIT OR Apache-2.0
"""Graphs that were changed: each is refused with an error of ours, or compiled to a program that answers as onnxruntime does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import verifiable_ml as vml
from unit.small_graphs import graph, random
from verifiable_ml.errors import VerifiableMlError
from verifiable_ml.frontend import judge

SPEC = vml.QuantSpec(width="16", weights=16)
HONEST = {
    "image": (
        """(float[1,3,8,8] x) => (float[1,5] y) { a = Conv <pads=[1,1,1,1]> (x, k, b) r = Relu (a)
        p = MaxPool <kernel_shape=[2,2], strides=[2,2]> (r) s = Sigmoid (p)
        m = Mul (p, s) f = Flatten <axis=1> (m) y = Gemm <transB=1> (f, w, v) }""",
        {"k": random(4, 3, 3, 3), "b": random(4), "w": random(5, 64), "v": random(5)},
    ),
    "attention": (
        """(float[1,4,6] x) => (float[1,4,6] y) { n = LayerNormalization (x, g, h) q = MatMul (n, w)
        t = Transpose <perm=[0,2,1]> (n) s = MatMul (q, t) z = Add (s, m)
        p = Softmax <axis=-1> (z) o = MatMul (p, n) y = Add (o, x) }""",
        {"g": random(6), "h": random(6), "w": random(6, 6), "m": np.triu(np.full((4, 4), -1e9, np.float32), 1)},
    ),
    "choices": (
        """(float[2,6] x) => (float[2,3] y) { c = Greater (x, z) n = Neg (x) w = Where (c, x, n)

        r = ReduceMean <keepdims=1> (w, i) d = Sub (w, r) l = Clip (d, z, e)
        t, j = TopK <axis=1> (l, k) u = Concat <axis=1> (t, t) y = Gather <axis=1> (u, q) }""",
        {"z": 0.0, "e": 1.5, "i": [1], "k": [3], "q": [0, 2, 4]},
    ),
}
KINDS = sorted(
    {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain} - {"Tan"}
)  # a few samples say nothing of poles
CHANGES = st.sampled_from(("attribute", "no input", "other input", "operator", "rank", "type", "constant", "no attribute"))
MUTATIONS = st.lists(st.tuples(CHANGES, st.integers(0, 99), st.integers(0, 199), st.integers(-3, 9)), min_size=1, max_size=2)


def mutated(name: str, mutations: list[tuple[str, int, int, int]]) -> onnx.ModelProto:
    text, constants = HONEST[name]
    model = graph(text, **constants)
    for change, first, second, value in mutations:
        node = model.graph.node[first % len(model.graph.node)]
        names = [n for other in model.graph.node for n in (*other.input, *other.output)]
        tensor = model.graph.initializer[first % len(model.graph.initializer)]
        match change:
            case "attribute" if node.attribute:
                attribute = node.attribute[second % len(node.attribute)]
                new = [value] * (second % 3 + 1) if attribute.ints else value
                attribute.CopyFrom(onnx.helper.make_attribute(attribute.name, new))
            case "no input" if node.input:
                del node.input[second % len(node.input)]
            case "other input" if node.input:
                node.input[second % len(node.input)] = names[value % len(names)]
            case "operator":
                node.op_type = KINDS[second % len(KINDS)]
            case "rank":
                given = model.graph.input[0].type.tensor_type.shape
                if second % 2:
                    given.dim.add().dim_value = 1
                else:
                    given.dim[second % len(given.dim)].dim_value = max(value, 1)
            case "type":
                model.graph.input[0].type.tensor_type.elem_type = second % 16 + 1
            case "constant":
                array = onnx.numpy_helper.to_array(tensor)
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.resize(array, abs(value) + 1), tensor.name))
            case "no attribute":
                del node.attribute[:]
    return model


def samples_of(model: onnx.ModelProto) -> list[dict[str, np.ndarray]]:
    rng, given = np.random.default_rng(3), model.graph.input[0]
    kind = onnx.helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
    shape = tuple(d.dim_value for d in given.type.tensor_type.shape.dim)
    return [{given.name: (2 * rng.normal(size=shape)).astype(kind)} for _ in range(10)]


def assert_refused_or_right(model: onnx.ModelProto) -> bool:
    """Whether it was compiled. A fidelity below the threshold is a refusal too."""
    try:
        samples = samples_of(model)
    except (TypeError, ValueError, KeyError):
        samples = []  # a type that NumPy has not
    try:
        program = vml.compile(model, samples, spec=SPEC, validation=samples[8:], threshold=0.999)
    except VerifiableMlError as error:
        assert error.thing and error.reason and error.hint
        return False
    for sample in samples[:4]:
        wanted = judge.outputs(model, [sample], "the mutant")[0]
        for a, b in zip(wanted, program.predict(sample, saturate=True), strict=True):
            spread = max(float(np.abs(a.astype(float)).max(initial=0)), 1e-3)
            assert a.shape == b.shape
            assert np.mean(np.abs(a.astype(float) - b)) <= 0.02 * spread
    return True


@pytest.mark.parametrize("name", HONEST)
def test_honest_graph_is_compiled_and_right(name: str) -> None:
    assert assert_refused_or_right(mutated(name, []))


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HONEST)), MUTATIONS)
def test_mutated_graph_is_refused_with_a_typed_error_or_right(name: str, mutations: list[tuple[str, int, int, int]]) -> None:
    assert_refused_or_right(mutated(name, mutations))
