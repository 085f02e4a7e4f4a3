# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by execution: the chain runs the program itself. Seconds, as much gas as the model has terms, and nobody to trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode

from verifiable_ml.chain import Chain, Contract


@dataclass(frozen=True)
class ExecutionWay:
    """The contract of this name."""

    contract: Contract

    NAME = "ExecutionWay"

    @classmethod
    def deploy(cls, chain: Chain, execution: str, registry: str) -> ExecutionWay:
        """One for the contract that runs programs and a ProgramRegistry, both of which know the program. Raises ChainError."""
        return cls(chain.deploy(cls.NAME, execution, registry))

    @classmethod
    def at(cls, chain: Chain, address: str) -> ExecutionWay:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(cls.NAME, address))

    def terms(self) -> bytes:
        """Nothing: the chain runs the program whenever somebody pays the gas."""
        return b""

    def evidence(self, inputs: Sequence[bytes]) -> bytes:
        """(bytes[] inputs): the bytes of each."""
        return bytes(encode(["bytes[]"], [list(inputs)]))
