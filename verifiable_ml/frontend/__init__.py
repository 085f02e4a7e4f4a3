# SPDX-License-Identifier: MIT OR Apache-2.0
"""frontend: an ONNX model becomes a prepared one.

In: a path, bytes, a ModelProto or a torch module, and samples that fix its shapes. Out: Prepared, the same function in few,
plain operators (operators.py), every rewrite checked against onnxruntime. Knows no integers, no proof, no chain.
"""

from verifiable_ml.frontend.fixed_inputs import without_fixed
from verifiable_ml.frontend.graph import Rewrite
from verifiable_ml.frontend.lint import lint
from verifiable_ml.frontend.load import Prepared, Problem, load, more_samples

__all__ = ["Prepared", "Problem", "Rewrite", "lint", "load", "more_samples", "without_fixed"]
