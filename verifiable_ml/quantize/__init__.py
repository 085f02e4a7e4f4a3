# SPDX-License-Identifier: MIT OR Apache-2.0
"""quantize: a prepared ONNX model and samples become a Program and a fidelity report.

In: Prepared (frontend/). Out: Program (program/) with proven bounds, and what it loses against the float model. Knows no
proof, no chain.
"""

from verifiable_ml.quantize.compiler import THRESHOLD, Compiled, quantise
from verifiable_ml.quantize.fidelity import FidelityReport, LayerFidelity, OutputFidelity
from verifiable_ml.quantize.spec import QuantSpec

__all__ = ["THRESHOLD", "Compiled", "FidelityReport", "LayerFidelity", "OutputFidelity", "QuantSpec", "quantise"]
