# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml prove`: one input through a program, a claim about it, and a proof of that claim."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.estimate import warning_row
from verifiable_ml.cli.options import Backend, Context, Hide, Output, ProgramPath, Saturate
from verifiable_ml.cli.prove_batch import Many, prove_many
from verifiable_ml.cli.render import Screen, amount, facts
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import one_input, program
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute import encode_inputs
from verifiable_ml.proving import UNBOUND, Proof

Given = Annotated[
    str | None,
    typer.Option(
        "--input", "-i", help="One input: .npy, .npz or .json with the batch axis, or a sample of the zoo: digits-mlp:3."
    ),
]
Batch = Annotated[
    Path | None, typer.Option("--batch", help="Many inputs: .npz, .npy or .json, stacked along the first axis; or zoo:NAME.")
]
BatchSize = Annotated[int, typer.Option("--batch-size", help="Inputs of one proof, of --batch.", min=1)]
EngineName = Annotated[str, typer.Option("--engine", help="Where --batch is proved: local, or ray (a cluster).")]
ClaimOut = Annotated[Path | None, typer.Option("--claim", help="Where to write the claim.")]
SaltsOut = Annotated[Path | None, typer.Option("--salts", help="Where to keep the salts of a hashed input: for your eyes alone.")]


def prove(
    screen: Screen,
    path: ProgramPath,
    given: Given = None,
    batch: Batch = None,
    batch_size: BatchSize = 16,
    engine: EngineName = "local",
    backend: Backend = api.BACKEND,
    hide: Hide = None,
    context: Context = None,
    output: Output = None,
    claim: ClaimOut = None,
    salts: SaltsOut = None,
    saturate: Saturate = False,
) -> int | None:
    """Prove what a program answers on one input; write the proof and the claim that it is about.

    With --batch: on many inputs, several in a proof, into a folder. What is there and verifies is not done again.

    For example:
      vml prove model.vml --input digits-mlp:3 -o three.proof --claim three.claim
      vml prove model.vml --input x.npy --backend replay -o x.proof --claim x.claim
      vml prove model.vml --batch many.npy --batch-size 4 -o proofs
    """
    made = program(path)
    if (given is None) == (batch is None):
        raise InvalidInput(thing="the command line", reason="it names no input, or two", hint="give --input or --batch")
    if batch is not None:
        if hide or context or claim or salts:
            reason = "--hide, --context, --claim and --salts are for one input"
            raise InvalidInput(thing="--batch", reason=reason, hint="leave them out, or give --input")
        return prove_many(
            screen, made, Many(batch, batch_size, engine, backend, saturate), output or files.beside(path, ".proofs")
        )
    _prove_one(screen, made, One(str(given), backend, hide, bound_to(context), saturate), _places(path, output, claim), salts)
    return None


@dataclass(frozen=True)
class One:
    """What was asked for."""

    given: str
    backend: str
    hide: list[str] | None
    context: bytes
    saturate: bool


def _prove_one(screen: Screen, made: api.Program, asked: One, places: tuple[Path, Path], salts: Path | None) -> None:
    x = one_input(asked.given, [each.name for each in made.inputs])
    kept = files.target(salts, files.SALTS) if salts else None
    encode_inputs(made, x, saturate=asked.saturate)  # a wrong input is refused here, and not after minutes of set-up
    keys, expected = made_keys(screen, made, asked.backend, asked.hide)
    with screen.steps("proof", expected.prove_seconds) as step:
        proof = api.prove(made, x, keys, saturate=asked.saturate, progress=step, context=asked.context)
    files.write(places[0], proof.to_bytes())
    files.write_claim(places[1], proof.claim)
    document = {"claim_id": proof.claim.id.hex(), "proof": str(places[0]), "claim": str(places[1]), "bytes": len(proof.payload)}
    size = f" ({amount(len(proof.payload))})" if proof.payload else ""
    rows = [("claim id", proof.claim.id.hex()), ("proof", f"{places[0]}{size}"), ("claim", places[1]), *warning_row(expected)]
    screen.show({"backend": asked.backend, **document, "warning": expected.warning}, facts("", rows))
    if kept:
        files.write(kept, _salts(proof), files.PRIVATE)
    elif proof.salts:
        screen.note("the salt of the hidden input is in no file: to open the commitment later, prove with --salts FILE")


def bound_to(text: str | None) -> bytes:
    """A context as it is written on the command line. Raises InvalidInput."""
    if text is None:
        return UNBOUND
    digits = text.removeprefix("0x")
    if not re.fullmatch("[0-9a-fA-F]{64}", digits):
        raise InvalidInput(thing=f"--context {text}", reason="it is no 64 hex digits", hint="give the id of a request")
    return bytes.fromhex(digits)


def _salts(proof: Proof) -> bytes:
    """What opens the commitments of a claim, to whom its owner chooses: `EzklBackend.commitments` checks it."""
    opened = {"format": "verifiable-ml salts", "claim": proof.claim.id.hex(), "salts": [salt.hex() for salt in proof.salts]}
    return files.canonical(opened)


def _places(path: str, output: Path | None, claim: Path | None) -> tuple[Path, Path]:
    """Of the proof and of the claim. Raises InvalidInput if either cannot be written there."""
    proof = files.target(output or files.beside(path, ".proof"), files.PROOF)
    about = files.target(claim or files.beside(path, ".claim"), files.CLAIM)
    if proof.resolve() == about.resolve():
        raise InvalidInput(thing=f"`{proof}`", reason="it cannot hold both the proof and the claim", hint="name another --claim")
    return proof, about
