# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a proof takes, from the size of its circuit: fitted to runs on two cores, right within a factor of two."""

from __future__ import annotations

from verifiable_ml.proving.base import Estimate
from verifiable_ml.proving.ezkl.circuit import Circuit
from verifiable_ml.proving.ezkl.srs import UNSAFE

KEY_BYTES = 4_900
MEMORY_BYTES = 18_000
SETUP_SECONDS = 1.4e-4
PROVE_SECONDS = 2.2e-4
"""A row, of 2^logrows, with one lookup table and one range check."""


def estimate(circuit: Circuit, given: bool) -> Estimate:
    """From rows and columns. given: the user brings the reference string."""
    rows = 1 << circuit.logrows
    return Estimate(
        rows=circuit.rows,
        logrows=circuit.logrows,
        key_bytes=rows * KEY_BYTES,
        memory_bytes=60_000_000 + rows * MEMORY_BYTES,
        setup_seconds=round(0.3 + rows * SETUP_SECONDS, 1),
        prove_seconds=round(0.3 + rows * PROVE_SECONDS, 1),
        warning="" if given else UNSAFE,
    )
