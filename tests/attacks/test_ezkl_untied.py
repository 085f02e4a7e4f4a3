# SPDX-License-Identifier: MIT OR Apache-2.0
"""Values that ezkl computes, and then uses without a constraint that it is the same value: whoever proves may use another.

Two such holes were found in 23.0.5, by reading the permutation in a proving key: the outputs of products that it checks by
Freivalds' argument, and hashed or committed weights that one operator alone uses. The attacks need nothing but ezkl itself:
a circuit of the liar's, of the same layout, that reads such values in another order, under the honest proving key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pytest
from onnx import helper, numpy_helper

from attacks import permutation
from verifiable_ml.chain import FIELD
from verifiable_ml.commitment import Claim, OutputBytes, Privacy
from verifiable_ml.errors import WorkerFailed
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Requantise, Tokens
from verifiable_ml.proving import Proof
from verifiable_ml.proving.ezkl import cache, circuit, srs, tie
from verifiable_ml.proving.ezkl import view as views
from verifiable_ml.proving.ezkl.evidence import felt
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.prove import circuit_inputs

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


@dataclass(frozen=True)
class Lie:
    """What the liar's circuit gives, and its proof."""

    payload: bytes
    outputs: list[list[int]]

    def outputs_as(self, claim: Claim) -> tuple[OutputBytes, ...]:
        """In the claim's types."""
        pairs = zip(claim.outputs, self.outputs, strict=True)
        return tuple(OutputBytes(honest.dtype, np.array(told, honest.dtype.numpy).tobytes()) for honest, told in pairs)


