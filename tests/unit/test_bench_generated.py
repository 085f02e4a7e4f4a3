# SPDX-License-Identifier: MIT OR Apache-2.0
"""A verifier that is written for one program accepts and refuses what the one for all programs does, and for the same reason."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from verifiable_ml import api
from verifiable_ml.bench import generated
from verifiable_ml.bench.gas import drawn
from verifiable_ml.bench.generated import Deployed, generic_verifier, proved
from verifiable_ml.bench.generator import contract
from verifiable_ml.bench.generator.code import P
from verifiable_ml.bench.operators import CASES, program_of
from verifiable_ml.chain import Reverted, embedded
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import BackendUnavailable, UnsupportedModel
from verifiable_ml.execute import encode_inputs
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

SAMPLE, FEW = 60, 6
"""Words of a proof that are changed, one at a time."""
Words = tuple[int, ...]


@dataclass(frozen=True)
class World:
    """digits-mlp proved once, both verifiers on a chain."""

    statement: Words
    proof: Words
    generic: Deployed
    generated: Deployed

    def verdicts(self, statement: Words, proof: Words, context: bytes = bytes(32)) -> tuple[bytes | None, bytes | None]:
        return tuple(_verdict(each, statement, proof, context) for each in (self.generic, self.generated))


def _verdict(deployed: Deployed, statement: Words, proof: Words, context: bytes) -> bytes | None:
    """None, or the error with which a call was refused."""
    try:
        deployed.verifier.call("verify", *deployed.before, context, statement, proof)
    except Reverted as refused:
        return refused.data
    return None


def _world(program: Program, inputs: dict[str, IntArray], parts: bool = False) -> World:
    registration, statement, proof = proved(program, inputs)
    chain = embedded()
    with pytest.MonkeyPatch.context() as patch:
        if parts:
            patch.setattr(contract, "ROOM", 0)
            patch.setattr(contract, "PART", 3000)
        return World(statement, proof, generic_verifier(chain, registration), generated.generated_verifier(chain, registration))


@pytest.fixture(scope="module", params=[False, True], ids=["one contract", "several"])
def world(request) -> World:
    model = zoo.model("digits-mlp")
    program = api.compile(model.path, model.calibration())
    return _world(program, dict(encode_inputs(program, model.test(1)[0][0], saturate=True)), request.param)


def _changed(words: Words, place: int, value: int) -> Words:
    return (*words[:place], value, *words[place + 1 :])


def test_generated_verifier_accepts_the_proof_that_the_generic_one_accepts(world, request):
    assert world.verdicts(world.statement, world.proof) == (None, None)
    assert (len(world.generated.sizes) > 1) == ("several" in request.node.name)
    assert max(world.generated.sizes) <= 24_576


def test_generated_verifier_refuses_changed_words_for_the_reason_of_the_generic_one(world):
    assert len(_refused(world, SAMPLE)) > 2


def _refused(world: World, sample: int) -> set[bytes]:
    """The errors with which both refuse a proof of which one word is changed, each of so many in turn."""
    places = {place * (len(world.proof) - 1) // (sample - 1) for place in range(sample)}
    assert len(places) == sample
    reasons = set[bytes]()
    for place in places:
        generic, own = world.verdicts(world.statement, _changed(world.proof, place, world.proof[place] ^ 1))
        assert generic is not None and own == generic, place
        reasons.add(generic[:4])
    return reasons


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}, {case.way}")
def test_generated_verifier_of_each_operator_agrees_with_the_generic_one(case):
    program = program_of(case)
    try:
        world = _world(program, drawn(program))
    except UnsupportedModel:
        pytest.skip("this prover refuses it")
    assert world.verdicts(world.statement, world.proof) == (None, None)
    assert _refused(world, FEW)


def test_generated_verifier_refuses_what_is_not_the_statement(world):
    for place in range(len(world.statement)):
        generic, generated = world.verdicts(_changed(world.statement, place, world.statement[place] ^ 1 << 255), world.proof)
        assert generic is not None and generated == generic, place
    for arguments in (
        (world.statement, world.proof, b"\1" + bytes(31)),
        (world.statement, world.proof[:-1]),
        (world.statement, (*world.proof, 0)),
        (world.statement[:-1], world.proof),
        (world.statement, _changed(world.proof, 100, world.proof[100] + P)),
    ):
        generic, generated = world.verdicts(*arguments)
        assert generic is not None and generated == generic


def test_generated_verifier_outside_of_a_checkout_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(generated, "CHECKOUT", tmp_path)
    with pytest.raises(BackendUnavailable, match="make npm"):
        generated._sources()
