# SPDX-License-Identifier: MIT OR Apache-2.0
"""How faithful integers are: the zoo and the architectures that people have, against onnxruntime's own static quantiser.

Both are calibrated on the same samples and judged on the same others, which neither has seen.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from verifiable_ml import api
from verifiable_ml.bench.published import CALIBRATION, PUBLISHED
from verifiable_ml.bench.published import HELD_OUT as UNSEEN
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.errors import BackendUnavailable
from verifiable_ml.execute.onnxruntime import session
from verifiable_ml.frontend import zoo
from verifiable_ml.frontend.torch_module import export
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.quantize.fidelity import OutputFidelity, compare
from verifiable_ml.quantize.spec import QuantSpec

Sample = dict[str, np.ndarray]
HELD_OUT = 300
"""Of the zoo's test samples."""
CASES = 18
"""How many there are."""


@dataclass(frozen=True)
class Case:
    """A model, what calibrates it, and what judges it."""

    name: str
    parameters: int
    model: onnx.ModelProto
    calibration: Sequence[Sample]
    held_out: Sequence[Sample]


@dataclass(frozen=True)
class Found:
    """What a case gave: the worst of its outputs each. `seconds`: the whole of compile."""

    ours: OutputFidelity
    theirs: OutputFidelity | None
    widths: str
    seconds: float

    @property
    def holds(self) -> bool:
        """What a user may expect of every model: cosine 0.999, and 99 % of the clear decisions."""
        return self.ours.reaches(0.999)


def fidelity(progress: Progress = silent) -> Table:
    """Cosine and decisions of `--width auto` and of onnxruntime's quantiser, on inputs that neither has seen."""
    rows: list[tuple[Cell, ...]] = []
    for number, case in enumerate(cases()):
        progress(case.name, number / CASES)
        rows.append(row(case, measured(case)))
    columns = (
        "model",
        "parameters",
        "widths",
        "cosine",
        "clear decisions",
        "left out",
        "cosine, onnxruntime",
        "clear decisions, onnxruntime",
        "compile, s",
        "of its limit",
    )
    notes = (
        "widths: activations / weights, and how many tensors were widened beyond them.",
        "left out: decisions that the float model takes by less than 1 % of the output's spread.",
        "onnxruntime: quantize_static, 16-bit activations, 8-bit weights a channel; `-` where it fails.",
        "limit: 10 s, and 5 s a million parameters. Architectures have seeded weights.",
    )
    return Table("fidelity", "Fidelity of integers", columns, tuple(rows), notes)


def row(case: Case, found: Found) -> tuple[Cell, ...]:
    """For the table."""
    theirs = found.theirs
    return (
        case.name,
        case.parameters,
        found.widths,
        f"{found.ours.cosine:.6f}",
        f"{found.ours.decisions:.2%}",
        f"{1 - found.ours.clear:.1%}",
        f"{theirs.cosine:.6f}" if theirs else "-",
        f"{theirs.decisions:.2%}" if theirs else "-",
        f"{found.seconds:.1f}",
        f"{found.seconds / (10 + 5e-6 * case.parameters):.0%}",
    )


def cases() -> Iterator[Case]:
    """The zoo, what is published, then the architectures, each made when it is asked for.

    Raises BackendUnavailable without torch, or where a package cannot be fetched.
    """
    for name in zoo.names():
        model = zoo.model(name)
        yield Case(name, model.parameters, onnx.load(model.path), model.calibration(), model.test(HELD_OUT)[0])
    for published in PUBLISHED:
        model, given = published.model(), published.samples()
        counted = sum(prod(each.dims) for each in model.graph.initializer)
        yield Case(published.name, counted, model, [*islice(given, CALIBRATION)], [*islice(given, UNSEEN)])
    yield from seeded()


def seeded(name: str = "") -> Iterator[Case]:
    """The architectures, or the one of that name. Raises BackendUnavailable without torch."""
    try:
        from verifiable_ml.bench.architectures import ARCHITECTURES
    except ImportError as error:
        raise BackendUnavailable(
            thing="seeded architectures", reason=str(error), hint="pip install 'verifiable-ml[torch]'"
        ) from error
    for architecture in ARCHITECTURES:
        if name not in ("", architecture.name):
            continue
        network, arrays = architecture.build()
        model = export(network, [arrays[0]])
        samples = [{model.graph.input[0].name: array} for array in arrays]
        counted = sum(weights.numel() for weights in network.parameters())
        yield Case(architecture.name, counted, model, samples[: architecture.samples], samples[architecture.samples :])


def measured(case: Case) -> Found:
    """Compiled with the defaults, and judged on what it has not seen."""
    start = time.perf_counter()
    program = api.compile(case.model, case.calibration, spec=QuantSpec(), refuse=False)
    seconds = time.perf_counter() - start
    float_model = session(case.model.SerializeToString(), threads=1)
    real = [float_model.run(None, sample) for sample in case.held_out]
    integer = [program.predict(sample, saturate=True) for sample in case.held_out]
    chosen = next((trial.name for trial in program.report.trials if trial.chosen), "") if program.report else ""
    return Found(_worst(real, integer), _by_onnxruntime(case, real), chosen, seconds)


def _worst(real: Sequence[Sequence[np.ndarray]], found: Sequence[Sequence[np.ndarray]]) -> OutputFidelity:
    """Of all outputs, that of the least cosine; its decisions are the worst of all."""
    pairs = zip(zip(*real, strict=True), zip(*found, strict=True), strict=True)
    outputs = [compare(str(place), np.stack(a), np.stack(b).astype(np.float64)) for place, (a, b) in enumerate(pairs)]
    worst = min(outputs, key=lambda output: output.cosine)
    return replace(worst, decisions=min(output.decisions for output in outputs))


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Samples, one after the other, as the quantiser asks for them."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = iter(samples)

    def get_next(self) -> Sample | None:
        """The next, or None."""
        return next(self._samples, None)


def _by_onnxruntime(case: Case, real: Sequence[Sequence[np.ndarray]]) -> OutputFidelity | None:
    """The bar: its static quantiser with 16-bit activations; None where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        given, prepared, made = (str(Path(folder) / f"{name}.onnx") for name in ("given", "prepared", "made"))
        onnx.save(case.model, given)
        try:
            quant_pre_process(given, prepared, skip_symbolic_shape=True)
            quantize_static(
                prepared,
                made,
                _Reader(case.calibration),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt16,
                weight_type=QuantType.QInt8,
                per_channel=True,
            )
            quantised = session(Path(made).read_bytes(), threads=1)
            return _worst(real, [quantised.run(None, sample) for sample in case.held_out])
        except Exception:  # what it raises has no common base
            return None
