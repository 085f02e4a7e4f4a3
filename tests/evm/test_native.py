# SPDX-License-Identifier: MIT OR Apache-2.0
"""Native proofs on chain: proved here, accepted there, told by the Settlement; and no field of the evidence can be varied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import verifiable_ml as vml
from verifiable_ml.chain import Chain, Contract, Reverted, evidence_arguments
from verifiable_ml.chain.deployment import to_pin
from verifiable_ml.chain.pins import data_contract
from verifiable_ml.commitment import Dtype, InputCommitment, OutputBytes, Privacy, keccak
from verifiable_ml.errors import ChainError, InvalidInput, MalformedEvidence
from verifiable_ml.execute import encode_inputs
from verifiable_ml.proving import Keys, Proof, backend, read_key
from verifiable_ml.settle import Settlement, Status, SumcheckWay

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

TABLE = Path(__file__).with_name("native_gas.json")
SUMCHECK = backend("sumcheck")


@dataclass(frozen=True)
class World:
    """digits-mlp proved once, its plan pinned on a chain of its own."""

    program: vml.Program
    inputs: dict[str, Any]
    keys: Keys
    proof: Proof
    chain: Chain
    registered: Any

    def judged(self, proof: Proof) -> Any:
        return self.chain.verify(proof, proof.claim, self.keys.verification)

    def prove(self, context: bytes) -> Proof:
        return SUMCHECK.prove(self.program, self.inputs, self.keys, context=context)


@pytest.fixture(scope="module")
def world() -> World:
    digits = vml.zoo.model("digits-mlp")
    program = vml.compile(digits.path, calibration=digits.calibration())
    inputs = encode_inputs(program, digits.test()[0][3])
    keys = vml.setup(program, backend="sumcheck")
    proof = SUMCHECK.prove(program, inputs, keys)
    chain = vml.chain.embedded()
    registered = chain.register(keys.verification.registration())
    chain.implicit = False
    return World(program, inputs, keys, proof, chain, registered)


def test_native_proof_is_accepted_on_chain_for_the_gas_of_the_table(world):
    key = read_key(world.keys.verification.to_bytes())
    receipt = world.chain.verify(Proof.from_bytes(world.proof.to_bytes()), world.proof.claim, key)
    assert receipt.accepted and receipt.claim_id == world.proof.claim.id
    gas = {**world.registered.gas, "record": receipt.gas_used}
    assert gas == pytest.approx(json.loads(TABLE.read_text()), rel=0.01), f"if on purpose: write {gas} to {TABLE.name}"
    assert receipt.gas_used < 650_000


def test_native_check_finds_what_the_program_asks_for_and_nothing_else(world):
    registration = world.keys.verification.registration()
    assert world.chain.check(registration) == ()
    assert world.chain.check(replace(registration, srs_id=bytes(32))) == ("SRS id",)
    other = registration.plan[:-1] + bytes([registration.plan[-1] ^ 1])
    assert world.chain.check(replace(registration, plan=other)) == ("plan digest",)
    assert world.chain.check(replace(registration, program_id=bytes(32))) == ("nothing is pinned for this program and privacy",)


def test_native_embedded_chain_registers_by_itself_beside_a_key_of_ezkl(world):
    chain = vml.chain.embedded()
    assert chain.verify(world.proof, world.proof.claim, world.keys.verification).accepted
    assert chain.claim_verifier is None  # nothing of ezkl's was deployed


def _claim(**changes: Any) -> Callable[[Proof], Proof]:
    return lambda proof: replace(proof, claim=replace(proof.claim, **changes))


def _flip(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def _output(change: Callable[[bytes], bytes]) -> Callable[[Proof], Proof]:
    def told(proof: Proof) -> Proof:
        (output,) = proof.claim.outputs
        return _claim(outputs=(replace(output, data=change(output.data)),))(proof)

    return told


def _input(change: Callable[[bytes], bytes]) -> Callable[[Proof], Proof]:
    """The same bytes in the evidence and in the claim's commitment."""

    def told(proof: Proof) -> Proof:
        data = change(proof.public_inputs[0])
        committed = InputCommitment.public(Dtype.U8, data)
        return replace(_claim(inputs=(committed,))(proof), public_inputs=(data,))

    return told


def _payload(change: Callable[[bytes], bytes]) -> Callable[[Proof], Proof]:
    return lambda proof: replace(proof, payload=change(proof.payload))


