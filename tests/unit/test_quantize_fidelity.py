# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report on what quantisation loses, its threshold, and calibration's own errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import pytest

import verifiable_ml as vml
from verifiable_ml.errors import FidelityBelowThreshold, InvalidInput, QuantisationError
from verifiable_ml.frontend import load, zoo
from verifiable_ml.quantize import QuantSpec, quantise
from verifiable_ml.quantize.calibration import FloatModel, Range, calibrate

POINTS = 0.005
"""Half a percentage point: what integers may lose on a test split."""


def test_threshold_above_what_is_reached_fails_and_names_the_worst_layer() -> None:
    model = zoo.model("digits-mlp")
    with pytest.raises(FidelityBelowThreshold, match="loses most") as caught:
        vml.compile(model.path, model.calibration(50), spec=QuantSpec(width="8"), threshold=0.9999999)
    assert caught.value.exit_code == 6


def test_report_of_a_program_lists_outputs_and_layers() -> None:
    model = zoo.model("digits-cnn")
    report = vml.compile(model.path, model.calibration(50)).report
    assert report is not None
    assert report.samples == 10
    assert report.outputs[0].max_error < 0.05 * report.outputs[0].spread
    assert 0.99 < report.cosine <= 1
    assert report.worst_layer in report.layers


@pytest.mark.parametrize("name", zoo.names())
def test_zoo_model_as_integers_is_within_half_a_point_of_float(name: str) -> None:
    model = zoo.model(name)
    program = vml.compile(model.path, model.calibration())
    rows, labels = model.test()
    found = [int(program.predict(row, saturate=True)[0].argmax()) for row in rows]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model.path), providers=["CPUExecutionProvider"])
    real = [int(session.run(None, row)[0].argmax()) for row in rows]
    assert np.mean(np.equal(found, labels)) >= np.mean(np.equal(real, labels)) - POINTS


def test_calibration_without_samples_is_refused() -> None:
    with pytest.raises(InvalidInput, match="samples"):
        vml.compile(zoo.model("digits-mlp").path, [])


def test_calibration_with_a_value_that_is_not_finite_names_the_tensor() -> None:
    model = onnx.parser.parse_model('<ir_version: 9, opset_import: ["" : 20]> g (float[1,2] x) => (float[1,2] y) { y = Log(x) }')
    samples = [np.array([[-1.0, 2.0]], dtype=np.float32)] * 5
    with pytest.raises(QuantisationError, match="`y`"):
        quantise(load(model, samples))


def test_percentile_calibration_leaves_outliers_out() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 20]> g (float[1,100] x) => (float[1,100] y) { y = Relu(x) }'
    )
    values = np.linspace(0, 1, 100, dtype=np.float32)[None]
    values[0, -1] = 1000
    least = calibrate(model, [{"x": values}], QuantSpec(method="percentile", percentile=98))
    most = calibrate(model, [{"x": values}], QuantSpec())
    assert least.ranges["y"].high < 2 < 1000 <= most.ranges["y"].high < 1063


@pytest.mark.parametrize("wrong", [{"width": "7"}, {"weights": 4}, {"percentile": 10.0}, {"headroom": 0.5}, {"max_shift": 0}])
def test_quantspec_with_a_value_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        QuantSpec(**wrong)  # type: ignore[arg-type]


def test_input_beyond_its_encoding_is_refused_and_saturated_on_demand() -> None:
    model = zoo.model("digits-mlp")
    program = vml.compile(model.path, model.calibration(50))
    beyond = model.inputs(np.full((1, 64), 17))[0]
    with pytest.raises(InvalidInput, match="17"):
        program.run(beyond)
    claim, _ = program.run(beyond, saturate=True)
    assert claim == program.run(model.inputs(np.full((1, 64), 16))[0])[0]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((64,)),
        np.zeros((1, 63)),
        np.full((1, 64), np.nan),
        np.full((1, 64), np.inf),
        np.array([["a"] * 64]),
        np.full((1, 64), -1),
    ],
    ids=["rank", "length", "nan", "infinite", "text", "negative"],
)
def test_input_of_a_wrong_form_is_refused(wrong: np.ndarray) -> None:
    model = zoo.model("digits-mlp")
    program = vml.compile(model.path, model.calibration(20))
    with pytest.raises(InvalidInput):
        program.run(wrong)


