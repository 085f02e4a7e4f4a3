# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each ONNX operator that quantize/ lowers, on a small graph: the integer program answers as the float model does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

import verifiable_ml as vml
from verifiable_ml.errors import UnsupportedOperator
from verifiable_ml.execute import encode_inputs, run_reference
from verifiable_ml.frontend import load
from verifiable_ml.frontend.unary import UNARY
from verifiable_ml.quantize import QuantSpec, quantise
from verifiable_ml.quantize.lower import LOWERINGS

RNG = np.random.default_rng(7)
HEADER = '<ir_version: 9, opset_import: ["" : 20]>\n'


def graph(text: str, **constants: np.ndarray) -> onnx.ModelProto:
    model = onnx.parser.parse_model(HEADER + text)
    constants |= {name: value for name, value in (("p", 0.5), ("q", -0.5)) if f", {name})" in text and name not in constants}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(v, np.float32 if isinstance(v, float) else None), n) for n, v in constants.items()
    )
    onnx.checker.check_model(model)
    return model


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


BOUNDED, POSITIVE = ("Acos", "Asin", "Atanh", "Tan"), ("Acosh", "Log", "Sqrt", "Reciprocal")
JUMPS = {"Ceil", "Floor", "Round", "Sign", "Shrink", "ThresholdedRelu", "Mod", "Equal"}
"""Functions whose answer jumps: near a jump a rounded operand falls on the other side, at 8 bits often."""
W, B = normal(6, 5), normal(5)
K = normal(4, 3, 3, 3)
CASES = {
    "MatMul with bias and Relu": (
        "g (float[1,6] x) => (float[1,5] y) { a = MatMul(x, w) b = Add(a, v) y = Relu(b) }",
        {"w": W, "v": B},
    ),
    "MatMul after a standardisation": (
        "g (float[1,6] x) => (float[1,5] y) { a = Sub(x, m) b = Div(a, s) y = MatMul(b, w) }",
        {"w": W, "m": normal(6), "s": np.abs(normal(6)) + 0.5},
    ),
    "Add of a constant to a Relu": ("g (float[1,6] x) => (float[1,6] y) { a = Relu(x) y = Add(a, v) }", {"v": normal(6)}),
    "Add residual": ("g (float[1,6] x) => (float[1,6] y) { a = MatMul(x, w) b = Relu(a) y = Add(b, x) }", {"w": normal(6, 6)}),
    "Add of a constant matrix": ("g (float[1,4,6] x) => (float[1,4,6] y) { y = Add(x, v) }", {"v": normal(4, 6)}),
    "Sub of tensors": ("g (float[1,6] x) => (float[1,5] y) { a = MatMul(x, w) b = Sigmoid(a) y = Sub(a, b) }", {"w": W}),
    "Mul of tensors": ("g (float[1,6] x) => (float[1,5] y) { a = MatMul(x, w) b = Sigmoid(a) y = Mul(a, b) }", {"w": W}),
    "Mul by a negative constant": ("g (float[1,6] x) => (float[1,6] y) { a = Relu(x) y = Mul(a, v) }", {"v": -np.abs(normal(6))}),
    "Neg": ("g (float[1,6] x) => (float[1,6] y) { a = Neg(x) y = Relu(a) }", {}),
    "Clip": ("g (float[1,6] x) => (float[1,6] y) { y = Clip(x, lo, hi) }", {"lo": np.float32(-0.5), "hi": np.float32(1.0)}),
    "Conv with padding": (
        "g (float[1,3,7,7] x) => (float[1,4,7,7] y) { a = Conv<pads=[1,1,1,1]>(x, k, v) y = Relu(a) }",
        {"k": K, "v": normal(4)},
    ),
    "Conv strided, dilated": (
        "g (float[1,3,9,9] x) => (float[1,4,3,3] y) { y = Conv<strides=[2,2], dilations=[2,2]>(x, k) }",
        {"k": K},
    ),
    "Conv depthwise": ("g (float[1,4,7,7] x) => (float[1,4,5,5] y) { y = Conv<group=4>(x, k) }", {"k": normal(4, 1, 3, 3)}),
    "Conv along one axis": ("g (float[1,3,9] x) => (float[1,4,7] y) { y = Conv(x, k) }", {"k": normal(4, 3, 3)}),
    "MaxPool": ("g (float[1,3,6,6] x) => (float[1,3,3,3] y) { y = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }", {}),
    "AveragePool": ("g (float[1,3,6,6] x) => (float[1,3,3,3] y) { y = AveragePool<kernel_shape=[2,2], strides=[2,2]>(x) }", {}),
    "GlobalAveragePool": ("g (float[1,3,6,6] x) => (float[1,3,1,1] y) { y = GlobalAveragePool(x) }", {}),
    "ReduceMean": ("g (float[1,4,6] x) => (float[1,6] y) { y = ReduceMean<keepdims=0>(x, a) }", {"a": ints(1)}),
    "ReduceSum kept": ("g (float[1,4,6] x) => (float[1,4,1] y) { y = ReduceSum(x, a) }", {"a": ints(2)}),
    "ReduceMax": ("g (float[1,4,6] x) => (float[1,6] y) { y = ReduceMax<keepdims=0>(x, a) }", {"a": ints(1)}),
    "Reshape after Conv": (
        "g (float[1,3,5,5] x) => (float[1,36] y) { a = Conv(x, k) y = Reshape(a, s) }",
        {"k": K, "s": ints(1, 36)},
    ),
    "Transpose": ("g (float[1,4,6] x) => (float[1,6,4] y) { a = Relu(x) y = Transpose<perm=[0,2,1]>(a) }", {}),
    "Slice backwards": (
        "g (float[1,4,6] x) => (float[1,4,3] y) { y = Slice(x, b, e, a, s) }",
        {"b": ints(5), "e": ints(-7), "a": ints(2), "s": ints(-2)},
    ),
    "Concat": ("g (float[1,6] x) => (float[1,11] y) { a = MatMul(x, w) b = Relu(a) y = Concat<axis=1>(b, x) }", {"w": W}),
    "Pad": ("g (float[1,6] x) => (float[1,9] y) { y = Pad(x, p) }", {"p": ints(0, 1, 0, 2)}),
    "Gather of one entry": ("g (float[1,4,6] x) => (float[1,6] y) { y = Gather<axis=1>(x, i) }", {"i": np.int64(2)}),
    "Softmax": ("g (float[1,6] x) => (float[1,6] y) { y = Softmax<axis=-1>(x) }", {}),
    "Softmax of many, multiplied into V": (
        """g (float[1,12,6] x) => (float[1,12,6] y) { t = Transpose<perm=[0,2,1]>(x) a = MatMul(x, t)
        b = Div(a, r) p = Softmax<axis=-1>(b) y = MatMul(p, x) }""",
        {"r": np.float32(2.5)},
    ),
    "LayerNormalization": (
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = LayerNormalization<axis=-1>(x, w, v) }",
        {"w": normal(6), "v": normal(6)},
    ),
    **{
        name: (f"g (float[1,6] x) => (float[1,6] y) {{ y = {name}(x) }}", {})
        for name in sorted(UNARY.keys() - {*BOUNDED, *POSITIVE})  # in one order: two workers share the cases by number
    },
    **{name: (f"g (float[1,6] x) => (float[1,6] y) {{ a = Sigmoid(x) y = {name}(a) }}", {}) for name in BOUNDED},
    **{
        name: (f"g (float[1,6] x) => (float[1,6] y) {{ a = Abs(x) b = Add(a, one) y = {name}(b) }}", {"one": np.float32(1)})
        for name in POSITIVE
    },
    "Pow": (
        "g (float[1,6] x) => (float[1,6] y) { a = Abs(x) b = Add(a, e) y = Pow(b, e) }",
        {"e": np.float32(1.5)},
    ),
    "Mod": ("g (float[1,6] x) => (float[1,6] y) { y = Mod<fmod=1>(x, e) }", {"e": np.float32(4)}),
    "Div of tensors": (
        "g (float[1,6] x) => (float[1,6] y) { a = Softplus(x) b = Add(a, one) y = Div(x, b) }",
        {"one": np.float32(1)},
    ),
    "Div by a tensor of both signs": (
        "g (float[1,6] x) => (float[1,6] y) { a = Sign(x) b = Add(x, a) y = Div(one, b) }",
        {"one": np.float32(1)},
    ),
    "Mul by a constant matrix": ("g (float[1,4,6] x) => (float[1,4,6] y) { y = Mul(x, v) }", {"v": normal(4, 6)}),
    "Add that widens": ("g (float[1,4,1] x) => (float[1,4,6] y) { y = Add(x, v) }", {"v": normal(6)}),
    "Add of a mask": (
        "g (float[1,6] x) => (float[1,6] y) { a = Add(x, v) y = Softmax<axis=1>(a) }",
        {"v": np.array([0, 0, -1e9, 0, -1e9, 0.5], np.float32)},
    ),
    "MatMul of a constant batch": ("g (float[3,2,6] x) => (float[3,2,5] y) { y = MatMul(x, v) }", {"v": normal(3, 6, 5)}),
    "Where": (
        "g (float[2,6] x) => (float[2,6] y) { a = MatMul(x, w) c = Less(x, lo) y = Where(c, a, x) }",
        {"w": normal(6, 6), "lo": np.float32(0)},
    ),
    "Concat with a constant": ("g (float[1,6] x) => (float[1,10] y) { y = Concat<axis=1>(x, v) }", {"v": normal(1, 4)}),
    "Gather in any order": ("g (float[1,6] x) => (float[1,4] y) { y = Gather<axis=1>(x, v) }", {"v": ints(5, 0, 0, 3)}),
    "Identity": ("g (float[1,6] x) => (float[1,6] y) { y = Identity(x) }", {}),
    **{
        kind: (f"g (float[4,6] x) => (float[4,6] y) {{ a = Neg(x) c = {kind}(x, a) y = Cast<to=1>(c) }}", {})
        for kind in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual")
    },
    "Equal": ("g (float[4,6] x) => (float[4,6] y) { a = Round(x) b = Abs(a) c = Equal(a, b) y = Cast<to=1>(c) }", {}),
    **{
        kind: (
            f"g (float[4,6] x) => (float[4,6] y) {{ a = Less(x, p) b = Greater(x, q) c = {kind}(a, b) y = Cast<to=1>(c) }}",
            {},
        )
        for kind in ("And", "Or", "Xor")
    },
    "Not": ("g (float[4,6] x) => (float[4,6] y) { a = Less(x, p) c = Not(a) y = Cast<to=1>(c) }", {}),
}


