# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a proof takes, from the layout of its circuit: fitted to runs on two cores, right within a factor of two.

The proving key holds about 4.9 kB a row of 2^logrows for the main columns and tables (measured, five models, 2^12 to 2^17);
the columns of a hash add theirs. Memory and time follow the key.
"""

from __future__ import annotations

from verifiable_ml.proving.base import Estimate
from verifiable_ml.proving.ezkl.circuit import Circuit
from verifiable_ml.proving.ezkl.srs import UNSAFE

MAIN, HASH = 4_900, 6_400
"""Bytes of proving key a row: always; with a hash."""
MEMORY = 2.15
"""Bytes in use a byte of key, at the peak of a proof."""
SECONDS = 2.1e-8
"""A byte of key: set-up and proof take about the same."""


def estimate(circuit: Circuit, given: bool) -> Estimate:
    """From rows and columns. given: the user brings the reference string."""
    settings = circuit.settings
    hashes = bool(settings["module_sizes"]["poseidon"][0])
    key = (MAIN + HASH * hashes) << circuit.logrows
    return Estimate(
        rows=circuit.rows,
        logrows=circuit.logrows,
        key_bytes=key,
        memory_bytes=60_000_000 + int(key * MEMORY),
        setup_seconds=round(0.3 + key * SECONDS, 1),
        prove_seconds=round(0.4 + key * SECONDS, 1),
        warning="" if given else UNSAFE,
    )
