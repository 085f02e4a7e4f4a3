# SPDX-License-Identifier: MIT OR Apache-2.0
"""The bytes of a plan read back; circuits/sumcheck/crates/plan/src/machine.rs writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

P = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""The order of BN254's first group."""
HEADER = 192


@dataclass(frozen=True)
class Instruction:
    """op: its number in machine.rs. d, a, b: registers. n: count. imm: immediate."""

    op: int
    d: int
    a: int
    b: int
    n: int
    imm: int


@dataclass(frozen=True)
class Plan:
    """What verifies proofs of one program. Registers begin with the constants."""

    code: bytes

    @property
    def registers(self) -> int:
        """Constants included."""
        return self._field(2)

    @property
    def words(self) -> tuple[int, int]:
        """Of the statement, and of the proof."""
        return self._field(5), self._field(6)

    @property
    def batch(self) -> int:
        """Inputs at once."""
        return self._field(7)

    @property
    def digest(self) -> int:
        """The key's."""
        return self._number(32, 32)

    @property
    def tau(self) -> tuple[int, ...]:
        """The reference string's secret in the second group."""
        return tuple(self._number(64 + 32 * place, 32) for place in range(4))

    @property
    def constants(self) -> tuple[int, ...]:
        """Scalars."""
        first = HEADER + self._field(3) + 16 * self._field(4)
        return tuple(self._number(first + 32 * place, 32) for place in range(self._field(1)))

    def instructions(self) -> Iterator[Instruction]:
        """In order."""
        for place in range(self._field(4)):
            at = HEADER + self._field(3) + 16 * place
            d, a, b = (self._number(at + 1 + 3 * register, 3) for register in range(3))
            yield Instruction(self.code[at], d, a, b, self._number(at + 10, 2), self._number(at + 12, 4))

    def data(self, place: int, width: int, count: int) -> list[int]:
        """Numbers of so many bytes."""
        return [self._number(HEADER + place + width * each, width) for each in range(count)]

    def _field(self, place: int) -> int:
        return self._number(4 * place, 4)

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self.code[at : at + width])
