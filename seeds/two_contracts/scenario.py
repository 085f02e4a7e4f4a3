# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two contracts: one verifies what a model said, the other acts on it.

    python seeds/two_contracts/scenario.py

1. A deployer pins the model's verification key in a ClaimVerifier.
2. The main contract, VerifiedPayout, stores the program id. A funder locks a sum on one handwritten digit: if the model
   reads the digit that was agreed, the beneficiary gets it, else the funder gets it back. VerifiedPayout asks the Settlement,
   which calls it once there is a final answer.
3. Somebody runs the model off chain and proves it.
4. A liar sends another output with the same proof: refused, no money moves.
5. The proof settles the order, whoever delivers it; a second time it does nothing.

Everything runs on the embedded EVM. Not audited; the reference string is made here and unsafe: for demonstrations only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import verifiable_ml as vml
from verifiable_ml.chain import Chain, Contract, Reverted, embedded, inputs_id
from verifiable_ml.commitment import Claim, OutputBytes
from verifiable_ml.frontend import zoo
from verifiable_ml.settle import EzklWay, Question, Settlement

MODEL = "digits-mlp"
SUM = 10**18
"""Wei that the funder locks: one ether of the embedded EVM."""

WEEK = 7 * 24 * 3600


@dataclass(frozen=True)
class Told:
    """What happened, for a reader or a test."""

    program_id: str
    answer: int
    label: int
    lie_refused_with: str
    replay_refused_with: str
    paid: int
    gas: dict[str, int]


def main(say: Callable[[str], None] = print, model: str = MODEL) -> Told:
    """Run the scenario; `say` gets a sentence a step."""
    entry = zoo.model(model)
    program = vml.compile(entry.path, calibration=entry.calibration())
    say(f"The model {model} is program {program.id.hex()}.")

    keys = vml.setup(program, backend="ezkl")
    chain = embedded()
    registered = chain.register(keys.verification.registration())
    say(f"The deployer pins its key in the ClaimVerifier at {registered.claim_verifier}.")

    tests, labels = entry.test(1)
    claim, _ = program.run(tests[0])
    settlement, way = Settlement.deploy(chain), EzklWay.deploy(chain, registered.claim_verifier)
    payout = _main_contract(chain, settlement, way, claim)
    funder, beneficiary, anybody = chain.accounts[1:4]
    answer = int(labels[0])
    wanted = inputs_id(claim), answer, beneficiary, chain.node.now() + WEEK
    opened = payout.by(funder).send("open", *wanted, way.contract.address, 0, way.terms(), value=SUM)
    question = settlement.asked(opened).question
    say(f"A funder locks {SUM} wei: {beneficiary} gets them if the model reads a {answer}.")

    proof = vml.prove(program, tests[0], keys)
    say(f"The answer is proved off chain: {vml.verify(proof, claim, keys.verification)}.")

    lie = settlement.deliver(question, _tampered(claim), way.evidence(claim, proof)).reason
    say(f"A liar sends another output with this proof: {lie}.")

    evidence = way.evidence(claim, proof)
    settled = settlement.by(anybody).deliver(question, claim, evidence)
    paid = payout.call("balances", beneficiary)[0]
    payout.by(beneficiary).send("withdraw")
    say(f"Anybody sends the true one: {settled.gas_used} gas, and the beneficiary has {paid} wei.")

    replay = refusal(settlement, question, claim, evidence)
    say(f"Sent again: {replay}.")
    gas = {**registered.gas, "open": opened.gas_used, "settle": settled.gas_used}
    decided = int(payout.call("decision", claim.outputs[0].data)[0])
    return Told(program.id.hex(), decided, answer, lie, replay, paid, gas)


def _main_contract(chain: Chain, settlement: Settlement, way: EzklWay, claim: Claim) -> Contract:
    fixed = claim.program_id, claim.privacy.code, int(claim.outputs[0].dtype), [way.contract.address]
    return chain.deploy("VerifiedPayout", settlement.contract.address, *fixed)


def _tampered(claim: Claim) -> Claim:
    """The claim with the first output's integers turned by one place: another class wins."""
    first = claim.outputs[0]
    turned = np.roll(np.frombuffer(first.data, first.dtype.numpy), 1)
    return replace(claim, outputs=(OutputBytes(first.dtype, turned.tobytes()), *claim.outputs[1:]))


def refusal(settlement: Settlement, question: Question, claim: Claim, evidence: bytes) -> str:
    """The name of the error with which an answer is refused. Raises AssertionError if it is taken."""
    try:
        settlement.deliver(question, claim, evidence)
    except Reverted as error:
        return error.refusal.name
    raise AssertionError("the Settlement took what it must refuse")


if __name__ == "__main__":
    main()
