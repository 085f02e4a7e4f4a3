# SPDX-License-Identifier: MIT OR Apache-2.0
"""The choice of widths: up a ladder of presets until the threshold is reached, then back down by bisection.

Between the last rung that fell short and the first that holds, tensors are widened in the order of the error that each adds,
measured on the rung that fell short; bisection finds how many of them are enough. Few whole runs: a compile stays short.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from verifiable_ml.quantize.fidelity import FidelityReport, Trial
from verifiable_ml.quantize.lowering import Lowered
from verifiable_ml.quantize.widths import Widths

BISECTIONS = 4
"""Runs that the way down may take: the answer is then within a sixteenth of the tensors in question."""
PRODUCTS = frozenset({"matmul", "conv"})
"""Operators with weights."""
MARGIN = 0.5
"""Of the distance between the threshold and 1: what a choice keeps for inputs that it has not seen. The narrowest needs none."""


@dataclass(frozen=True)
class Attempt:
    """A program of certain widths, measured."""

    name: str
    widths: Widths
    lowered: Lowered
    report: FidelityReport

    def trial(self, chosen: Attempt) -> Trial:
        """For the report."""
        program, inputs = self.lowered.program, len(self.lowered.program.inputs)
        specs = [program.spec(index) for index in range(inputs + len(program.operators))]
        return Trial(
            name=self.name,
            wide=sum(layer.dtype != "u8" for layer in self.report.layers),
            heavy=sum(layer.kind in PRODUCTS and layer.name in self.widths.heavy for layer in self.report.layers),
            trace_bytes=sum(spec.size * spec.dtype.numpy.itemsize for spec in specs),
            weight_bytes=sum(constant.nbytes for constant in program.constants),
            cosine=self.report.cosine,
            decisions=self.report.decisions,
            chosen=self is chosen,
        )


Run = Callable[[str, Widths], Attempt]


def search(ladder: Sequence[tuple[str, Widths]], run: Run, threshold: float) -> tuple[list[Attempt], list[Attempt]]:
    """What to take, the most wanted first, and everything that was tried in order."""
    tried: list[Attempt] = []
    aim = threshold
    for name, widths in ladder:
        tried.append(run(name, widths))
        if tried[-1].report.reaches(aim):
            break
        aim = threshold + MARGIN * (1 - threshold) if threshold < 1 else threshold
    rungs = list(tried)
    if not rungs[-1].report.reaches(aim):
        return _by_worth(rungs, threshold), tried
    if len(rungs) > 1:
        tried.extend(_between(rungs[-2], rungs[-1], run, aim))
    good = [attempt for attempt in reversed(tried[len(rungs) :]) if attempt.report.reaches(aim)]
    return [*good[:1], *reversed(rungs)], tried


def _by_worth(rungs: Sequence[Attempt], threshold: float) -> list[Attempt]:
    """Those that reach the threshold, the narrowest first; then the others, the most faithful first."""
    enough = [attempt for attempt in rungs if attempt.report.reaches(threshold)]
    return [*enough, *sorted(rungs, key=lambda attempt: -attempt.report.cosine)]


def _between(short: Attempt, enough: Attempt, run: Run, aim: float) -> list[Attempt]:
    """The attempts of a bisection over how many tensors of the difference are widened."""
    changed = (enough.widths.wide - short.widths.wide) | (enough.widths.heavy - short.widths.heavy)
    layers = [layer for layer in short.report.layers if layer.kind in PRODUCTS or layer.name not in short.widths.wide]
    added = {layer.name: layer.added for layer in layers}
    # three digits, so that two processors rank alike
    order = sorted(changed & added.keys(), key=lambda name: (-float(f"{added[name]:.2e}"), name))
    unseen = changed - added.keys()
    low, high, found = 0, len(order), []
    for _ in range(BISECTIONS):
        middle = (low + high) // 2
        if middle in (low, high):
            break
        names = frozenset(order[:middle]) | unseen
        widths = Widths(short.widths.wide | (names & enough.widths.wide), short.widths.heavy | (names & enough.widths.heavy))
        found.append(run(f"{short.name} + {middle}", widths))
        low, high = (low, middle) if found[-1].report.reaches(aim) else (middle, high)
    return found


def with_trials(report: FidelityReport, tried: Sequence[Attempt], chosen: Attempt) -> FidelityReport:
    """The report of the choice, with the way to it."""
    return replace(report, trials=tuple(attempt.trial(chosen) for attempt in tried))
