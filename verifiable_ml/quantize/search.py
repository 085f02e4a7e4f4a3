# SPDX-License-Identifier: MIT OR Apache-2.0
"""The choice of widths: up a ladder of presets until the threshold is reached, then back down by bisection.

Between the last rung that fell short and the first that holds, tensors are widened in the order of what each loses, measured on
the rung that fell short; bisection finds how many of them are enough. Few whole runs: a compile stays short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from verifiable_ml.errors import QuantisationError
from verifiable_ml.program import ConstantRef, Operator
from verifiable_ml.quantize.fidelity import PRODUCTS, FidelityReport, LayerFidelity, Trial
from verifiable_ml.quantize.lowering import Lowered
from verifiable_ml.quantize.widths import Widths

BISECTIONS = 4
"""Runs that the way down may take: the answer is then within a sixteenth of the tensors in question."""
MARGIN = 0.5
"""Of the distance between the threshold and 1: what a choice keeps for inputs that it has not seen. The narrowest needs none."""


@dataclass(frozen=True)
class Attempt:
    """A program of certain widths, and how its outputs are."""

    name: str
    widths: Widths
    lowered: Lowered
    report: FidelityReport

    def trial(self, chosen: Attempt) -> Trial:
        """For the report."""
        program = self.lowered.program
        specs = [*(given.spec for given in program.inputs), *(operator.output for operator in program.operators)]
        return Trial(
            name=self.name,
            wide=sum(spec.dtype.numpy.itemsize > 1 for spec in specs),
            heavy=sum(map(self._is_heavy, program.operators)),
            trace_bytes=sum(spec.nbytes for spec in specs),
            weight_bytes=sum(constant.nbytes for constant in program.constants),
            cosine=self.report.cosine,
            decisions=self.report.decisions,
            chosen=self is chosen,
        )

    def _is_heavy(self, operator: Operator) -> bool:
        weights = operator.operands[-1]
        wide = isinstance(weights, ConstantRef) and self.lowered.program.constants[weights.index].itemsize > 1
        return wide and operator.kind in PRODUCTS


class Trials(Protocol):
    """What a search may ask for."""

    def run(self, name: str, widths: Widths, *, narrowest: bool = False) -> Attempt:
        """A program of these widths, its outputs measured; every layer of the narrowest.

        Raises QuantisationError where a bound cannot be proved.
        """
        ...

    def holds(self, attempt: Attempt, threshold: float) -> bool:
        """Whether the samples that have calibrated say the same, where those held out are few: what is seldom far off is not
        among a dozen.
        """
        ...

    def layers(self, attempt: Attempt) -> Sequence[LayerFidelity]:
        """Every layer of an attempt, measured."""
        ...


def search(ladder: Sequence[tuple[str, Widths]], trials: Trials, threshold: float) -> tuple[list[Attempt], list[Attempt]]:
    """What to take, the most wanted first, and everything that was tried in order."""
    aim = threshold + MARGIN * (1 - threshold) if threshold < 1 else threshold
    rungs, stairs = [trials.run(*ladder[0], narrowest=True)], list[Attempt]()
    if rungs[0].report.reaches(threshold) and trials.holds(rungs[0], threshold):
        return rungs, rungs
    for name, widths in ladder[1:]:
        try:
            rungs.append(trials.run(name, widths))
        except QuantisationError:  # too wide to prove its bounds
            break
        if rungs[-1].report.reaches(aim):
            between = _between(rungs[-2], rungs[-1], trials, aim)
            stairs += between
            good = [rungs[-1], *(attempt for attempt in between if attempt.report.reaches(aim))]
            held = (attempt for attempt in reversed(good) if trials.holds(attempt, threshold))
            if chosen := next(held, None):
                return [chosen, *(rung for rung in reversed(rungs) if rung is not chosen)], [*rungs, *stairs]
    enough = [attempt for attempt in rungs if attempt.report.reaches(threshold)]
    return [*enough, *sorted(rungs, key=lambda attempt: -attempt.report.cosine)], [*rungs, *stairs]


def _between(short: Attempt, enough: Attempt, trials: Trials, aim: float) -> list[Attempt]:
    """The attempts of a bisection over how many tensors of the difference are widened."""
    changed = enough.widths.wide - short.widths.wide, enough.widths.heavy - short.widths.heavy
    order = _by_loss(trials.layers(short), *changed)
    unseen = frozenset.union(*changed) - {*order}
    low, high, found = 0, len(order), list[Attempt]()
    for _ in range(BISECTIONS):
        middle = (low + high) // 2
        if middle in (low, high):
            break
        names = frozenset(order[:middle]) | unseen
        widths = Widths(short.widths.wide | (names & changed[0]), short.widths.heavy | (names & changed[1]))
        found.append(trials.run(f"{short.name} + {middle}", widths))
        low, high = (low, middle) if found[-1].report.reaches(aim) else (middle, high)
    return found


def _by_loss(layers: Sequence[LayerFidelity], wide: frozenset[str], heavy: frozenset[str]) -> list[str]:
    """Names of layers, those first to whose rounding, or weights where only they are in question, most of the error is due."""
    if wide:
        losses = {layer.name: layer.rounded for layer in layers if layer.name in wide}
    else:
        losses = {layer.name: layer.weighed for layer in layers if layer.name in heavy and layer.kind in PRODUCTS}
    return sorted(losses, key=lambda name: (-float(f"{losses[name]:.2e}"), name))  # three digits: all processors rank alike


def with_trials(report: FidelityReport, tried: Sequence[Attempt], chosen: Attempt) -> FidelityReport:
    """The report of the choice, with the way to it."""
    return replace(report, trials=tuple(attempt.trial(chosen) for attempt in tried))
