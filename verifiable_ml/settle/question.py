# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a request asks: all of it, since its id is the hash (rule 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifiable_ml.commitment import keccak

NEVER = (1 << 40) - 1
"""The latest deadline there is, unix time."""

ASKED = b"\x15"


@dataclass(frozen=True, slots=True)
class Question:
    """The struct of challenge/src/settle/Question.sol, in its order.

    consumer, way: addresses, lower case. inputs_id: the list of input commitments as one word (`chain.inputs_id`). privacy: the
    code of rule 8. callback_gas: what the consumer is called with, 0 if it takes its answers itself. deadline: unix time from
    which what was paid for an answer can be taken back.
    """

    consumer: str
    nonce: int
    program_id: bytes
    inputs_id: bytes
    privacy: int
    way: str
    callback_gas: int = 0
    deadline: int = NEVER

    @classmethod
    def from_struct(cls, struct: tuple[Any, ...]) -> Question:
        """From the values of an event."""
        return cls(*struct)

    @property
    def struct(self) -> tuple[Any, ...]:
        """As the contracts take it."""
        return (
            self.consumer, self.nonce, self.program_id, self.inputs_id, self.privacy, self.way, self.callback_gas, self.deadline,
        )  # fmt: skip

    def id(self, chain_id: int, settlement: str) -> bytes:
        """Rule 9: H(15 || chain || settlement || consumer || nonce u64 || program || inputs || privacy u8 || way || gas u32 ||
        deadline u40); the chain is 32 bytes, addresses are 20.
        """
        where = ASKED + chain_id.to_bytes(32) + _address(settlement)
        who = _address(self.consumer) + self.nonce.to_bytes(8)
        what = self.program_id + self.inputs_id + bytes([self.privacy])
        return keccak(where + who + what + _address(self.way) + self.callback_gas.to_bytes(4) + self.deadline.to_bytes(5))


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
