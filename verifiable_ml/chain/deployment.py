# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Registration as the struct of Deployment.sol, and the comparison of what is pinned with what should be."""

from __future__ import annotations

from typing import Any

from verifiable_ml.chain.registration import Registration, TensorLayout

FIELDS = (
    "program id", "privacy", "SRS id", "vk digest", "verifier", "proof length", "proof prefix", "weight instances",
    "inputs", "outputs", "vka",
)  # fmt: skip


def to_struct(registration: Registration, verifier: str) -> tuple[Any, ...]:
    """The struct `Deployment`, in the order of its fields. A dedicated verifier has the key inside: no words."""
    dedicated = registration.dedicated_source is not None
    words = () if dedicated else tuple(word.to_bytes(32, "big") for word in registration.vka)
    return (
        registration.program_id,
        registration.privacy_code,
        registration.srs_id,
        registration.vk_digest,
        verifier.lower(),
        registration.proof_bytes,
        registration.proof_prefix,
        registration.weight_instances,
        tuple(map(_tensor, registration.inputs)),
        tuple(map(_tensor, registration.outputs)),
        words,
    )


def differences(pinned: tuple[Any, ...], wanted: tuple[Any, ...]) -> tuple[str, ...]:
    """The names of the fields in which two structs differ; the verifier's address is no part of a key and is left out."""
    pairs = zip(FIELDS, pinned, wanted, strict=True)
    return tuple(name for name, found, right in pairs if name != "verifier" and _plain(found) != _plain(right))


def _tensor(layout: TensorLayout) -> tuple[int, int, int, int]:
    low, high = layout.interval
    return int(layout.dtype), layout.count, low, high


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value
