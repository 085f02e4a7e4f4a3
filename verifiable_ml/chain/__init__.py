# SPDX-License-Identifier: MIT OR Apache-2.0
"""chain: contracts on an EVM, the embedded one or any JSON-RPC node.

In: a Registration, a Claim with its proof bytes, or several. Out: a Receipt with a verdict and gas. Knows no prover and no game.

What talks to a node is imported when it is first asked for: web3 and py-evm take more than a second, and py-evm raises the
recursion limit of the whole process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from verifiable_ml.chain.evidence import UNBOUND, BatchEvidence, BatchReceipt, Evidence, Key, Receipt
from verifiable_ml.chain.plan_registration import PlanRegistration
from verifiable_ml.chain.registration import FIELD, Registration, TensorLayout

if TYPE_CHECKING:
    from verifiable_ml.chain.accounts import from_environment, from_keystore, password_file
    from verifiable_ml.chain.artifacts import Artifact, load_artifact
    from verifiable_ml.chain.chain import Chain, Registered
    from verifiable_ml.chain.claims import evidence_arguments, inputs_id
    from verifiable_ml.chain.connection import connect, embedded
    from verifiable_ml.chain.contract import Contract
    from verifiable_ml.chain.events import Event
    from verifiable_ml.chain.node import Block, Log, Node, Sent
    from verifiable_ml.chain.reverts import Refusal, Reverted
    from verifiable_ml.chain.solc import compile_source

__all__ = [
    "FIELD",
    "UNBOUND",
    "Artifact",
    "BatchEvidence",
    "BatchReceipt",
    "Block",
    "Chain",
    "Contract",
    "Event",
    "Evidence",
    "Key",
    "Log",
    "Node",
    "PlanRegistration",
    "Receipt",
    "Refusal",
    "Registered",
    "Registration",
    "Reverted",
    "Sent",
    "TensorLayout",
    "compile_source",
    "connect",
    "embedded",
    "evidence_arguments",
    "from_environment",
    "from_keystore",
    "inputs_id",
    "load_artifact",
    "password_file",
]

_LATER = {
    "accounts": ("from_environment", "from_keystore", "password_file"),
    "artifacts": ("Artifact", "load_artifact"),
    "chain": ("Chain", "Registered"),
    "claims": ("evidence_arguments", "inputs_id"),
    "connection": ("connect", "embedded"),
    "contract": ("Contract",),
    "events": ("Event",),
    "node": ("Block", "Log", "Node", "Sent"),
    "reverts": ("Refusal", "Reverted"),
    "solc": ("compile_source",),
}
_HOME = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of `__all__` that was not asked for before."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