def samples_of(model: onnx.ModelProto, count: int) -> list[dict[str, np.ndarray]]:
    shape = tuple(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim)
    rng = np.random.default_rng(8)
    return [{"x": rng.normal(size=shape).astype(np.float32)} for _ in range(count)]


@pytest.mark.parametrize("width", ["mixed", "16"])
@pytest.mark.parametrize("case", CASES)
def test_lowering_of_each_operator_answers_as_the_float_model(case: str, width: str) -> None:
    text, constants = CASES[case]
    model = graph(text, **constants)
    prepared = load(model, samples_of(model, 40))
    compiled = quantise(prepared, QuantSpec(width=width, weights=16 if width == "16" else 8), threshold=-1)
    least = 0.9999 if width == "16" else 0.93 if case in JUMPS else 0.998
    assert compiled.fidelity.cosine > least, compiled.fidelity


def test_lowering_table_has_a_case_for_each_row() -> None:
    spelled = " ".join(text for text, _ in CASES.values())
    missing = {kind for kind in LOWERINGS if f"= {kind}(" not in spelled and f"= {kind}<" not in spelled}
    elsewhere = {"ArgMax", "TreeEnsembleRegressor", "QuantizeLinear", "DequantizeLinear"}
    assert missing == elsewhere, "ArgMax has a test of its own below, the others files of theirs"


