# SPDX-License-Identifier: MIT OR Apache-2.0
"""Arguments and options that several commands share, each said once. Those made by `setting` have a variable as well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifiable_ml.cli.settings import setting

Model = Annotated[str, typer.Argument(help="An ONNX file, or zoo:NAME for one that ships (zoo:digits-mlp).", metavar="MODEL")]
ProgramPath = Annotated[str, typer.Argument(help="A compiled program (a .vml directory), or zoo:NAME.", metavar="PROGRAM")]
Calibration = Annotated[
    str | None,
    typer.Option(
        "--calibration", "-c", help="Samples: .npz, .npy or .json, one array an input, samples along the first axis; or zoo:NAME."
    ),
]
Fix = Annotated[
    list[str] | None,
    typer.Option("--fix", help="An input that is a setting, and becomes a constant: sr=16000.", metavar="NAME=VALUE"),
]
Input = Annotated[
    str,
    typer.Option(
        "--input", "-i", help="One input: .npy, .npz or .json with the batch axis, or a sample of the zoo: digits-mlp:3."
    ),
]
Saturate = Annotated[bool, typer.Option("--saturate", help="Bring values beyond the calibrated range to its ends.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the result.")]
BatchCount = Annotated[
    int | None, typer.Option("--batch", help="For so many inputs in one proof, no more and no fewer.", min=1, metavar="COUNT")
]
Context = Annotated[
    str | None, typer.Option("--context", help="The id of the request that the proof is bound to: 64 hex digits.", metavar="HEX")
]
Backend = Annotated[
    str,
    setting(
        "backend", "--backend", "-b", help="Who proves: sumcheck (fast, hides nothing), ezkl (can hide), replay (runs it again)."
    ),
]
Hide = Annotated[
    list[str] | None,
    setting("hide", "--hide", help="input, weights; or another way to hide: input=private, weights=hashed."),
]
Proof = Annotated[Path, typer.Argument(help="A proof, as `vml prove` wrote it.", metavar="PROOF")]
ClaimPath = Annotated[Path, typer.Argument(help="The claim that it is about, as `vml prove` wrote it.", metavar="CLAIM")]
Key = Annotated[Path, typer.Option("--key", "-k", help="The verification key that you trust, as `vml setup` wrote it.")]
