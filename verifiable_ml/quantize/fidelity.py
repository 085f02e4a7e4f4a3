# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fidelity report: how far the integer program's answers are from the float model's, on samples it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx

from verifiable_ml.errors import FidelityBelowThreshold
from verifiable_ml.execute import Batch
from verifiable_ml.quantize.calibration import Array, FloatModel, Sample
from verifiable_ml.quantize.lowering import Lowered, Observed
from verifiable_ml.quantize.spec import QuantSpec
from verifiable_ml.quantize.value import FloatArray

CLEAR = 0.01
"""Of an output's spread: decisions by a smaller margin are left out where decisions are judged."""
DECISIONS = 0.99
"""Share of clear decisions that is asked for at most."""
KEPT = 1 << 26
"""Elements of the float model's tensors that are kept in memory."""


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """One output over all samples. Errors are absolute, in the output's own unit; `spread` is its range, to compare with.

    agreement: share of decisions that are the same (the greatest entry of a class axis, or the sign of a single one).
    clear: share of decisions that the float model takes by a margin of more than CLEAR of the spread; decisions: share of
    those that are the same.
    """

    name: str
    max_error: float
    mean_error: float
    spread: float
    cosine: float
    agreement: float
    clear: float
    decisions: float

    def reaches(self, threshold: float) -> bool:
        """Whether the cosine is no less, and, up to DECISIONS, the share of clear decisions neither."""
        return self.cosine >= threshold and self.decisions >= min(threshold, DECISIONS)


@dataclass(frozen=True, slots=True)
class LayerFidelity:
    """One tensor inside. `error` is the root mean square error over the root mean square value; `added` what it adds to its
    worst operand's.
    """

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    error: float
    added: float


@dataclass(frozen=True, slots=True)
class Trial:
    """Widths that were tried: how many tensors had 16 bits, how many products weights of 16; bytes of one run's trace, which
    proofs and disputes pay for, and of the weights; how well it answered.
    """

    name: str
    wide: int
    heavy: int
    trace_bytes: int
    weight_bytes: int
    cosine: float
    decisions: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class FidelityReport:
    """What `compile` found. `worst_layer` is the layer that loses most; `trials` are the widths that were tried, in order."""

    spec: QuantSpec
    samples: int
    outputs: tuple[OutputFidelity, ...]
    layers: tuple[LayerFidelity, ...]
    trials: tuple[Trial, ...] = ()

    @property
    def cosine(self) -> float:
        """The worst output's."""
        return min(output.cosine for output in self.outputs)

    @property
    def agreement(self) -> float:
        """The worst output's."""
        return min(output.agreement for output in self.outputs)

    @property
    def decisions(self) -> float:
        """The worst output's share of clear decisions that are the same."""
        return min(output.decisions for output in self.outputs)

    @property
    def worst_layer(self) -> LayerFidelity | None:
        """Which layer loses most; None where no layer was compared."""
        return max(self.layers, key=lambda layer: layer.added, default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "spec": self.spec.to_json(),
            "samples": self.samples,
            "outputs": [asdict(output) for output in self.outputs],
            "layers": [{**asdict(layer), "shape": list(layer.shape)} for layer in self.layers],
            "trials": [asdict(trial) for trial in self.trials],
        }

    def reaches(self, threshold: float) -> bool:
        """Whether every output does."""
        return all(output.reaches(threshold) for output in self.outputs)

    def check(self, threshold: float) -> None:
        """Raises FidelityBelowThreshold if an output does not reach `threshold`."""
        for output in self.outputs:
            if not output.reaches(threshold):
                worst = self.worst_layer
                raise FidelityBelowThreshold(
                    thing=f"output `{output.name}`",
                    reason=f"its cosine with the float model is {output.cosine:.5f} over {self.samples} samples, its clear "
                    f"decisions are the same in {output.decisions:.2%}; {threshold:.5f} and {min(threshold, DECISIONS):.2%} are "
                    f"asked for; `{worst.name if worst else output.name}` loses most",
                    hint="widen it (--width auto, or 16 with --weights 16), calibrate on more samples, or lower --threshold",
                )


class Reference:
    """The float model's values on the samples that judge. They are kept from one trial to the next where memory allows."""

    def __init__(self, model: onnx.ModelProto, samples: Sequence[Sample]) -> None:
        self.model, self.samples = model, samples
        self._float = FloatModel(model)
        self._kept: dict[int, dict[str, Array]] = {}
        self._elements = 0

    def values(self, place: int) -> dict[str, Array]:
        """Every tensor of the float model on the sample at that place."""
        if place in self._kept:
            return self._kept[place]
        values = self._float.run(self.samples[place])
        self._elements += sum(value.size for value in values.values())
        if self._elements <= KEPT:
            self._kept[place] = values
        return values


