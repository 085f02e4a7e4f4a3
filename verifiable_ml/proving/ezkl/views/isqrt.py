# SPDX-License-Identifier: MIT OR Apache-2.0
"""isqrt: refused. ezkl's square root is a table over the operand, which reaches 2^53 here."""

from __future__ import annotations

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Raises UnsupportedOperator."""
    raise context.refuse(operator, "ezkl has no exact integer square root of wide operands")