LIES = {
    "output": (_output(lambda data: _flip(data, 0)), "ProofRejected()"),
    "last output's sign": (_output(lambda data: _flip(data, len(data) - 1, 7)), "OutsideInterval"),
    "output too short": (_output(lambda data: data[:-4]), "WrongLength"),
    "output too long": (_output(lambda data: data + bytes(4)), "WrongLength"),
    "two outputs": (lambda p: _claim(outputs=p.claim.outputs * 2)(p), "WrongCount"),
    "output of another type": (lambda p: _claim(outputs=(OutputBytes(Dtype.U8, p.claim.outputs[0].data),))(p), "proves claim"),
    "input": (_input(lambda data: _flip(data, 5)), "ProofRejected()"),
    "last input": (_input(lambda data: _flip(data, len(data) - 1)), "ProofRejected()"),
    "output above its interval": (_output(lambda data: b"\xff\xff\xff\x7f" + data[4:]), "OutsideInterval"),
    "output below its interval": (_output(lambda data: b"\0\0\0\x80" + data[4:]), "OutsideInterval"),
    "input outside of its interval": (_input(lambda data: b"\xff" + data[1:]), "OutsideInterval"),
    "input too long": (_input(lambda data: data + b"\0"), "WrongLength"),
    "root alone": (_claim(inputs=(InputCommitment.public(Dtype.U8, bytes(64)),)), "proves claim"),
    "bytes alone": (lambda p: replace(p, public_inputs=(_flip(p.public_inputs[0], 0),)), "ProofRejected()"),
    "scheme": (_claim(inputs=(InputCommitment(3, bytes(32)),)), "proves claim"),
    "program": (_claim(program_id=bytes(32)), "the claim is about program"),
    "privacy": (_claim(privacy=Privacy("hashed")), "privacy"),
    "first point": (_payload(lambda data: _flip(data, 31)), "ProofRejected()"),
    "a scalar in the middle": (_payload(lambda data: _flip(data, len(data) // 64 * 32 + 31)), "ProofRejected()"),
    "last word": (_payload(lambda data: _flip(data, len(data) - 1)), "ProofRejected()"),
    "zeros": (_payload(lambda data: bytes(len(data))), "ProofRejected()"),
}


@pytest.mark.parametrize("name", LIES)
def test_native_lie_is_rejected_for_its_reason(world, name):
    change, reason = LIES[name]
    receipt = world.judged(change(world.proof))
    assert not receipt.accepted and receipt.gas_used == 0
    assert receipt.reason and reason in receipt.reason


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b[:-32], lambda b: b + bytes(32), lambda b: b""])
def test_native_bytes_of_another_length_are_malformed(world, change):
    with pytest.raises(MalformedEvidence):
        world.judged(replace(world.proof, payload=change(world.proof.payload)))


def test_native_proof_made_for_a_request_is_none_without_it(world):
    assert world.judged(world.prove(bytes(31) + b"\1")).reason == "ProofRejected()"


def _way(world: World) -> tuple[Settlement, SumcheckWay]:
    return Settlement.deploy(world.chain), SumcheckWay.deploy(world.chain, world.registered.claim_verifier)


def test_settlement_tells_what_a_proof_for_this_very_request_shows(world):
    settlement, way = _way(world)
    first, second = (settlement.request(world.proof.claim, way, way.terms()) for _ in range(2))
    made = world.prove(first.id)
    evidence = way.evidence(made.claim, made)
    for question, shown in ((second.question, made), (first.question, world.proof)):
        refused = settlement.deliver(question, shown.claim, way.evidence(shown.claim, shown))
        assert not refused.accepted and refused.reason == "ProofRejected()"
    lie = _output(lambda data: _flip(data, 0))(made)
    assert settlement.deliver(first.question, lie.claim, way.evidence(lie.claim, lie)).reason == "ProofRejected()"
    assert settlement.deliver(first.question, made.claim, evidence).accepted
    assert settlement.status(first.question) == Status.ANSWERED and settlement.is_answer(first.question, made.claim)
    assert settlement.status(second.question) == Status.OPEN


def test_settlement_answer_is_about_the_input_that_was_asked_about(world):
    settlement, way = _way(world)
    other = _input(lambda data: _flip(data, 5))(world.proof)
    asked = settlement.request(other.claim, way)
    made = world.prove(asked.id)
    assert settlement.deliver(asked.question, made.claim, way.evidence(made.claim, made)).reason.startswith("WrongInputs")


@pytest.mark.parametrize(("fee", "terms"), [(1, b""), (0, b"\0")])
def test_settlement_native_way_takes_neither_fee_nor_terms(world, fee, terms):
    settlement, way = _way(world)
    with pytest.raises(Reverted, match="NoFee" if fee else "NoTerms"):
        settlement.request(world.proof.claim, way, terms, fee=fee)


def test_settlement_is_not_asked_about_a_program_without_a_plan(world):
    settlement, way = _way(world)
    with pytest.raises(Reverted, match="UnknownProgram"):
        settlement.request(replace(world.proof.claim, program_id=bytes(32)), way)


# ---- what a deployer can and cannot pin ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge(world) -> Contract:
    verifier = world.chain.claim_verifiers["SumcheckClaimVerifier"].call("VERIFIER")[0]
    return world.chain.deploy("SumcheckClaimVerifier", verifier)


def _pin(world: World, **changes: Any) -> tuple[Any, ...]:
    registration = world.keys.verification.registration()
    parts = [world.chain.deploy(data_contract(part)).address for part in registration.parts()]
    names = ("program_id", "srs_id", "plan_digest", "plans", "proof_length", "inputs", "outputs")
    return tuple(({**dict(zip(names, to_pin(registration, parts), strict=True)), **changes}).values())


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"plan_digest": bytes(32)}, "plan digest"),
        ({"plans": ()}, "plan digest"),
        ({"plans": ("0x" + "11" * 20,)}, "no data contract"),
        ({"proof_length": 32}, "proof length"),
        ({"inputs": ()}, "number of tensors"),
        ({"inputs": ((0, 1, 0, 255),) * 256}, "number of tensors"),
        ({"inputs": ((0, 0, 0, 255),)}, r"=tensor\)"),
        ({"inputs": ((4, 64, 0, 255),)}, r"=tensor\)"),
        ({"inputs": ((0, 64, 1, 0),)}, "interval"),
        ({"inputs": ((0, 64, 0, 256),)}, "other tensors"),
    ],
)
def test_native_pin_that_contradicts_itself_is_refused(world, judge, changes, rule):
    with pytest.raises(Reverted, match=f"BadDeployment.*{rule}"):
        judge.send("register", _pin(world, **changes))


