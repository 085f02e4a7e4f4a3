# SPDX-License-Identifier: MIT OR Apache-2.0
"""The ezkl backend: each method opens a folder for its work, and lends it to the file that does the work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from verifiable_ml.chain import UNBOUND
from verifiable_ml.commitment import Claim, InputCommitment, Privacy
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute.trace import check_inputs
from verifiable_ml.program import Program
from verifiable_ml.proving.base import Estimate, Keys, Progress, Verdict, VerificationKey, check_unbound, silent
from verifiable_ml.proving.ezkl import cache, circuit, prove, setup, srs, verify
from verifiable_ml.proving.ezkl.estimate import estimate
from verifiable_ml.proving.ezkl.keys import NAME, EzklKey
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.view import build
from verifiable_ml.proving.memory import memory_limit
from verifiable_ml.proving.proof import Proof


def _given_string() -> Path | None:
    text = os.environ.get("VML_SRS")
    return Path(text).expanduser().absolute() if text else None


@dataclass(frozen=True)
class EzklBackend:
    """halo2-KZG proofs; hides inputs and weights. Needs the `ezkl` extra to do anything but read keys.

    srs: a reference string of the user's, whose size the circuit then has; without one an UNSAFE one is made. memory_limit:
    bytes of the worker.
    """

    srs: Path | None = field(default_factory=_given_string)
    memory_limit: int = field(default_factory=memory_limit)
    name = NAME

    def supports(self, program: Program, privacy: Privacy) -> None:
        """Raises UnsupportedModel, UnsupportedOperator."""
        circuit.check_privacy(program, privacy)
        build(program, privacy)

    def estimate(self, program: Program, privacy: Privacy) -> Estimate:
        """The circuit is laid out, nothing more. Raises as `supports`, BackendUnavailable without ezkl."""
        with self._worker() as worker:
            return estimate(self._design(program, privacy, worker, silent), self.srs is not None)

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent) -> Keys:
        """Raises as `supports`, BackendUnavailable, ResourceExceeded, WorkerFailed, CorruptedArtifact, InvalidInput (srs)."""
        with self._worker() as worker:
            designed = self._design(program, privacy, worker, progress)
            worker = Worker(worker.folder, self.memory_limit, estimate(designed, True).memory_bytes)
            reference = srs.reference(designed.logrows, self.srs, worker, progress)
            return setup.make(program, privacy, designed, reference, worker, progress)

    def prove(
        self,
        program: Program,
        inputs: Mapping[str, IntArray],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> Proof:
        """The salts of hashed inputs are in the proof's memory, and in no file. Raises as `setup`, InvalidInput."""
        check_unbound(NAME, context)
        key = prove.fitting_key(program, keys)
        with self._worker() as worker:
            reference = srs.reference(key.logrows, self.srs, worker, progress)
            if reference.id != key.srs_id:
                raise InvalidInput(
                    thing=f"reference string `{reference.path}`",
                    reason="the keys were made under another one",
                    hint="make them again: `vml setup`",
                )
            return prove.run(program, inputs, keys, reference, worker, progress)

    def commitments(
        self, program: Program, inputs: Mapping[str, IntArray], salts: tuple[bytes, ...]
    ) -> tuple[InputCommitment, ...]:
        """What hashed inputs are committed to under these salts: who is shown both compares this with the claim.

        Raises InvalidInput on another input or number of salts than the program takes.
        """
        if len(salts) != len(program.inputs) or any(len(salt) != prove.SALT_BYTES for salt in salts):
            raise InvalidInput(thing="salts", reason="it takes 16 bytes an input", hint="give `proof.salts` as it came")
        checked = {given.name: values for given, values in zip(program.inputs, check_inputs(program, inputs), strict=True)}
        with self._worker() as worker:
            return prove.poseidon(worker.run("digests", input_data=prove.circuit_inputs(program, checked, salts)))

    def verify(self, proof: Proof, claim: Claim, key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """Raises MalformedEvidence on what is no proof at all; BackendUnavailable without ezkl."""
        check_unbound(NAME, context)
        if not isinstance(key, EzklKey):
            raise InvalidInput(thing="a verification key", reason="it is no ezkl key", hint="give the key that fits the proof")
        with self._worker() as worker:
            return verify.judge(proof, claim, key, worker)

    def read_key(self, data: bytes) -> EzklKey:
        """Raises MalformedEvidence."""
        return EzklKey.from_bytes(data)

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        with cache.workspace() as folder:
            yield Worker(folder, self.memory_limit)

    def _design(self, program: Program, privacy: Privacy, worker: Worker, progress: Progress) -> circuit.Circuit:
        least = srs.size(self.srs) if self.srs else 0
        return circuit.design(program, privacy, worker, progress, least)
