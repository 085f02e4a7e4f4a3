# SPDX-License-Identifier: MIT OR Apache-2.0
"""chain: contracts on an EVM, the embedded one or any JSON-RPC node.

In: a Registration, a Claim with its proof bytes. Out: a Receipt with a verdict and gas. Knows no prover and no game.
"""

from verifiable_ml.chain.evidence import Evidence, Key, Receipt
from verifiable_ml.chain.registration import FIELD, Registration, TensorLayout

__all__ = ["FIELD", "Evidence", "Key", "Receipt", "Registration", "TensorLayout"]
