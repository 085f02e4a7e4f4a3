# SPDX-License-Identifier: MIT OR Apache-2.0
"""The Settlement contract: ask, deliver, look. Anybody delivers; whoever consumes decides which ways it trusts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from verifiable_ml.chain import Chain, Contract, Reverted, Sent, inputs_id
from verifiable_ml.chain.claims import MALFORMED, REJECTED, malformed
from verifiable_ml.commitment import Claim
from verifiable_ml.errors import ChainError
from verifiable_ml.settle.question import NEVER, Question
from verifiable_ml.settle.way import Way

NAME = "Settlement"

UNSETTLED = {*REJECTED, "NotFinal", "WrongInputs", "WrongOutputs", "WrongQuestion"}
"""Refusals of well-formed evidence: false, about something else, or not final yet."""

NOBODY = "0x" + "00" * 20


class Status(IntEnum):
    """Where a request stands, in the contract's order. ANSWERED: final, and the consumer does not have the answer yet."""

    NONE = 0
    OPEN = 1
    ANSWERED = 2
    DELIVERED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that stands on chain."""

    id: bytes
    question: Question
    sent: Sent


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of showing an answer. accepted: it is final. told: the consumer has it. gas_used: 0 if it was only called.

    reason: "" if accepted, else the name of the refusing contract's error and its fields.
    """

    accepted: bool
    told: bool
    reason: str
    gas_used: int


@dataclass(frozen=True)
class Settlement:
    """A client of one Settlement contract, in the name of the account that its node signs for."""

    contract: Contract

    @classmethod
    def deploy(cls, chain: Chain) -> Settlement:
        """A new one. It has no owner, so one a chain is enough. Raises ChainError."""
        return cls(chain.deploy(NAME))

    @classmethod
    def at(cls, chain: Chain, address: str) -> Settlement:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(NAME, address))

    def by(self, account: str) -> Settlement:
        """The same contract, called by another account that the node holds."""
        return replace(self, contract=self.contract.by(account))

    def request(self, claim: Claim, way: Way, terms: bytes = b"", fee: int = 0, deadline: int = NEVER) -> Asked:
        """Ask what a claim's program says about its input, in the sender's own name: it takes the answer itself.

        Of the claim only program, inputs and privacy count. fee: for the way, in wei. Raises Reverted.
        """
        address = way.contract.address
        given = Question(NOBODY, 0, claim.program_id, inputs_id(claim), claim.privacy.code, address, 0, deadline)
        sent = self.contract.send("request", given.struct, terms, value=fee)
        return self.asked(sent)

    def asked(self, sent: Sent) -> Asked:
        """The request that a transaction made, a consumer contract's as well. Raises ChainError if it made none, or several."""
        found = [asked for asked in self._requested(sent.block, sent.block) if asked.sent.transaction == sent.transaction]
        if len(found) != 1:
            raise ChainError(
                thing=f"the transaction 0x{sent.transaction.hex()}",
                reason=f"it made {len(found)} requests of {self.contract.address}",
                hint="check the address of the Settlement",
            )
        return replace(found[0], sent=sent)

    def requested(self, first: int, last: int) -> Iterator[Question]:
        """What was asked in blocks `first` to `last`, oldest first: for whoever looks for questions to answer."""
        return (asked.question for asked in self._requested(first, last))

    def deliver(self, question: Question, claim: Claim, evidence: bytes) -> Delivery:
        """Show that a claim is final, and have the consumer called.

        Evidence that is false, or not final yet, is a rejected Delivery and costs nothing. Raises MalformedEvidence on bytes that
        are no evidence, Reverted if the request is answered already or was never made, ChainError.
        """
        arguments = (question.struct, _outputs(claim), evidence)
        try:
            self.contract.call("deliver", *arguments)
            sent = self.contract.send("deliver", *arguments)
        except Reverted as refused:
            return _judge(refused)
        return Delivery(True, self.status(question) == Status.DELIVERED, "", sent.gas_used)

    def retry(self, question: Question, claim: Claim) -> Delivery:
        """Have the consumer of a final answer called again. Raises Reverted if there is no such answer, or it was delivered."""
        sent = self.contract.send("retry", question.struct, claim.id, _outputs(claim))
        return Delivery(True, self.status(question) == Status.DELIVERED, "", sent.gas_used)

    def take(self, question: Question, claim: Claim) -> Sent:
        """Take one's own final answer. Raises Reverted."""
        return self.contract.send("take", question.struct, claim.id, _outputs(claim))

    def status(self, question: Question) -> Status:
        """Where a request stands."""
        return Status(self.contract.call("status", self.id(question))[0])

    def is_answer(self, question: Question, claim: Claim) -> bool:
        """Whether a claim is the final answer to a question, by whichever way."""
        return bool(self.contract.call("isAnswer", self.id(question), claim.id, _outputs(claim))[0])

    def id(self, question: Question) -> bytes:
        """Rule 9, of a question that was asked here."""
        return question.id(self.contract.node.chain_id, self.contract.address)

    def _requested(self, first: int, last: int) -> Iterator[Asked]:
        for event in self.contract.events(first, last):
            if event.name == "Requested":
                question = Question.from_struct(event.values["question"])
                sent = Sent(event.log.transaction, 0, event.log.block, None)
                yield Asked(event.values["requestId"], question, sent)


def _outputs(claim: Claim) -> list[bytes]:
    return [output.data for output in claim.outputs]


def _judge(refused: Reverted) -> Delivery:
    """The verdict that a refusal is; raised again if it is none."""
    name = refused.refusal.name
    if name in MALFORMED or not name:
        raise malformed("the evidence", str(refused.refusal)) from refused
    if name in UNSETTLED:
        return Delivery(False, False, str(refused.refusal), 0)
    raise refused
