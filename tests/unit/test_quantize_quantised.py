# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models that are quantised already, by onnxruntime's own quantiser: their integers are kept, and their answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import verifiable_ml as vml
from verifiable_ml.errors import UnsupportedModel

STATIC = [
    (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8, False),
    (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8, True),
    (QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, True),
    (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QUInt8, False),
    (QuantFormat.QDQ, QuantType.QUInt16, QuantType.QInt8, True),
    (QuantFormat.QDQ, QuantType.QInt16, QuantType.QInt16, False),
    (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8, False),
    (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QUInt8, False),
    (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8, True),
]
MODELS = "digits-mlp", "digits-cnn"


class Rows(CalibrationDataReader):
    def __init__(self, rows: list[dict[str, np.ndarray]]) -> None:
        self._rows: Iterator[dict[str, np.ndarray]] = iter(rows)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._rows, None)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The zoo's models as onnxruntime's quantiser wants them."""
    logging.getLogger().setLevel(logging.ERROR)
    folder = tmp_path_factory.mktemp("quantised")
    for name in MODELS:
        quant_pre_process(str(vml.zoo.model(name).path), str(folder / f"{name}.onnx"))
    return {name: folder / f"{name}.onnx" for name in MODELS}


def answers(path: Path, rows: list[Any]) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, row)[0].ravel() for row in rows])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize(("form", "activations", "weights", "by_channel"), STATIC)
@pytest.mark.parametrize("name", MODELS)
def test_statically_quantised_model_answers_as_its_file(
    name: str, form: Any, activations: Any, weights: Any, by_channel: bool, prepared: dict[str, Path], tmp_path: Path
) -> None:
    """Within a step of the file's own output, and far nearer to it than the file is to its float model."""
    model = vml.zoo.model(name)
    options = {"quant_format": form, "activation_type": activations, "weight_type": weights, "per_channel": by_channel}
    quantize_static(str(prepared[name]), str(tmp_path / "q.onnx"), Rows(model.calibration(50)), **options)
    program, rows = vml.compile(tmp_path / "q.onnx", model.calibration(50)), model.test(60)[0]
    theirs, ours = answers(tmp_path / "q.onnx", rows), np.stack([program.predict(row, saturate=True)[0].ravel() for row in rows])
    assert cosine(theirs, ours) > 0.9999
    assert (theirs.argmax(axis=1) == ours.argmax(axis=1)).all()
    if activations in (QuantType.QUInt8, QuantType.QInt8):
        assert {operator.output.dtype.label for operator in program.operators} <= {"u8", "i32"}


def test_integer_weights_of_a_quantised_model_are_those_of_the_program(prepared: dict[str, Path], tmp_path: Path) -> None:
    model = vml.zoo.model("digits-mlp")
    options = {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(str(prepared["digits-mlp"]), str(tmp_path / "q.onnx"), Rows(model.calibration(50)), **options)
    given = onnx.load(tmp_path / "q.onnx").graph.initializer
    theirs = [numpy_helper.to_array(tensor) for tensor in given if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 2]
    program = vml.compile(tmp_path / "q.onnx", model.calibration(50))
    kept = [constant.astype(np.int64) - 128 for constant in program.constants]
    assert len(theirs) == 2
    for weights in theirs:
        assert any(np.array_equal(each, weights) or np.array_equal(each, weights.T) for each in kept)


@pytest.mark.parametrize("weights", [QuantType.QInt8, QuantType.QUInt8])
@pytest.mark.parametrize("name", MODELS)
def test_dynamically_quantised_model_gets_static_scales(
    name: str, weights: Any, prepared: dict[str, Path], tmp_path: Path
) -> None:
    model = vml.zoo.model(name)
    quantize_dynamic(str(prepared[name]), str(tmp_path / "q.onnx"), weight_type=weights)
    program, rows = vml.compile(tmp_path / "q.onnx", model.calibration(50)), model.test(60)[0]
    theirs, ours = answers(tmp_path / "q.onnx", rows), np.stack([program.predict(row, saturate=True)[0].ravel() for row in rows])
    assert cosine(theirs, ours) > 0.999
    assert (theirs.argmax(axis=1) == ours.argmax(axis=1)).mean() > 0.98


def graph(text: str, opset: int = 21, **constants: Any) -> onnx.ModelProto:
    domains = f'"" : {opset}, "com.microsoft" : 1'
    model = onnx.parser.parse_model(f"<ir_version: 10, opset_import: [{domains}]> g {text}")
    for name, value in constants.items():
        tensor = value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name)
        tensor.name = name
        model.graph.initializer.append(tensor)
    return model


