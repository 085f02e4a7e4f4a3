# SPDX-License-Identifier: MIT OR Apache-2.0
"""verifiable_ml: one quantised integer program, one claim about it, several independent ways to make that claim final.

program = vml.compile("model.onnx", calibration=samples)
claim, trace = program.run(x)
keys = vml.setup(program)
proof = vml.prove(program, x, keys)
verdict = vml.verify(proof, claim, keys.verification)
"""

from verifiable_ml import chain
from verifiable_ml.api import Program, compile, estimate, load, prove, prove_batch, setup, verify, verify_batch
from verifiable_ml.commitment import Claim, Privacy
from verifiable_ml.frontend import zoo
from verifiable_ml.proving import BatchProof, Proof, Verdict
from verifiable_ml.quantize import QuantSpec

__version__ = "0.1.0"
__all__ = [
    "BatchProof",
    "Claim",
    "Privacy",
    "Program",
    "Proof",
    "QuantSpec",
    "Verdict",
    "chain",
    "compile",
    "estimate",
    "load",
    "prove",
    "prove_batch",
    "setup",
    "verify",
    "verify_batch",
    "zoo",
]