def measure(reference: Reference, lowered: Lowered, spec: QuantSpec, count: int | None = None) -> FidelityReport:
    """Run both over the samples, or the first `count`. Inputs beyond the calibrated range are saturated."""
    program = lowered.program
    observed = {each.name: each for each in lowered.observed}
    squares = {name: np.zeros(2) for name in observed}
    wanted = [output.name for output in program.outputs]
    real: dict[str, list[Array]] = {name: [] for name in wanted}
    integer: dict[str, list[FloatArray]] = {name: [] for name in wanted}
    places = range(min(count or len(reference.samples), len(reference.samples)))
    traces = Batch(program, every_output=True).traces([reference.samples[place] for place in places], saturate=True)
    for place, trace in zip(places, traces, strict=True):
        values = reference.values(place)
        for name, each in observed.items():
            found = dequantised(each, trace.tensors[each.value.ref.index])
            squares[name] += _squares(values[name], found)
            if name in real:
                real[name].append(values[name])
                integer[name].append(found)
    outputs = tuple(_output(name, np.stack(real[name]), np.stack(integer[name])) for name in wanted)
    errors = {name: float(np.sqrt(error / max(total, 1e-60))) for name, (error, total) in squares.items()}
    return FidelityReport(spec, len(places), outputs, _layers(reference.model, lowered, observed, errors))


def _squares(real: FloatArray, integer: FloatArray) -> FloatArray:
    """The squared error and the squared value, summed."""
    error = (integer - real).reshape(-1)
    flat = real.astype(np.float64).reshape(-1)
    return np.array([error @ error, flat @ flat])


def dequantised(observed: Observed, integers: np.ndarray[Any, np.dtype[Any]]) -> FloatArray:
    """The real values that a tensor of the trace stands for, in the float model's order of axes."""
    value = observed.value
    real = (integers.astype(np.float64) - value.zero) * value.scale + value.extra
    return real.transpose(np.argsort(value.layout)) if value.layout else real


def _output(name: str, answers: Array, integer: FloatArray) -> OutputFidelity:
    real, whole = answers.astype(np.float64), answers.dtype.kind in "biu"
    error = np.abs(real - integer)
    spread = float(real.max() - real.min())
    (decided, margin), (found, _) = _decision(real, whole), _decision(integer, whole)
    same, clear = decided == found, margin > CLEAR * spread
    right = float(same[clear].mean()) if clear.any() else 1.0
    cosine, agreement, share = _cosine(real, integer), float(same.mean()), float(clear.mean())
    return OutputFidelity(name, float(error.max()), float(error.mean()), spread, cosine, agreement, share, right)


def _decision(values: FloatArray, whole: bool) -> tuple[Array, FloatArray]:
    """Of [samples, *shape]: which class, and by what margin. Classes lie along the last axis, of images along the channels;
    whole numbers are decisions already.
    """
    if whole:
        return np.rint(values), np.full(values.shape, np.inf)
    axis = 2 if values.ndim == 5 else values.ndim - 1
    if values.ndim < 2 or values.shape[axis] == 1:
        return np.asarray(values > 0), np.abs(values)
    top = np.partition(values, -2, axis=axis)
    return np.asarray(values.argmax(axis=axis)), np.asarray(top.take(-1, axis=axis) - top.take(-2, axis=axis))


def _cosine(a: FloatArray, b: FloatArray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / lengths) if lengths else float(np.array_equal(a, b))


def _layers(
    model: onnx.ModelProto,
    lowered: Lowered,
    observed: dict[str, Observed],
    errors: dict[str, float],
) -> tuple[LayerFidelity, ...]:
    makers = {name: node for node in model.graph.node for name in node.output}
    inputs = len(lowered.program.inputs)
    found = []
    for name, each in observed.items():
        spec = lowered.program.spec(each.value.ref.index)
        kind = lowered.program.operators[each.value.ref.index - inputs].kind if each.value.ref.index >= inputs else "input"
        before = max((errors[parent] for parent in _ancestors(name, makers, errors)), default=0.0)
        found.append(LayerFidelity(name, kind, spec.dtype.label, spec.shape, errors[name], errors[name] - before))
    return tuple(found)


def _ancestors(name: str, makers: dict[str, onnx.NodeProto], errors: dict[str, float]) -> set[str]:
    """The nearest compared tensors that a tensor is made of."""
    found: set[str] = set()
    waiting = list(makers[name].input) if name in makers else []
    while waiting:
        parent = waiting.pop()
        if parent in errors:
            found.add(parent)
        elif parent in makers:
            waiting.extend(makers[parent].input)
    return found
