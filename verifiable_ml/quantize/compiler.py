# SPDX-License-Identifier: MIT OR Apache-2.0
"""The road from a prepared model to a program with its report: calibrate, lower, measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifiable_ml.errors import InvalidInput
from verifiable_ml.frontend import Prepared, Rewrite
from verifiable_ml.program import Program
from verifiable_ml.quantize.calibration import Sample, calibrate
from verifiable_ml.quantize.fidelity import FidelityReport, measure
from verifiable_ml.quantize.lower import LOWERINGS
from verifiable_ml.quantize.lowering import Lowering
from verifiable_ml.quantize.spec import QuantSpec

THRESHOLD = 0.99
"""The least cosine of an output with the float model's, unless the caller sets another."""
HELD_OUT = 5
"""Without validation samples of their own, every fifth calibration sample is kept out of calibration."""
MOST_VALIDATED = 200


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
) -> Compiled:
    """Turn a prepared model into a program. Its samples calibrate; `validation` (or every fifth of them) measures.

    Raises QuantisationError if a bound cannot be proved, FidelityBelowThreshold below `threshold`, UnsupportedOperator.
    """
    spec = spec or QuantSpec()
    if not prepared.samples:
        raise InvalidInput(thing="calibration", reason="there are no samples", hint="give a few dozen typical inputs")
    samples: Sequence[Sample] = prepared.samples
    if validation is None and len(samples) >= HELD_OUT:
        validation = samples[HELD_OUT - 1 :: HELD_OUT]
        samples = [sample for place, sample in enumerate(samples) if place % HELD_OUT != HELD_OUT - 1]
    lowered = Lowering(prepared.model, calibrate(prepared.model, samples, spec), spec).run(LOWERINGS)
    report = measure(prepared.model, lowered, (validation or samples)[:MOST_VALIDATED], spec)
    report.check(threshold)
    return Compiled(lowered.program, report, prepared.rewrites)
