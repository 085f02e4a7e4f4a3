# SPDX-License-Identifier: MIT OR Apache-2.0
"""settle: ask on chain what a program says, and deliver the answer once it is final, whichever way made it so.

In: a Claim and what a way wants to see. Out: a Delivery, and a consumer that was called. Knows the ways, one file each.
"""

from __future__ import annotations

from verifiable_ml.settle.dispute_way import DisputeWay
from verifiable_ml.settle.execution_way import ExecutionWay
from verifiable_ml.settle.ezkl_way import EzklWay
from verifiable_ml.settle.question import NEVER, Question
from verifiable_ml.settle.settlement import Asked, Delivery, Settlement, Status
from verifiable_ml.settle.sumcheck_way import SumcheckWay
from verifiable_ml.settle.way import Way

__all__ = [
    "NEVER",
    "Asked",
    "Delivery",
    "DisputeWay",
    "ExecutionWay",
    "EzklWay",
    "Question",
    "Settlement",
    "Status",
    "SumcheckWay",
    "Way",
]
