# SPDX-License-Identifier: MIT OR Apache-2.0
"""Registrations as the structs that contracts pin, and the comparison of what is pinned with what should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verifiable_ml.chain.plan_registration import PlanRegistration
from verifiable_ml.chain.registration import Registration, TensorLayout

FIELDS = (
    "program id", "privacy", "SRS id", "vk digest", "verifier", "proof length", "proof prefix", "weight instances",
    "inputs", "outputs", "vka",
)  # fmt: skip
PLAN_FIELDS = ("program id", "SRS id", "plan digest", "plans", "proof length", "inputs", "outputs")


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


def to_pin(registration: PlanRegistration, plans: Sequence[str]) -> tuple[Any, ...]:
    """The struct `PlanPin`, in the order of its fields."""
    return (
        registration.program_id,
        registration.srs_id,
        registration.plan_digest,
        tuple(address.lower() for address in plans),
        registration.proof_bytes,
        tuple(map(_tensor, registration.inputs)),
        tuple(map(_tensor, registration.outputs)),
    )


def differences(pinned: tuple[Any, ...], wanted: tuple[Any, ...]) -> tuple[str, ...]:
    """The names of the fields in which two structs differ; the verifier's address is no part of a key and is left out."""
    return _differences(FIELDS, pinned, wanted, "verifier")


def plan_differences(pinned: tuple[Any, ...], wanted: tuple[Any, ...]) -> tuple[str, ...]:
    """The same of two PlanPins; where the plan stands is left out, its digest says what it is."""
    return _differences(PLAN_FIELDS, pinned, wanted, "plans")


def _differences(names: tuple[str, ...], pinned: tuple[Any, ...], wanted: tuple[Any, ...], address: str) -> tuple[str, ...]:
    pairs = zip(names, pinned, wanted, strict=True)
    return tuple(name for name, found, right in pairs if name != address and _plain(found) != _plain(right))


def _tensor(layout: TensorLayout) -> tuple[int, int, int, int]:
    low, high = layout.interval
    return int(layout.dtype), layout.count, low, high


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value
