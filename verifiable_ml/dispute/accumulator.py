# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is known of an element after some of its terms: the state that pieces hand on (rule 38)."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 1 << 190
"""No accumulator of a step reaches it (rule 31): 1,024 products of two centred i64 stay below 2^139, and scaled below 2^255."""


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A value, and of argmax also the index at which it stands; 0 elsewhere."""

    value: int
    index: int = 0
