# SPDX-License-Identifier: MIT OR Apache-2.0
"""ezkl constrains a division only by |u - d * n| < n, so a prover may round it down or up, element by element.

Here a prover does so at will, in the very graph that becomes the circuit: the outputs stay those of the reference. A graph
that takes the quotient as it comes is shown to be loose.
"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from differential.exact_view import CHOICES, prover
from verifiable_ml import api
from verifiable_ml.execute import encode_inputs, run_reference
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Interval
from verifiable_ml.proving.ezkl.graph import Graph
from verifiable_ml.proving.ezkl.requantise import floor_shift
from verifiable_ml.proving.ezkl.view import build, view_inputs


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("shift", [1, 2, 5, 8])
def test_floor_shift_is_exact_for_every_residue_whatever_the_prover_chooses(choice, shift):
    t, graph = np.arange(-3 << shift, 3 << shift), Graph()
    u = graph.op("Identity", "u")
    model = graph.model({"u": t.shape}, [(floor_shift(graph, u, shift, Interval(-64, 64)), t.shape)])
    (found,) = prover(model, choice).run(None, {"u": (-t - 1).astype(np.float64)})
    assert (found == t >> shift).all()


def test_a_quotient_taken_as_it_comes_is_loose():
    """The attack that the view has to withstand: without the step, the liar's output is another one, off by one."""
    t = np.arange(-64, 64).astype(np.float64)
    nodes = [helper.make_node("Div", ["t", "n"], ["y"])]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, t.shape) for name in "ty"]
    graph = helper.make_graph(nodes, "loose", ends[:1], ends[1:], [numpy_helper.from_array(np.array(8.0), "n")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    down, up = (prover(model, choice).run(None, {"t": t})[0] for choice in ("down", "up"))
    assert (up - down).max() == 1
    assert (np.abs(t - down * 8) < 8).all()
    assert (np.abs(t - up * 8) < 8).all()


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "credit-default"])
def test_model_of_the_zoo_gives_its_outputs_whatever_the_prover_chooses(name, choice):
    entry = zoo.model(name)
    program = api.compile(entry.path, entry.calibration())
    liar = prover(build(program).model, choice)
    for sample in entry.test(5)[0]:
        given = encode_inputs(program, sample, saturate=True)
        rows = view_inputs(program, given)
        found = liar.run(None, {f"x{place}": np.array([row], np.float64) for place, row in enumerate(rows)})
        for output, expected in zip(found, run_reference(program, given).outputs, strict=True):
            assert (output == expected).all()
