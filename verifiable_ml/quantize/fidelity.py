# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fidelity report: how far the integer program's answers are from the float model's, on samples it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import FidelityBelowThreshold
from verifiable_ml.execute import Batch
from verifiable_ml.execute.ordered import ordered
from verifiable_ml.program import ConstantRef, Program
from verifiable_ml.program.cost import Cost, costs_between
from verifiable_ml.quantize.calibration import WORKERS, Array, FloatModel, Sample
from verifiable_ml.quantize.lowering import Lowered, Observed
from verifiable_ml.quantize.spec import QuantSpec
from verifiable_ml.quantize.value import FloatArray

CLEAR = 0.01
"""Of an output's spread: decisions by a smaller margin are left out where decisions are judged."""
DECISIONS = 0.99
"""Share of clear decisions that is asked for at most."""
PRODUCTS = frozenset({"matmul", "conv"})
"""Operators with weights."""
POINTS = 400
"""Pairs of answers that a report keeps of an output, to be plotted."""
KEPT = 1 << 26
"""Elements of the float model's tensors that are kept in memory."""


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """One output over all samples. Errors are absolute, in the output's own unit; `spread` is its range, to compare with.

    agreement: share of decisions that are the same (the greatest entry of a class axis, or the sign of a single one).
    clear: share of decisions that the float model takes by a margin of more than CLEAR of the spread; decisions: share of
    those that are the same. points: pairs of float and integer answers, at most POINTS of them, evenly over all.
    """

    name: str
    max_error: float
    mean_error: float
    spread: float
    cosine: float
    agreement: float
    clear: float
    decisions: float
    points: tuple[tuple[float, float], ...] = ()

    def reaches(self, threshold: float) -> bool:
        """Whether the cosine is no less, and, up to DECISIONS, the share of clear decisions neither."""
        return self.cosine >= threshold and self.decisions >= min(threshold, DECISIONS)


@dataclass(frozen=True, slots=True)
class LayerFidelity:
    """One tensor inside. `error` is the root mean square error over the root mean square value; `added` what it adds to its
    worst operand's. rounded, weighed: which share of the outputs' error is the rounding of this tensor, and of the weights that
    it is made with: what more bits would mend. An estimate, by following errors back from the outputs. cost: of the operators
    since the tensor before.
    """

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    error: float
    added: float
    rounded: float
    weighed: float
    cost: Cost

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        fields = asdict(self)
        cost = fields.pop("cost")
        return {**fields, **cost, "shape": list(self.shape)}


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
            "outputs": [{**asdict(output), "points": [list(pair) for pair in output.points]} for output in self.outputs],
            "layers": [layer.to_json() for layer in self.layers],
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
    """The float model's values on the samples that judge: of every tensor, or of the outputs only, if those are `known`.

    They are kept from one trial to the next where memory allows.
    """

    def __init__(
        self, model: onnx.ModelProto, samples: Sequence[Sample], known: Sequence[Mapping[str, Array]] | None = None
    ) -> None:
        self.model, self.samples = model, samples
        self._float = FloatModel(model) if known is None else None
        self._kept: dict[int, Mapping[str, Array]] = dict(enumerate(known or ()))
        self._elements = 0

    def of_first(self, count: int) -> Reference:
        """The same with the first samples only."""
        other = copy(self)
        other.samples = self.samples[:count]
        return other

    def values(self, place: int) -> Mapping[str, Array]:
        """The float model's tensors on the sample at that place."""
        if self._float is None or place in self._kept:
            return self._kept[place]
        values = self._float.run(self.samples[place])
        self._elements += sum(value.size for value in values.values())
        if self._elements <= KEPT:
            self._kept[place] = values
        return values

    def each(self) -> Iterator[Mapping[str, Array]]:
        """The same of every sample, in order."""
        return ordered(self.values, range(len(self.samples)), WORKERS)


def measure(reference: Reference, lowered: Lowered, spec: QuantSpec) -> FidelityReport:
    """Run both over the samples, every layer compared. Inputs beyond the calibrated range are saturated."""
    program, answers = lowered.program, list[tuple[IntArray, ...]]()
    observed = tuple({each.name: each for each in lowered.observed}.values())
    squares = {each.name: np.zeros(3) for each in observed}
    traces = Batch(program, every_output=True, workers=WORKERS).traces(reference.samples, saturate=True)
    for trace, values in zip(traces, reference.each(), strict=True):
        for each in observed:
            squares[each.name] += _squares(values[each.name], trace.tensors[each.value.ref.index], each)
        answers.append(trace.outputs)
    outputs = _outputs(reference, program, [np.stack(each) for each in zip(*answers, strict=True)])
    return FidelityReport(spec, len(answers), outputs, _layers(reference.model, program, observed, squares))


def measure_outputs(reference: Reference, lowered: Lowered, spec: QuantSpec) -> FidelityReport:
    """The same of the outputs alone, which is sooner done."""
    answers = Batch(lowered.program, every_output=False, workers=WORKERS).outputs(reference.samples, saturate=True)
    return FidelityReport(spec, len(reference.samples), _outputs(reference, lowered.program, answers), ())


