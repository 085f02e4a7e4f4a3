# SPDX-License-Identifier: MIT OR Apache-2.0
"""divide: refused. ezkl's quotient of two tensors is rounded as the prover likes, and no cheap constraint pins it."""

from __future__ import annotations

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Raises UnsupportedOperator."""
    raise context.refuse(operator, "ezkl constrains a quotient of two tensors only up to its rounding")
