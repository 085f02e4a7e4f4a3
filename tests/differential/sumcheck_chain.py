# SPDX-License-Identifier: MIT OR Apache-2.0
"""The parts of the native proof's verifier on an EVM in this process: a call gives its answer and the gas of that part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyrevm

from differential.step_chain import SENDER, Dynamic, Refused, bytes_of, compiled, record_of, word, words_of
from verifiable_ml.commitment import keccak

PARTS = ("Curve", "IndexTable", "Machine", "Mercury", "Scalar")
"""Libraries that have errors."""

Rounds = tuple[bytes, int, list[int], int]


@dataclass(frozen=True)
class Opening:
    """A row opened at a point: the statement, and the words that show it."""

    row: tuple[bytes, ...]
    value: bytes
    point: tuple[bytes, ...]
    words: tuple[bytes, ...]


class Harness:
    """`SumcheckHarness`, with arguments and answers as words."""

    def __init__(self) -> None:
        built = compiled("SumcheckHarness")
        self.evm = pyrevm.EVM(gas_limit=30_000_000)
        self.evm.set_balance(SENDER, 10**30)
        self.address = self.evm.deploy(SENDER, bytes.fromhex(built["bytecode"]["object"][2:]))
        methods = built["methodIdentifiers"]
        self._selectors = {signature.partition("(")[0]: bytes.fromhex(code) for signature, code in methods.items()}
        errors = (entry for name in (*PARTS, "SumcheckHarness") for entry in compiled(name)["abi"])
        self._errors = {keccak(signature_of(e).encode())[:4]: e["name"] for e in errors if e["type"] == "error"}

    def opening(self, state: bytes, tau: Sequence[bytes], opening: Opening) -> tuple[bytes, int] | Refused:
        """(the transcript's next state, gas)."""
        dynamic = words_of(opening.point), words_of(opening.words)
        answer = self._call("opening", state, *opening.row, dynamic[0], opening.value, dynamic[1], *tau)
        return answer if isinstance(answer, Refused) else (answer[0], number(answer[1]))

    def rows(self, points: Sequence[bytes], weights: Sequence[bytes]) -> tuple[tuple[bytes, bytes], int] | Refused:
        """(the folded point, gas)."""
        answer = self._call("rows", words_of(points), words_of(weights))
        return answer if isinstance(answer, Refused) else ((answer[0], answer[1]), number(answer[2]))

    def rounds(
        self, state: bytes, claim: int, degree: int, words: Sequence[bytes]
    ) -> tuple[bytes, int, list[int], int] | Refused:
        """(the transcript's next state, value, point, gas)."""
        answer = self._call("rounds", state, word(claim), word(degree), words_of(words))
        if isinstance(answer, Refused):
            return answer
        return answer[0], number(answer[1]), list(map(number, answer[5:])), number(answer[3])

    def index_table(
        self, axis: Sequence[int], by_carry: bool, r: Sequence[bytes], i: Sequence[bytes]
    ) -> tuple[list[int], int] | Refused:
        """(P of each tap, gas); axis is outputs, inputs, taps, stride, dilation, pad."""
        answer = self._call("indexTable", *map(word, axis), word(by_carry), words_of(r), words_of(i))
        return answer if isinstance(answer, Refused) else (list(map(number, answer[3:])), number(answer[1]))

    def machine(self, registers: Sequence[int], data: bytes, code: bytes) -> list[int] | Refused:
        """The registers after these instructions."""
        answer = self._call("machine", words_of(list(map(word, registers))), bytes_of(data), bytes_of(code))
        return answer if isinstance(answer, Refused) else list(map(number, answer[3:]))

    def transcript(
        self, domain: bytes, labels: Sequence[bytes], counts: Sequence[int], words: Sequence[bytes]
    ) -> tuple[list[bytes], list[bytes]]:
        """(state after each step, challenges)."""
        counted = words_of(list(map(word, counts)))
        answer = self._call("transcript", domain, words_of(labels), counted, words_of(words))
        assert not isinstance(answer, Refused), answer
        return list(answer[3 : 4 + len(labels)]), list(answer[5 + len(labels) :])

    def _call(self, function: str, *arguments: bytes | Dynamic) -> list[bytes] | Refused:
        calldata = self._selectors[function] + record_of(*arguments)
        try:
            answer = self.evm.message_call(caller=SENDER, to=self.address, calldata=calldata, is_static=True)
        except RuntimeError as error:
            found = re.search(r"Revert .*output: 0x([0-9a-f]{8})", str(error))
            assert found and bytes.fromhex(found[1]) in self._errors, error
            return Refused(self._errors[bytes.fromhex(found[1])])
        return [answer[place : place + 32] for place in range(0, len(answer), 32)]


def signature_of(entry: dict[str, Any]) -> str:
    """Of an error or function in an ABI."""
    return f"{entry['name']}({','.join(given['type'] for given in entry['inputs'])})"


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


@cache
def harness() -> Harness:
    """One a process."""
    return Harness()