def _outputs(reference: Reference, program: Program, answers: Sequence[IntArray]) -> tuple[OutputFidelity, ...]:
    """Answers: an output each, [samples, *shape]."""
    found = []
    for output, integers in zip(program.outputs, answers, strict=True):
        real = np.stack([values[output.name] for values in reference.each()])
        found.append(compare(output.name, real, output.decoding.decode(integers)))
    return tuple(found)


def _squares(real: Array, integers: IntArray, observed: Observed) -> FloatArray:
    """Sums over a tensor: the error's squares, the value's squares, how many. In the order in which it is stored."""
    value = observed.value
    wanted = real.transpose(value.layout).astype(np.float64)
    error = (integers - float(value.zero)) * value.scale + (value.extra - wanted)
    # not by BLAS, whose threads wait for each other
    return np.array([np.einsum("i,i", flat, flat) for flat in (error.reshape(-1), wanted.reshape(-1))] + [wanted.size])


def compare(name: str, answers: Array, integer: FloatArray) -> OutputFidelity:
    """Answers of the float model [samples, *shape] against those of the integers."""
    real, whole = answers.astype(np.float64), answers.dtype.kind in "biu"
    error = np.abs(real - integer)
    spread = float(real.max() - real.min())
    (decided, margin), (found, _) = _decision(real, whole), _decision(integer, whole)
    same, clear = decided == found, margin > CLEAR * spread
    right = float(same[clear].mean()) if clear.any() else 1.0
    cosine, agreement, share = _cosine(real, integer), float(same.mean()), float(clear.mean())
    errors = float(error.max()), float(error.mean())
    return OutputFidelity(name, *errors, spread, cosine, agreement, share, right, _points(real, integer))


def _points(real: FloatArray, integer: FloatArray) -> tuple[tuple[float, float], ...]:
    """Both to six digits, which no plot can tell apart."""
    places = np.unique(np.linspace(0, real.size - 1, POINTS).round().astype(int))
    return tuple((float(f"{a:.6g}"), float(f"{b:.6g}")) for a, b in zip(real.flat[places], integer.flat[places], strict=True))


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
    model: onnx.ModelProto, program: Program, observed: Sequence[Observed], squares: dict[str, FloatArray]
) -> tuple[LayerFidelity, ...]:
    makers = {name: node for node in model.graph.node for name in node.output}
    errors = {name: float(np.sqrt(error / max(total, 1e-60))) for name, (error, total, _) in squares.items()}
    parents = {each.name: _ancestors(each.name, makers, errors) for each in observed}
    own = {each.name: _own(program, each, squares[each.name]) for each in observed}
    order = [each.name for each in sorted(observed, key=lambda each: -each.value.ref.index)]
    shares = _shares(order, {output.name for output in program.outputs}, parents, errors, own)
    inputs, found = len(program.inputs), []
    costs = costs_between(program, (each.value.ref.index for each in observed))
    for each in observed:
        name, index = each.name, each.value.ref.index
        kind = program.operators[index - inputs].kind if index >= inputs else "input"
        added = errors[name] - max((errors[parent] for parent in parents[name]), default=0.0)
        spec, cost = program.spec(index), costs.pop(index, Cost())  # of several names for one tensor, the first
        mended = shares.get(name, (0.0, 0.0))
        found.append(LayerFidelity(name, kind, spec.dtype.label, spec.shape, errors[name], added, *mended, cost))
    return tuple(found)


def _own(program: Program, each: Observed, squares: FloatArray) -> tuple[float, float]:
    """Squares, over the tensor's own: of the error by rounding it, and by rounding the weights that it is made with."""
    _, total, size = squares
    rounding = float((each.value.scale**2).mean()) / 12 * size / max(total, 1e-60)
    place = each.value.ref.index - len(program.inputs)
    operator = program.operators[place] if place >= 0 else None
    if operator is None or operator.kind not in PRODUCTS or not isinstance(operator.operands[1], ConstantRef):
        return rounding, 0.0
    weights = program.constants[operator.operands[1].index].astype(np.float64) - operator.attributes.w_zero
    return rounding, 1 / 12 / max(float((weights**2).mean()), 1e-60)


def _shares(
    order: Sequence[str],
    outputs: set[str],
    parents: dict[str, set[str]],
    errors: dict[str, float],
    own: dict[str, tuple[float, float]],
) -> dict[str, tuple[float, float]]:
    """Of the outputs' squared error, back from the last tensor: what a tensor does not make itself its operands brought."""
    carried, found = dict.fromkeys(outputs, 1 / len(outputs)), {}
    for name in order:
        share, square = carried.get(name, 0.0), errors[name] ** 2
        if not share or not square:
            continue
        rounded = min(own[name][0] / square, 1.0)
        weighed = min(own[name][1] / square, 1.0 - rounded)
        found[name] = float(share * rounded), float(share * weighed)
        brought = sum(errors[parent] ** 2 for parent in parents[name])
        for parent in parents[name] if brought else ():
            carried[parent] = carried.get(parent, 0.0) + share * (1 - rounded - weighed) * errors[parent] ** 2 / brought
    return found


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
