# SPDX-License-Identifier: MIT OR Apache-2.0
"""The BatchProof: evidence from one backend for several claims about one program, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifiable_ml.commitment import Claim
from verifiable_ml.proving.proof import canonical, malformed, read_document

FORMAT, VERSION = "verifiable-ml batch proof", 1


@dataclass(frozen=True)
class BatchProof:
    """`payload` is what the backend's verifier reads; `public_inputs` has the bytes of each input of each claim."""

    backend: str
    claims: tuple[Claim, ...]
    payload: bytes
    public_inputs: tuple[tuple[bytes, ...], ...]

    def to_bytes(self) -> bytes:
        """Canonical JSON: one proof has one file."""
        return canonical(
            {
                "format": FORMAT,
                "version": VERSION,
                "backend": self.backend,
                "claims": [claim.to_json() for claim in self.claims],
                "public_inputs": [[data.hex() for data in given] for given in self.public_inputs],
                "payload": self.payload.hex(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> BatchProof:
        """Read a stranger's proof. Raises MalformedEvidence unless it is exactly what `to_bytes` writes."""
        value = read_document(data, FORMAT, VERSION)
        claims = _list(value, "claims")
        try:
            public = tuple(tuple(bytes.fromhex(text) for text in given) for given in _list(value, "public_inputs"))
            proof = cls(value["backend"], tuple(map(Claim.from_json, claims)), bytes.fromhex(value["payload"]), public)
            written = proof.to_bytes()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise malformed("a batch proof", f"it cannot be read ({type(error).__name__}: {error})") from error
        if not isinstance(proof.backend, str) or not claims or written != data:
            raise malformed("a batch proof", "its bytes are not what a proof is written as")
        return proof


def _list(value: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(value.get(name), list):
        raise malformed("a batch proof", f"its {name} are no list")
    return list(value[name])
