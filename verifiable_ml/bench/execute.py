# SPDX-License-Identifier: MIT OR Apache-2.0
"""Running a program: what recording every output costs, and how integers compare with floats, both in onnxruntime.

Everything with one thread and batch 1. A ratio is the median over paired runs, one right after the other, so that a busy
machine slows both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml import api, frontend, quantize
from verifiable_ml.bench.table import Table
from verifiable_ml.execute import Batch, Trace, encode_inputs, recorder
from verifiable_ml.execute.onnxruntime import OnnxView, session
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.quantize import QuantSpec

MLP = (1024, 1024, 1024, 10)
CNN = (64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0)
"""Channels of 3 x 3 convolutions over 3 x 32 x 32; 0 is a 2 x 2 maximum. Then 2048-256-10."""


def recording(progress: Progress = silent, pairs: int = 400) -> Table:
    """What it costs to record every operator's output, beside the trace's Merkle root."""
    rows = []
    names = zoo.names()
    for place, name in enumerate(names):
        progress(name, place / len(names))
        model = zoo.model(name)
        program = _compiled(model.path, model.calibration(), QuantSpec())
        inputs = encode_inputs(program, model.test(1)[0][0], saturate=True)
        plain, every = OnnxView(program), OnnxView(program, every_output=True)
        base, recorded, ratio = paired(lambda: plain.outputs(inputs), lambda: every.trace(inputs), pairs)  # noqa: B023
        tensors = every.trace(inputs).tensors
        root = median(lambda: Trace(program, tensors).root, max(pairs // 20, 5))  # noqa: B023
        rows.append((name, len(program.operators), base * 1e6, recorded * 1e6, ratio, root * 1e6))
    columns = ("model", "operators", "outputs only, us", "every output, us", "ratio", "root of the trace, us")
    notes = ("From integers in NumPy to integers in NumPy, input checks included; the root is apart.", PAIRED)
    return Table("recording", "Recording every output", columns, tuple(rows), notes)


def latency(progress: Progress = silent, pairs: int = 60) -> Table:
    """Integer inference against the float model's at 8 and 16 bits, for seeded models of 2 and 5 million parameters."""
    rows = []
    for name, model in (("2M-parameter MLP", mlp(MLP)), ("5M-parameter CNN, 32 x 32", cnn(CNN))):
        (given,) = model.graph.input
        shape = [axis.dim_value for axis in given.type.tensor_type.shape.dim]
        rng = np.random.default_rng(0)
        samples = [{given.name: rng.standard_normal(shape, dtype=np.float32)} for _ in range(4)]
        reference = session(model.SerializeToString(), threads=1)
        for width in ("8", "16"):
            progress(f"{name}, {width} bits", None)
            program = _compiled(model, samples, QuantSpec(width=width))
            inputs, view = encode_inputs(program, samples[0], saturate=True), OnnxView(program)
            real, integer, ratio = paired(lambda: reference.run(None, samples[0]), lambda: view.outputs(inputs), pairs)  # noqa: B023
            rows.append((name, width, program.parameters, real * 1e3, integer * 1e3, ratio))
    columns = ("model", "width", "parameters", "float, ms", "integers, ms", "ratio")
    notes = ("Random weights of 8 bits, seeded; activations of `width` bits.", PAIRED)
    return Table("latency", "Integer inference against float", columns, tuple(rows), notes)


def batch(progress: Progress = silent, count: int = 512, repeats: int = 3) -> Table:
    """Samples a second, one by one and in a batch: outputs alone, and whole traces."""
    rows = []
    names = zoo.names()
    for place, name in enumerate(names):
        progress(name, place / len(names))
        model = zoo.model(name)
        program = api.compile(model.path, model.calibration(), threshold=-1.0)
        samples = (model.test()[0] * count)[:count]
        predicted = _rates(count, repeats, *_predictions(program, samples))
        traced = _rates(count, repeats, *_traces(program, samples))
        rows.append((name, *predicted, *traced))
    each = ("one by one", "in a batch", "ratio")
    columns = ("model", *(f"outputs {name}" for name in each), *(f"traces {name}" for name in each))
    notes = ("Samples a second, from real numbers to real numbers, or to traces; one thread, the best of a few runs.",)
    return Table("batch", "One by one and in a batch", columns, tuple(rows), notes)


Work = Callable[[], object]


