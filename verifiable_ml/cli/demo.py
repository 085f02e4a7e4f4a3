# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml demo`: the whole road on one real sample."""

from __future__ import annotations

from typing import Annotated

import typer

from verifiable_ml.cli.render import Screen

ModelName = Annotated[str, typer.Option("--model", help="Which model of the zoo.")]
Row = Annotated[int, typer.Option("--sample", help="Which test sample.", min=0)]


def demo(screen: Screen, model: ModelName = "digits-mlp", row: Row = 3) -> None:
    """From an ONNX file to a proof that an EVM verifies and a contract acts on; and a lie, refused off chain and on chain.

    It fails (exit 1) if any step of the story does not hold.

    For example:
      vml demo
      vml demo --model digits-cnn --sample 7
    """
    from verifiable_ml.cli.story import told  # the chain's libraries take a second to import: only here

    screen.show(told(screen, model, row))
