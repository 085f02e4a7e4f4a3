# SPDX-License-Identifier: MIT OR Apache-2.0
"""proving: a Program and one input become a Proof of a Claim, and a Proof becomes a Verdict.

In: Program, integers. Out: Keys, Proof, Verdict. Knows contracts only by what they have to pin; knows no game.
"""

from verifiable_ml.proving.backends import BACKENDS, backend, read_key
from verifiable_ml.proving.base import Backend, Estimate, Keys, Progress, Verdict, VerificationKey
from verifiable_ml.proving.proof import Proof

__all__ = ["BACKENDS", "Backend", "Estimate", "Keys", "Progress", "Proof", "Verdict", "VerificationKey", "backend", "read_key"]
