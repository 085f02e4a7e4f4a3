# SPDX-License-Identifier: MIT OR Apache-2.0
"""onnxruntime decides whether a rewritten model is still the same function.

In: a model and inputs. Out: its outputs, or a typed error. The judge is asked after every pass that changed anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime as ort

from verifiable_ml.errors import UnsupportedModel

TOLERANCE = 2e-4  # of the largest output: float32 reassociation is 1e-6, a wrong rewrite is 1e-2 and more
LOOSE = 0.05
"""What quantisation steps, and scales found at run time, may make of the largest output."""
RANDOM_INPUTS, SAMPLE_INPUTS = 2, 4
Inputs = Mapping[str, np.ndarray]


def outputs(model: onnx.ModelProto, inputs: Sequence[Inputs], thing: str) -> list[list[np.ndarray]]:
    """Outputs of the model for each input, without onnxruntime's own optimisations. Raises UnsupportedModel."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [[np.asarray(array) for array in session.run(None, dict(each))] for each in inputs]
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise UnsupportedModel(
            thing=thing,
            reason=f"onnxruntime does not run it: {_first_line(error)}",
            hint="export the model again, with opset 18 and samples of the right shapes",
        ) from error


def trial_inputs(model: onnx.ModelProto, samples: Sequence[Inputs]) -> list[Inputs]:
    """A few samples, and random inputs from the samples' range (without samples: a normal distribution, small integers)."""
    rng = np.random.default_rng(0)
    chosen: list[Inputs] = list(samples[:SAMPLE_INPUTS])
    weights = {tensor.name for tensor in model.graph.initializer}
    values = [value for value in model.graph.input if value.name not in weights]
    for _ in range(RANDOM_INPUTS):
        chosen.append({value.name: _random(value, [np.asarray(s[value.name]) for s in samples[:32]], rng) for value in values})
    return chosen


def _random(value: onnx.ValueInfoProto, seen: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    shape = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    low, high = (min(a.min() for a in seen), max(a.max() for a in seen)) if seen and all(a.size for a in seen) else (0, 1)
    if dtype.kind in "iub":
        most = (1 << 63) - 1  # what the generator takes
        return rng.integers(min(int(low), most - 1), min(int(high) + 1, most), shape).astype(dtype)
    drawn = rng.uniform(float(low), float(high), shape) if seen else rng.normal(size=shape)
    whole = bool(seen) and all(bool((each == np.rint(each)).all()) for each in seen)  # categories: between them nothing is meant
    return np.asarray(np.rint(drawn) if whole else drawn, dtype)


def difference(
    expected: Sequence[Sequence[np.ndarray]], found: Sequence[Sequence[np.ndarray]], tolerance: float = TOLERANCE
) -> str | None:
    """Why two lists of outputs are not the same, or None. Floats may differ by `tolerance` of the largest of an output over
    all inputs; the rest may not, unless the tolerance is LOOSE: of a model that rounds, another order of sums may flip a step.
    """
    largest = [max(map(_magnitude, column)) for column in zip(*expected, strict=True)]
    for number, (row, other) in enumerate(zip(expected, found, strict=True)):
        if len(row) != len(other):
            return f"{len(other)} outputs instead of {len(row)}"
        for position, (a, b) in enumerate(zip(row, other, strict=True)):
            reason = _unlike(a, b, largest[position], tolerance)
            if reason:
                return f"output {position} on trial input {number}: {reason}"
    return None


def _magnitude(a: np.ndarray) -> float:
    finite = np.abs(a[np.isfinite(a)].astype(np.float64)) if a.dtype.kind == "f" else np.zeros(0)
    return float(finite.max(initial=0.0))


def _unlike(a: np.ndarray, b: np.ndarray, largest: float, tolerance: float) -> str | None:
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{b.dtype}{list(b.shape)} instead of {a.dtype}{list(a.shape)}"
    if a.dtype.kind != "f":
        return None if np.array_equal(a, b) or tolerance >= LOOSE else f"{int(np.sum(a != b))} of {a.size} elements differ"
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(b[finite]).all():
        return "other elements are not finite"
    error = float(np.max(np.abs(a - b)[finite], initial=0.0))
    allowed = tolerance * max(largest, 1e-3)
    return None if error <= allowed else f"off by {error:.3g}, {allowed:.3g} is allowed"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
