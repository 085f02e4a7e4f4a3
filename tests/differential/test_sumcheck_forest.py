# SPDX-License-Identifier: MIT OR Apache-2.0
"""A forest of the size that others publish: 128 trees of depth 9, 128 inputs in one proof, for both verifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from differential.record_sumcheck import CONTEXT, statement, words
from differential.step_chain import Refused
from differential.sumcheck_verifier import Recorded, verifier
from verifiable_ml.chain import embedded
from verifiable_ml.commitment import OutputBytes, Privacy, decode_tensor
from verifiable_ml.proving import batch_backend

if TYPE_CHECKING:
    from verifiable_ml.proving import BatchProof, Keys

pytest.importorskip("sklearn")
pytest.importorskip("skl2onnx")
native = pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed")


class Case(NamedTuple):
    keys: Keys
    proof: BatchProof
    recorded: Recorded


def integers(output: OutputBytes) -> list[int]:
    return decode_tensor(output.data, output.dtype, (len(output.data) // output.dtype.width,)).tolist()


@pytest.fixture(scope="module")
def case() -> Case:
    from verifiable_ml.bench.networks import NETWORKS

    (network,) = [each for each in NETWORKS if "forest" in each.name]
    program, inputs = network.compiled()
    assert len(inputs) == 128
    backend = batch_backend("sumcheck")
    keys = backend.setup(program, Privacy(), count=len(inputs))
    proof = backend.prove_batch(program, inputs, keys)
    plan, _, *intervals = native.plan(keys.verification.data, keys.verification.reference)
    given = [np.concatenate([x[each.name].ravel() for x in inputs]).tolist() for each in program.inputs]
    outputs = zip(*(claim.outputs for claim in proof.claims), strict=True)
    answers = [[value for output in each for value in integers(output)] for each in outputs]
    return Case(keys, proof, Recorded(plan, CONTEXT, statement(intervals, given, answers), words(proof.payload)))


def test_forest_is_proved_for_all_inputs_at_once(case):
    verdict = batch_backend("sumcheck").verify_batch(case.proof, case.proof.claims, case.keys.verification)
    assert verdict.accepted, verdict.reason
    assert len(case.proof.payload) <= 16_000
    assert len({claim.outputs[0].data for claim in case.proof.claims}) > 1, "a forest that always says the same shows little"


def test_forest_is_recorded_on_an_evm_claim_by_claim(case):
    receipt = embedded().verify_batch(case.proof, case.proof.claims, case.keys.verification)
    assert receipt.accepted, receipt.reason
    assert receipt.claim_ids == tuple(claim.id for claim in case.proof.claims)
    assert receipt.gas_used < 1 << 24  # of one transaction, since EIP-7825


def test_another_answer_to_one_of_the_inputs_is_refused(case):
    answer = case.recorded.statement[-1]
    forged = case.recorded.with_statement(len(case.recorded.statement) - 1, bytes([answer[0] ^ 1]) + answer[1:])
    assert verifier().verify(forged) == Refused("Rejected")
