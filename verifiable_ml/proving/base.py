# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every backend is: it makes keys for a Program, proofs of Claims about it, and verdicts on proofs. One page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from verifiable_ml.chain import UNBOUND, PlanRegistration, Registration
from verifiable_ml.commitment import Claim, Privacy
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput
from verifiable_ml.program import Program
from verifiable_ml.proving.batch_proof import BatchProof
from verifiable_ml.proving.proof import Proof

Progress = Callable[[str, float | None], None]
"""Told what is being done, and the share that is done where known: at each step, and at least every second.

Whatever it raises cancels the work: the worker is ended, nothing half-written stays, and the exception goes on to the caller.
"""


def silent(text: str, share: float | None = None) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True)
class Verdict:
    """ACCEPTED, or REJECTED with a reason. `assumption` says under what an acceptance means something."""

    accepted: bool
    reason: str
    assumption: str = field(default="", compare=False)

    @classmethod
    def accept(cls, assumption: str = "") -> Verdict:
        """The claim holds, under `assumption`."""
        return cls(True, "", assumption)

    @classmethod
    def rejected(cls, reason: str) -> Verdict:
        """The evidence is well formed, and does not show the claim."""
        return cls(False, reason)


@dataclass(frozen=True)
class Estimate:
    """What a proof takes, before the work. All but `rows` and `logrows` come from a fitted model: expect a factor of two.

    rows: of the circuit, 2^logrows are available. key_bytes: the proving key. memory_bytes: the peak, in set-up or proof.
    warning: "" or what a user must know before anything is built on such keys.
    """

    rows: int
    logrows: int
    key_bytes: int
    memory_bytes: int
    setup_seconds: float
    prove_seconds: float
    warning: str = ""


class VerificationKey(Protocol):
    """What a verifier pins. Nothing that it fixes is ever read from a proof."""

    @property
    def backend(self) -> str:
        """Name of the backend that can verify under it."""

    @property
    def program_id(self) -> bytes:
        """The program that proofs under it are about."""

    @property
    def privacy(self) -> Privacy:
        """Who sees what, in claims under it."""

    @property
    def id(self) -> bytes:
        """keccak-256 of `to_bytes`."""

    def to_bytes(self) -> bytes:
        """Canonical: one key has one file."""

    def registration(self) -> Registration | PlanRegistration:
        """What a contract has to pin. Raises UnsupportedModel if no contract can verify under this key."""


@dataclass(frozen=True)
class Keys:
    """The prover's files (a directory of the cache; None if the prover needs none), and what the verifier pins."""

    proving: Path | None
    verification: VerificationKey


class Backend(Protocol):
    """One way to show that a Program gives these outputs. Inputs are integers by input name, as `encode_inputs` gives them."""

    @property
    def name(self) -> str:
        """What `--backend` takes."""

    def supports(self, program: Program, privacy: Privacy) -> None:
        """Return if this program can be proved so. Raises UnsupportedModel, with the reason."""

    def estimate(self, program: Program, privacy: Privacy) -> Estimate:
        """Seconds at most, no keys. Raises as `supports`."""

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent) -> Keys:
        """Make the keys, or find them in the cache. Raises as `supports`, and on an exhausted machine ResourceExceeded."""

    def prove(
        self,
        program: Program,
        inputs: Mapping[str, IntArray],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> Proof:
        """Run the program and prove what it gave. The proof carries its claim. context: what it is bound to beside, 32 bytes.

        Raises InvalidInput on a wrong input or key, or a context if this backend binds to none.
        """

    def verify(self, proof: Proof, claim: Claim, key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """Judge. Raises MalformedEvidence on what is no proof at all, and nothing else because of what `proof` holds."""

    def read_key(self, data: bytes) -> VerificationKey:
        """Read a key as `to_bytes` writes it. Raises MalformedEvidence."""


class BatchBackend(Backend, Protocol):
    """One that proves several inputs of a program at once, for less than the sum."""

    def estimate(self, program: Program, privacy: Privacy, count: int = 1) -> Estimate:
        """count: inputs of one proof."""

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent, count: int = 1) -> Keys:
        """Keys for proofs of so many inputs, no more and no fewer."""

    def prove_batch(
        self,
        program: Program,
        inputs: Sequence[Mapping[str, IntArray]],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> BatchProof:
        """One proof of a claim an input. Raises as `prove`, and InvalidInput if there are not as many as the keys are for."""

    def verify_batch(self, proof: BatchProof, claims: Sequence[Claim], key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """One verdict for all claims, in this order. Raises as `verify`."""


def check_unbound(name: str, context: bytes) -> None:
    """Return if a proof is to be bound to nothing. Raises InvalidInput, for backends whose proofs cannot be."""
    if context != UNBOUND:
        raise InvalidInput(
            thing=f"context {context.hex()[:16]}",
            reason=f"a proof by {name} cannot be bound to a request",
            hint="leave it out, or use `--backend sumcheck`",
        )
