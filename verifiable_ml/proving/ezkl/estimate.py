# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a proof takes, from the layout of its circuit: fitted to runs on two cores, right within a factor of two.

The proving key holds about 4.9 kB a row of 2^logrows for two main columns and the tables (measured, five models, 2^12 to 2^18),
and 1.45 kB more with a third; the columns of a hash add theirs. Memory and time follow the key.
"""

from __future__ import annotations

from verifiable_ml.proving.base import Estimate
from verifiable_ml.proving.ezkl.circuit import Circuit
from verifiable_ml.proving.ezkl.srs import UNSAFE

TABLES, COLUMN, HASH = 2_000, 1_450, 6_400
"""Bytes of proving key a row: always; for each main column; with a hash."""
MEMORY = 2.15
"""Bytes in use a byte of key, at the peak of a proof."""
SECONDS = 2.1e-8
"""A byte of key: set-up and proof take about the same."""


def estimate(circuit: Circuit, given: bool) -> Estimate:
    """From rows and columns. given: the user brings the reference string."""
    settings = circuit.settings
    hashes = bool(settings["module_sizes"]["poseidon"][0])
    key = (TABLES + COLUMN * circuit.columns + HASH * hashes) << circuit.logrows
    return Estimate(
        rows=circuit.rows,
        logrows=circuit.logrows,
        key_bytes=key,
        memory_bytes=60_000_000 + int(key * MEMORY),
        setup_seconds=round(0.3 + key * SECONDS, 1),
        prove_seconds=round(0.4 + key * SECONDS, 1),
        warning="" if given else UNSAFE,
    )