def proven(ezkl, keys, liar, arguments, inputs) -> Lie:
    """A proof by the liar's circuit under the honest proving key. Raises WorkerFailed where ezkl makes none."""
    with cache.workspace() as folder:
        worker = Worker(folder)
        (folder / "model").write_bytes(liar.SerializeToString())
        worker.run("settings", arguments=arguments)
        (outputs,) = worker.run("witnesses", inputs=[inputs])
        reference = srs.reference(keys.verification.logrows, None, worker)
        answer = worker.run("prove", circuit="circuit", pk=str(keys.proving / "pk"), srs=str(reference.path))
    values = [[(felt(text) + FIELD // 2) % FIELD - FIELD // 2 for text in each] for each in outputs]
    return Lie(bytes.fromhex(answer["proof"]), values)


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
        made = proven(ezkl, keys, liar, arguments, [[1, 2, 3, 4, 5, 6]])
    except WorkerFailed:
        return None
    told = replace(proof.claim, outputs=made.outputs_as(proof.claim))
    assert made.outputs[0] == run_reference(program, INPUT).outputs[0][::-1].ravel().tolist()
    return ezkl.verify(Proof("ezkl", told, made.payload, proof.public_inputs), told, keys.verification)


def test_products_used_in_another_order_than_computed_are_rejected(ezkl, monkeypatch):
    verdict = rows_swapped(ezkl, careless=False, monkeypatch=monkeypatch)
    assert verdict is None or "does not hold" in verdict.reason


def test_products_checked_by_freivalds_would_be_any_output_the_liar_likes(ezkl, monkeypatch):
    assert rows_swapped(ezkl, careless=True, monkeypatch=monkeypatch).accepted


def _weighted(weights):
    """Two products of two inputs, by square weights."""
    builder = Builder()
    x = builder.input("x", (1, 2), Interval(0, 63), Tokens())
    builder.output("y", builder.apply("matmul", x, builder.constant(weights), x_zero=0, w_zero=0), Tokens())
    return builder.build()


def _transposed(model):
    """The liar's model: the very weights of the honest one, but their rows taken for columns."""
    liar = type(model)()
    liar.CopyFrom(model)
    (product,) = (node for node in liar.graph.node if node.op_type == "MatMul")
    product.op_type = "Einsum"
    product.attribute.append(helper.make_attribute("equation", "mk,nk->mn"))
    return liar


def other_weights(ezkl, privacy, monkeypatch, careless: bool):
    """The verdict on the outputs of the transposed weights, proven under the key that pins a commitment to the honest ones."""
    if careless:
        monkeypatch.setattr(views, "tie", lambda model: tie.Tied(model, 4))
    program, inputs = _weighted(np.array([[1, 2], [-3, 4]])), {"x": np.array([[5, 7]])}
    keys = ezkl.setup(program, privacy)
    proof = ezkl.prove(program, inputs, keys)
    view = views.build(program, privacy)
    arguments = circuit.run_arguments(view, privacy, keys.verification.logrows, circuit.LEAST_BITS)
    try:
        made = proven(ezkl, keys, _transposed(view.model), arguments, [[5, 7]])
    except WorkerFailed:
        return None
    (lie,) = run_reference(_weighted(np.array([[1, -3], [2, 4]])), inputs).outputs
    told = replace(proof.claim, outputs=made.outputs_as(proof.claim))
    assert made.outputs == [lie.ravel().tolist()]
    assert told != proof.claim
    return ezkl.verify(Proof("ezkl", told, made.payload, proof.public_inputs), told, keys.verification)


@pytest.mark.parametrize("weights", ["hashed", "committed"])
def test_other_weights_than_those_committed_to_are_rejected(ezkl, monkeypatch, weights):
    verdict = other_weights(ezkl, Privacy("public", weights), monkeypatch, careless=False)
    assert verdict is None or "does not hold" in verdict.reason


@pytest.mark.parametrize("weights", ["hashed", "committed"])
def test_weights_with_one_use_would_be_any_weights_the_liar_likes(ezkl, monkeypatch, weights):
    assert other_weights(ezkl, Privacy("public", weights), monkeypatch, careless=True).accepted


def _every_kind_of_weight():
    """Weights of every kind of operator that reads constants."""
    builder = Builder()
    x = builder.input("x", (1, 2, 2, 2), Interval(0, 3), Tokens())
    attributes = {"x_zero": 0, "w_zero": 0, "strides": (1, 1), "pads": (1, 0, 0, 0), "dilations": (1, 1), "groups": 2}
    form = Requantise(np.array([3, 5]), np.array([9, 17]), 3, 0, 7)
    y = builder.apply("conv", x, builder.constant(np.arange(4).reshape(2, 2, 1, 1)), requantise=form, **attributes)
    flat = builder.apply("rearrange", y, shape=(1, 4), view=(8,), permutation=(0,), maps=((4, 0, 1, 1),))
    z = builder.apply("matmul", flat, builder.constant([[1, 2, 3, 4], [5, -6, 7, 8]]), requantise=form, x_zero=1, w_zero=0)
    known = builder.constant([[6, 7]])
    for operand in (
        builder.apply("add", z, known, coefficients=((2, 3), (1,))),
        builder.apply("mul", z, known, x_zero=1, y_zero=2),
        builder.apply("compare", z, known),
        builder.apply("lookup", z, builder.constant(np.arange(8) ** 2 + 40), base=0),
        builder.apply("gather", builder.constant(np.arange(90, 98)), z),
    ):
        builder.output(f"y{operand.index}", operand, Tokens())
    return builder.build()


def test_every_committed_weight_is_the_one_that_is_used(ezkl):
    """In the proving key: no cell of the committed column, which is the first, stands for itself alone."""
    program, privacy = _every_kind_of_weight(), Privacy("private", "committed")
    keys = ezkl.setup(program, privacy)
    tied = permutation.classes(keys.proving / "pk", keys.verification.logrows)
    weights = views.build(program, privacy).weights
    assert weights > 30
    assert [row for row in range(weights) if (0, row) not in tied] == []
    assert (0, weights) not in tied


INPUT_OF_CONV = {"x": np.array([[[[1, 7], [0, 2]], [[5, 3], [4, 6]]]])}


def _conv_and_max():
    """A hashed input, windows, a maximum of open sums: every operator of a view that holds more than one value."""
    builder = Builder()
    x = builder.input("x", (1, 2, 2, 2), Interval(0, 7), Tokens())
    attributes = {"x_zero": 0, "w_zero": 0, "strides": (1, 1), "pads": (1, 0, 0, 0), "dilations": (1, 1), "groups": 2}
    form = Requantise(np.array([3, 5]), np.array([9, -17]), 3, 0, 7)
    y = builder.apply("conv", x, builder.constant(np.arange(1, 5).reshape(2, 2, 1, 1)), requantise=form, **attributes)
    z = builder.apply("max", y, kernel=(2, 1), strides=(1, 1), pads=(0,) * 4, dilations=(1, 1))
    builder.output("z", z, Tokens())
    return builder.build()


def _turned_round(model, name):
    """The liar's model: whatever reads the tensor of that name reads its values in the other order."""
    liar, size = type(model)(), prod(tie._shapes(model)[name])
    liar.CopyFrom(model)
    graph = liar.graph
    place = [node.output[0] for node in graph.node].index(name) + 1
    for node in graph.node[place:]:
        for at, read in enumerate(node.input):
            node.input[at] = "round" if read == name else read
    constants = {"size": [size], "order": range(size)[::-1], "shape": tie._shapes(model)[name]}
    graph.initializer.extend(numpy_helper.from_array(np.array(list(v), np.int64), f"round_{n}") for n, v in constants.items())
    graph.node.insert(place, helper.make_node("Reshape", [name, "round_size"], ["round_flat"]))
    graph.node.insert(place + 1, helper.make_node("Gather", ["round_flat", "round_order"], ["round_turned"], axis=0))
    graph.node.insert(place + 2, helper.make_node("Reshape", ["round_turned", "round_shape"], ["round"]))
    return liar


@pytest.mark.parametrize("kind", ["Slice", "Mul", "Sub", "Concat", "Gather", "MatMul", "Abs", "Add"])
def test_values_used_in_another_order_than_computed_are_rejected(ezkl, kind):
    """Behind one operator of each kind, under the honest proving key."""
    program, privacy = _conv_and_max(), Privacy("hashed")
    keys = ezkl.setup(program, privacy)
    proof = ezkl.prove(program, INPUT_OF_CONV, keys)
    view = views.build(program, privacy)
    shapes = tie._shapes(view.model)
    names = [node.output[0] for node in view.model.graph.node if node.op_type == kind and prod(shapes[node.output[0]]) > 1]
    arguments = circuit.run_arguments(view, privacy, keys.verification.logrows, circuit._reach(program, view, privacy))
    rows = circuit_inputs(program, INPUT_OF_CONV, proof.salts)
    liar = _turned_round(view.model, names[-2 if kind == "Add" else 0])
    if kind in ("Mul", "Sub"):  # those that hold the input to its interval: what they move has to be nothing, and has no row else
        with pytest.raises(WorkerFailed, match="panicked"):
            proven(ezkl, keys, liar, arguments, rows)
        return
    made = proven(ezkl, keys, liar, arguments, rows)
    told = replace(proof.claim, outputs=made.outputs_as(proof.claim))
    assert told != proof.claim
    verdict = ezkl.verify(Proof("ezkl", told, made.payload), told, keys.verification)
    assert "does not hold" in verdict.reason
