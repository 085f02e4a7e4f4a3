# SPDX-License-Identifier: MIT OR Apache-2.0
"""sumcheck: our own prover, in Rust (circuits/sumcheck), as a backend. Everything is public; not hiding. docs/sumcheck.md."""

from verifiable_ml.proving.sumcheck.backend import SumcheckBackend
from verifiable_ml.proving.sumcheck.key import SumcheckKey

__all__ = ["SumcheckBackend", "SumcheckKey"]
