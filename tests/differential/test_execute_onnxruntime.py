# SPDX-License-Identifier: MIT OR Apache-2.0
"""onnxruntime and the reference agree on every element of every operator's output: random programs, then the zoo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import verifiable_ml as vml
from differential.random_programs import KINDS, image_program, random_inputs, random_program, rearranged
from verifiable_ml.bench import execute as seeded
from verifiable_ml.bench.fidelity import CASES
from verifiable_ml.bench.fidelity import cases as fidelity_cases
from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.execute import OnnxView, encode_inputs, fetch, onnxruntime, predictor, recorder, run_reference, views
from verifiable_ml.execute import signed as signed_bytes
from verifiable_ml.execute.layout import Layout
from verifiable_ml.execute.signed import signed_count, signed_planes, signed_products_are_exact
from verifiable_ml.frontend import zoo
from verifiable_ml.program import OPERATORS, Builder, Interval, Program, Requantise, Tokens


def assert_same(program: Program, view: OnnxView, inputs: dict[str, np.ndarray], outputs: OnnxView | None = None) -> None:
    wanted, found = run_reference(program, inputs), view.trace(inputs)
    for index, (a, b) in enumerate(zip(wanted.tensors, found.tensors, strict=True)):
        name = "input" if index < len(program.inputs) else str(program.operators[index - len(program.inputs)])
        assert (a.dtype, a.shape) == (b.dtype, b.shape), name
        np.testing.assert_array_equal(a, b, err_msg=name)
    if outputs is not None:
        for a, b in zip(wanted.outputs, outputs.outputs(inputs), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_views_table_lists_every_operator_and_file():
    files = {path.stem for path in Path(views.__file__).parent.glob("*.py")} - {"__init__"}
    assert views.VIEWS.keys() == OPERATORS.keys() == files == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_operator_on_random_programs_is_bit_for_bit_the_reference(kind: str):
    rng, legal = np.random.default_rng(list(kind.encode())), 0
    for _ in range(150):
        program = random_program(kind, rng)
        if program is None:
            continue
        legal += 1
        view, outputs = OnnxView(program, every_output=True), OnnxView(program)
        for _ in range(3):
            assert_same(program, view, random_inputs(program, rng), outputs)
    assert legal >= 50


@pytest.fixture(params=[True, False], ids=["signed", "unsigned"])
def signed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A processor that multiplies bytes by signed bytes exactly, and one that does not; every product as if it were large."""
    if request.param and not signed_products_are_exact():
        pytest.skip("this processor saturates products of signed bytes")
    monkeypatch.setattr(onnxruntime, "signed_products_are_exact", lambda: request.param)
    monkeypatch.setattr(views.matmul, "MANY", 1)
    monkeypatch.setattr(views.conv, "MANY", 1)
    monkeypatch.setattr(views.conv, "CHANNELS", 1)
    monkeypatch.setattr(views.matmul, "FEW", 0)
    monkeypatch.setattr(views.conv, "FEW", 8)  # some of the random ones have fewer terms, some more
    return bool(request.param)


@pytest.mark.parametrize(("kind", "node"), [("matmul", b"BitwiseAnd"), ("conv", b"Gather")])
def test_products_by_planes_of_bytes_are_bit_for_bit_the_reference(kind: str, node: bytes, signed: bool):
    rng, found = np.random.default_rng(5), 0
    for _ in range(120):
        program = random_program(kind, rng)
        if program is None:
            continue
        view = OnnxView(program, every_output=True)
        found += node in view.model
        for _ in range(3):
            assert_same(program, view, random_inputs(program, rng))
    assert found >= 15 or (kind == "conv" and not signed)


@pytest.mark.parametrize("seed", range(20))
def test_chains_of_large_image_operators_are_bit_for_bit_the_reference(seed: int, signed: bool):
    rng = np.random.default_rng([4, seed])
    program = image_program(rng)
    view, outputs = OnnxView(program, every_output=True), OnnxView(program)
    for _ in range(3):
        assert_same(program, view, random_inputs(program, rng), outputs)


@pytest.mark.parametrize("low", [-40_000, -300, -255, -128, 0, 128])
@pytest.mark.parametrize("span", [0, 127, 255, 256, 70_000])
def test_signed_planes_add_up_to_the_weights(low: int, span: int):
    weights = np.linspace(low, low + span, 1000).astype(np.int64).reshape(10, 100)
    planes = signed_planes(weights)
    total = sum(((plane.astype(np.int64) - zero) << (8 * place) for plane, zero, place in planes), start=np.zeros_like(weights))
    np.testing.assert_array_equal(total, weights)
    assert all(plane.min() >= -128 and plane.max() <= 127 and -128 <= zero <= 127 for plane, zero, _ in planes)
    assert (len(planes) == 1) == (span <= 255 and -255 <= low <= 0)
    assert len(planes) == signed_count(Interval(low, low + span))


