# SPDX-License-Identifier: MIT OR Apache-2.0
"""Steps of whole programs, whose operands are other operators' outputs: paths in long traces, and the tree of descriptors."""

from __future__ import annotations

import numpy as np
import pytest

import verifiable_ml as vml
from differential.random_programs import image_program, random_inputs
from differential.step_cases import steps
from differential.step_chain import chain
from differential.test_steps_operators import assert_alike
from verifiable_ml.commitment import Opening, keccak, verify_opening
from verifiable_ml.commitment.merkle import MerkleTree
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace, run_reference
from verifiable_ml.program import OPERATORS, identity


def assert_every_operator_alike(trace: Trace, rng: np.random.Generator, elements: int) -> None:
    inputs = len(trace.program.inputs)
    for index in range(inputs, len(trace.tensors)):
        for element in rng.integers(0, trace.tensors[index].size, elements).tolist():
            for step in steps(trace, index, element):
                assert_alike(step)


def test_step_of_a_chain_of_operators_is_the_traces():
    rng = np.random.default_rng(21)
    for _ in range(15):
        program = image_program(rng)
        assert_every_operator_alike(run_reference(program, random_inputs(program, rng)), rng, elements=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-transformer", "credit-default", "lenet5-mnist"])
def test_step_of_a_model_of_the_zoo_is_the_traces(name):
    model = vml.zoo.model(name)
    program = vml.compile(model.path, calibration=model.calibration())
    _, trace = program.run(model.test()[0][0])
    assert_every_operator_alike(trace, np.random.default_rng(22), elements=10)


def test_witness_descriptor_lies_under_the_root_that_the_program_id_has():
    rng = np.random.default_rng(23)
    program = image_program(rng)
    witness = Witness(run_reference(program, random_inputs(program, rng)))
    inputs, hashes = len(program.inputs), [keccak(b"\x21" + identity.descriptor(program, each)) for each in program.operators]
    tree = MerkleTree(hashes)
    for index in range(inputs, inputs + len(hashes)):
        leaf = keccak(b"\x21" + witness.descriptor(index))
        assert verify_opening(tree.root, tree.depth, leaf, Opening(index - inputs, witness.descriptor_path(index)))


def test_form_of_a_descriptor_is_alike():
    rng = np.random.default_rng(24)
    program = image_program(rng)
    witness = Witness(run_reference(program, random_inputs(program, rng)))
    for index in range(len(program.inputs), len(witness.trace.tensors)):
        d = witness.parsed(index)
        assert chain().form(witness.descriptor(index)) == (OPERATORS[d.kind].CODE, d.dtype, d.nbytes, d.terms, d.tau)
        assert (d.shape, d.dtype.numpy) == (witness.trace.tensors[index].shape, witness.trace.tensors[index].dtype)
