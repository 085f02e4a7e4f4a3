# SPDX-License-Identifier: MIT OR Apache-2.0
"""What an ezkl verifier pins: the halo2 key, the settings, the part of the reference string, and what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from verifiable_ml.chain import Registration, TensorLayout
from verifiable_ml.commitment import Dtype, Privacy, keccak, parse_json
from verifiable_ml.errors import InvalidInput, MalformedEvidence
from verifiable_ml.proving.ezkl.srs import is_verifier_part
from verifiable_ml.proving.proof import KEY_FORMAT, canonical, malformed, read_document

NAME, VERSION = "ezkl", 1


@dataclass(frozen=True)
class EzklKey:
    """Everything that `verify` needs, in one file of some kilobytes; nothing of it is ever read from a proof.

    settings: ezkl's, as JSON text. vk: its verification key. vka: the same in words for a contract. reference: the verifier's
    part of the string, 516 bytes; srs_id: keccak-256 of all of it; srs_label: what to think of it. weight_instances: digests
    of hashed weights. proof_prefix: commitments to committed weights, 64 bytes each. verifier_source: Solidity for this key
    alone, only where it is too long for the reusable verifier.
    """

    program_id: bytes
    privacy: Privacy
    settings: str
    vk: bytes
    vka: tuple[int, ...]
    reference: bytes
    srs_id: bytes
    srs_label: str
    inputs: tuple[TensorLayout, ...]
    outputs: tuple[TensorLayout, ...]
    proof_bytes: int
    weight_instances: tuple[int, ...] = ()
    proof_prefix: bytes = b""
    verifier_source: str | None = None

    def __post_init__(self) -> None:
        if not is_verifier_part(self.reference):
            raise InvalidInput(
                thing="an ezkl key",
                reason="it holds no reference string: under such a key every proof might hold",
                hint="make it again with `vml setup`",
            )

    @property
    def backend(self) -> str:
        """Its name."""
        return NAME

    @cached_property
    def id(self) -> bytes:
        """keccak-256 of the key's bytes."""
        return keccak(self.to_bytes())

    @property
    def logrows(self) -> int:
        """log2 of the circuit's rows."""
        return int(parse_json(self.settings.encode())["run_args"]["logrows"])

    def registration(self) -> Registration:
        """What a contract pins (rule 10)."""
        return Registration(
            program_id=self.program_id,
            privacy_code=self.privacy.code,
            vka=self.vka,
            inputs=self.inputs,
            outputs=self.outputs,
            proof_bytes=self.proof_bytes,
            srs_id=self.srs_id,
            weight_instances=self.weight_instances,
            proof_prefix=self.proof_prefix,
            dedicated_source=self.verifier_source,
        )

    def to_bytes(self) -> bytes:
        """Canonical JSON with a checksum over all of it: a flipped bit is found even where halo2 would not mind."""
        return canonical({**self._fields(), "checksum": self._checksum()})

    def _checksum(self) -> str:
        return keccak(canonical(self._fields())).hex()

    def _fields(self) -> dict[str, Any]:
        return {
            "format": KEY_FORMAT,
            "version": VERSION,
            "backend": NAME,
            "srs": self.srs_label,
            "srs_id": self.srs_id.hex(),
            "program": self.program_id.hex(),
            "privacy": self.privacy.code,
            "inputs": [_layout_to_json(layout) for layout in self.inputs],
            "outputs": [_layout_to_json(layout) for layout in self.outputs],
            "proof_bytes": self.proof_bytes,
            "weight_instances": [value.to_bytes(32, "big").hex() for value in self.weight_instances],
            "proof_prefix": self.proof_prefix.hex(),
            "reference": self.reference.hex(),
            "settings": self.settings,
            "vk": self.vk.hex(),
            "vka": b"".join(word.to_bytes(32, "big") for word in self.vka).hex(),
            "verifier_source": self.verifier_source,
        }

    @classmethod
    def from_bytes(cls, data: bytes) -> EzklKey:
        """Raises MalformedEvidence unless it is exactly what `to_bytes` writes, the checksum included."""
        value = read_document(data, KEY_FORMAT, VERSION)
        try:
            key = _from_fields(value)
            key.registration()
            whole = key.to_bytes() == data and 0 <= key.logrows <= 32
        except MalformedEvidence:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, InvalidInput) as error:
            raise malformed("an ezkl key", f"it cannot be read ({type(error).__name__}: {error})") from error
        if value.get("checksum") != key._checksum():
            raise malformed("an ezkl key", "its checksum is wrong: a byte was changed on the way")
        if not whole:
            raise malformed("an ezkl key", "its bytes are not what a key is written as")
        return key


def words(data: bytes) -> tuple[int, ...]:
    """Big endian words of 32 bytes."""
    if len(data) % 32:
        raise ValueError("a key has whole words")
    return tuple(int.from_bytes(data[start : start + 32], "big") for start in range(0, len(data), 32))


def _from_fields(value: dict[str, Any]) -> EzklKey:
    source = value["verifier_source"]
    if not isinstance(value["settings"], str) or not (source is None or isinstance(source, str)):
        raise ValueError("settings and source are text")
    if value["backend"] != NAME or type(value["proof_bytes"]) is not int or not isinstance(value["srs"], str):
        raise ValueError("a field has another type")
    return EzklKey(
        program_id=bytes.fromhex(value["program"]),
        privacy=Privacy.from_code(value["privacy"]),
        settings=value["settings"],
        vk=bytes.fromhex(value["vk"]),
        vka=words(bytes.fromhex(value["vka"])),
        reference=bytes.fromhex(value["reference"]),
        srs_id=bytes.fromhex(value["srs_id"]),
        srs_label=value["srs"],
        inputs=tuple(map(_layout_from_json, value["inputs"])),
        outputs=tuple(map(_layout_from_json, value["outputs"])),
        proof_bytes=value["proof_bytes"],
        weight_instances=words(b"".join(bytes.fromhex(text) for text in value["weight_instances"])),
        proof_prefix=bytes.fromhex(value["proof_prefix"]),
        verifier_source=source,
    )


def _layout_to_json(layout: TensorLayout) -> dict[str, Any]:
    return {"dtype": layout.dtype.label, "count": layout.count, "interval": list(layout.interval)}


def _layout_from_json(value: Any) -> TensorLayout:
    low, high = value["interval"]
    if any(type(number) is not int for number in (low, high, value["count"])):
        raise ValueError("a layout is of integers")
    return TensorLayout(Dtype[value["dtype"].upper()], value["count"], low, high)
