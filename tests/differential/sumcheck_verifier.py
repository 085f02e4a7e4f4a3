# SPDX-License-Identifier: MIT OR Apache-2.0
"""`SumcheckVerifier` on an EVM in this process, and proofs that Rust recorded for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pyrevm

from differential.step_chain import SENDER, Dynamic, Refused, compiled, record_of, words_of
from differential.sumcheck_chain import signature_of
from verifiable_ml.commitment import keccak

FOLDER = Path(__file__).with_name("proofs")
"""Made by `python -m differential.record_sumcheck`, with tests/ on the path."""
LIBRARIES = ("Curve", "IndexTable", "Machine", "Mercury", "Scalar")
PART = 24_575
"""Bytes of a plan in one data contract: EIP-170 allows 24,576, and the first is zero."""


@dataclass(frozen=True)
class Recorded:
    """A plan, and a proof that holds under it."""

    plan: bytes
    context: bytes
    statement: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    def with_proof(self, place: int, word: bytes) -> Recorded:
        return replace(self, proof=(*self.proof[:place], word, *self.proof[place + 1 :]))

    def with_statement(self, place: int, word: bytes) -> Recorded:
        return replace(self, statement=(*self.statement[:place], word, *self.statement[place + 1 :]))


@cache
def recorded(name: str) -> Recorded:
    fields = json.loads((FOLDER / f"{name}.json").read_text())
    words = {key: tuple(map(_raw, value)) if isinstance(value, list) else _raw(value) for key, value in fields.items()}
    return Recorded(**words)


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


class Verifier:
    """The contract, and a data contract for each part of a plan."""

    def __init__(self) -> None:
        built = compiled("SumcheckVerifier")
        self.evm = pyrevm.EVM(gas_limit=30_000_000)
        self.evm.set_balance(SENDER, 10**30)
        self.address = self.evm.deploy(SENDER, bytes.fromhex(built["bytecode"]["object"][2:]))
        self.size = len(built["deployedBytecode"]["object"]) // 2 - 1
        ((signature, selector),) = built["methodIdentifiers"].items()
        assert signature == "verify(address[],bytes32,uint256[],uint256[])"
        self._selector = bytes.fromhex(selector)
        entries = [
            entry for name in (*LIBRARIES, "SumcheckVerifier") for entry in compiled(name)["abi"] if entry["type"] == "error"
        ]
        self._errors = {keccak(signature_of(entry).encode())[:4]: entry["name"] for entry in entries}
        self._plans: dict[bytes, Dynamic] = {}

    def verify(self, given: Recorded) -> int | Refused:
        """Gas of a transaction (EIP-7623 included), or the error's name. Raises AssertionError on any other end."""
        calldata = self._selector + record_of(
            self._plan(given.plan), given.context, words_of(given.statement), words_of(given.proof)
        )
        try:
            self.evm.message_call(caller=SENDER, to=self.address, calldata=calldata, is_static=True)
        except RuntimeError as error:
            found = re.search(r"Revert .*output: 0x([0-9a-f]{8})", str(error))
            assert found and bytes.fromhex(found[1]) in self._errors, error
            return Refused(self._errors[bytes.fromhex(found[1])])
        zeros = calldata.count(0)
        return max(self.evm.result.gas_used, 21_000 + 10 * zeros + 40 * (len(calldata) - zeros))

    def _plan(self, plan: bytes) -> Dynamic:
        if plan not in self._plans:
            parts = [b"\0" + plan[start : start + PART] for start in range(0, len(plan), PART)]
            self._plans[plan] = words_of([bytes(12) + bytes.fromhex(self._store(part)[2:]) for part in parts])
        return self._plans[plan]

    def _store(self, code: bytes) -> str:
        """push the length, copy what follows these ten bytes, return it."""
        return self.evm.deploy(SENDER, bytes.fromhex(f"61{len(code):04x}80600a3d393df3") + code)


@cache
def verifier() -> Verifier:
    """One a process."""
    return Verifier()
