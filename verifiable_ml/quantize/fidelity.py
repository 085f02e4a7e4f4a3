# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fidelity report: how far the integer program's answers are from the float model's, on samples it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx

from verifiable_ml.errors import FidelityBelowThreshold
from verifiable_ml.execute import encode_inputs, recorder
from verifiable_ml.quantize.calibration import FloatModel, Sample
from verifiable_ml.quantize.lowering import Lowered, Observed
from verifiable_ml.quantize.spec import QuantSpec
from verifiable_ml.quantize.value import FloatArray


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """One output over all samples. Errors are absolute, in the output's own unit; `spread` is its range, to compare with.

    agreement: share of samples with the same decision (the greatest entry, or the sign of a single one).
    """

    name: str
    max_error: float
    mean_error: float
    spread: float
    cosine: float
    agreement: float


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
class FidelityReport:
    """What `compile` found. `worst_layer` is the layer that loses most."""

    spec: QuantSpec
    samples: int
    outputs: tuple[OutputFidelity, ...]
    layers: tuple[LayerFidelity, ...]

    @property
    def cosine(self) -> float:
        """The worst output's."""
        return min(output.cosine for output in self.outputs)

    @property
    def agreement(self) -> float:
        """The worst output's."""
        return min(output.agreement for output in self.outputs)

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
        }

    def check(self, threshold: float) -> None:
        """Raises FidelityBelowThreshold if an output's cosine against the float model is below `threshold`."""
        for output in self.outputs:
            if not output.cosine >= threshold:
                worst = self.worst_layer
                raise FidelityBelowThreshold(
                    thing=f"output `{output.name}`",
                    reason=f"its cosine with the float model is {output.cosine:.5f} over {self.samples} samples, "
                    f"{threshold:.5f} is asked for; `{worst.name if worst else output.name}` loses most",
                    hint="widen it (--width 16, --weights 16), calibrate on more samples, or lower --threshold",
                )


def measure(model: onnx.ModelProto, lowered: Lowered, samples: Sequence[Sample], spec: QuantSpec) -> FidelityReport:
    """Run both over the samples. Inputs beyond the calibrated range are saturated, as a float model would not do."""
    float_model, program = FloatModel(model), lowered.program
    record = recorder(program)
    observed = {each.name: each for each in lowered.observed if each.name not in {given.name for given in program.inputs}}
    real: dict[str, list[FloatArray]] = {name: [] for name in observed}
    integer: dict[str, list[FloatArray]] = {name: [] for name in observed}
    for sample in samples:
        values = float_model.run(sample)
        trace = record(encode_inputs(program, sample, saturate=True))
        for name, each in observed.items():
            real[name].append(values[name])
            integer[name].append(dequantised(each, trace.tensors[each.value.ref.index]))
    stacked = {name: (np.stack(real[name]), np.stack(integer[name])) for name in observed}
    outputs = tuple(_output(output.name, *stacked[output.name]) for output in program.outputs)
    return FidelityReport(spec, len(samples), outputs, _layers(model, lowered, observed, stacked))


def dequantised(observed: Observed, integers: np.ndarray[Any, np.dtype[Any]]) -> FloatArray:
    """The real values that a tensor of the trace stands for, in the float model's order of axes."""
    value = observed.value
    real = (integers.astype(np.float64) - value.zero) * value.scale + value.extra
    return real.transpose(np.argsort(value.layout)) if value.layout else real


def _output(name: str, real: FloatArray, integer: FloatArray) -> OutputFidelity:
    error = np.abs(real - integer)
    same = _decision(real) == _decision(integer)
    spread = float(real.max() - real.min())
    return OutputFidelity(name, float(error.max()), float(error.mean()), spread, _cosine(real, integer), float(same.mean()))


def _decision(values: FloatArray) -> np.ndarray[Any, np.dtype[Any]]:
    return values.argmax(axis=-1) if values.ndim > 1 and values.shape[-1] > 1 else np.asarray(values > 0)


def _cosine(a: FloatArray, b: FloatArray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / lengths) if lengths else float(np.array_equal(a, b))


def _relative(real: FloatArray, integer: FloatArray) -> float:
    return float(np.sqrt(((real - integer) ** 2).mean()) / max(np.sqrt((real**2).mean()), 1e-30))


def _layers(
    model: onnx.ModelProto,
    lowered: Lowered,
    observed: dict[str, Observed],
    stacked: dict[str, tuple[FloatArray, FloatArray]],
) -> tuple[LayerFidelity, ...]:
    errors = {name: _relative(*stacked[name]) for name in observed}
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
