# SPDX-License-Identifier: MIT OR Apache-2.0
"""The claim: (program id, input commitment, output, privacy). What is believed or not; rules 7 and 8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from verifiable_ml.commitment.codec import Dtype
from verifiable_ml.commitment.keccak import keccak
from verifiable_ml.commitment.merkle import SALTED
from verifiable_ml.commitment.roots import tensor_root
from verifiable_ml.errors import MalformedEvidence

InputPrivacy = Literal["public", "hashed", "private"]
WeightPrivacy = Literal["public", "hashed", "private", "committed"]
INPUT_MODES: tuple[InputPrivacy, ...] = ("public", "hashed", "private")
WEIGHT_MODES: tuple[WeightPrivacy, ...] = ("public", "hashed", "private", "committed")

PUBLIC, POSEIDON, POLYNOMIAL, SALTED_KECCAK, HIDDEN = 0, 1, 2, 3, 4
"""Schemes of an input commitment. HIDDEN says that nothing but "some input" is claimed; its digest is zero."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """Who sees what. The output is always public."""

    input: InputPrivacy = "public"
    weights: WeightPrivacy = "public"

    @property
    def code(self) -> int:
        """One byte: input in the low nibble, weights in the high one."""
        return INPUT_MODES.index(self.input) | WEIGHT_MODES.index(self.weights) << 4

    @classmethod
    def from_code(cls, code: int) -> Privacy:
        """Raises MalformedEvidence on a byte that names no mode."""
        low, high = code & 15, code >> 4
        if not 0 <= code < 256 or low >= len(INPUT_MODES) or high >= len(WEIGHT_MODES):
            raise _malformed("a privacy code", f"{code} names no mode")
        return cls(INPUT_MODES[low], WEIGHT_MODES[high])


@dataclass(frozen=True, slots=True)
class InputCommitment:
    """One input: a scheme and 32 bytes. Schemes are never converted into each other nor guessed equal."""

    scheme: int
    digest: bytes

    @classmethod
    def public(cls, dtype: Dtype, data: bytes) -> InputCommitment:
        """Scheme 0: the tensor root of rule 2. The same in every backend."""
        return cls(PUBLIC, tensor_root(dtype, data))

    @classmethod
    def salted(cls, salt: bytes, dtype: Dtype, data: bytes) -> InputCommitment:
        """Scheme 3: H(05 || salt || tensor root), the salt 32 bytes."""
        if len(salt) != 32:
            raise ValueError("a salt has 32 bytes")
        return cls(SALTED_KECCAK, keccak(SALTED + salt + tensor_root(dtype, data)))


@dataclass(frozen=True, slots=True)
class OutputBytes:
    """One output as it travels: dtype and raw bytes; its shape is the program's."""

    dtype: Dtype
    data: bytes

    @property
    def root(self) -> bytes:
        """The tensor root of rule 2."""
        return tensor_root(self.dtype, self.data)


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement: the program of this id, on the input committed to, gives these outputs."""

    program_id: bytes
    inputs: tuple[InputCommitment, ...]
    outputs: tuple[OutputBytes, ...]
    privacy: Privacy = Privacy()

    @property
    def id(self) -> bytes:
        """Rule 8: H(10 || program id || input count u8 || (scheme u8, digest)… || output count u8 || roots… || privacy u8).

        The counts make the bytes prefix-free; a program fixes them, a claim is read before its program is known.
        """
        inputs = b"".join(bytes([given.scheme]) + given.digest for given in self.inputs)
        outputs = b"".join(output.root for output in self.outputs)
        counts = bytes([len(self.inputs)]), bytes([len(self.outputs)])
        return keccak(b"\x10" + self.program_id + counts[0] + inputs + counts[1] + outputs + bytes([self.privacy.code]))

    def to_json(self) -> dict[str, Any]:
        """A plain object; `from_json` takes this and nothing else."""
        return {
            "program": self.program_id.hex(),
            "inputs": [{"scheme": given.scheme, "digest": given.digest.hex()} for given in self.inputs],
            "outputs": [{"dtype": output.dtype.label, "data": output.data.hex()} for output in self.outputs],
            "privacy": {"input": self.privacy.input, "weights": self.privacy.weights},
        }

    @classmethod
    def from_json(cls, value: Any) -> Claim:
        """Read a stranger's claim. Raises MalformedEvidence unless it is what `to_json` writes, in any order of keys."""
        try:
            claim = cls(
                program_id=bytes.fromhex(value["program"]),
                inputs=tuple(InputCommitment(int(i["scheme"]), bytes.fromhex(i["digest"])) for i in value["inputs"]),
                outputs=tuple(OutputBytes(Dtype[o["dtype"].upper()], bytes.fromhex(o["data"])) for o in value["outputs"]),
                privacy=Privacy(value["privacy"]["input"], value["privacy"]["weights"]),
            )
            claim.check()
            canonical = _same(claim.to_json(), value)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError) as error:
            raise _malformed("a claim", f"it cannot be read ({type(error).__name__}: {error})") from error
        if not canonical:
            raise _malformed("a claim", "its JSON is not what a claim is written as")
        return claim

    def check(self) -> None:
        """Raises MalformedEvidence unless every field has a form that some honest claim has."""
        if len(self.program_id) != 32:
            raise _malformed("a claim", "its program id has not 32 bytes")
        if not 1 <= len(self.inputs) < 256 or not 1 <= len(self.outputs) < 256:
            raise _malformed("a claim", "it needs 1 to 255 inputs and outputs")
        if self.privacy.input not in INPUT_MODES or self.privacy.weights not in WEIGHT_MODES:
            raise _malformed("a claim", "its privacy names no mode")
        if any(given.scheme not in range(5) or len(given.digest) != 32 for given in self.inputs):
            raise _malformed("a claim", "an input commitment is no (scheme 0 to 4, 32 bytes)")
        if any(not output.data or len(output.data) % output.dtype.width for output in self.outputs):
            raise _malformed("a claim", "an output's bytes are no whole number of elements")


def _same(ours: Any, theirs: Any) -> bool:
    """Equal in types too (True is no 1), and as deep as ours: theirs may be nested beyond what Python can walk."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return bool(ours == theirs)


def _malformed(thing: str, reason: str) -> MalformedEvidence:
    return MalformedEvidence(thing=thing, reason=reason, hint="ask its sender for the artifact as `vml` wrote it")
