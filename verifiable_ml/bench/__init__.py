# SPDX-License-Identifier: MIT OR Apache-2.0
"""bench: what `vml bench` measures, one file a subject.

In: the zoo, or seeded models. Out: a Table each. Everything is measured here and now; nothing is read from an earlier run.
"""

from __future__ import annotations

from collections.abc import Callable

from verifiable_ml.bench.accuracy import accuracy
from verifiable_ml.bench.classical import classical
from verifiable_ml.bench.dispute import dispute
from verifiable_ml.bench.execute import batch, latency, recording
from verifiable_ml.bench.fidelity import fidelity
from verifiable_ml.bench.float_flow import float_flow
from verifiable_ml.bench.gas import gas_by_operator, gas_by_part
from verifiable_ml.bench.generated import gas_generated
from verifiable_ml.bench.native import native, scaling
from verifiable_ml.bench.onchain import onchain
from verifiable_ml.bench.operators import operators
from verifiable_ml.bench.proving import proving
from verifiable_ml.bench.sybils import sybils
from verifiable_ml.bench.table import Table, page
from verifiable_ml.proving.base import Progress

Measure = Callable[[Progress], Table]
TABLES: dict[str, Measure] = {
    "accuracy": accuracy,
    "prove": proving,
    "float-flow": float_flow,
    "native": native,
    "scaling": scaling,
    "gas": gas_by_operator,
    "gas-parts": gas_by_part,
    "gas-generated": gas_generated,
    "recording": recording,
    "latency": latency,
    "batch": batch,
    "fidelity": fidelity,
    "classical": classical,
    "operators": operators,
    "sybils": sybils,
    "dispute": dispute,
    "onchain": onchain,
}
"""Name on the command line: what measures it."""

__all__ = ["TABLES", "Measure", "Table", "page"]
