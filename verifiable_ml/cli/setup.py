# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml setup`: the keys of a program, made once and cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.estimate import warn_of_memory, warning_row
from verifiable_ml.cli.options import Backend, BatchCount, Hide, Output, ProgramPath
from verifiable_ml.cli.render import Screen, facts
from verifiable_ml.cli.source import program

if TYPE_CHECKING:
    from verifiable_ml.proving import Estimate, Keys


def setup(
    screen: Screen,
    path: ProgramPath,
    backend: Backend = api.BACKEND,
    hide: Hide = None,
    batch: BatchCount = None,
    output: Output = None,
) -> None:
    """Make the keys of a program, or find them in the cache; write the verification key for those who verify.

    For example:
      vml setup model.vml -o model.vk
      vml setup model.vml --backend replay -o replay.vk
      vml setup model.vml --batch 4 -o four.vk
    """
    made = program(path)
    target = files.target(output or files.beside(path, ".vk"), files.KEY)
    keys, expected = made_keys(screen, made, backend, hide, batch)
    files.write(target, keys.verification.to_bytes())
    document = {"program": made.id.hex(), "backend": backend, "key": str(target), "key_id": keys.verification.id.hex()}
    rows = [("program id", made.id.hex()), ("key id", document["key_id"]), ("written to", target), *warning_row(expected)]
    screen.show({**document, "warning": expected.warning}, facts("", rows))


class Made(NamedTuple):
    """Keys, and what was expected of them and of proofs under them."""

    keys: Keys
    expected: Estimate


def made_keys(screen: Screen, made: api.Program, backend: str, hide: list[str] | None, batch: int | None = None) -> Made:
    """Keys with an estimate first and a bar. batch: for so many inputs in one proof."""
    hidden = tuple(hide or ())
    expected = api.estimate(made, backend, hidden, batch=batch)
    warn_of_memory(screen, expected)
    with screen.steps("keys", expected.setup_seconds, "if new") as step:
        return Made(api.setup(made, backend, hidden, batch=batch, progress=step), expected)
