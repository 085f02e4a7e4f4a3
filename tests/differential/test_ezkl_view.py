# SPDX-License-Identifier: MIT OR Apache-2.0
"""ezkl's witness against NumPy, on every output of every operator, and whole proofs of the zoo."""

from __future__ import annotations

import numpy as np
import pytest

from verifiable_ml import api
from verifiable_ml.chain import FIELD
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import UnsupportedOperator
from verifiable_ml.execute import encode_inputs, run_reference
from verifiable_ml.frontend import zoo
from verifiable_ml.proving.ezkl import cache, circuit
from verifiable_ml.proving.ezkl.evidence import felt_text
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.view import build, view_inputs

SMALL, LARGE, REFUSED = ("digits-mlp", "digits-cnn", "credit-default"), ("lenet5-mnist",), ("digits-transformer",)


def compiled(name):
    entry = zoo.model(name)
    return entry, api.compile(entry.path, entry.calibration())


def test_models_of_the_zoo_are_all_sorted():
    assert {*SMALL, *LARGE, *REFUSED} == set(zoo.names())


def witness_agrees(name: str, samples: int, every_output: bool) -> None:
    """Compile the view once, run it on `samples` test inputs, and compare each output with the trace."""
    entry, program = compiled(name)
    view = build(program, every_output=every_output)
    with cache.workspace() as folder:
        worker = Worker(folder)
        designed = circuit.design(program, Privacy(), worker)
        (folder / "model").write_bytes(view.model.SerializeToString())
        worker.run("settings", arguments=designed.arguments)
        inputs = [encode_inputs(program, sample, saturate=True) for sample in entry.test(samples)[0]]
        answers = worker.run("witnesses", inputs=[view_inputs(program, given) for given in inputs])
    assert len(answers) == samples
    for given, outputs in zip(inputs, answers, strict=True):
        trace = run_reference(program, given)
        for index, felts in zip(view.outputs, outputs, strict=True):
            expected = [felt_text(int(value) % FIELD) for value in np.ravel(trace.tensors[index])]
            assert felts == expected, f"trace index {index}"


@pytest.mark.parametrize("name", SMALL)
def test_witness_of_every_operator_equals_numpy(ezkl, name):
    witness_agrees(name, 20, every_output=True)


@pytest.mark.parametrize("name", SMALL)
def test_witness_of_the_proven_circuit_equals_numpy(ezkl, name):
    witness_agrees(name, 20, every_output=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("every_output", [False, True])
def test_witness_of_ezkl_on_a_large_model_equals_numpy(ezkl, name, every_output):
    witness_agrees(name, 20, every_output)


@pytest.mark.parametrize("name", SMALL)
def test_model_of_the_zoo_is_proven(ezkl, name):
    entry, program = compiled(name)
    keys = api.setup(program, "ezkl")
    sample = entry.test(3)[0][2]
    proof = api.prove(program, sample, keys, saturate=True)
    assert proof.claim == program.run(sample, saturate=True)[0]
    assert api.verify(proof, proof.claim, keys.verification).accepted
    assert len(proof.payload) <= 7_000


@pytest.mark.slow
@pytest.mark.timeout(1800)  # its reference string alone takes minutes on a busy machine
@pytest.mark.parametrize("hide", [(), ("input",)], ids=str)
def test_large_model_is_proven_by_ezkl_within_its_limits(ezkl, hide):
    entry, program = compiled("lenet5-mnist")
    peak = 4 << 30 if not hide else 8 << 30
    backend = type(ezkl)(srs=None, memory_limit=peak)
    keys = backend.setup(program, api.privacy(hide))
    proof = backend.prove(program, encode_inputs(program, entry.test(1)[0][0], saturate=True), keys)
    assert backend.verify(proof, proof.claim, keys.verification).accepted
    assert len(proof.payload) <= 7_000


@pytest.mark.parametrize("name", REFUSED)
def test_model_that_ezkl_cannot_prove_exactly_is_refused_by_name(ezkl, name):
    _, program = compiled(name)
    with pytest.raises(UnsupportedOperator, match="operator `"):
        api.setup(program, "ezkl")
