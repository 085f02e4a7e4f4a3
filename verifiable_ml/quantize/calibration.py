# SPDX-License-Identifier: MIT OR Apache-2.0
"""Calibration: what range each tensor of the float model has over the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from verifiable_ml.errors import InvalidInput, QuantisationError
from verifiable_ml.execute.ordered import ordered
from verifiable_ml.frontend.graph import FAMILY
from verifiable_ml.quantize.spec import QuantSpec

Sample = Mapping[str, npt.NDArray[np.generic]]
FloatArray = npt.NDArray[np.float64]
Array = npt.NDArray[Any]
NOTHING_BELOW = 32.0
"""Below a row's maximum a softmax makes less than 2e-14 of an entry."""
WORKERS = 2
"""Threads that run models, one sample each: what a sample gives does not depend on how many."""
KEPT = 100
"""Samples of which the outputs are kept."""
MANTISSA = 5
"""Bits of a range. Costs at most 1/16 of the steps, 1/32 on average, and makes a program id that two machines agree on."""


@dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest value seen, 0 included."""

    low: float
    high: float

    def rounded_up(self) -> Range:
        """Both ends moved outwards to MANTISSA significant bits: another processor's float noise gives the same range."""
        return Range(-_rounded_up(-self.low), _rounded_up(self.high))

    @property
    def magnitude(self) -> float:
        """The greatest absolute value."""
        return max(abs(self.low), abs(self.high))


class FloatModel:
    """The float model with every tensor as an output: one run gives the value of each by name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        observed = onnx.ModelProto()
        observed.CopyFrom(model)
        present = {output.name for output in observed.graph.output}
        names = [name for node in observed.graph.node for name in node.output if name and name not in present]
        observed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        # without optimisation every named tensor keeps its meaning
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(observed.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]
        self._types = {given.name: given.type for given in self._session.get_inputs()}
        self._masked = _masked(model)

    def run(self, sample: Sample) -> dict[str, Array]:
        """Every tensor by name in its own type, the inputs too. Raises InvalidInput if the sample does not fit the model."""
        if set(sample) != set(self._types):
            raise InvalidInput(
                thing=f"a sample with {sorted(sample)}",
                reason=f"the model takes {sorted(self._types)}",
                hint="name each input once",
            )
        feeds: dict[str, npt.NDArray[np.generic]] = {
            name: np.asarray(value).astype(_NUMPY.get(self._types[name], np.float32)) for name, value in sample.items()
        }
        try:
            values = self._session.run(self._names, feeds)
        except Exception as error:  # onnxruntime's own classes are not exported by name
            raise InvalidInput(
                thing="a sample", reason=str(error).splitlines()[0], hint="give arrays of the model's input shapes"
            ) from error
        found = dict(zip(self._names, values, strict=True))
        return {
            name: _unmasked(value) if name in self._masked else np.asarray(value) for name, value in {**feeds, **found}.items()
        }


def _masked(model: onnx.ModelProto) -> frozenset[str]:
    """Tensors that only softmaxes along the last axis read."""
    outputs, axes = {output.name for output in model.graph.output}, {"axis": -1}
    readers: dict[str, set[bool]] = {}
    for node in model.graph.node:
        given = {a.name: a.i for a in node.attribute}
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type == "Softmax" and {**axes, **given}["axis"] == -1)
    return frozenset(name for name, found in readers.items() if found == {True} and name not in outputs)


def _unmasked(value: Array) -> Array:
    """With masks (-inf, -1e4) brought to where a softmax makes nothing of them: they say nothing about a range."""
    clamped: Array = np.maximum(value, value.max(axis=-1, keepdims=True) - NOTHING_BELOW)
    return clamped


_NUMPY: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ranges by tensor name; of the inputs also by entry of the last axis, and whether all values were integers.

    answers: the model's outputs by name, of the first KEPT samples.
    """

    ranges: Mapping[str, Range]
    entries: Mapping[str, tuple[FloatArray, FloatArray]]
    integral: Mapping[str, bool]
    answers: Sequence[Mapping[str, Array]] = ()