def test_signed_products_that_saturate_or_are_missing_are_not_used(monkeypatch: pytest.MonkeyPatch):
    class Saturating:
        def __init__(self, *_: object) -> None: ...

        def run(self, _: object, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.full((len(inputs["x"]), 33), 32767)]

    monkeypatch.setattr(signed_bytes.ort, "InferenceSession", Saturating)
    assert not signed_products_are_exact.__wrapped__()
    monkeypatch.setattr(signed_bytes.ort, "InferenceSession", None)
    assert not signed_products_are_exact.__wrapped__()


def test_requantisation_beyond_float64_floors_and_clips_like_the_reference():
    rng = np.random.default_rng(2)
    for _ in range(60):
        b, shift = Builder(), int(rng.choice([0, 1, 20, 40, 61, 62]))
        x = b.input("x", (50, 3), Interval(-(1 << 46), (1 << 46) - 1), Tokens())
        offset = rng.integers(-(1 << 60), 1 << 60, 3)
        low, high = [(-(1 << 62), 1 << 62), (-3, 2), (0, 255), (-70000, -1)][rng.integers(4)]
        form = Requantise(rng.integers(0, 1 << 15, 3), offset, shift, low, high)
        b.output("y", b.apply("add", x, coefficients=((1,),), requantise=form), Tokens())
        program = b.build()
        assert_same(program, OnnxView(program, every_output=True), random_inputs(program, rng))


def test_requantisation_whose_product_and_offset_cancel_beyond_float64_is_exact():
    b, start, multiplier = Builder(), 1 << 45, (1 << 15) - 1
    x = b.input("x", (1001,), Interval(start, start + 1000), Tokens())
    form = Requantise(np.array([multiplier]), np.array([-multiplier * start - 7]), 3, -(1 << 40), 1 << 40)
    b.output("y", b.apply("add", x, coefficients=((1,),), requantise=form), Tokens())
    program = b.build()
    assert_same(program, OnnxView(program, every_output=True), {"x": np.arange(start, start + 1001)})


def test_isqrt_around_squares_up_to_the_limit_is_exact():
    b = Builder()
    roots = np.concatenate([np.arange(1, 300), (1 << 26) + np.arange(0, 27_000_000, 90_001), [94906265]])
    near = np.unique(np.concatenate([roots**2 - 1, roots**2, roots**2 + 1]))
    near = near[near < 1 << 53]
    b.output("y", b.apply("isqrt", b.input("x", near.shape, Interval(0, (1 << 53) - 1), Tokens())), Tokens())
    program = b.build()
    assert_same(program, OnnxView(program, every_output=True), {"x": near})


