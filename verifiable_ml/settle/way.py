# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every way to settle has in common: a contract. What it wants to be told differs, and each way's own file makes it."""

from __future__ import annotations

from typing import Protocol

from verifiable_ml.chain import Contract


class Way(Protocol):
    """An IWay on chain."""

    @property
    def contract(self) -> Contract:
        """Where it is."""
