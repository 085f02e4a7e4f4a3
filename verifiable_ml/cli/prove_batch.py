# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml prove --batch`: many inputs, several in a proof, into a folder; a second run does what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.estimate import warning_row
from verifiable_ml.cli.render import Screen, facts
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import many_inputs
from verifiable_ml.errors import InvalidInput, MalformedEvidence, WorkerFailed
from verifiable_ml.execute import encode_inputs
from verifiable_ml.proving import BatchProof
from verifiable_ml.proving.engines import engine
from verifiable_ml.proving.items import Outcome, Work, items_of

KEY_NAME = "key.vk"


@dataclass(frozen=True)
class Folder:
    """A shelf of files: 00000.claims, and 00000.proof, which is written last: where it is, the item is whole."""

    path: Path

    def get(self, number: int) -> BatchProof | None:
        """None as well where a file is there that cannot be read: it is made anew."""
        try:
            found = files.read_evidence(self._named(number, ".proof"))
        except (InvalidInput, MalformedEvidence):
            return None
        return found if isinstance(found, BatchProof) and self._named(number, ".claims").is_file() else None

    def put(self, number: int, proof: BatchProof) -> None:
        """Each file under another name first, then renamed."""
        files.write(self._named(number, ".claims"), files.claims_bytes(proof.claims))
        files.write(self._named(number, ".proof"), proof.to_bytes())

    def _named(self, number: int, suffix: str) -> Path:
        return self.path / f"{number:05}{suffix}"


@dataclass(frozen=True)
class Many:
    """What was asked for. size: inputs of one proof, at most."""

    inputs: Path
    size: int
    engine: str
    backend: str
    saturate: bool


def prove_many(screen: Screen, made: api.Program, asked: Many, folder: Path) -> int | None:
    """The whole of it. The exit code: None, or that of a failed worker."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(thing=f"`{folder}`", reason="it is a file", hint="give the path of a folder for the proofs")
    files.check_folder(folder / KEY_NAME)
    found = many_inputs(str(asked.inputs), {each.name: each.spec.shape for each in made.inputs})
    encoded = [encode_inputs(made, each, saturate=asked.saturate) for each in found]
    size, runs = min(asked.size, len(encoded)), engine(asked.engine)
    keys, expected = made_keys(screen, made, asked.backend, None, size)
    files.write(folder / KEY_NAME, keys.verification.to_bytes())
    items, outcomes = items_of(encoded, size), list[Outcome]()
    with screen.steps("proofs", expected.prove_seconds * len(items)) as step:
        step(f"0 of {len(items)}", 0.0)
        for outcome in Work(made, keys.verification, Folder(folder)).done(items, runs):
            outcomes.append(outcome)
            step(f"{len(outcomes)} of {len(items)}", len(outcomes) / len(items))
    counts = Counter(outcome.became for outcome in outcomes)
    failures = [(each.number, each.error) for each in outcomes if each.error is not None]
    document = {
        "inputs": len(encoded),
        "batch_size": size,
        "folder": str(folder),
        **{name: counts[name] for name in ("proved", "kept", "failed")},
        "failures": [{"item": number, **error.to_json()} for number, error in failures],
        "warning": expected.warning,
    }
    rows = [("inputs", len(encoded)), ("of a proof", size), *((name, counts[name]) for name in ("proved", "kept", "failed"))]
    told = [(f"item {number}", error.reason) for number, error in failures]
    screen.show(document, facts("", [*rows, ("in", folder), *told, *warning_row(expected)]))
    return WorkerFailed.exit_code if failures else None
