# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml compile`: an ONNX model and samples become a program with its fidelity report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import RenderableType

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.options import Calibration, Fix, Model, Output
from verifiable_ml.cli.render import Screen, facts, table
from verifiable_ml.cli.settings import setting
from verifiable_ml.cli.source import Source, source
from verifiable_ml.errors import InvalidInput
from verifiable_ml.quantize import THRESHOLD, FidelityReport, QuantSpec
from verifiable_ml.quantize.spec import Method, Weights, Width

WeightBits = Literal["auto", "8", "16"]
BITS: dict[WeightBits, Weights] = {"auto": "auto", "8": 8, "16": 16}
PLAIN = QuantSpec()
COSTS = ("wide tensors", "wide weights", "trace bytes", "weight bytes")

Validation = Annotated[
    str | None, setting("validation", "--validation", help="Held-out samples; else every fifth of the calibration.")
]
Threshold = Annotated[float, setting("threshold", "--threshold", help="The least cosine with the float model; below it: exit 6.")]
WidthOption = Annotated[
    Width,
    setting(
        "width", "--width", help="Bits of activations: mixed is 16 for sums and norms; auto is as few as --threshold allows."
    ),
]
WeightsOption = Annotated[
    WeightBits, setting("weights", "--weights", help="Bits of a weight; auto is 8, or chosen with --width auto.")
]
MethodOption = Annotated[Method, setting("method", "--method", help="How a range is found.")]
Percentile = Annotated[float, setting("percentile", "--percentile", help="For the method of that name.")]

ReportOut = Annotated[
    Path | None,
    typer.Option("--report", help="Write report.html here as well, even if the program is refused. It is in OUTPUT anyway."),
]


def compile_(
    screen: Screen,
    model: Model,
    calibration: Calibration = None,
    fix: Fix = None,
    output: Output = None,
    width: WidthOption = PLAIN.width,
    weights: WeightsOption = "auto",
    method: MethodOption = PLAIN.method,
    percentile: Percentile = PLAIN.percentile,
    threshold: Threshold = THRESHOLD,
    validation: Validation = None,
    page: ReportOut = None,
) -> None:
    """Turn an ONNX model into one integer program, and say how faithful it is.

    Nothing is written if the fidelity is below the threshold: exit 6.

    For example:
      vml compile model.onnx --calibration samples.npz -o model.vml
      vml compile zoo:digits-mlp --width mixed --threshold 0.9999 --report digits.html
    """
    named = source(model, fix)
    path = files.program_target(output or Path(f"{named.name}.vml"))
    if page:
        files.target(page, files.REPORT)
    choices = QuantSpec(width=width, weights=BITS[weights], method=method, percentile=percentile)
    made = compiled(screen, named, calibration, validation, choices, threshold)
    report = reported(made)
    screen.tell(*fidelity(report), *rewrites(made))
    if page:
        files.write(page, made.report_page(named.name).encode())
    report.check(threshold)
    made.save(path)
    found = [("program id", made.id.hex()), ("operators", len(made.operators)), ("written to", path)]
    summary = facts("", [*found, ("report", page or path / api.PAGE)])
    screen.show({"program": made.id.hex(), "path": str(path), **made.report_to_json()}, summary)


def compiled(
    screen: Screen, named: Source, calibration: str | None, validation: str | None, choices: QuantSpec, threshold: float
) -> api.Program:
    """Compile without refusing, so that a report can be shown even if it is refused afterwards."""
    samples = named.samples(calibration)
    if samples is None:
        raise InvalidInput(
            thing=f"model {named.name}",
            reason="there are no samples to calibrate with",
            hint="--calibration samples.npz: a few dozen typical inputs",
        )
    held_out = named.samples(validation, "test") if validation else None
    with screen.waiting(f"compiling {named.name}"):
        return api.compile(
            named.model, samples, fixed=named.fixed, spec=choices, validation=held_out, threshold=threshold, refuse=False
        )


def reported(program: api.Program) -> FidelityReport:
    """The report of a program that was compiled just now."""
    if program.report is None:
        raise InvalidInput(thing="a program", reason="it has no report", hint="compile it again")
    return program.report


def fidelity(report: FidelityReport) -> list[RenderableType]:
    """Tables: every output against the float model, and every layer on the way."""
    outputs = [
        (
            o.name,
            f"{o.max_error:.3g}",
            f"{o.mean_error:.3g}",
            f"{o.spread:.3g}",
            f"{o.cosine:.6f}",
            f"{o.agreement:.1%}",
            f"{o.decisions:.1%} of {o.clear:.1%}",
        )
        for o in report.outputs
    ]
    layers = [
        (
            layer.name,
            layer.kind if layer.cost.operators < 2 else f"{layer.kind} + {layer.cost.operators - 1}",
            layer.dtype,
            "x".join(map(str, layer.shape)),
            f"{layer.error:.3%}",
            f"{layer.added:+.3%}",
            f"{layer.cost.macs:,}" if layer.cost.macs else "",
        )
        for layer in report.layers
    ]
    trials = [
        (
            trial.name,
            trial.wide,
            trial.heavy,
            f"{trial.trace_bytes:,}",
            f"{trial.weight_bytes:,}",
            f"{trial.cosine:.6f}",
            f"{trial.decisions:.1%}",
            "taken" if trial.chosen else "",
        )
        for trial in report.trials
    ]
    numbers = ("max error", "mean error", "range", "cosine", "agreement", "clear", "error", "added", "macs", *COSTS)
    head = f"Fidelity on {report.samples} held-out samples"
    return [
        table("Layers", ("layer", "operator", "dtype", "shape", "error", "added", "macs"), layers, numbers),
        table("Widths tried", ("activations / weights", *COSTS, "cosine", "clear", ""), trials, numbers),
        table(head, ("output", "max error", "mean error", "range", "cosine", "agreement", "clear"), outputs, numbers),
    ]


def rewrites(program: api.Program) -> list[RenderableType]:
    """What was changed in the graph, each change checked against onnxruntime; nothing if nothing was."""
    found = [(each.name, each.node, each.before, each.after) for each in program.rewrites]
    return [table("Rewrites", ("pass", "node", "before", "after"), found)] if found else []
