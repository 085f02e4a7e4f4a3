# SPDX-License-Identifier: MIT OR Apache-2.0
"""A contract at an address: calls by name, answers decoded, refusals named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types, get_abi_output_types

from verifiable_ml.chain.artifacts import Artifact, load_artifact
from verifiable_ml.chain.events import Event, read_event
from verifiable_ml.chain.node import Node, Sent
from verifiable_ml.chain.reverts import Reverted, read_refusal
from verifiable_ml.errors import ChainError, InvalidInput

CALL_GAS = 15_000_000
"""Below the 2^24 that a transaction may have since EIP-7825. A cap: real nodes estimate, and what is not used is not paid."""

MAX_CODE = 24_576
"""Bytes of code that a contract may have. Source: EIP-170."""

ASKED = (
    "ClaimVerifier", "SumcheckClaimVerifier", "SumcheckBatchVerifier", "Settlement", "EzklWay", "SumcheckWay", "DisputeWay",
    "ExecutionWay", "OptimisticClaims", "ProgramRegistry",
)  # fmt: skip
"""Whose errors come through other contracts: what they refuse, their callers refuse."""


@dataclass(frozen=True)
class Contract:
    """A deployed contract. Raises Reverted (with the custom error's name) where it refuses."""

    node: Node
    address: str
    artifact: Artifact

    def call(self, function: str, *arguments: Any, gas: int = CALL_GAS) -> tuple[Any, ...]:
        """Call without a transaction; the values that the function returns."""
        abi = self._function(function)
        with named(self.artifact):
            answer = self.node.call(self.address, encode_call(abi, arguments), gas)
        try:
            return tuple(decode(get_abi_output_types(abi), answer))
        except (DecodingError, OverflowError, ValueError) as error:
            raise ChainError(
                thing=f"{self.artifact.name} at {self.address}",
                reason=f"it answered {len(answer)} bytes, which {function} does not return",
                hint="another contract, or none, stands at this address: check it and the chain",
            ) from error

    def send(self, function: str, *arguments: Any, value: int = 0, gas: int = CALL_GAS) -> Sent:
        """Call in a transaction, and wait for it. value: in wei."""
        with named(self.artifact):
            return self.node.send(self.address, encode_call(self._function(function), arguments), gas, value)

    def events(self, first: int, last: int) -> Iterator[Event]:
        """What it has logged in blocks `first` to `last`, oldest first; what its ABI does not name is left out."""
        for log in self.node.logs(self.address, first, last):
            event = read_event(log, self.artifact.abi)
            if event is not None:
                yield event

    def by(self, account: str) -> Contract:
        """The same contract, called by another account that the node holds."""
        return replace(self, node=replace(self.node, sender=account, signer=None))

    def _function(self, name: str) -> Any:
        return next(entry for entry in self.artifact.abi if entry["type"] == "function" and entry["name"] == name)


def deploy(node: Node, artifact: Artifact, *arguments: Any) -> tuple[Contract, Sent]:
    """Create a contract. Raises Reverted, ChainError, InvalidInput on arguments that do not fit its constructor."""
    if len(artifact.runtime) > MAX_CODE:
        raise ChainError(
            thing=f"the contract {artifact.name}",
            reason=f"its code has {len(artifact.runtime)} bytes, an EVM takes {MAX_CODE} (EIP-170)",
            hint="a circuit with fewer columns has a smaller verifier; the reusable verifier serves keys of up to 640 words",
        )
    constructor: Any = next((entry for entry in artifact.abi if entry["type"] == "constructor"), {"inputs": []})
    data = artifact.bytecode + encode_arguments(constructor, arguments)
    # 200 gas a byte of code, 16 a byte of calldata, and what the constructor does.
    with named(artifact):
        sent = node.send(None, data, gas=1_000_000 + 300 * len(data))
    if sent.contract is None:
        raise ChainError(thing=artifact.name, reason="the node names no address for it", hint="check that the node is an EVM")
    return Contract(node, sent.contract, artifact), sent


def encode_call(function: Any, arguments: tuple[Any, ...]) -> bytes:
    """Calldata. Raises InvalidInput on arguments that do not fit the function."""
    return bytes(function_abi_to_4byte_selector(function)) + encode_arguments(function, arguments)


def encode_arguments(entry: Any, arguments: tuple[Any, ...]) -> bytes:
    """Arguments after the standard ABI. Raises InvalidInput."""
    typed: Any = {"type": "function", "name": "", **entry}
    try:
        return encode(get_abi_input_types(typed), arguments)
    except (EncodingError, ValueError, TypeError) as error:
        raise InvalidInput(
            thing=f"the arguments of {entry.get('name', 'a constructor')}",
            reason=str(error)[:300],
            hint="its ABI is in challenge/artifacts",
        ) from error


@contextmanager
def named(artifact: Artifact) -> Iterator[None]:
    """Inside, a revert's data is read with this contract's errors, and those of the contracts that it may have asked."""
    try:
        yield
    except Reverted as error:
        abi = (*artifact.abi, *(entry for name in ASKED for entry in load_artifact(name).abi))
        raise Reverted(error.data, read_refusal(error.data, abi)) from error
