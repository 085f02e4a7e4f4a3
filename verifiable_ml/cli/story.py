# SPDX-License-Identifier: MIT OR Apache-2.0
"""What `vml demo` tells: the whole road on one real sample, and a lie that gets nowhere. A step that does not hold ends it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from verifiable_ml import api
from verifiable_ml.bench.accuracy import float_decisions
from verifiable_ml.chain import Chain, Contract, Receipt, embedded, inputs_id
from verifiable_ml.cli.estimate import estimate_table
from verifiable_ml.cli.picture import picture
from verifiable_ml.cli.render import Screen, amount, facts, seconds, verdict_line
from verifiable_ml.cli.run import decision
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import sample
from verifiable_ml.commitment import Claim, OutputBytes, encode_tensor
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import VerifiableMlError
from verifiable_ml.frontend import zoo
from verifiable_ml.proving import Keys, Proof, Verdict
from verifiable_ml.settle import NEVER, Asked, EzklWay, Settlement, SumcheckWay
from verifiable_ml.settle.proof_way import ProofWay

SHOWN = 200
"""Test samples whose accuracy is told."""
BENEFICIARY = "0x" + "be" * 20
ETHER = 10**18


WAYS: dict[str, type[ProofWay]] = {"sumcheck": SumcheckWay, "ezkl": EzklWay}
"""Backend to the way in which its proofs settle."""


class StoryBroken(VerifiableMlError):
    """A step of the demo did not come out as it must."""

    exit_code = 1


@dataclass(frozen=True)
class Order:
    """Money that waits for an answer, and the contracts that it waits in."""

    payout: Contract
    settlement: Settlement
    way: ProofWay
    asked: Asked

    def settled(self, claim: Claim, proof: Proof) -> str:
        """Why an answer is refused, "" if it moves the money."""
        return self.settlement.deliver(self.asked.question, claim, self.way.evidence(claim, proof)).reason


@dataclass(frozen=True)
class Proved:
    """An answer with its proof, and what can prove it again."""

    program: api.Program
    x: dict[str, Any]
    keys: Keys
    proof: Proof

    @property
    def claim(self) -> Claim:
        """What is proved."""
        return self.proof.claim

    def settling(self, asked: Asked, way: ProofWay) -> Proof:
        """A proof that settles this request: of some backends, one that is made for it."""
        return api.prove(self.program, self.x, self.keys, context=asked.id) if way.BINDS else self.proof


@dataclass
class Story:
    """What has happened so far, for people as it happens and for machines at the end."""

    screen: Screen
    started: float = field(default_factory=time.monotonic)
    document: dict[str, Any] = field(default_factory=dict)

    def chapter(self, title: str) -> None:
        """A heading with the time since the beginning."""
        at = Text(f"{time.monotonic() - self.started:.0f} s", style="dim")
        self.screen.tell("", Rule(Text.assemble((title, "bold"), "  ", at), align="left", style="dim"))

    def tell(self, name: str, value: Any, *parts: RenderableType) -> None:
        """One result."""
        self.document[name] = value
        self.screen.tell(*(Padding(part, (0, 0, 0, 2)) for part in parts))

    def must(self, holds: bool, what: str) -> None:
        """Raises StoryBroken."""
        if not holds:
            raise StoryBroken(thing="the demo", reason=f"this does not hold: {what}", hint="see `vml doctor`")


def told(screen: Screen, model: str, row: int, backend: str) -> dict[str, Any]:
    """The story of one sample of one model. Raises StoryBroken if a step does not hold, and whatever the steps raise."""
    story = Story(screen)
    entry = zoo.model(model)
    program = _model(story, entry)
    x = _sample(story, entry, program, row)
    proved = _proof(story, program, x, backend)
    chain = embedded()
    claim_verifier = _verified(story, chain, proved)
    order = _order(story, chain, proved.claim, WAYS[backend].deploy(chain, claim_verifier))
    _lie(story, chain, order, proved)
    _truth(story, order, proved)
    return story.document


def _model(story: Story, entry: zoo.ZooModel) -> api.Program:
    story.chapter(f"1  The model: {entry.title}")
    program = api.compile(entry.path, entry.calibration())
    inputs, labels = entry.test(SHOWN)
    integer = np.array([decision(program.predict(x, saturate=True)[0]) for x in inputs])
    real = float_decisions(entry, entry.samples.test[:SHOWN])
    report = program.report
    story.must(report is not None and report.cosine > 0.99, "the integers answer as the floats do")
    assert report is not None
    rows = [
        ("trained on", f"{entry.dataset}, {entry.parameters:,} parameters"),
        ("as integers", f"{len(program.operators)} operators, nothing is a float"),
        ("program id", program.id.hex()),
        ("fidelity", f"cosine {report.cosine:.6f}, same decision {report.agreement:.1%} on {report.samples} held-out samples"),
        (
            "accuracy",
            f"{np.mean(integer == labels):.1%} as integers, {np.mean(real == labels):.1%} in float, of {len(labels)} samples",
        ),
    ]
    story.tell("program", program.id.hex(), facts("", rows))
    story.tell(
        "fidelity", {"cosine": report.cosine, "agreement": report.agreement, "accuracy": float(np.mean(integer == labels))}
    )
    return program


def _sample(story: Story, entry: zoo.ZooModel, program: api.Program, row: int) -> dict[str, Any]:
    story.chapter("2  One input, one answer")
    x = sample(entry, row)
    claim, _ = program.run(x)
    answer = decision(program.predict(x)[0])
    label = int(entry.samples.test_labels[row])
    lines = picture(x[entry.input_name], entry.low, entry.high)
    rows = [
        ("label", entry.classes[label]),
        ("the program's answer", entry.classes[answer]),
        ("claim id", claim.id.hex()),
    ]
    story.tell("answer", entry.classes[answer], *(Text(line) for line in lines), facts("", rows))
    story.tell("label", entry.classes[label])
    return x


def _proof(story: Story, program: api.Program, x: dict[str, Any], backend: str) -> Proved:
    story.chapter(f"3  A proof of that answer, by {backend}")
    story.document["backend"] = backend
    expected = api.estimate(program, backend)
    story.tell("estimate", asdict(expected), estimate_table(backend, expected))
    started = time.monotonic()
    keys, _ = made_keys(story.screen, program, backend, None)
    setup_seconds = time.monotonic() - started
    with story.screen.steps("proof", expected.prove_seconds) as step:
        proof = api.prove(program, x, keys, progress=step)
    took = time.monotonic() - started - setup_seconds
    story.must(proof.claim == program.run(x)[0], "the proof is about the claim that anybody gets who runs the program")
    story.tell("proof_bytes", len(proof.payload))
    story.tell("setup_seconds", round(setup_seconds, 2))
    rows = [("keys", f"in {seconds(setup_seconds)}"), ("proof", f"{amount(len(proof.payload))} in {seconds(took)}")]
    story.tell("prove_seconds", round(took, 2), facts("Measured", rows))
    return Proved(program, x, keys, proof)


def _verified(story: Story, chain: Chain, proved: Proved) -> str:
    """The address of the contract that verified it."""
    story.chapter("4  Verified off chain, and by a contract on an EVM")
    proof, key, started = proved.proof, proved.keys.verification, time.monotonic()
    verdict = api.verify(proof, proof.claim, key)
    took = time.monotonic() - started
    story.tell("off_chain", _plain(verdict), verdict_line(verdict.accepted, f"off chain, in {seconds(took)}", verdict.reason))
    story.must(verdict.accepted, "the proof verifies off chain")
    registered = chain.register(key.registration())
    receipt = chain.verify(proof, proof.claim, key)
    story.tell("gas", {**registered.gas, "verify": receipt.gas_used})
    line = verdict_line(receipt.accepted, f"by the contract {registered.claim_verifier}", receipt.reason)
    story.tell("on_chain", _plain(receipt), line, facts("", [("gas", f"{receipt.gas_used:,} a verification")]))
    story.must(receipt.accepted and receipt.gas_used > 0, "the proof verifies on chain")
    return registered.claim_verifier


def _order(story: Story, chain: Chain, claim: Claim, way: ProofWay) -> Order:
    story.chapter("5  Money waits for that answer, and somebody lies")
    settlement = Settlement.deploy(chain)
    fixed = claim.program_id, claim.privacy.code, int(claim.outputs[0].dtype), [way.contract.address]
    payout = chain.deploy("VerifiedPayout", settlement.contract.address, *fixed)
    wanted = inputs_id(claim), greatest(claim), BENEFICIARY, NEVER
    sent = payout.send("open", *wanted, way.contract.address, 0, way.terms(), value=ETHER)
    said = f"1 ether for {BENEFICIARY} if the answer on this input is {greatest(claim)}"
    rows = [("VerifiedPayout", payout.address), ("holds", said), ("asks", f"Settlement {settlement.contract.address}")]
    story.tell("contract", payout.address, facts("", rows))
    return Order(payout, settlement, way, settlement.asked(sent))


def _lie(story: Story, chain: Chain, order: Order, proved: Proved) -> None:
    false, key = lied(proved.claim), proved.keys.verification
    forged = replace(proved.proof, claim=false)
    story.tell("lie", greatest(false), Text(f"the same proof, sent with the answer {greatest(false)}:"))
    verdict = api.verify(forged, false, key)
    story.tell("lie_off_chain", _plain(verdict), verdict_line(verdict.accepted, "off chain", verdict.reason))
    receipt = chain.verify(forged, false, key)
    story.tell("lie_on_chain", _plain(receipt), verdict_line(receipt.accepted, "by the contract", receipt.reason))
    story.must(not verdict.accepted and not receipt.accepted, "a changed output is rejected off chain and on chain")
    refusal = order.settled(false, replace(proved.settling(order.asked, order.way), claim=false))
    story.tell("lie_to_contract", refusal, verdict_line(not refusal, "by Settlement", refusal))
    story.must(bool(refusal), "the contract refuses a changed output")


def _truth(story: Story, order: Order, proved: Proved) -> None:
    story.chapter("6  The truth is paid for")
    refusal = order.settled(proved.claim, proved.settling(order.asked, order.way))
    paid = order.payout.call("balances", BENEFICIARY)[0]
    story.tell("paid_wei", paid, verdict_line(not refusal, "by Settlement", refusal))
    story.must(not refusal and paid == ETHER, "the contract pays for the proven answer")
    took = time.monotonic() - story.started
    story.tell(
        "seconds", round(took, 2), facts("", [("paid", f"1 ether to {BENEFICIARY}"), ("all of it", f"in {seconds(took)}")])
    )


def lied(claim: Claim) -> Claim:
    """The same claim with the least and the greatest integer of its first output exchanged: another decision."""
    values = _integers(claim).copy()
    low, high = int(values.argmin()), int(values.argmax())
    values[low], values[high] = values[high], values[low]
    return replace(claim, outputs=(OutputBytes(claim.outputs[0].dtype, encode_tensor(values)), *claim.outputs[1:]))


def greatest(claim: Claim) -> int:
    """The index of the first output's greatest integer, as VerifiedPayout decides."""
    return int(_integers(claim).argmax())


def _integers(claim: Claim) -> IntArray:
    return np.frombuffer(claim.outputs[0].data, claim.outputs[0].dtype.numpy)


def _plain(verdict: Verdict | Receipt) -> dict[str, Any]:
    return {"accepted": verdict.accepted, "reason": verdict.reason}