def test_argmax_of_logits_answers_the_same_class() -> None:
    model = graph("g (float[1,6] x) => (int64[1] y) { a = MatMul(x, w) y = ArgMax<axis=1, keepdims=0>(a) }", w=W)
    samples = samples_of(model, 60)
    program = vml.compile(model, samples[:40], threshold=-1)
    answers = [int((sample["x"] @ W).argmax()) == program.predict(sample, saturate=True)[0].item() for sample in samples]
    assert np.mean(answers) >= 0.98


def test_embedding_by_tokens_reads_its_rows() -> None:
    table = normal(10, 4)
    model = graph("g (int64[1,3] x) => (float[1,3,4] y) { y = Gather(t, x) }", t=table)
    program = vml.compile(model, [{"x": RNG.integers(0, 10, (1, 3))} for _ in range(40)])
    tokens = np.array([[0, 9, 4]])
    assert np.abs(program.predict(tokens)[0] - table[tokens]).max() < 0.03


def test_logarithm_of_a_spectrum_keeps_what_is_a_thousandth_of_its_peak() -> None:
    angle = 2 * np.pi * np.outer(np.arange(320), np.arange(100)) / 320
    model = graph(
        """g (float[1,320] x) => (float[1,100] y) { a = MatMul(x, c) b = MatMul(x, s) d = Mul(a, a) f = Mul(b, b) r = Add(d, f)
        m = Sqrt(r) n = Add(m, e) y = Log(n) }""",
        c=np.cos(angle).astype(np.float32),
        s=np.sin(angle).astype(np.float32),
        e=np.float32(1e-4),
    )
    rng, places = np.random.default_rng(2), np.arange(320)
    wave = [np.sin(places * f) * np.hanning(320) + 1e-2 * rng.normal(size=320) for f in rng.uniform(0.3, 1.5, 20)]
    compiled = quantise(
        load(model, [{"x": w[None].astype(np.float32)} for w in wave]), QuantSpec(width="16", weights=16), threshold=-1
    )
    assert compiled.fidelity.cosine > 0.9995


