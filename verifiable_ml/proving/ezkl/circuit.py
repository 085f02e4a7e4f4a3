# SPDX-License-Identifier: MIT OR Apache-2.0
"""How large the circuit is: run arguments from the view, and the smallest number of rows that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import UnsupportedModel, WorkerFailed
from verifiable_ml.program import Program
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.ezkl import view as views
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.srs import GREATEST

VISIBILITY = {"public": "fixed", "hashed": "hashed", "committed": "polycommit"}
"""ezkl's words for what becomes of the weights."""
COLUMNS = 2
"""Of the main gates. A third adds three tenths to the key and 1.3 kB to a proof, and pays where it halves very many rows."""
MANY = 17
"""log2 of very many: minutes count for more than bytes."""
BLINDED = 24
"""Rows that halo2 and ezkl keep for themselves, with some to spare."""
LEAST_BITS = 28
"""What a decomposition must reach: remainders of divisions stay far below."""


@dataclass(frozen=True)
class Circuit:
    """A view, ezkl's run arguments, and the settings that it computed from both."""

    view: views.View
    arguments: dict[str, Any]
    settings: dict[str, Any]

    @property
    def logrows(self) -> int:
        """log2 of the rows that are available."""
        return int(self.arguments["logrows"])

    @property
    def columns(self) -> int:
        """Of the main gates."""
        return int(self.arguments["num_inner_cols"])

    @property
    def fits(self) -> bool:
        """Whether the rows in use are there."""
        return self.rows + BLINDED <= 1 << self.logrows

    @property
    def rows(self) -> int:
        """Rows in use: of the main columns, the constants', the public values' or the hash's, whichever are most."""
        settings = self.settings
        public = sum(_count(shape) for shape in settings["model_instance_shapes"])
        modules = settings["module_sizes"]
        others = settings["total_const_size"], settings["total_dynamic_col_size"], public, modules["poseidon"][0]
        return int(max(settings["num_rows"], *others, *modules["polycommit"]))


def check_privacy(program: Program, privacy: Privacy) -> None:
    """Raises UnsupportedModel for a mode that no proof of ours could stand for."""
    if privacy.weights == "private":
        raise UnsupportedModel(
            thing=f"program {program.id.hex()[:16]} with private weights",
            reason="a circuit with free weights holds for any weights, so its proof says nothing of this program",
            hint="hide them by a commitment that the key pins: --hide weights=committed, or weights=hashed",
        )


def design(program: Program, privacy: Privacy, worker: Worker, progress: Progress = silent, least: int = 0) -> Circuit:
    """Write the view into the worker's folder and choose the size. least: of logrows, if the user's string has more.

    Raises UnsupportedOperator for what the view cannot say, UnsupportedModel beyond 2^26 rows.
    """
    check_privacy(program, privacy)
    progress("writing the circuit", None)
    view = views.build(program, privacy)
    (worker.folder / "model").write_bytes(view.model.SerializeToString())
    _check_weights(view, worker)
    low, high = view.lookup_range
    fewest, reach = max(view.least_logrows, least, _bits(high - low + 1 + BLINDED)), _reach(program, view, privacy)

    def laid_out(logrows: int, columns: int) -> Circuit:
        arguments = run_arguments(view, privacy, logrows, reach, columns)
        return Circuit(view, arguments, worker.run("settings", progress, arguments=arguments))

    logrows = fewest
    while logrows <= GREATEST:
        circuit = laid_out(logrows, COLUMNS)
        if circuit.fits:
            return _narrowed(circuit, max(fewest, MANY), laid_out)
        logrows = max(logrows + 1, _bits(circuit.rows + BLINDED))
    raise UnsupportedModel(
        thing=f"program {program.id.hex()[:16]}",
        reason=f"its circuit needs more than 2^{GREATEST} rows",
        hint="prove a smaller model, or settle it by the dispute game",
    )


def _narrowed(circuit: Circuit, least: int, laid_out: Callable[[int, int], Circuit]) -> Circuit:
    """With half of the rows and a third column, where that holds it and `least` rows, log2, are kept."""
    third = circuit.rows * COLUMNS // (COLUMNS + 1)
    if circuit.logrows <= least or third + BLINDED > 1 << (circuit.logrows - 1):
        return circuit
    narrower = laid_out(circuit.logrows - 1, COLUMNS + 1)
    return narrower if narrower.fits else circuit


def _check_weights(view: views.View, worker: Worker) -> None:
    """Raises WorkerFailed if ezkl made a copy of hidden weights on its own: nothing would tie that to the commitment."""
    if view.weights is None:
        return
    arguments = run_arguments(view, Privacy("public", "committed"), GREATEST, LEAST_BITS)
    found = worker.run("settings", arguments=arguments)["module_sizes"]["polycommit"]
    if found != [view.weights]:
        raise WorkerFailed(
            thing="the hidden weights of this program",
            reason=f"ezkl finds {found} of them, and the circuit has {view.weights}: some would be tied to nothing",
            hint="leave the weights public, and report it with the program",
        )


def run_arguments(view: views.View, privacy: Privacy, logrows: int, reach: int, columns: int = COLUMNS) -> dict[str, Any]:
    """Every argument that has a default is set, so that another default changes nothing. reach: bits of a decomposition."""
    legs = -(-reach // (logrows - 1))
    base = -(-reach // legs)
    return {
        "input_visibility": privacy.input,
        "output_visibility": "public",
        "param_visibility": VISIBILITY[privacy.weights],
        "input_scale": 0,
        "param_scale": 0,
        "scale_rebase_multiplier": 1,
        "lookup_range": list(view.lookup_range),
        "logrows": logrows,
        "num_inner_cols": columns,
        "check_mode": "unsafe",
        "decomp_base": 1 << base,
        "decomp_legs": legs,
        "ignore_range_check_inputs_outputs": privacy.weights == "public",  # True decomposes every weight that has two uses
        "bounded_log_lookup": False,
        "rebase_frac_zero_constants": False,
        "disable_freivalds": True,  # in ezkl 23.0.5 a product that is checked so is tied to no later use: any output would prove
    }


def _reach(program: Program, view: views.View, privacy: Privacy) -> int:
    """Bits of all that is decomposed: in the graph, and inputs and outputs beside hidden weights."""
    reached = [view.decomposed]
    if privacy.weights != "public":
        reached += [spec.interval.magnitude for spec in (*(given.spec for given in program.inputs), *program.output_specs)]
    return max(LEAST_BITS, max(reached).bit_length() + 1)


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def _count(shape: list[int]) -> int:
    return prod(shape)