S, T, U = np.float32(0.05), np.float32(0.04), np.float32(0.03)
ZU, ZS = np.uint8(120), np.int8(-3)
HEAD = "(float[1,6] x) => (float[1,6] y) { a = QuantizeLinear (x, s, z) "
OWN = {
    "QLinearAdd": f"{HEAD} b = com.microsoft.QLinearAdd (a, s, z, a, s, z, t, z) y = DequantizeLinear (b, t, z) }}",
    "QLinearMul": f"{HEAD} b = com.microsoft.QLinearMul (a, s, z, a, s, z, t, z) y = DequantizeLinear (b, t, z) }}",
    "QLinearSigmoid": f"{HEAD} b = com.microsoft.QLinearSigmoid (a, s, z, u, z) y = DequantizeLinear (b, u, z) }}",
    "QLinearLeakyRelu": f"{HEAD} b = com.microsoft.QLinearLeakyRelu <alpha=0.1> (a, s, z, t, z)"
    " y = DequantizeLinear (b, t, z) }",
    "QLinearConcat": "(float[1,3] x) => (float[1,6] y) { a = QuantizeLinear (x, s, z)"
    " b = com.microsoft.QLinearConcat <axis=1> (t, z, a, s, z, a, s, z) y = DequantizeLinear (b, t, z) }",
    "QLinearMatMul": f"{HEAD} b = QLinearMatMul (a, s, z, w, u, v, t, z) y = DequantizeLinear (b, t, z) }}",
    "QGemm": f"{HEAD} b = com.microsoft.QGemm <transB=1> (a, s, z, w, u, v, c, t, z) y = DequantizeLinear (b, t, z) }}",
    "signed bytes": "(float[1,6] x) => (float[1,6] y) { a = QuantizeLinear (x, s, v) b = DequantizeLinear (a, s, v)"
    " y = Relu (b) }",
}


@pytest.mark.parametrize("case", OWN)
def test_operator_on_integers_answers_within_a_step(case: str) -> None:
    rng = np.random.default_rng(2)
    constants = {"w": rng.integers(-127, 128, (6, 6)).astype(np.int8), "c": rng.integers(-99, 99, 6).astype(np.int32)}
    named = {"s": S, "t": T, "u": U, "z": ZU, "v": ZS, **constants}
    words = OWN[case].replace(",", " ").replace("(", " ").replace(")", " ").split()
    made = graph(OWN[case], **{name: value for name, value in named.items() if name in words})
    shape = (1, 3 if case == "QLinearConcat" else 6)
    rows = [{"x": rng.uniform(-4, 4, shape).astype(np.float32)} for _ in range(60)]
    program = vml.compile(made, rows[:40], threshold=-1)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    for row in rows:
        assert np.abs(session.run(None, row)[0] - program.predict(row, saturate=True)[0]).max() <= 1.01 * float(T)


def test_weights_of_four_bits_in_blocks_are_taken() -> None:
    rng = np.random.default_rng(3)
    whole = rng.integers(-8, 8, (8, 5))
    made = graph(
        "(float[1,8] x) => (float[1,5] y) { d = DequantizeLinear <axis=0, block_size=4> (w, s) y = MatMul (x, d) }",
        w=helper.make_tensor("w", TensorProto.INT4, whole.shape, whole.ravel().tolist()),
        s=rng.uniform(0.1, 0.2, (2, 5)).astype(np.float32),
    )
    rows = [rng.normal(size=(1, 8)).astype(np.float32) for _ in range(40)]
    program = vml.compile(made, rows)
    assert program.report is not None and program.report.cosine > 0.999


def test_scale_that_depends_on_the_input_is_refused_with_a_way_out() -> None:
    made = graph(
        "(float[1,6] x) => (float[1,6] y) { m = ReduceMax <keepdims=0> (x)"
        " a = QuantizeLinear (x, m) y = DequantizeLinear (a, m) }"
    )
    with pytest.raises(UnsupportedModel, match="scale") as caught:
        vml.compile(made, [np.ones((1, 6), np.float32)] * 5)
    assert caught.value.hint