@pytest.mark.parametrize(("low", "zero"), [(0, -7), (1000, 0), (1000, 999), (0, 70_000), (-30_000, 31_000)])
@pytest.mark.parametrize("groups", [1, 2])
def test_conv_with_a_zero_point_outside_of_its_operand_is_exact(low: int, zero: int, groups: int, signed: bool):
    b, rng = Builder(), np.random.default_rng(8)
    x = b.input("x", (1, 6, 6, 8), Interval(low, low + 60_000), Tokens())
    over = {"strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": groups}
    weights = b.constant(rng.integers(-300, 300, (4, 3, 3, 8 // groups)))
    b.output("y", b.apply("conv", x, weights, x_zero=zero, w_zero=-301, **over), Tokens())
    program = b.build()
    view = OnnxView(program, every_output=True)
    assert (b"Conv" if groups == 2 else b"MatMulInteger" if signed else b"ConvInteger") in view.model
    assert_same(program, view, random_inputs(program, rng))


@pytest.mark.parametrize("seed", range(40))
def test_chains_of_image_operators_are_bit_for_bit_the_reference(seed: int):
    rng = np.random.default_rng([3, seed])
    program = image_program(rng)
    view, outputs = OnnxView(program, every_output=True), OnnxView(program)
    for _ in range(4):
        assert_same(program, view, random_inputs(program, rng), outputs)


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("width", ["8", "mixed", "16"])
def test_zoo_model_on_200_samples_agrees_on_every_intermediate(name: str, width: str):
    model = zoo.model(name)
    program = vml.compile(model.path, model.calibration(64), spec=vml.QuantSpec(width=width), threshold=-1)
    view, outputs = OnnxView(program, every_output=True), OnnxView(program)
    samples, _ = model.test(200 if width == "mixed" else 20)
    for sample in samples:
        assert_same(program, view, encode_inputs(program, sample, saturate=True), outputs)
    assert len(samples) >= 20


@pytest.mark.parametrize("spec", [(8, "8"), (8, "16"), (16, "16")], ids=str)
def test_property_42_seeded_large_models_are_bit_for_bit_the_reference_with_one_thread_and_two(spec: tuple[int, str]):
    for model, of in ((seeded.mlp((256, 300, 10)), (1, 256)), (seeded.cnn((32, 0, 64, 0)), (1, 3, 32, 32))):
        rng = np.random.default_rng(0)
        samples = [{"x": rng.standard_normal(of, dtype=np.float32)} for _ in range(3)]
        program = vml.compile(model, samples, spec=vml.QuantSpec(weights=spec[0], width=spec[1]), threshold=-1)
        view, outputs = OnnxView(program, every_output=True), OnnxView(program, threads=2)
        for sample in samples:
            assert_same(program, view, encode_inputs(program, sample, saturate=True), outputs)


@pytest.mark.parametrize("seed", range(30))
def test_layout_after_many_rearrangements_reads_what_numpy_reads(seed: int):
    rng = np.random.default_rng([6, seed])
    stored = np.arange(2 * 3 * 4 * 5)
    layout, array = Layout.plain((2, 3, 4, 5)), stored.reshape(2, 3, 4, 5)
    for _ in range(6):
        view = [(2, 3, 20), (6, 4, 5), (24, 5), (1, 10, 12), (2, 60), (3, 40), (8, 15), (120,), array.shape][rng.integers(9)]
        permutation = tuple(rng.permutation(len(view)).tolist())
        moved = layout.permuted(view, permutation)
        if moved is None:
            continue
        layout, array = moved, array.reshape(view).transpose(permutation)
        np.testing.assert_array_equal(layout.read(stored, array.shape), array)
        assert layout.is_plain == np.array_equal(array.ravel(), stored)


def test_view_of_constants_only_or_of_one_permutation_runs():
    b = Builder()
    x = b.input("x", (2, 3), Interval(0, 9), Tokens())
    b.output("a", b.apply("add", b.constant([1, 2]), coefficients=((300,),)), Tokens())
    b.output("b", rearranged(b, x, (2, 3), (1, 0), (3, 2)), Tokens())
    program = b.build()
    assert_same(program, OnnxView(program, every_output=True), {"x": np.arange(6).reshape(2, 3)}, OnnxView(program))


def test_view_with_inputs_that_do_not_fit_raises_invalid_input():
    b = Builder()
    b.output("y", b.apply("isqrt", b.input("x", (2,), Interval(0, 9), Tokens())), Tokens())
    view = OnnxView(b.build())
    for wrong in ({}, {"x": np.array([1, 10])}, {"x": np.array([1])}, {"x": np.array([1.0, 2.0])}):
        with pytest.raises(InvalidInput):
            view.outputs(wrong)
    with pytest.raises(ValueError, match="every_output"):
        view.trace({"x": np.array([1, 2])})


def test_view_of_a_maximum_beyond_float64_is_refused_by_name():
    b = Builder()
    x = b.input("x", (1, 4, 1), Interval(0, 1 << 60), Tokens())
    over = {"kernel": (2,), "strides": (1,), "pads": (0, 0), "dilations": (1,)}
    b.output("y", b.apply("max", x, label="pool", **over), Tokens())
    program, inputs = b.build(), {"x": np.array([[[1 << 60], [(1 << 60) - 1], [3], [2]]])}
    with pytest.raises(UnsupportedModel, match="operator 0 `pool`"):
        OnnxView(program)
    # what runs programs falls back to the reference
    assert predictor(program)(inputs)[0].ravel().tolist() == [1 << 60, (1 << 60) - 1, 3]
    assert recorder(program)(inputs).root == run_reference(program, inputs).root


def test_view_of_a_convolution_with_too_many_terms_is_refused_by_name():
    b = Builder()
    x = b.input("x", (1, 1, 40_000), Interval(0, 255), Tokens())
    over = {"strides": (1,), "pads": (0, 0), "dilations": (1,), "groups": 1, "x_zero": 0, "w_zero": 0}
    weights = b.constant(np.full((1, 1, 40_000), 255))
    b.output("y", b.apply("conv", x, weights, **over), Tokens())
    with pytest.raises(UnsupportedModel, match="40,000 terms"):
        OnnxView(b.build())


def test_property_42_traces_from_one_view_in_many_threads_are_each_their_own(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(17)
    program = image_program(rng)
    runs = [random_inputs(program, rng) for _ in range(40)]
    wanted = [run_reference(program, inputs).root for inputs in runs]
    for most in (fetch.MOST_BOUND, 0):  # outputs in a thread's buffer, and as onnxruntime hands them over
        monkeypatch.setattr(fetch, "MOST_BOUND", most)
        view = OnnxView(program, every_output=True)
        with ThreadPoolExecutor(8) as pool:
            traces = list(pool.map(view.trace, runs))
        assert [trace.root for trace in traces] == wanted


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_model_that_fidelity_is_measured_on_is_bit_for_bit_the_reference():
    """Widths as `auto` chooses them, one input of each: MobileNets at 224 take the reference a minute."""
    names = []
    for case in fidelity_cases():
        program = vml.compile(case.model, calibration=case.calibration, refuse=False)
        given = encode_inputs(program, case.held_out[0], saturate=True)
        assert_same(program, OnnxView(program, every_output=True), given, OnnxView(program))
        names.append(case.name)
    assert len(names) == CASES
