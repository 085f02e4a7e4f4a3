# SPDX-License-Identifier: MIT OR Apache-2.0
"""The road from a prepared model to a program with its report: calibrate, then lower and measure at each width tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from verifiable_ml.errors import InvalidInput
from verifiable_ml.frontend import Prepared, Rewrite
from verifiable_ml.program import Program, identify
from verifiable_ml.quantize.calibration import Sample, calibrate
from verifiable_ml.quantize.fidelity import FidelityReport, LayerFidelity, Reference, measure, measure_outputs
from verifiable_ml.quantize.lower import LOWERINGS
from verifiable_ml.quantize.lowering import Lowering
from verifiable_ml.quantize.search import Attempt, search, with_trials
from verifiable_ml.quantize.spec import QuantSpec
from verifiable_ml.quantize.widths import Widths

THRESHOLD = 0.999
"""The least cosine of an output with the float model's, unless the caller sets another."""
HELD_OUT = 5
"""Without validation samples of their own, every fifth calibration sample is kept out of calibration."""
VALIDATED = 16, 200, 1 << 27
"""The least and the greatest number of samples that the report is measured on; between them, elements of all tensors."""
TRIED = 6, 200, 1 << 25
"""The same, of the samples that each trial of widths is measured on."""
SEEN = 16, 100, 1 << 28
"""The same, of samples that have calibrated: a choice is measured on them too, where no more than those are held out."""


@dataclass(frozen=True)
class Compiled:
    """A program, how faithful it is, and what was changed on the way."""

    program: Program
    fidelity: FidelityReport
    rewrites: tuple[Rewrite, ...]


def quantise(
    prepared: Prepared,
    spec: QuantSpec | None = None,
    validation: Sequence[Sample] | None = None,
    threshold: float = THRESHOLD,
    *,
    refuse: bool = True,
) -> Compiled:
    """Turn a prepared model into a program. Its samples calibrate; `validation` (or every fifth of them) measures.

    Raises QuantisationError if a bound cannot be proved, UnsupportedOperator, and FidelityBelowThreshold below `threshold`
    unless it is told not to refuse.
    """
    spec = spec or QuantSpec()
    samples, validation = _parted(prepared.samples, validation)
    calibration = calibrate(prepared.model, samples, spec)
    plain = Lowering(prepared.model, calibration, spec)
    ladder = plain.plan.ladder(spec)
    if prepared.classical and spec.width == "auto":
        ladder = (plain.plan.fine(),)  # such models are small, and all of their decisions count
    reference = Reference(prepared.model, validation[: _count(VALIDATED, plain)])
    some = reference.of_first(_count(TRIED, plain))
    trials = _Trials(plain, some, samples, is_whole=len(some.samples) == len(reference.samples))
    wanted, tried = search(ladder, trials, threshold)
    chosen = wanted[0]
    report = chosen.report if chosen.report.layers and trials.is_whole else measure(reference, chosen.lowered, spec)
    for other in wanted[1:]:
        if report.reaches(threshold):
            break
        wider = measure(reference, other.lowered, spec)
        chosen, report = (other, wider) if wider.cosine > report.cosine else (chosen, report)
    if refuse:
        report.check(threshold)
    return Compiled(identify(chosen.lowered.program), with_trials(report, tried, chosen), prepared.rewrites)


@dataclass(frozen=True)
class _Trials:
    """What the search asks for."""

    plain: Lowering
    reference: Reference
    samples: Sequence[Sample]
    """Those that have calibrated."""
    is_whole: bool
    reports: dict[Any, FidelityReport] = field(default_factory=dict)
    """By the types of a program's tensors."""

    def run(self, name: str, widths: Widths, *, narrowest: bool = False) -> Attempt:
        """As of Trials. The narrowest is the most likely choice: if all samples take part, that was its report."""
        lowered = self.plain.afresh(widths).run(LOWERINGS, identified=False)
        program = lowered.program
        alike = tuple(operator.output.dtype for operator in program.operators), tuple(c.dtype for c in program.constants)
        if alike not in self.reports:  # widths that make no difference make the same program
            measured = measure if narrowest and self.is_whole else measure_outputs
            self.reports[alike] = measured(self.reference, lowered, self.plain.spec)
        return Attempt(name, widths, lowered, self.reports[alike])

    @cached_property
    def seen(self) -> Reference | None:
        """Samples that have calibrated, where few were held out. Of their outputs only: that is soon done."""
        least, most, elements = SEEN
        answers = self.plain.calibration.answers[: min(most, elements // _elements(self.plain))]
        few = len(self.reference.samples) < most and len(answers) >= least
        return Reference(self.reference.model, self.samples[: len(answers)], answers) if few else None

    def holds(self, attempt: Attempt, threshold: float) -> bool:
        """As of Trials."""
        return self.seen is None or measure_outputs(self.seen, attempt.lowered, self.plain.spec).reaches(threshold)

    def layers(self, attempt: Attempt) -> tuple[LayerFidelity, ...]:
        """As of Trials."""
        return attempt.report.layers or measure(self.reference, attempt.lowered, self.plain.spec).layers


def _parted(samples: Sequence[Sample], validation: Sequence[Sample] | None) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """What calibrates, and what measures."""
    if not samples:
        raise InvalidInput(thing="calibration", reason="there are no samples", hint="give a few dozen typical inputs")
    if validation:
        return samples, validation
    if validation is None and len(samples) >= HELD_OUT:
        kept = [sample for place, sample in enumerate(samples) if place % HELD_OUT != HELD_OUT - 1]
        return kept, samples[HELD_OUT - 1 :: HELD_OUT]
    return samples, samples


def _count(limits: tuple[int, int, int], lowering: Lowering) -> int:
    """How many samples: fewer of a model with larger tensors."""
    least, most, elements = limits
    return min(max(elements // _elements(lowering), least), most)


def _elements(lowering: Lowering) -> int:
    """Of all tensors of one run."""
    return max(sum(prod(shape) for name, shape in lowering.shapes.items() if name not in lowering.constants), 1)
