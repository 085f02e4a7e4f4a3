# SPDX-License-Identifier: MIT OR Apache-2.0
"""argmax: refused. ezkl's ArgMax says nothing of which of equal maxima it takes."""

from __future__ import annotations

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Raises UnsupportedOperator."""
    raise context.refuse(operator, "ezkl does not pin which of equal maxima is taken; claim the logits instead")
