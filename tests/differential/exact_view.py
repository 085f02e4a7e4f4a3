# SPDX-License-Identifier: MIT OR Apache-2.0
"""The graph of an ezkl view in exact integers, with each division rounded as a prover likes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

CHOICES = {
    "down": lambda quotient: np.floor(quotient),
    "up": lambda quotient: np.ceil(quotient),
    "at_will": lambda quotient: np.where(
        np.random.default_rng(7).random(quotient.shape) < 0.5, np.floor(quotient), np.ceil(quotient)
    ),
}


class Sigmoid(OpRun):
    """ezkl's table at scale 0: a step."""

    def _run(self, x):
        return ((x >= 0).astype(np.float64),)


def prover(model: onnx.ModelProto, choice: str) -> ReferenceEvaluator:
    """The graph in exact integers (float64), each division rounded as the prover likes."""

    class Div(OpRun):
        def _run(self, u, n):
            return (CHOICES[choice](u / n),)

    exact = onnx.ModelProto()
    exact.CopyFrom(model)
    for place, constant in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32:
            exact.graph.initializer[place].CopyFrom(numpy_helper.from_array(values.astype(np.float64), constant.name))
    return ReferenceEvaluator(exact, new_ops=[Div, Sigmoid])
