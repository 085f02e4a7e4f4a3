# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml demo`: the whole road on one real sample; by a proof, or by a dispute."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from verifiable_ml.cli.render import Screen


class Way(StrEnum):
    """How a claim becomes final in the demo."""

    PROOF = "proof"
    DISPUTE = "dispute"


MODELS = {Way.PROOF: "digits-mlp", Way.DISPUTE: "lenet5-mnist"}
WayName = Annotated[Way, typer.Argument(help="proof: zero knowledge. dispute: bonds, a liar, a game.", metavar="WAY")]
ModelName = Annotated[str | None, typer.Option("--model", help="Which model of the zoo.")]
Row = Annotated[int, typer.Option("--sample", help="Which test sample.", min=0)]


def demo(screen: Screen, way: WayName = Way.PROOF, model: ModelName = None, row: Row = 3) -> None:
    """From an ONNX file to an answer that a contract acts on, and a lie that gets nowhere.

    proof: a zero-knowledge proof that an EVM verifies; the lie is refused off chain and on chain. dispute: a proposer changes one
    number in one layer, a watcher that knows nothing but the chain and the program finds it, and a contract recomputes it.

    It fails (exit 1) if any step of the story does not hold.

    For example:
      vml demo
      vml demo --model digits-cnn --sample 7
      vml demo dispute
    """
    # The chain's libraries take a second to import: only here.
    if way is Way.DISPUTE:
        from verifiable_ml.cli.dispute_story import told
    else:
        from verifiable_ml.cli.story import told

    screen.show(told(screen, model or MODELS[way], row))
