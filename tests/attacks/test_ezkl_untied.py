# SPDX-License-Identifier: MIT OR Apache-2.0
"""Values that ezkl computes, and then uses without a constraint that it is the same value: whoever proves may use another.

Two such holes were found in 23.0.5, by reading the permutation in a proving key: the outputs of products that it checks by
Freivalds' argument, and hashed or committed weights that one operator alone uses. The attacks need nothing but ezkl itself:
a circuit of the liar's, of the same layout, that reads such values in another order, under the honest proving key.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import helper, numpy_helper

from verifiable_ml.commitment import OutputBytes, Privacy, encode_tensor
from verifiable_ml.errors import WorkerFailed
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Tokens
from verifiable_ml.proving import Proof
from verifiable_ml.proving.ezkl import cache, circuit, srs
from verifiable_ml.proving.ezkl import view as views
from verifiable_ml.proving.ezkl.process import Worker

INPUT = {"x": np.array([[1, 2, 3], [4, 5, 6]])}


def rows_of_products():
    """Two rows of two products each: what ezkl would check by Freivalds' argument."""
    builder = Builder()
    x = builder.input("x", (2, 3), Interval(0, 63), Tokens())
    w = builder.constant(np.array([[1, -2, 3], [4, 5, -6]]))
    builder.output("y", builder.apply("matmul", x, w, label="product", x_zero=0, w_zero=0), Tokens())
    return builder.build()


def reordered(model, order):
    """The liar's model: the honest one, and behind its output a Gather of rows, which costs no cell."""
    liar = type(model)()
    liar.CopyFrom(model)
    liar.graph.node.append(helper.make_node("Gather", [model.graph.output[0].name, "order"], ["told"], axis=0))
    liar.graph.initializer.append(numpy_helper.from_array(np.array(order, dtype=np.int64), "order"))
    liar.graph.output[0].name = "told"
    return liar


def proven(ezkl, keys, liar, arguments, inputs) -> bytes:
    """A proof by the liar's circuit under the honest proving key. Raises WorkerFailed where ezkl makes none."""
    with cache.workspace() as folder:
        worker = Worker(folder)
        (folder / "model").write_bytes(liar.SerializeToString())
        worker.run("settings", arguments=arguments)
        worker.run("witnesses", inputs=[inputs])
        reference = srs.reference(keys.verification.logrows, None, worker)
        answer = worker.run("prove", circuit="circuit", pk=str(keys.proving / "pk"), srs=str(reference.path))
    return bytes.fromhex(answer["proof"])


def rows_swapped(ezkl, careless: bool, monkeypatch):
    """The verdict on the claim that the rows of the output come in the other order."""
    if careless:
        honest = circuit.run_arguments
        monkeypatch.setattr(circuit, "run_arguments", lambda *a: {**honest(*a), "disable_freivalds": False})
    program = rows_of_products()
    keys = ezkl.setup(program, Privacy())
    proof = ezkl.prove(program, INPUT, keys)
    assert ezkl.verify(proof, proof.claim, keys.verification).accepted
    view = views.build(program)
    liar = reordered(view.model, [1, 0])
    arguments = circuit.run_arguments(view, Privacy(), keys.verification.logrows, circuit.LEAST_BITS)
    try:
        payload = proven(ezkl, keys, liar, arguments, [[1, 2, 3, 4, 5, 6]])
    except WorkerFailed:
        return None
    lie = run_reference(program, INPUT).outputs[0][::-1]
    told = replace(proof.claim, outputs=(OutputBytes(proof.claim.outputs[0].dtype, encode_tensor(np.ascontiguousarray(lie))),))
    return ezkl.verify(Proof("ezkl", told, payload, proof.public_inputs), told, keys.verification)


def test_products_used_in_another_order_than_computed_are_rejected(ezkl, monkeypatch):
    verdict = rows_swapped(ezkl, careless=False, monkeypatch=monkeypatch)
    assert verdict is None or "does not hold" in verdict.reason


def test_products_checked_by_freivalds_would_be_any_output_the_liar_likes(ezkl, monkeypatch):
    assert rows_swapped(ezkl, careless=True, monkeypatch=monkeypatch).accepted
