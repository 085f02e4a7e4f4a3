# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reverts: the bytes that a contract gives back when it refuses, read as the name of its error and the fields."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import abi_to_signature, get_abi_input_types

from verifiable_ml.commitment import keccak
from verifiable_ml.errors import ChainError

LONGEST = 300
"""Characters of a stranger's text that an error shows."""

BUILT_IN: tuple[dict[str, Any], ...] = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A contract's error: name "" for a revert without data, fields in the order of its declaration."""

    name: str
    fields: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        if not self.name:
            return "reverted without a reason"
        return f"{self.name}({', '.join(f'{name}={_shown(value)}' for name, value in self.fields)})"


class Reverted(ChainError):
    """A contract refused a call. `data` is what it answered, `refusal` the same when read with an ABI."""

    def __init__(self, data: bytes, refusal: Refusal | None = None) -> None:
        self.data = data
        self.refusal = refusal or Refusal("")
        super().__init__(
            thing="a contract call",
            reason=str(self.refusal) if refusal or not data else f"reverted with 0x{data[:36].hex()}",
            hint="the name is that of the contract's custom error; its source says when it is thrown",
        )


def read_refusal(data: bytes, abi: Iterable[dict[str, Any]]) -> Refusal:
    """Find the error of the ABI whose selector begins the data. An unknown one is named by its selector; never raises."""
    for entry in (*BUILT_IN, *abi):
        if entry.get("type") == "error" and keccak(abi_to_signature(_typed(entry)).encode())[:4] == data[:4]:
            return _decoded(entry, data)
    return Refusal(f"0x{data[:4].hex()}" if data else "")


def _decoded(entry: dict[str, Any], data: bytes) -> Refusal:
    try:
        values = decode(get_abi_input_types(_typed(entry)), data[4:])
    except (DecodingError, OverflowError, ValueError):
        return Refusal(entry["name"])
    return Refusal(entry["name"], tuple(zip((field["name"] for field in entry["inputs"]), values, strict=True)))


def _typed(entry: dict[str, Any]) -> Any:
    return entry


def _shown(value: Any) -> str:
    return printable(f"0x{value.hex()}" if isinstance(value, bytes) else str(value))


def printable(text: str) -> str:
    """The beginning of a stranger's text, with what could move a terminal's cursor or direction as an escape."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:LONGEST])


def embedded_revert_data(message: str) -> bytes:
    """The revert data inside eth-tester's message, which prints bytes as a Python literal or a decoded text."""
    shown = message.removeprefix("execution reverted: ")
    try:
        value = ast.literal_eval(shown)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # a contract's own text, as deep as it likes
        return b""
    return value if isinstance(value, bytes) else b""
