# SPDX-License-Identifier: MIT OR Apache-2.0
"""A batch gives, for each of its inputs, what that input alone gives: claims, traces and outputs, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

import verifiable_ml as vml
from differential.random_programs import KINDS, drawn, image_program, random_inputs, random_program, rearranged
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute import Batch, OnnxView, run_reference
from verifiable_ml.execute import batch as batching
from verifiable_ml.execute.stack import stacked
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens

Rng = np.random.Generator


def assert_stack_is_each_run(program: Program, rng: Rng, count: int) -> None:
    """By the reference on the stacked program, and by onnxruntime."""
    runs = [random_inputs(program, rng) for _ in range(count)]
    wanted = [run_reference(program, inputs).tensors for inputs in runs]
    inputs = {name: np.stack([run[name] for run in runs]) for name in runs[0]}
    stack = stacked(program, count)
    plain = run_reference(stack.program, inputs).tensors
    fast = OnnxView(program, every_output=True, count=count).stack(inputs)
    for index, each in enumerate(zip(*wanted, strict=True)):
        together = np.stack(each)
        np.testing.assert_array_equal(plain[stack.places[index]].reshape(together.shape), together)
        np.testing.assert_array_equal(fast[index], together)
        assert fast[index].dtype == together.dtype and fast[index].shape == together.shape


@pytest.mark.parametrize("kind", KINDS)
def test_operator_stacked_is_bit_for_bit_each_run(kind: str):
    rng, legal = np.random.default_rng([11, *kind.encode()]), 0
    for _ in range(25):
        program = random_program(kind, rng)
        if program is not None:
            legal += 1
            assert_stack_is_each_run(program, rng, int(rng.integers(2, 6)))
    assert legal >= 10


@pytest.mark.parametrize("seed", range(20))
def test_property_42_chain_stacked_is_bit_for_bit_each_run(seed: int):
    rng = np.random.default_rng([12, seed])
    assert_stack_is_each_run(image_program(rng), rng, int(rng.integers(2, 6)))


def test_operators_that_share_constants_or_compute_both_operands_are_stacked():
    b, rng = Builder(), np.random.default_rng(13)
    w = b.input("w", (3, 4), Interval(-9, 9), Tokens())
    places = b.input("places", (2, 2), Interval(0, 2), Tokens())
    lone = b.apply("add", b.constant([1, 2, 3, 4]), coefficients=((300,),))  # of constants alone
    rows = b.apply("gather", w, places)  # rows of a table that is computed
    dot = b.apply("matmul", b.constant(drawn(rng, Interval(-9, 9), (5, 4))), w)  # its second operand is computed
    vector = b.apply("matmul", lone, w)
    cube = rearranged(b, rows, (2, 2, 4), (1, 0, 2), (2, 2, 4))
    each = b.apply("matmul", cube, b.constant(drawn(rng, Interval(-9, 9), (2, 3, 4))))  # weights one a batch
    picked = b.apply("gather", w, b.constant([2, 0]))
    joined = b.apply(
        "rearrange", b.constant(drawn(rng, Interval(0, 9), (2, 4))), picked,
        shape=(4, 4), view=(4, 4), permutation=(0, 1), maps=((4, 0, 1, 1), (4, 0, 1, 1)), axis=0,
    )  # fmt: skip
    for place, ref in enumerate((lone, rows, dot, vector, each, joined)):
        b.output(f"y{place}", ref, Tokens())
    assert_stack_is_each_run(b.build(), rng, 3)


@pytest.mark.parametrize("name", zoo.names())
def test_property_42_zoo_model_in_a_batch_gives_the_claims_and_traces_of_one_by_one(name: str):
    model = zoo.model(name)
    program = vml.compile(model.path, model.calibration(32), threshold=-1)
    samples, _ = model.test(11)
    alone = [program.run(sample, saturate=True) for sample in samples]
    together = list(program.run_batch(samples, saturate=True))
    assert [claim for claim, _ in together] == [claim for claim, _ in alone]
    assert [trace.root for _, trace in together] == [trace.root for _, trace in alone]
    predicted = program.predict_batch(samples, saturate=True)
    for output, parts in zip(predicted, zip(*(program.predict(s, saturate=True) for s in samples), strict=True), strict=True):
        np.testing.assert_array_equal(output, np.stack(parts))


def simple(shape: tuple[int, ...] = (1, 3)) -> vml.Program:
    b = Builder()
    x = b.input("x", shape, Interval(0, 255), Tokens())
    b.output("y", b.apply("add", x, coefficients=((2,),), requantise=Requantise.clip(Interval(0, 300))), Tokens())
    return vml.Program.of(b.build())


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 600])
def test_batch_of_any_length_from_an_array_or_a_list_of_dicts_has_one_row_a_sample(count: int):
    program, rng = simple(), np.random.default_rng(count)
    x = drawn(rng, Interval(0, 255), (count, 1, 3))
    for samples in (x, list(x), [{"x": row} for row in x]):
        (y,) = program.predict_batch(samples)
        np.testing.assert_array_equal(y, np.minimum(2.0 * x, 300))
        assert len(list(program.run_batch(samples))) == count


def test_batch_goes_in_chunks_that_memory_allows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batching, "CHUNK_BYTES", 1000)
    small, large = simple(), simple((1, 400))
    assert batching.most_together(small) == 16 and batching.most_together(large) == 1
    x = drawn(np.random.default_rng(0), Interval(0, 255), (5, 1, 400))
    np.testing.assert_array_equal(large.predict_batch(x)[0], np.minimum(2.0 * x, 300))


@pytest.mark.parametrize(
    "wrong", [np.array([[1, 2]]), np.array([[1, 2, 256]]), np.array([[1, 2, np.nan]]), {"x": [[1, 2, 3]], "z": 1}, "text", {}]
)
def test_batch_with_a_wrong_sample_raises_invalid_input_that_names_it(wrong: object):
    program, right = simple(), np.array([[1, 2, 3]])
    with pytest.raises(InvalidInput, match="sample 2"):
        program.predict_batch([right, right, wrong, right])
    with pytest.raises(InvalidInput, match="sample 70"):
        list(program.run_batch([right] * 70 + [wrong]))
    with pytest.raises(InvalidInput):
        program.run(wrong)


def test_program_that_onnxruntime_cannot_run_exactly_runs_by_the_reference_in_a_batch():
    b = Builder()
    x = b.input("x", (1, 4, 1), Interval(0, 1 << 60), Tokens())
    over = {"kernel": (2,), "strides": (1,), "pads": (0, 0), "dilations": (1,)}
    b.output("y", b.apply("max", x, **over), Tokens())
    program = b.build()
    samples = [np.array([[[1 << 52], [(1 << 52) - 1], [3], [place]]]) for place in range(3)]
    (y,) = Batch(program, every_output=False).outputs(samples)
    assert y[:, 0, 2, 0].tolist() == [3, 3, 3] and y.dtype == np.int64
    traces = list(Batch(program, every_output=True).traces(samples))
    assert [trace.root for trace in traces] == [run_reference(program, {"x": s}).root for s in samples]
