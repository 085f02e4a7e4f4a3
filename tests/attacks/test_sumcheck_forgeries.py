# SPDX-License-Identifier: MIT OR Apache-2.0
"""Malicious provers of native proofs, which are written in Rust (tests/attacks/sumcheck): neither verifier believes one of them.

The verifier in Rust as Python calls it, by the key, and the contract on an EVM in this process, by the plan. Both accept the
honest proof that stands beside each forgery, under the same key, so a refusal is the forgery's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from differential.record_sumcheck import statement, words
from differential.step_chain import Refused
from differential.sumcheck_verifier import Recorded, verifier

native = pytest.importorskip(
    "verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck"
)
pytestmark = pytest.mark.skipif(not shutil.which("cargo"), reason="needs Rust: the provers are written in it")

WORKSPACE = Path(__file__).resolve().parents[2] / "circuits" / "sumcheck"
FILES = sorted(path.stem for path in Path(__file__).with_name("sumcheck").glob("src/forgeries/[!m]*.rs"))
MALFORMED = {"NoPoint", "NotCanonical", "Infinity", "WrongLength"}
REASONS = {"Rejected", "OpeningFails"} | MALFORMED
"""Of the contract: errors that say what was wrong with a proof."""
LAST = {"value", "opening", "surplus words"}
"""What is read so late that the contract, which reads rows last of all, has found nothing else that is wrong."""
OF_STATEMENTS = {"a public value leaves its interval", "the statement is not of this program's shape"}
"""Of Rust: what a contract that is given words, not integers, need not find."""


@dataclass(frozen=True)
class Shown:
    """A statement, and words that are said to prove it."""

    context: bytes
    inputs: list[list[int]]
    outputs: list[list[int]]
    proof: bytes

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Shown:
        return cls(bytes.fromhex(fields["context"]), fields["inputs"], fields["outputs"], bytes.fromhex(fields["proof"]))


@dataclass(frozen=True)
class Forgery:
    """What is forged beside what is honest, the key of both, and the verdict that Rust's own test asserts."""

    name: str
    key: bytes
    reference: bytes
    honest: Shown
    forged: Shown
    verdict: str
    reason: str

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Forgery:
        key, reference = (bytes.fromhex(fields.pop(name)) for name in ("key", "reference"))
        honest, forged = (Shown.read(fields.pop(name)) for name in ("honest", "forged"))
        return cls(key=key, reference=reference, honest=honest, forged=forged, **fields)

    def by_rust(self, shown: Shown) -> tuple[str, str]:
        return native.verify(self.key, self.reference, shown.context, shown.inputs, shown.outputs, shown.proof)

    def on_chain(self, shown: Shown) -> int | Refused:
        """Raises OverflowError or ValueError if no call can say such a statement."""
        plan, _, *intervals = planned(self.key, self.reference)
        said = statement(intervals, shown.inputs, shown.outputs)
        return verifier().verify(Recorded(plan, shown.context, said, words(shown.proof)))


@cache
def planned(key: bytes, reference: bytes) -> Any:
    return native.plan(key, reference)


@cache
def forgeries() -> dict[str, list[Forgery]]:
    """By the file that each is from."""
    command = ["cargo", "run", "--quiet", "--locked", "-p", "forgeries"]
    made = json.loads(subprocess.run(command, cwd=WORKSPACE, capture_output=True, check=True).stdout)
    return {file: list(map(Forgery.read, each)) for file, each in made.items()}


def test_every_file_of_forgeries_is_written():
    assert sorted(forgeries()) == FILES
    assert min(map(len, forgeries().values())) >= 6


@pytest.mark.parametrize("file", FILES)
def test_forgery_is_refused_by_rust_for_its_reason(file):
    for each in forgeries()[file]:
        assert each.by_rust(each.honest) == ("accepted", ""), each.name
        verdict, reason = each.by_rust(each.forged)
        assert verdict == each.verdict and each.reason in reason, each.name


@pytest.mark.parametrize("file", FILES)
def test_forgery_is_refused_on_chain(file):
    for each in forgeries()[file]:
        assert not isinstance(each.on_chain(each.honest), Refused), each.name
        try:
            refused = each.on_chain(each.forged)
        except (OverflowError, ValueError):
            assert each.reason in OF_STATEMENTS, each.name
            continue
        assert isinstance(refused, Refused) and refused.error in REASONS, (each.name, refused)
        if each.verdict == "malformed" and each.reason in LAST:
            assert refused.error in MALFORMED, (each.name, refused)


def test_shipped_extension_cannot_be_made_to_lie():
    command = ["cargo", "tree", "--quiet", "--locked", "--offline", "-p", "bindings", "-e", "normal", "-f", "{lib} {f}"]
    features = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True, check=True).stdout
    assert "protocol" in features and "forge" not in features
