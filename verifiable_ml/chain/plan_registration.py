# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a deployer pins for one program and its native proofs: a plan, which one contract runs for every program (rule 10).

A class of its own beside Registration: a halo2 key is words for a verifier that knows them, with instances and a prefix; a plan
is a program for the verifier, of any length, so it stands in contracts of its own, and nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from verifiable_ml.chain.registration import TensorLayout
from verifiable_ml.commitment import Privacy, keccak
from verifiable_ml.errors import InvalidInput

PART = 24_575
"""Bytes of a plan in one data contract: EIP-170 allows 24,576, and the first is zero."""

PLAN_VERSION = 1
HEADER = 192


@dataclass(frozen=True)
class PlanRegistration:
    """Everything that a SumcheckClaimVerifier must know, or a SumcheckBatchVerifier. plan: as `crates/plan` makes it of a key.
    Tensors of either side hold all runs, one after the other, and have the interval that the key has for them, which says how
    they are absorbed. srs_id: as the key names its reference string.
    """

    program_id: bytes
    srs_id: bytes
    plan: bytes
    inputs: tuple[TensorLayout, ...]
    outputs: tuple[TensorLayout, ...]

    privacy_code = 0

    def __post_init__(self) -> None:
        if not (len(self.program_id) == 32 == len(self.srs_id) and self.plan[:4] == PLAN_VERSION.to_bytes(4)):
            reason = "ids have 32 bytes, and the plan its version"
            raise InvalidInput(thing="a registration", reason=reason, hint="take it from the verification key")
        if len(self.plan) < HEADER or self.runs < 1 or self._field(5) != sum(map(statement_words, self.inputs + self.outputs)):
            reason = "the plan is of other inputs and outputs"
            raise InvalidInput(thing="a registration", reason=reason, hint="take it from the verification key")

    @property
    def privacy(self) -> Privacy:
        """Everything is public."""
        return Privacy()

    @property
    def runs(self) -> int:
        """Of how many claims one proof is."""
        return self._field(7)

    @property
    def proof_bytes(self) -> int:
        """Exact length of a proof."""
        return 32 * self._field(6)

    @cached_property
    def plan_digest(self) -> bytes:
        """keccak-256 of the plan, in which the key's digest and the string's secret in the second group stand."""
        return keccak(self.plan)

    @property
    def deployment_id(self) -> bytes:
        """Rule 10, the plan in the place of the key: H(14 || program id || SRS id || plan digest)."""
        return keccak(b"\x14" + self.program_id + self.srs_id + self.plan_digest)

    def parts(self) -> Iterator[bytes]:
        """The code of each data contract: a zero byte, so that nobody runs it, and a part of the plan."""
        for start in range(0, len(self.plan), PART):
            yield b"\0" + self.plan[start : start + PART]

    def _field(self, place: int) -> int:
        return int.from_bytes(self.plan[4 * place : 4 * place + 4])


def statement_words(layout: TensorLayout) -> int:
    """Words of 32 bytes that a tensor takes in a statement: a byte an integer if its interval holds no other, else eight."""
    low, high = layout.interval
    return -(-layout.count * (1 if low >= 0 and high < 256 else 8) // 32)