def calibrate(model: onnx.ModelProto, samples: Sequence[Sample], spec: QuantSpec) -> Calibration:
    """Run the float model over the samples. Raises QuantisationError without samples or where a value is not finite."""
    if not samples:
        raise QuantisationError(thing="calibration", reason="there are no samples", hint="give a few dozen typical inputs")
    inputs, outputs = {given.name for given in model.graph.input}, {output.name for output in model.graph.output}
    seen, answers = _Seen(spec, inputs, masked_tensors(model)), list[Mapping[str, Array]]()
    for index, values in enumerate(ordered(FloatModel(model).run, samples, WORKERS)):
        for name, value in values.items():
            if value.size:
                _check_finite(name, value, index)
                seen.add(name, value)
        if index < KEPT:
            answers.append({name: values[name] for name in outputs})
    ranges = {name: Range(low, high) for name, (low, high) in seen.ends.items()}
    ranges |= _of_families(model, ranges)
    ranges.update({name: Range(0.0, 1.0) for name, found in ranges.items() if not found.magnitude and name not in inputs})
    ranges.update({name: found.rounded_up() for name, found in ranges.items() if name not in inputs})
    return Calibration(ranges, seen.entries, seen.integral, answers)


class _Seen:
    """What calibration notes of each tensor, over the samples that it was shown."""

    def __init__(self, spec: QuantSpec, inputs: set[str], masked: frozenset[str]) -> None:
        self._spec, self._inputs, self._masked = spec, inputs, masked
        self.ends: dict[str, tuple[float, float]] = {}
        self.entries: dict[str, tuple[FloatArray, FloatArray]] = {}
        self.integral = dict.fromkeys(inputs, True)

    def add(self, name: str, value: Array) -> None:
        """One sample's tensor of that name."""
        low, high = _ends(_without_masks(value) if name in self._masked else value, self._spec)
        least, most = self.ends.get(name, (0.0, 0.0))
        self.ends[name] = min(least, low), max(most, high)
        if name in self._inputs:
            rows = value.astype(np.float64).reshape(-1, value.shape[-1] if value.ndim else 1)
            lows, highs = self.entries.get(name, (rows[0], rows[0]))
            self.entries[name] = np.minimum(lows, rows.min(axis=0)), np.maximum(highs, rows.max(axis=0))
            self.integral[name] &= bool((value == np.rint(value)).all())


MASKED = -1e3
"""What lies below it, on the way into exponentials, is masked out."""
DEPTH = 32.0
"""How far below everything else a mask still lies after it was brought into the range: exp(-32) is nothing."""
EXPONENTIALS = frozenset({"Softmax", "Exp"})
ON_THE_WAY = frozenset({"Add", "Sub", "Where", "Reshape", "Transpose", "Slice", "Concat", "Gather", "Identity", "ReduceMax"})


def masked_tensors(model: onnx.ModelProto) -> frozenset[str]:
    """Tensors of which nothing but exponentials is made: how negative a very negative value is does not matter there."""
    outputs, found = {output.name for output in model.graph.output}, set[str]()
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in reversed(model.graph.node):
        for name in node.input:
            ends = all(r.op_type in EXPONENTIALS or (r.op_type in ON_THE_WAY and r.output[0] in found) for r in readers[name])
            if ends and name not in outputs:
                found.add(name)
    return frozenset(found)


def _without_masks(value: FloatArray) -> FloatArray:
    hidden = value < MASKED
    if not hidden.any():
        return value
    least = value[~hidden].min(initial=0.0) - DEPTH
    return np.asarray(np.maximum(value, least))


def _of_families(model: onnx.ModelProto, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Of tensors that are one tensor at different steps: the joint range. Their scales and tables are then the same."""
    families: dict[str, list[str]] = {}
    for node in model.graph.node:
        for found in node.metadata_props:
            if found.key == FAMILY:
                families.setdefault(found.value, []).extend(name for name in node.output if name in ranges)
    joint: dict[str, Range] = {}
    for names in families.values():
        whole = Range(min(ranges[name].low for name in names), max(ranges[name].high for name in names))
        joint |= dict.fromkeys(names, whole)
    return joint


def _rounded_up(value: float) -> float:
    fraction, exponent = math.frexp(value)
    return math.ldexp(math.ceil(math.ldexp(fraction, MANTISSA)), exponent - MANTISSA)


def _check_finite(name: str, value: Array, index: int) -> None:
    if not np.isfinite(value).all():
        raise QuantisationError(
            thing=f"tensor `{name}`",
            reason=f"it is not finite on calibration sample {index}",
            hint="look for a division by zero, a logarithm of zero or an infinite mask",
        )


def _ends(value: Array, spec: QuantSpec) -> tuple[float, float]:
    if spec.method == "percentile":
        low, high = np.percentile(value, [100 - spec.percentile, spec.percentile])
        return float(low), float(high)
    return float(value.min()), float(value.max())