@pytest.mark.parametrize("name", zoo.names())
def test_program_id_of_a_zoo_model_survives_another_processors_float_noise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = zoo.model(name)
    prepared, spec, rng = load(model.path, model.calibration()), QuantSpec(), np.random.default_rng(0)
    honest, exact = quantise(prepared, spec).program.id, FloatModel.run

    def elsewhere(self: FloatModel, sample: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        noisy = exact(self, sample)
        return {name: v if name in sample else v * (1 + 1e-6 * rng.standard_normal(v.shape)) for name, v in noisy.items()}

    monkeypatch.setattr(FloatModel, "run", elsewhere)
    assert quantise(prepared, spec).program.id == honest


@pytest.mark.parametrize("value", [1e-30, 0.3, 1.0, 1.0000001, 31, 33, 254.999, 1e30])
def test_range_rounded_up_covers_the_range_and_wastes_a_sixteenth_at_most(value: float) -> None:
    wide = Range(-value, value).rounded_up()
    assert value <= wide.high <= value * (1 + 1 / 16)
    assert wide.low == -wide.high
    assert wide.rounded_up() == wide


def test_auto_is_8_bits_exactly_where_8_bits_reach_the_threshold() -> None:
    model = zoo.model("digits-mlp")
    prepared = load(model.path, model.calibration(60))
    narrow = quantise(prepared, QuantSpec(width="8"))
    found = quantise(prepared)
    assert found.program.id == narrow.program.id
    assert [trial.name for trial in found.fidelity.trials] == ["8 / 8"]


def test_auto_widens_fewer_tensors_than_the_preset_that_reaches_the_threshold() -> None:
    model = zoo.model("digits-transformer")
    prepared = load(model.path, model.calibration())
    report = quantise(prepared).fidelity
    trials = {trial.name: trial for trial in report.trials}
    (chosen,) = (trial for trial in report.trials if trial.chosen)
    assert trials["8 / 8"].cosine < 0.999 <= report.cosine
    assert trials["8 / 8"].wide < chosen.wide < trials["mixed / 8"].wide
    assert chosen.trace_bytes < trials["mixed / 8"].trace_bytes


@pytest.mark.parametrize(
    ("given", "widest"),
    [({}, "16 / 16"), ({"weights": 8}, "16 / 8"), ({"weights": 16}, "16 / 16"), ({"width": "mixed"}, "mixed / 8")],
    ids=str,
)
def test_widths_climb_as_far_as_the_spec_allows_and_the_best_is_refused_below_the_threshold(given: dict, widest: str) -> None:
    model = zoo.model("digits-mlp")
    prepared = load(model.path, model.calibration(20))
    with pytest.raises(FidelityBelowThreshold):
        quantise(prepared, QuantSpec(**given), threshold=2)
    trials = quantise(prepared, QuantSpec(**given), threshold=2, refuse=False).fidelity.trials
    assert trials[-1].name == widest
    assert max(trials, key=lambda trial: trial.cosine).chosen


def test_mask_before_a_softmax_stays_out_of_the_range() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 20]> '
        "g (float[1,4] x, float[1,4] m) => (float[1,4] y) { a = Add(x, m) y = Softmax(a) }"
    )
    for mask in (-1e4, -np.inf):
        samples = [{"x": np.ones((1, 4), np.float32), "m": np.array([[0, 0, mask, 0]], np.float32)}]
        found = FloatModel(model).run(samples[0])
        assert found["a"].min() == -31
        assert found["m"].min() == mask


def rare_model() -> tuple[onnx.ModelProto, list[dict[str, np.ndarray]]]:
    """A step of a sum: of sixty samples few lie where 8 bits decide otherwise, and none of every fifth does."""
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 20]> '
        "g (float[1,2] x) => (float[1,2] y) { s = Sigmoid(x) m = Mul(s, k) y = Softmax(m) }"
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(2000), "k"))
    apart, close = np.array([[1.0, -1.0]], np.float32), np.array([[0.5, 0.5006]], np.float32)
    samples = [{"x": close if place % 5 == 1 else apart * (1 if place % 2 else -1)} for place in range(60)]
    return model, samples


def test_width_that_only_samples_of_the_calibration_show_to_be_too_narrow_is_not_chosen() -> None:
    prepared = load(*rare_model())
    trials = quantise(prepared, threshold=0.999, refuse=False).fidelity.trials
    assert trials[0].name == "8 / 8"
    assert trials[0].cosine >= 0.999
    assert not trials[0].chosen
