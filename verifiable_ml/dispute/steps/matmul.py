# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul, an element at a time: row x[..., m, :] times row w[..., n, :], the terms of both side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "matmul", 0


def terms(descriptor: Descriptor) -> int:
    """K, the innermost axis of both."""
    return descriptor.operands[0].shape[-1]


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Adds (x - x_zero)(w - w_zero). w has a batch for every batch of x, or one for all."""
    d, a = piece.descriptor, piece.descriptor.attributes
    x, w = d.operands
    row, channel = divmod(piece.element, d.shape[-1])
    batch = row // x.shape[-2] if len(w.shape) > 2 else 0
    x_row, w_row = row * d.terms, (batch * w.shape[-2] + channel) * d.terms
    total = start.value
    for term in piece.terms:
        total += (read(0, x_row + term) - a.x_zero) * (read(1, w_row + term) - a.w_zero)
    return Accumulator(total)
