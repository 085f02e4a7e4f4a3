# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compiled contracts: committed in challenge/artifacts, shipped in the wheel, rebuilt and compared by a test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from verifiable_ml.errors import CorruptedArtifact

CHECKOUT = Path(__file__).resolve().parents[2] / "challenge" / "artifacts"


@dataclass(frozen=True)
class Artifact:
    """A compiled contract. `bytecode` creates it, `runtime` is what then stands on chain with zeros at `immutables`."""

    name: str
    abi: tuple[dict[str, Any], ...] = field(repr=False)
    bytecode: bytes = field(repr=False)
    runtime: bytes = field(repr=False)
    immutables: tuple[tuple[int, int], ...] = field(default=())

    def matches(self, code: bytes) -> bool:
        """Whether code found on chain is this contract, whatever its immutable values are."""
        if len(code) != len(self.runtime):
            return False
        blanked = bytearray(code)
        for start, length in self.immutables:
            blanked[start : start + length] = bytes(length)
        return bytes(blanked) == self.runtime

    def to_json(self) -> dict[str, Any]:
        """As Foundry writes it, reduced to what a user of the contract needs."""
        return {
            "name": self.name,
            "abi": list(self.abi),
            "bytecode": {"object": "0x" + self.bytecode.hex()},
            "deployedBytecode": {"object": "0x" + self.runtime.hex(), "immutables": [list(at) for at in self.immutables]},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Artifact:
        """Raises KeyError, TypeError or ValueError on anything else than `to_json` writes."""
        deployed = value["deployedBytecode"]
        return cls(
            name=value["name"],
            abi=tuple(value["abi"]),
            bytecode=bytes.fromhex(value["bytecode"]["object"].removeprefix("0x")),
            runtime=bytes.fromhex(deployed["object"].removeprefix("0x")),
            immutables=tuple((int(start), int(length)) for start, length in deployed["immutables"]),
        )

    @classmethod
    def from_compiler(cls, name: str, output: dict[str, Any]) -> Artifact:
        """From one contract of solc's standard JSON (`evm.bytecode`) or of Foundry's out/ (`bytecode` at the top)."""
        evm = output.get("evm", output)
        deployed = evm["deployedBytecode"]
        places = [place for group in deployed.get("immutableReferences", {}).values() for place in group]
        return cls(
            name=name,
            abi=tuple(output["abi"]),
            bytecode=bytes.fromhex(evm["bytecode"]["object"].removeprefix("0x")),
            runtime=bytes.fromhex(deployed["object"].removeprefix("0x")),
            immutables=tuple(sorted((place["start"], place["length"]) for place in places)),
        )


def load_artifact(name: str) -> Artifact:
    """A contract by its name, out of the wheel or the checkout. Raises CorruptedArtifact if it is missing or damaged."""
    try:
        return Artifact.from_json(json.loads(_place(name).read_text()))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CorruptedArtifact(
            thing=f"the compiled contract {name}",
            reason=f"it cannot be read ({type(error).__name__}: {error})",
            hint="reinstall verifiable-ml; in a checkout: make artifacts",
        ) from error


def _place(name: str) -> Traversable:
    shipped = files("verifiable_ml") / "_data" / "artifacts" / f"{name}.json"
    return shipped if shipped.is_file() else CHECKOUT / f"{name}.json"