def test_native_plan_in_code_that_runs_is_refused(world, judge):
    runs = world.chain.deploy(data_contract(b"\x5b" + world.keys.verification.registration().plan[:100]))
    with pytest.raises(Reverted, match="no data contract"):
        judge.send("register", _pin(world, plans=(runs.address,)))


def test_native_plan_without_a_header_is_refused(world, judge):
    part = world.chain.deploy(data_contract(bytes(32)))
    with pytest.raises(Reverted, match=r"BadDeployment.*plan digest"):
        judge.send("register", _pin(world, plan_digest=keccak(bytes(31)), plans=(part.address,)))


def test_native_evidence_of_another_shape_is_refused_by_name(world):
    """The command line finds these before it asks; other callers may not."""
    contract, claim = world.chain.claim_verifiers["SumcheckClaimVerifier"], world.proof.claim
    inputs, outputs, payload = evidence_arguments(claim, world.proof)
    asked = {
        "UnknownProgram": (claim.program_id, 1, inputs, outputs, payload),
        "WrongProofLength": (claim.program_id, 0, inputs, outputs, payload[:-32]),
    }
    for count in (0, 2):
        asked[f"WrongCount.*given={count}"] = (claim.program_id, 0, inputs * count, outputs, payload)
        asked[f"WrongCount.*wanted=1, given={count}"] = (claim.program_id, 0, inputs, outputs * count, payload)
    for name, arguments in asked.items():
        with pytest.raises(Reverted, match=name):
            contract.call("verify", *arguments)


def test_native_proof_is_not_judged_by_who_runs_dry(world):
    """A true one is never rejected, whatever it is given: the dearest step is a precompile that takes it all."""
    contract, claim = world.chain.claim_verifiers["SumcheckClaimVerifier"], world.proof.claim
    arguments = claim.program_id, 0, *evidence_arguments(claim, world.proof)
    refused = set()
    for given in range(200_000, 600_000, 4_000):
        try:
            contract.call("verify", *arguments, gas=given)
        except Reverted as error:
            refused.add(str(error.refusal))
    assert refused == {"OutOfGas()"}


def test_native_plan_of_a_batch_is_refused(world, judge):
    plan = world.keys.verification.registration().plan
    plan = plan[:28] + (2).to_bytes(4) + plan[32:]
    part = world.chain.deploy(data_contract(b"\0" + plan))
    with pytest.raises(Reverted, match=r"BadDeployment.*number of runs"):
        judge.send("register", _pin(world, plan_digest=keccak(plan), plans=(part.address,)))


def test_native_claims_are_judged_by_a_contract_or_nobody(world):
    with pytest.raises(Reverted, match="no code"):
        world.chain.deploy("SumcheckClaimVerifier", "0x" + "11" * 20)


def test_native_pin_is_the_deployers_and_for_ever(world):
    contract = world.chain.claim_verifiers["SumcheckClaimVerifier"]
    with pytest.raises(Reverted, match="AlreadyRegistered"):
        contract.send("register", _pin(world))
    with pytest.raises(Reverted, match="NotDeployer"):
        contract.by(world.chain.accounts[1]).send("register", _pin(world, program_id=bytes(32)))


def test_native_claims_under_another_pinned_plan_say_nothing(world):
    chain = vml.chain.embedded()
    registration = world.keys.verification.registration()
    chain.register(replace(registration, srs_id=bytes(32)))
    with pytest.raises(ChainError, match="SRS id"):
        chain.verify(world.proof, world.proof.claim, world.keys.verification)


def test_native_verifier_that_is_no_contract_or_another_one_is_found(world):
    with pytest.raises(Reverted, match="no code"):
        world.chain.deploy("SumcheckClaimVerifier", "0x" + "11" * 20)
    chain = vml.chain.embedded()
    another = chain.deploy("Settlement")
    chain.claim_verifiers["SumcheckClaimVerifier"] = chain.deploy("SumcheckClaimVerifier", another.address)
    registration = world.keys.verification.registration()
    chain.register(registration)
    assert chain.check(registration) == ("verifier",)


def test_native_key_of_another_string_has_no_registration(world):
    key = world.keys.verification
    generator = (
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    )
    with pytest.raises(InvalidInput, match="another reference string"):
        replace(key, reference=bytes.fromhex(generator)).registration()
