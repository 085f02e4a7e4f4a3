# SPDX-License-Identifier: MIT OR Apache-2.0
"""The step contracts on an EVM in this process, called without a node between: what takes 0.2 ms may be asked 10^5 times."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyrevm

from verifiable_ml.commitment import keccak
from verifiable_ml.dispute.opening import MISSING, Opening, Run
from verifiable_ml.dispute.step import Accumulator, Statement
from verifiable_ml.program import OPERATORS

OUT = Path(__file__).resolve().parents[2] / "challenge" / "out"
CONTRACTS = tuple(f"{name.capitalize()}Step" for name in OPERATORS)
"""In the order of their kinds, as the router's constructor takes them."""
SENDER = "0x" + "11" * 20
LIMIT = 30_000_000


@dataclass(frozen=True)
class Refused:
    """A call that reverted with a custom error of ours."""

    error: str


class Panicked(AssertionError):
    """A call that ended in a way that no evidence may end it: a panic, no gas, no reason."""


# ---- ABI, of the two calls alone: the general encoder takes ten times as long ------------------------------------------


@dataclass(frozen=True)
class Dynamic:
    content: bytes


def word(number: int) -> bytes:
    return (number % (1 << 256)).to_bytes(32, "big")


def record_of(*fields: bytes | Dynamic) -> bytes:
    """A tuple: static fields in place, of dynamic ones the offset."""
    offset = 32 * len(fields)  # every static field here is one word
    heads, tails = [], []
    for field in fields:
        if isinstance(field, Dynamic):
            heads.append(word(offset))
            tails.append(field.content)
            offset += len(field.content)
        else:
            heads.append(field)
    return b"".join(heads + tails)


def array_of(*items: bytes) -> Dynamic:
    return Dynamic(word(len(items)) + record_of(*map(Dynamic, items)))


def bytes_of(data: bytes) -> Dynamic:
    return Dynamic(word(len(data)) + data + bytes(-len(data) % 32))


def words_of(words: Sequence[bytes]) -> Dynamic:
    return Dynamic(word(len(words)) + b"".join(words))


def run_of(run: Run | None) -> Dynamic:
    run = run or MISSING
    return Dynamic(record_of(word(run.first), bytes_of(run.data), words_of(run.siblings)))


def opening_of(opening: Opening) -> bytes:
    return record_of(array_of(*(run_of(run).content for run in opening.runs)), words_of(opening.path))


def advance_of(data: bytes, s: Statement, openings: Sequence[Opening], record: Run | None, start: Accumulator) -> bytes:
    statement = record_of(s.trace_root, word(s.count), bytes_of(data), word(s.element), word(s.piece))
    shown = array_of(*map(opening_of, openings))
    return record_of(Dynamic(statement), shown, run_of(record), word(start.value), word(start.index))


def finish_of(data: bytes, element: int, accumulator: Accumulator, record: Run | None) -> bytes:
    return record_of(bytes_of(data), word(element), word(accumulator.value), word(accumulator.index), run_of(record))


# ---- EVM -------------------------------------------------------------------------------------------------------------


def compiled(name: str) -> dict[str, Any]:
    return json.loads((OUT / f"{name}.sol" / f"{name}.json").read_text())


class Chain:
    """The router with its thirteen contracts."""

    def __init__(self, gas_limit: int = LIMIT) -> None:
        self.evm = pyrevm.EVM(gas_limit=gas_limit)
        self.evm.set_balance(SENDER, 10**30)
        self._errors: dict[bytes, str] = {}
        self.addresses = [self.deploy(name) for name in CONTRACTS]
        self.steps = self.deploy("Steps", b"".join(bytes(12) + bytes.fromhex(each[2:]) for each in self.addresses))
        methods = compiled("Steps")["methodIdentifiers"]
        self._selectors = {signature.partition("(")[0]: bytes.fromhex(code) for signature, code in methods.items()}
        self.gas_used = 0

    def advance(
        self, data: bytes, statement: Statement, openings: Sequence[Opening], record: Run | None, start: Accumulator
    ) -> Accumulator | Refused:
        answer = self.call("advance", advance_of(data, statement, openings, record, start))
        return answer if isinstance(answer, Refused) else Accumulator(signed(answer[:32]), int.from_bytes(answer[32:], "big"))

    def finish(self, data: bytes, element: int, accumulator: Accumulator, record: Run | None) -> int | Refused:
        answer = self.call("finish", finish_of(data, element, accumulator, record))
        return answer if isinstance(answer, Refused) else signed(answer)

    def form(self, data: bytes) -> tuple[int, ...] | Refused:
        """(kind, dtype, nbytes, terms, tau)."""
        answer = self.call("form", record_of(bytes_of(data)))
        if isinstance(answer, Refused):
            return answer
        return tuple(int.from_bytes(answer[place : place + 32], "big") for place in range(0, 160, 32))

    def calldata(self, function: str, arguments: bytes) -> bytes:
        return self._selectors[function] + arguments

    def call(self, function: str, arguments: bytes) -> bytes | Refused:
        """The answer, or the error's name. Raises Panicked."""
        return self._answer(self.steps, self.calldata(function, arguments), is_static=True)

    def to(self, address: str, signature: str, arguments: bytes, *, send: bool = False) -> bytes | Refused:
        """The same of any contract; `send` keeps what it changes."""
        return self._answer(address, keccak(signature.encode())[:4] + arguments, is_static=not send)

    def _answer(self, address: str, calldata: bytes, *, is_static: bool) -> bytes | Refused:
        try:
            answer = self.evm.message_call(caller=SENDER, to=address, calldata=calldata, is_static=is_static)
        except RuntimeError as error:
            return Refused(self._reason(str(error)))
        self.gas_used = self.evm.result.gas_used
        return answer

    def _reason(self, message: str) -> str:
        output = re.search(r"Revert .*output: 0x([0-9a-f]{8})", message)
        if not output or bytes.fromhex(output[1]) not in self._errors:
            raise Panicked(message)
        return self._errors[bytes.fromhex(output[1])]

    def deploy(self, name: str, arguments: bytes = b"") -> str:
        built = compiled(name)
        for entry in built["abi"]:
            if entry["type"] == "error":
                signature = f"{entry['name']}({','.join(given['type'] for given in entry['inputs'])})"
                self._errors[keccak(signature.encode())[:4]] = entry["name"]
        return self.evm.deploy(SENDER, bytes.fromhex(built["bytecode"]["object"][2:]) + arguments)


def signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


@cache
def chain() -> Chain:
    """One a process."""
    return Chain()
