# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml run`: inputs through a program; for each its output, its claim, its trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.options import Input, ProgramPath, Saturate
from verifiable_ml.cli.render import Screen, facts, table
from verifiable_ml.cli.source import Sample, inputs, program
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute import Trace, decode_outputs
from verifiable_ml.program.encoding import FloatArray

ClaimOut = Annotated[Path | None, typer.Option("--claim", help="Write the public claim to this file.")]
WithTrace = Annotated[bool, typer.Option("--trace", help="List every tensor of the trace with its root.")]
MOST_SHOWN = 16


def run(
    screen: Screen,
    path: ProgramPath,
    given: Input,
    saturate: Saturate = False,
    claim: ClaimOut = None,
    trace: WithTrace = False,
) -> None:
    """Run a program on one input: the answer, the claim that it supports, and the root of the trace.

    An input is an array with the batch axis, of the shape that the program was compiled for. Of a file with many, rows
    along the first axis, all are run together, and each has its own answer, claim and trace.

    For example:
      vml run model.vml --input digits-mlp:3
      vml run model.vml --input x.npy --claim run.claim --trace
      vml run model.vml --input many.npy --json
    """
    made = program(path)
    samples = inputs(given, {each.name: each.spec.shape for each in made.inputs})
    if len(samples) == 1:
        _one(screen, made, samples[0], saturate, claim, trace)
    elif claim or trace:
        raise InvalidInput(thing=f"`{given}`", reason=f"it holds {len(samples)} inputs", hint="--claim and --trace are for one")
    else:
        _many(screen, made, samples, saturate)


def _one(screen: Screen, made: api.Program, sample: Sample, saturate: bool, claim: Path | None, trace: bool) -> None:
    if claim:
        files.target(claim, files.CLAIM)
    supported, recorded = made.run(sample, saturate=saturate)
    if claim:
        files.write_claim(claim, supported)
    outputs = decode_outputs(made, recorded.outputs)
    ids = [("program id", made.id.hex()), ("claim id", supported.id.hex()), ("trace root", recorded.root.hex())]
    parts = [outputs_table(made, outputs), *([_tensors(recorded)] if trace else []), facts("", ids)]
    screen.show({**{name.replace(" ", "_"): value for name, value in ids}, **_document(made, outputs, recorded, trace)}, *parts)


def _many(screen: Screen, made: api.Program, samples: list[Sample], saturate: bool) -> None:
    """A line a sample, and each output's decision in it."""
    lines, documents = [], []
    for place, (claim, trace) in enumerate(made.run_batch(samples, saturate=saturate)):
        outputs = decode_outputs(made, trace.outputs)
        roots = {"claim_id": claim.id.hex(), "trace_root": trace.root.hex()}
        lines.append((place, *map(decision, outputs), claim.id.hex()))
        documents.append(roots | _document(made, outputs, trace, with_trace=False))
    columns = ("", *(f"decision of {output.name}" for output in made.outputs), "claim id")
    ids = facts("", [("program id", made.id.hex()), ("inputs", len(samples))])
    screen.show({"program_id": made.id.hex(), "samples": documents}, table("", columns, lines), ids)


def outputs_table(made: api.Program, outputs: list[FloatArray]) -> Table:
    """One line an output: its numbers, shortened, and the index of the greatest."""
    rows = [(output.name, _short(values), decision(values)) for output, values in zip(made.outputs, outputs, strict=True)]
    return table("", ("output", "values", "decision"), rows)


def decision(values: FloatArray) -> int:
    """What an output decides: the index of its greatest number; of a single one, 1 if it is positive."""
    return int(values.argmax()) if values.size > 1 else int(values.flat[0] > 0)


def _short(values: FloatArray) -> str:
    shown = " ".join(f"{value:.4g}" for value in values.flat[:MOST_SHOWN])
    return shown + (f" … ({values.size} in all)" if values.size > MOST_SHOWN else "")


def _tensors(trace: Trace) -> Table:
    labels = [given.name for given in trace.program.inputs] + [
        operator.label or operator.kind for operator in trace.program.operators
    ]
    rows = [
        (index, label, tensor.dtype, "x".join(map(str, tensor.shape)), root.hex())
        for index, (label, tensor, root) in enumerate(zip(labels, trace.tensors, trace.roots, strict=True))
    ]
    return table("Trace", ("", "tensor", "dtype", "shape", "root"), rows)


def _document(made: api.Program, outputs: list[FloatArray], trace: Trace, with_trace: bool) -> dict[str, object]:
    named = {output.name: np.asarray(values).tolist() for output, values in zip(made.outputs, outputs, strict=True)}
    decisions = {output.name: decision(values) for output, values in zip(made.outputs, outputs, strict=True)}
    roots = {"tensor_roots": [root.hex() for root in trace.roots]} if with_trace else {}
    return {"outputs": named, "decisions": decisions, **roots}
