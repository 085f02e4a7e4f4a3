# SPDX-License-Identifier: MIT OR Apache-2.0
"""Logs as events with named values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import abi_to_signature, get_abi_input_types

from verifiable_ml.chain.node import Log
from verifiable_ml.commitment import keccak


@dataclass(frozen=True)
class Event:
    """An event of a contract's ABI. values: by the names of its parameters; an indexed one of no fixed size is its hash."""

    name: str
    values: dict[str, Any]
    log: Log


def read_event(log: Log, abi: Iterable[dict[str, Any]]) -> Event | None:
    """The event that a log is; None if the ABI has none of its kind, or its bytes do not decode: nothing is raised."""
    for entry in abi:
        if entry.get("type") == "event" and log.topics and keccak(abi_to_signature(_typed(entry)).encode()) == log.topics[0]:
            return _decoded(entry, log)
    return None


def _decoded(entry: dict[str, Any], log: Log) -> Event | None:
    types = get_abi_input_types(_typed(entry))
    named = list(zip(entry["inputs"], types, strict=True))
    indexed, plain = ([pair for pair in named if pair[0]["indexed"] is wanted] for wanted in (True, False))
    try:
        topics = [decode([_topic(kind)], word)[0] for (_, kind), word in zip(indexed, log.topics[1:], strict=True)]
        data = decode([kind for _, kind in plain], log.data)
    except (DecodingError, OverflowError, ValueError):
        return None
    names = [given["name"] for given, _ in (*indexed, *plain)]
    return Event(entry["name"], dict(zip(names, (*topics, *data), strict=True)), log)


def _topic(kind: str) -> str:
    """A topic is one word: of what does not fit there, its hash."""
    dynamic = kind in ("bytes", "string") or kind.endswith("]") or kind.startswith("(")
    return "bytes32" if dynamic else kind


def _typed(entry: dict[str, Any]) -> Any:
    return {**entry, "type": "function"}