def _predictions(program: api.Program, samples: list[Any]) -> tuple[Work, Work]:
    return (
        lambda: [program.predict(sample, saturate=True) for sample in samples],
        lambda: program.predict_batch(samples, saturate=True),
    )


def _traces(program: api.Program, samples: list[Any]) -> tuple[Work, Work]:
    record, together = recorder(program), Batch(program, every_output=True)
    return (
        lambda: [record(encode_inputs(program, sample, saturate=True)) for sample in samples],
        lambda: [trace.outputs for trace in together.traces(samples, saturate=True)],
    )


def _rates(count: int, repeats: int, *works: Work) -> tuple[int, int, float]:
    """Samples a second of both, and second over first. The first run of each builds, and does not count."""
    slow, fast = (min([_seconds(work) for _ in range(repeats + 1)][1:]) for work in works)
    return round(count / slow), round(count / fast), slow / fast


PAIRED = "One thread, batch 1; medians, and the median ratio of paired runs."


def paired(first: Callable[[], Any], second: Callable[[], Any], pairs: int) -> tuple[float, float, float]:
    """Median seconds of each, and the median of second / first over runs next to each other."""
    times = np.array([(_seconds(first), _seconds(second)) for _ in range(pairs + 10)])[10:]
    return float(np.median(times[:, 0])), float(np.median(times[:, 1])), float(np.median(times[:, 1] / times[:, 0]))


def median(run: Callable[[], Any], repeats: int) -> float:
    """Median seconds."""
    return float(np.median([_seconds(run) for _ in range(repeats)]))


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _compiled(source: Any, samples: list[Any], spec: QuantSpec) -> Program:
    return quantize.quantise(frontend.load(source, samples), spec, None, -1.0).program


def mlp(widths: tuple[int, ...]) -> onnx.ModelProto:
    """Gemm and Relu; seeded weights. Input x [1, widths[0]]."""
    rng, nodes, weights = np.random.default_rng(0), [], []  # type: ignore[var-annotated]
    value = _dense(rng, widths, "x", nodes, weights)
    return _model(nodes, weights, [1, widths[0]], value, widths[-1])


def cnn(channels: tuple[int, ...]) -> onnx.ModelProto:
    """Conv, Relu and MaxPool, then two dense layers; seeded weights. Input x [1, 3, 32, 32]."""
    rng, nodes, weights = np.random.default_rng(0), [], []
    value, inner, size = "x", 3, 32
    for place, outer in enumerate(channels):
        if not outer:
            nodes.append(helper.make_node("MaxPool", [value], [f"p{place}"], kernel_shape=[2, 2], strides=[2, 2]))
            value, size = f"p{place}", size // 2
            continue
        kernel = rng.standard_normal((outer, inner, 3, 3), dtype=np.float32) * np.float32((2 / (9 * inner)) ** 0.5)
        weights.append(numpy_helper.from_array(kernel, f"k{place}"))
        nodes.append(helper.make_node("Conv", [value, f"k{place}"], [f"c{place}"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]))
        nodes.append(helper.make_node("Relu", [f"c{place}"], [f"r{place}"]))
        value, inner = f"r{place}", outer
    nodes.append(helper.make_node("Flatten", [value], ["flat"]))
    value = _dense(rng, (inner * size * size, 256, 10), "flat", nodes, weights)
    return _model(nodes, weights, [1, 3, 32, 32], value, 10)


def _dense(rng: np.random.Generator, widths: tuple[int, ...], value: str, nodes: list[Any], weights: list[Any]) -> str:
    for place, (inner, outer) in enumerate(pairwise(widths)):
        matrix = rng.standard_normal((outer, inner), dtype=np.float32) * np.float32((2 / inner) ** 0.5)
        weights.append(numpy_helper.from_array(matrix, f"w{place}"))
        weights.append(numpy_helper.from_array(np.zeros(outer, np.float32), f"b{place}"))
        nodes.append(helper.make_node("Gemm", [value, f"w{place}", f"b{place}"], [f"d{place}"], transB=1))
        value = f"d{place}"
        if place < len(widths) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"a{place}"]))
            value = f"a{place}"
    return value


def _model(nodes: list[Any], weights: list[Any], shape: list[int], output: str, classes: int) -> onnx.ModelProto:
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, classes])
    graph = helper.make_graph(nodes, "seeded", [given], [result], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
