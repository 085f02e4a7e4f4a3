# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml prove`: one input through a program, a claim about it, and a proof of that claim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.estimate import warning_row
from verifiable_ml.cli.options import Backend, Hide, Input, Output, ProgramPath, Saturate
from verifiable_ml.cli.render import Screen, amount, facts
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import one_input, program
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute import encode_inputs
from verifiable_ml.proving import Proof

ClaimOut = Annotated[Path | None, typer.Option("--claim", help="Where to write the claim.")]
SaltsOut = Annotated[Path | None, typer.Option("--salts", help="Where to keep the salts of a hashed input: for your eyes alone.")]


def prove(
    screen: Screen,
    path: ProgramPath,
    given: Input,
    backend: Backend = api.BACKEND,
    hide: Hide = None,
    output: Output = None,
    claim: ClaimOut = None,
    salts: SaltsOut = None,
    saturate: Saturate = False,
) -> None:
    """Prove what a program answers on one input; write the proof and the claim that it is about.

    For example:
      vml prove model.vml --input digits-mlp:3 -o three.proof --claim three.claim
      vml prove model.vml --input x.npy --backend replay -o x.proof --claim x.claim
    """
    made = program(path)
    x = one_input(given, [each.name for each in made.inputs])
    places = _places(path, output, claim)
    kept = files.target(salts, files.SALTS) if salts else None
    encode_inputs(made, x, saturate=saturate)  # a wrong input is refused here, and not after minutes of set-up
    keys, expected = made_keys(screen, made, backend, hide)
    with screen.steps("proof", expected.prove_seconds) as step:
        proof = api.prove(made, x, keys, saturate=saturate, progress=step)
    files.write(places[0], proof.to_bytes())
    files.write_claim(places[1], proof.claim)
    document = {"claim_id": proof.claim.id.hex(), "proof": str(places[0]), "claim": str(places[1]), "bytes": len(proof.payload)}
    size = f" ({amount(len(proof.payload))})" if proof.payload else ""
    rows = [("claim id", proof.claim.id.hex()), ("proof", f"{places[0]}{size}"), ("claim", places[1]), *warning_row(expected)]
    screen.show({"backend": backend, **document, "warning": expected.warning}, facts("", rows))
    if kept:
        files.write(kept, _salts(proof), files.PRIVATE)
    elif proof.salts:
        screen.note("the salt of the hidden input is in no file: to open the commitment later, prove with --salts FILE")


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
