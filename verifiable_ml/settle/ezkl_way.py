# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by a proof of ezkl: minutes of one machine, a million gas, and inputs and weights may stay hidden."""

from __future__ import annotations

from verifiable_ml.settle.proof_way import ProofWay


class EzklWay(ProofWay):
    """The contract of this name, for a ClaimVerifier."""

    NAME = "EzklWay"
    BINDS = False
