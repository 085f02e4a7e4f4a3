# SPDX-License-Identifier: MIT OR Apache-2.0
"""The Proof: evidence from one backend for one claim, and the one form in which it travels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from verifiable_ml.commitment import Claim, parse_json
from verifiable_ml.errors import MalformedEvidence

FORMAT, VERSION = "verifiable-ml proof", 1
KEY_FORMAT = "verifiable-ml verification key"


@dataclass(frozen=True)
class Proof:
    """`payload` is what the backend's verifier reads; `public_inputs` the bytes of each input if inputs are public, else ().

    salts: what opens hashed inputs, 16 bytes each. They stay with the prover: no file that this writes holds them.
    """

    backend: str
    claim: Claim
    payload: bytes
    public_inputs: tuple[bytes, ...] = ()
    salts: tuple[bytes, ...] = field(default=(), repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """Canonical JSON: one proof has one file."""
        return canonical(
            {
                "format": FORMAT,
                "version": VERSION,
                "backend": self.backend,
                "claim": self.claim.to_json(),
                "public_inputs": [data.hex() for data in self.public_inputs],
                "payload": self.payload.hex(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """Read a stranger's proof. Raises MalformedEvidence unless it is exactly what `to_bytes` writes."""
        value = read_document(data, FORMAT, VERSION)
        claim = Claim.from_json(value.get("claim"))
        try:
            public = tuple(bytes.fromhex(text) for text in value["public_inputs"])
            proof = cls(value["backend"], claim, bytes.fromhex(value["payload"]), public)
            written = proof.to_bytes()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise malformed("a proof", f"it cannot be read ({type(error).__name__}: {error})") from error
        if not isinstance(proof.backend, str) or written != data:
            raise malformed("a proof", "its bytes are not what a proof is written as")
        return proof


def canonical(value: dict[str, Any]) -> bytes:
    """JSON in one form: the order of fields as given, one indentation, one line end."""
    return (json.dumps(value, indent=1) + "\n").encode()


def read_document(data: bytes, kind: str, version: int) -> dict[str, Any]:
    """A JSON object of ours by its format and version. Raises MalformedEvidence; an unknown version is named."""
    try:
        value = parse_json(data)
    except (ValueError, RecursionError, TypeError) as error:
        raise malformed(f"a {kind}", f"it is no JSON ({error})") from error
    if not isinstance(value, dict) or value.get("format") != kind:
        raise malformed(f"a {kind}", "it does not say that it is one")
    if value.get("version") != version or type(value["version"]) is not int:
        raise malformed(f"a {kind}", f"it has version {value.get('version')!r:.40}, and this release reads version {version}")
    return value


def malformed(thing: str, reason: str) -> MalformedEvidence:
    """The error for bytes that nobody honest wrote."""
    return MalformedEvidence(thing=thing, reason=reason, hint="ask its sender for the file as `vml` wrote it")
