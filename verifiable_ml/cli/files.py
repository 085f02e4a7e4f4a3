# SPDX-License-Identifier: MIT OR Apache-2.0
"""Files on the way in and out: read with a limit, written under a temporary name and then renamed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from verifiable_ml import proving
from verifiable_ml.cli.failure import NO_ROOM
from verifiable_ml.commitment import Claim, parse_json
from verifiable_ml.errors import InvalidInput, MalformedEvidence, ResourceExceeded
from verifiable_ml.frontend.read import read_at_most
from verifiable_ml.program.files import MANIFEST
from verifiable_ml.proving import BatchProof, Proof, VerificationKey
from verifiable_ml.proving.proof import malformed

LIMIT = 64 * 2**20
"""Bytes of a claim, a proof or a verification key: a stranger's file must not fill the memory."""


T = TypeVar("T")


class Kind(NamedTuple):
    """What a result is called, and how each file of it begins: a result replaces one of its kind, and nothing else."""

    name: str
    beginning: bytes


PROOF = Kind("proof", b'{\n "format": "verifiable-ml proof"')
BATCH = Kind("batch proof", b'{\n "format": "verifiable-ml batch proof"')
KEY = Kind("verification key", b'{\n "format": "verifiable-ml verification key"')
CLAIM = Kind("claim", b'{\n "program": "')
CLAIMS = Kind("list of claims", b'[\n {\n  "program": "')
PAGE = Kind("page of figures", b"# Figures\n")
SALTS = Kind("file of salts", b'{\n "format": "verifiable-ml salts"')
PICTURE = Kind("picture", b"<svg ")
REPORT = Kind("report", b"<!doctype html>")
KINDS = PROOF, BATCH, KEY, CLAIM, CLAIMS, PAGE, SALTS, PICTURE, REPORT
PRIVATE = 0o600
"""Mode of a file that is its owner's alone."""


def beside(text: str, suffix: str) -> Path:
    """Where a result about a program goes unless the command line says: digits.vk beside digits.vml."""
    path = Path(text.removeprefix("zoo:"))
    return (path if path.name not in ("", "..") else path.resolve()).with_suffix(suffix)


def target(path: Path, kind: Kind) -> Path:
    """The path, if a result can be written there. Asked before the work and not after it. Raises InvalidInput."""
    if path.is_dir():
        raise InvalidInput(thing=f"`{path}`", reason="it is a directory", hint=f"give the path of a file for the {kind.name}")
    check_folder(path)
    if path.is_file():
        begins = read_at_most(path, len(kind.beginning))
        if begins and begins != kind.beginning:
            raise InvalidInput(
                thing=f"`{path}`", reason=f"it exists and is no {kind.name}", hint="choose another path, or delete it"
            )
    return path


def program_target(path: Path) -> Path:
    """The same for the directory of a program. Raises InvalidInput."""
    if path.exists() and not (path / MANIFEST).is_file():
        raise InvalidInput(thing=f"`{path}`", reason="it exists and is no saved program", hint="choose another path")
    check_folder(path)
    return path


def check_folder(path: Path) -> None:
    """Return if the folder of `path` can be written, or made. Raises InvalidInput."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise InvalidInput(thing=f"`{path}`", reason=f"`{folder}` is no directory", hint="choose another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInput(thing=f"`{path}`", reason=f"`{folder}` is not yours to write in", hint="choose another path")


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all. Raises ResourceExceeded on a full disk, InvalidInput if the path cannot be written."""
    try:
        if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to rename
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data, mode)
    except OSError as error:
        kind = ResourceExceeded if error.errno in NO_ROOM else InvalidInput
        hint = "what was there before is untouched; make room, or choose another path"
        raise kind(thing=f"`{path}`", reason=f"it cannot be written: {error.strerror}", hint=hint) from error


def _replace(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read(path: Path, what: str, limit: int = LIMIT) -> bytes:
    """The bytes of a file. Raises InvalidInput if it cannot be read, MalformedEvidence if no honest one is that large."""
    try:
        data = read_at_most(path, limit + 1)
    except OSError as error:
        raise InvalidInput(thing=f"`{path}`", reason=f"{error.strerror}", hint=f"give the path of a {what}") from error
    if len(data) > limit:
        raise MalformedEvidence(thing=f"`{path}`", reason=f"no {what} has more than {limit:,} bytes", hint="check the path")
    return data


def read_evidence(path: Path) -> Proof | BatchProof:
    """A proof as `vml prove` writes it, of one claim or of several. Raises MalformedEvidence, InvalidInput."""

    def parse(data: bytes) -> Proof | BatchProof:
        return BatchProof.from_bytes(data) if data.startswith(BATCH.beginning) else Proof.from_bytes(data)

    return _parsed(path, PROOF, parse)


def read_key(path: Path) -> VerificationKey:
    """A verification key as `vml setup` writes it, of whichever backend. Raises MalformedEvidence, InvalidInput."""
    return _parsed(path, KEY, proving.read_key)


def read_claim(path: Path) -> Claim:
    """A claim as `write_claim` writes it. Raises MalformedEvidence, InvalidInput."""
    return _parsed(path, CLAIM, _claim)


def _parsed(path: Path, kind: Kind, parse: Callable[[bytes], T]) -> T:
    """Errors name the file, which the library has not seen; and say what it is, if it is another kind of ours."""
    data = read(path, kind.name)
    try:
        return parse(data)
    except MalformedEvidence as error:
        other = next((each for each in KINDS if each != kind and data.startswith(each.beginning)), None)
        reason = f"it is a {other.name}" if other else error.reason
        raise MalformedEvidence(thing=f"{kind.name} `{path}`", reason=reason, hint=error.hint) from error


def read_claims(path: Path) -> tuple[Claim, ...]:
    """A list of claims as `vml prove --batch` writes it. Raises MalformedEvidence, InvalidInput."""
    return _parsed(path, CLAIMS, _claims)


def _claims(data: bytes) -> tuple[Claim, ...]:
    try:
        value = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise malformed("a list of claims", f"it is no JSON ({error})") from error
    claims = tuple(map(Claim.from_json, value)) if isinstance(value, list) else ()
    if not claims or claims_bytes(claims) != data:
        raise malformed("a list of claims", "its bytes are not what one is written as")
    return claims


def _claim(data: bytes) -> Claim:
    try:
        claim = Claim.from_json(parse_json(data))
    except (ValueError, RecursionError) as error:
        raise malformed("a claim", f"it is no JSON ({error})") from error
    if claim_bytes(claim) != data:
        raise malformed("a claim", "its bytes are not what a claim is written as")
    return claim


def write_claim(path: Path, claim: Claim) -> None:
    """One claim has one file."""
    write(path, claim_bytes(claim))


def claim_bytes(claim: Claim) -> bytes:
    """Canonical JSON."""
    return canonical(claim.to_json())


def claims_bytes(claims: Sequence[Claim]) -> bytes:
    """Canonical JSON: one list has one file."""
    return canonical([claim.to_json() for claim in claims])


def canonical(value: Any) -> bytes:
    """JSON in one form: fields in the order of `to_json`, no spaces to choose, one line end."""
    return (json.dumps(value, indent=1) + "\n").encode()
