# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml demo`: the whole road on one real sample; by a proof, or by a dispute."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from verifiable_ml.cli.render import Screen
from verifiable_ml.errors import BackendUnavailable, InvalidInput
from verifiable_ml.proving.ezkl.keys import NAME as EZKL
from verifiable_ml.proving.sumcheck.native import NAME as SUMCHECK
from verifiable_ml.proving.sumcheck.native import native


class Way(StrEnum):
    """How a claim becomes final in the demo."""

    PROOF = "proof"
    DISPUTE = "dispute"


MODELS = {Way.PROOF: "digits-mlp", Way.DISPUTE: "lenet5-mnist"}
WayName = Annotated[Way, typer.Argument(help="proof: by a prover. dispute: bonds, a liar, a game.", metavar="WAY")]
Prover = Annotated[
    str | None, typer.Option("--backend", "-b", help="Who proves: sumcheck or ezkl. Else the first of them that is installed.")
]
ModelName = Annotated[str | None, typer.Option("--model", help="Which model of the zoo.")]
Row = Annotated[int, typer.Option("--sample", help="Which test sample.", min=0)]


def demo(screen: Screen, way: WayName = Way.PROOF, backend: Prover = None, model: ModelName = None, row: Row = 3) -> None:
    """From an ONNX file to an answer that a contract acts on, and a lie that gets nowhere.

    proof: a succinct proof that an EVM verifies; the lie is refused off chain and on chain. dispute: a proposer changes one
    number in one layer, a watcher that knows nothing but the chain and the program finds it, and a contract recomputes it.

    It fails (exit 1) if any step of the story does not hold.

    For example:
      vml demo
      vml demo --model digits-cnn --sample 7
      vml demo dispute
    """
    # The chain's libraries take a second to import: only here.
    if way is Way.DISPUTE:
        from verifiable_ml.cli import dispute_story

        if backend is not None:
            raise InvalidInput(thing=f"--backend {backend}", reason="a dispute needs no prover", hint="leave it out")
        screen.show(dispute_story.told(screen, model or MODELS[way], row))
        return
    from verifiable_ml.cli import story

    prover = backend or _installed()
    if prover not in story.WAYS:
        hint = f"one of {', '.join(story.WAYS)}"
        raise InvalidInput(thing=f"--backend {prover}", reason="no contract verifies its proofs", hint=hint)
    screen.show(story.told(screen, model or MODELS[way], row, prover))


def _installed() -> str:
    """The default prover, which cargo builds; where it is not there, ezkl, which pip installs."""
    try:
        native()
    except BackendUnavailable:
        return EZKL
    return SUMCHECK
