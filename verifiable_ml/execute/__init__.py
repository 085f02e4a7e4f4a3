# SPDX-License-Identifier: MIT OR Apache-2.0
"""execute: a Program and one input become a Trace.

In: Program (program/), input tensors. Out: every operator's output and their Merkle root. Knows no proof, no game, no
chain. `reference` is the meaning; `onnxruntime` is the fast twin, bit for bit the same; `run` takes the one that is fit,
and `batch` the same for many inputs at once.
"""

from verifiable_ml.execute.batch import Batch, encode_batch
from verifiable_ml.execute.onnxruntime import OnnxView
from verifiable_ml.execute.reference import run_reference
from verifiable_ml.execute.run import predictor, recorder
from verifiable_ml.execute.trace import Trace, check_inputs, decode_outputs, encode_inputs, public_claim

__all__ = [
    "Batch",
    "OnnxView",
    "Trace",
    "check_inputs",
    "decode_outputs",
    "encode_batch",
    "encode_inputs",
    "predictor",
    "public_claim",
    "recorder",
    "run_reference",
]
