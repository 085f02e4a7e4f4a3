# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by a native proof: seconds of one machine, and everything public. The proof is made for the request, and for no other."""

from __future__ import annotations

from verifiable_ml.settle.proof_way import ProofWay


class SumcheckWay(ProofWay):
    """The contract of this name, for a SumcheckClaimVerifier. Its evidence: a proof with the request's id as its context."""

    NAME = "SumcheckWay"
    BINDS = True
