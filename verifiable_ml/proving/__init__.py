# SPDX-License-Identifier: MIT OR Apache-2.0
"""proving: a Program and one input become a Proof of a Claim, and a Proof becomes a Verdict.

In: Program, integers. Out: Keys, Proof, Verdict. Knows contracts only by what they have to pin; knows no game.
"""

from verifiable_ml.chain import UNBOUND
from verifiable_ml.proving.backends import BACKENDS, backend, batch_backend, read_key
from verifiable_ml.proving.base import Backend, BatchBackend, Estimate, Keys, Progress, Verdict, VerificationKey
from verifiable_ml.proving.batch_proof import BatchProof
from verifiable_ml.proving.proof import Proof

__all__ = [
    "BACKENDS",
    "UNBOUND",
    "Backend",
    "BatchBackend",
    "BatchProof",
    "Estimate",
    "Keys",
    "Progress",
    "Proof",
    "Verdict",
    "VerificationKey",
    "backend",
    "batch_backend",
    "read_key",
]