def test_compiling_twice_gives_the_same_id() -> None:
    text, constants = CASES["Conv with padding"]
    model = graph(text, **constants)
    samples = samples_of(model, 10)
    assert vml.compile(model, samples).id == vml.compile(model, samples).id


def test_power_by_a_tensor_is_refused_with_the_node_named() -> None:
    model = graph("g (float[1,6] x) => (float[1,6] y) { a = Exp(x) y = Pow(a, x) }")
    with pytest.raises(UnsupportedOperator, match="Pow"):
        vml.compile(model, samples_of(model, 10))


def test_relu_output_is_unsigned_and_saturates_at_both_ends() -> None:
    model = graph("g (float[1,6] x) => (float[1,5] y) { a = MatMul(x, w) b = Relu(a) y = MatMul(b, u) }", w=W, u=normal(5, 5))
    program = vml.compile(model, samples_of(model, 40), spec=QuantSpec(width="8"), refuse=False)
    hidden = program.spec(1)
    assert hidden.dtype.label == "u8"
    far = {"x": np.full((1, 6), 1e6, np.float32)}
    values = run_reference(program, encode_inputs(program, far, saturate=True)).tensors[1]
    assert values.min() >= 0
    assert values.max() <= 255


def test_function_with_a_pole_inside_of_what_calibration_has_seen_is_refused_with_a_way_out() -> None:
    model = graph("g (float[1,6] x) => (float[1,6] y) { y = Tan(x) }")
    near = [{"x": RNG.uniform(-1.5, 1.5, (1, 6)).astype(np.float32)} for _ in range(20)]
    assert vml.compile(model, near, threshold=0).operators
    with pytest.raises(UnsupportedOperator, match="both sides of the pole"):
        vml.compile(model, [*near, {"x": np.full((1, 6), 2.0, np.float32)}])
