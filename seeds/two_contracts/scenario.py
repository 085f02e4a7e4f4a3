# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two contracts: one verifies what a model said, the other acts on it.

    python seeds/two_contracts/scenario.py

1. A deployer pins the model's verification key in a ClaimVerifier.
2. The main contract, VerifiedPayout, stores the program id. A funder locks a sum on one handwritten digit: if the model
   reads the digit that was agreed, the beneficiary gets it, else the funder gets it back.
3. Somebody runs the model off chain and proves it.
4. A liar sends another output with the same proof: refused, no money moves.
5. The proof settles the order, whoever sends it; a second time it does nothing.

Everything runs on the embedded EVM. Not audited; the reference string is made here and unsafe: for demonstrations only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import verifiable_ml as vml
from verifiable_ml.chain import Chain, Contract, Registered, Reverted, embedded, evidence_arguments, inputs_id
from verifiable_ml.commitment import Claim, OutputBytes
from verifiable_ml.frontend import zoo

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
    payout = _main_contract(chain, registered, claim)
    funder, beneficiary, anybody = chain.accounts[1:4]
    answer = int(labels[0])
    deadline = int(chain.node.web3.eth.get_block("latest")["timestamp"]) + WEEK
    opened = payout.by(funder).send("open", inputs_id(claim), answer, beneficiary, deadline, value=SUM)
    say(f"A funder locks {SUM} wei: {beneficiary} gets them if the model reads a {answer}.")

    proof = vml.prove(program, tests[0], keys)
    say(f"The answer is proved off chain: {vml.verify(proof, claim, keys.verification)}.")

    lie = refusal(payout, evidence_arguments(_tampered(claim), proof))
    say(f"A liar sends another output with this proof: {lie}.")

    arguments = evidence_arguments(claim, proof)
    settled = payout.by(anybody).send("settle", *arguments)
    paid = payout.call("balances", beneficiary)[0]
    payout.by(beneficiary).send("withdraw")
    say(f"Anybody sends the true one: {settled.gas_used} gas, and the beneficiary has {paid} wei.")

    replay = refusal(payout, arguments)
    say(f"Sent again: {replay}.")
    gas = {**registered.gas, "open": opened.gas_used, "settle": settled.gas_used}
    decided = int(payout.call("decision", claim.outputs[0].data)[0])
    return Told(program.id.hex(), decided, answer, lie, replay, paid, gas)


def _main_contract(chain: Chain, registered: Registered, claim: Claim) -> Contract:
    dtype = int(claim.outputs[0].dtype)
    return chain.deploy("VerifiedPayout", registered.claim_verifier, claim.program_id, claim.privacy.code, dtype)


def _tampered(claim: Claim) -> Claim:
    """The claim with the first output's integers turned by one place: another class wins."""
    first = claim.outputs[0]
    turned = np.roll(np.frombuffer(first.data, first.dtype.numpy), 1)
    return replace(claim, outputs=(OutputBytes(first.dtype, turned.tobytes()), *claim.outputs[1:]))


def refusal(payout: Contract, arguments: tuple[object, ...]) -> str:
    """The name of the error with which the main contract refuses. Raises AssertionError if it accepts."""
    try:
        payout.call("settle", *arguments)
    except Reverted as error:
        return error.refusal.name
    raise AssertionError("the main contract accepted what it must refuse")


if __name__ == "__main__":
    main()
