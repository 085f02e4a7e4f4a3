# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a verifier of native proofs pins, and what a contract pins of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from verifiable_ml.chain import PlanRegistration, TensorLayout
from verifiable_ml.commitment import Dtype, Privacy, keccak
from verifiable_ml.errors import InvalidInput
from verifiable_ml.proving.proof import KEY_FORMAT, canonical, malformed, read_document
from verifiable_ml.proving.sumcheck.native import NAME, native

VERSION = 1


@dataclass(frozen=True)
class SumcheckKey:
    """data: tensors, constraints, commitments to weights, and of how many inputs at once. reference: the string's secret in the
    second group. srs_label: what to think of the string; "" for a given one. inputs, outputs: their dtypes.
    """

    program_id: bytes
    data: bytes
    reference: bytes
    srs_label: str
    inputs: tuple[Dtype, ...]
    outputs: tuple[Dtype, ...]

    @property
    def backend(self) -> str:
        """Its name."""
        return NAME

    @property
    def privacy(self) -> Privacy:
        """Everything is public."""
        return Privacy()

    @cached_property
    def id(self) -> bytes:
        """keccak-256 of the key's bytes."""
        return keccak(self.to_bytes())

    @cached_property
    def count(self) -> int:
        """Of how many inputs a proof under it is. Raises BackendUnavailable."""
        _, count = native().read_key(self.data, self.reference)
        return int(count)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical(
            {
                "format": KEY_FORMAT,
                "version": VERSION,
                "backend": NAME,
                "srs": self.srs_label,
                "program": self.program_id.hex(),
                "inputs": [dtype.label for dtype in self.inputs],
                "outputs": [dtype.label for dtype in self.outputs],
                "reference": self.reference.hex(),
                "data": self.data.decode(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SumcheckKey:
        """Raises MalformedEvidence; BackendUnavailable without the extension."""
        value = read_document(data, KEY_FORMAT, VERSION)
        try:
            key = cls(
                bytes.fromhex(value["program"]),
                value["data"].encode(),
                bytes.fromhex(value["reference"]),
                str(value["srs"]),
                tuple(Dtype[label.upper()] for label in value["inputs"]),
                tuple(Dtype[label.upper()] for label in value["outputs"]),
            )
            program_id, _ = native().read_key(key.data, key.reference)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise malformed("a sumcheck key", f"it cannot be read ({error})") from error
        if program_id != key.program_id or key.to_bytes() != data:
            raise malformed("a sumcheck key", "its bytes are not what a key is written as")
        return key

    def registration(self) -> PlanRegistration:
        """What a contract pins (rule 10). Raises BackendUnavailable, InvalidInput if no plan follows from the key."""
        return self._plan

    @cached_property
    def _plan(self) -> PlanRegistration:
        try:
            plan, srs_id, inputs, outputs = native().plan(self.data, self.reference)
        except ValueError as error:
            raise InvalidInput(thing="a sumcheck key", reason=str(error), hint="make it with `vml setup`") from error
        return PlanRegistration(self.program_id, srs_id, plan, _layouts(self.inputs, inputs), _layouts(self.outputs, outputs))


def _layouts(dtypes: tuple[Dtype, ...], intervals: list[tuple[int, int, int]]) -> tuple[TensorLayout, ...]:
    """A key's interval holds what stands in the padding as well, so it may be wider than the type."""
    pairs = zip(dtypes, intervals, strict=True)
    return tuple(TensorLayout(dtype, count, max(low, dtype.low), min(high, dtype.high)) for dtype, (count, low, high) in pairs)
