# SPDX-License-Identifier: MIT OR Apache-2.0
"""chain: contracts on an EVM, the embedded one or any JSON-RPC node.

In: a Registration, a Claim with its proof bytes. Out: a Receipt with a verdict and gas. Knows no prover and no game.
"""

from verifiable_ml.chain.accounts import from_environment, from_keystore, password_file
from verifiable_ml.chain.artifacts import Artifact, load_artifact
from verifiable_ml.chain.chain import Chain, Registered
from verifiable_ml.chain.claims import evidence_arguments, inputs_id
from verifiable_ml.chain.connect import connect, embedded
from verifiable_ml.chain.contract import Contract
from verifiable_ml.chain.evidence import Evidence, Key, Receipt
from verifiable_ml.chain.node import Sent
from verifiable_ml.chain.registration import FIELD, Registration, TensorLayout
from verifiable_ml.chain.reverts import Refusal, Reverted
from verifiable_ml.chain.solc import compile_source

__all__ = [
    "FIELD",
    "Artifact",
    "Chain",
    "Contract",
    "Evidence",
    "Key",
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
