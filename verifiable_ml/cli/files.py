# SPDX-License-Identifier: MIT OR Apache-2.0
"""Files on the way in and out: read with a limit, written under a temporary name and then renamed."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from verifiable_ml import proving
from verifiable_ml.commitment import Claim, parse_json
from verifiable_ml.errors import InvalidInput, MalformedEvidence
from verifiable_ml.proving import Proof, VerificationKey

LIMIT = 64 * 2**20
"""Bytes of a claim, a proof or a verification key: a stranger's file must not fill the memory."""


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises OSError; the command line names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read(path: Path, what: str, limit: int = LIMIT) -> bytes:
    """The bytes of a file. Raises InvalidInput if it cannot be read, MalformedEvidence if no honest one is that large."""
    try:
        if path.stat().st_size > limit:
            raise MalformedEvidence(thing=f"`{path}`", reason=f"no {what} has {path.stat().st_size} bytes", hint="check the path")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(thing=f"`{path}`", reason=f"{error.strerror}", hint=f"give the path of a {what}") from error


def read_claim(path: Path) -> Claim:
    """A claim as `write_claim` writes it. Raises MalformedEvidence, InvalidInput."""
    data = read(path, "claim")
    try:
        claim = Claim.from_json(parse_json(data))
    except (ValueError, RecursionError) as error:
        raise _no_claim(path, f"it is no JSON ({error})") from error
    except MalformedEvidence as error:
        raise _no_claim(path, error.reason) from error
    if claim_bytes(claim) != data:
        raise _no_claim(path, "its bytes are not what a claim is written as")
    return claim


def write_claim(path: Path, claim: Claim) -> None:
    """One claim has one file."""
    write(path, claim_bytes(claim))


def claim_bytes(claim: Claim) -> bytes:
    """Canonical JSON."""
    return canonical(claim.to_json())


def canonical(value: Any) -> bytes:
    """JSON in one form: fields in the order of `to_json`, no spaces to choose, one line end."""
    return (json.dumps(value, indent=1) + "\n").encode()


def read_proof(path: Path) -> Proof:
    """A proof as `vml prove` writes it. Raises MalformedEvidence, InvalidInput."""
    return Proof.from_bytes(read(path, "proof"))


def read_key(path: Path) -> VerificationKey:
    """A verification key as `vml setup` writes it, of whichever backend. Raises MalformedEvidence, InvalidInput."""
    return proving.read_key(read(path, "verification key"))


def _no_claim(path: Path, reason: str) -> MalformedEvidence:
    return MalformedEvidence(thing=f"claim `{path}`", reason=reason, hint="ask its sender for the file as `vml` wrote it")
