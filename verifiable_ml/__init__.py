# SPDX-License-Identifier: MIT OR Apache-2.0
"""verifiable_ml: one quantised integer program, one claim about it, several independent ways to make that claim final.

program = vml.compile("model.onnx", calibration=samples)
claim, trace = program.run(x)
"""

from verifiable_ml.api import Program, compile, load
from verifiable_ml.commitment import Claim, Privacy
from verifiable_ml.quantize import QuantSpec

__version__ = "0.1.0"
__all__ = ["Claim", "Privacy", "Program", "QuantSpec", "compile", "load"]
