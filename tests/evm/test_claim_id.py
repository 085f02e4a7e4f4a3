# SPDX-License-Identifier: MIT OR Apache-2.0
"""Solidity and Python agree on claim ids, roots and instances, for any layout: a stub accepts only Python's instances."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verifiable_ml import chain as chains
from verifiable_ml.chain import FIELD, Registration, TensorLayout, inputs_id
from verifiable_ml.chain.artifacts import CHECKOUT, Artifact
from verifiable_ml.chain.deployment import to_struct
from verifiable_ml.commitment import Claim, Dtype, InputCommitment, OutputBytes, Privacy, keccak

PROOF = bytes(range(64))
PROGRAM_IDS = (keccak(number.to_bytes(4)) for number in itertools.count())


@dataclass(frozen=True)
class Case:
    """A claim over random tensors. inputs: public bytes, or digests."""

    seed: int
    privacy: Privacy
    inputs: tuple[tuple[Dtype, int], ...]
    outputs: tuple[tuple[Dtype, int], ...]


LAYOUTS = st.lists(st.tuples(st.sampled_from(Dtype), st.integers(1, 600)), min_size=1, max_size=3).map(tuple)
CASES = st.builds(
    Case,
    seed=st.integers(1, 2**32),
    privacy=st.builds(Privacy, st.sampled_from(["public", "hashed", "private"]), st.sampled_from(["public", "hashed"])),
    inputs=LAYOUTS,
    outputs=LAYOUTS,
)


@pytest.fixture(scope="module")
def chain():
    made = chains.embedded()
    made.claim_verifier = made.deploy("ClaimVerifier")
    return made


@pytest.fixture(scope="module")
def stub(chain):
    out = json.loads((CHECKOUT.parent / "out" / "StubVerifier.sol" / "StubVerifier.json").read_text())
    return chain.deploy(Artifact.from_compiler("StubVerifier", out))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(case=CASES)
def test_claim_id_of_any_layout_agrees_with_python(chain, stub, case):
    program_id = next(PROGRAM_IDS)  # a pin is for ever, and Hypothesis comes back to a case
    claim, arguments, instances, weights = _random_claim(case, program_id)
    struct = to_struct(_registration(case, program_id, weights), stub.address)
    chain.claim_verifier.send("register", struct)
    stub.send("accept", PROOF, instances)
    outputs = tuple(output.data for output in claim.outputs)
    answer = chain.claim_verifier.call("verify", program_id, claim.privacy.code, arguments, outputs, PROOF)
    assert answer == (claim.id, inputs_id(claim))


def _registration(case: Case, program_id: bytes, weights: tuple[int, ...]) -> Registration:
    layouts = [tuple(TensorLayout(dtype, count) for dtype, count in part) for part in (case.inputs, case.outputs)]
    return Registration(
        program_id, case.privacy.code, (1,), *layouts, len(PROOF), weight_instances=weights, dedicated_source="a stub"
    )


def _random_claim(case: Case, program_id: bytes):
    random = np.random.default_rng(case.seed)
    inputs = [_tensor(random, *layout) for layout in case.inputs]
    outputs = [_tensor(random, *layout) for layout in case.outputs]
    weights = (int(random.integers(0, 2**62)),) if case.privacy.weights == "hashed" else ()
    digests = [int(random.integers(0, 2**62)) for _ in inputs]
    commitments, arguments = zip(
        *(_input(case.privacy, tensor, digest) for tensor, digest in zip(inputs, digests, strict=True)), strict=True
    )
    claim = Claim(
        program_id, commitments, tuple(OutputBytes(Dtype.of(tensor), tensor.tobytes()) for tensor in outputs), case.privacy
    )
    hashed = digests if case.privacy.input == "hashed" else []
    shown = inputs if case.privacy.input == "public" else []
    integers = [int(value) % FIELD for tensor in (*shown, *outputs) for value in tensor]
    return claim, arguments, [*hashed, *weights, *integers], weights


def _input(privacy: Privacy, tensor: np.ndarray, digest: int) -> tuple[InputCommitment, bytes]:
    if privacy.input == "public":
        return InputCommitment.public(Dtype.of(tensor), tensor.tobytes()), tensor.tobytes()
    if privacy.input == "hashed":
        return InputCommitment(1, digest.to_bytes(32, "big")), digest.to_bytes(32, "big")
    return InputCommitment(4, bytes(32)), b""


def _tensor(random: np.random.Generator, dtype: Dtype, count: int) -> np.ndarray:
    """Random elements, the two extremes among them."""
    tensor = random.integers(dtype.low, dtype.high, count, dtype.numpy, endpoint=True)
    tensor[0] = dtype.low if random.random() < 0.5 else dtype.high
    return tensor
