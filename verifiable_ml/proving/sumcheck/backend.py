# SPDX-License-Identifier: MIT OR Apache-2.0
"""The sumcheck backend: keys, proofs and verdicts, of one input or of several at once.

Proves in a fraction of a second to seconds, verifies in milliseconds. Rests on KZG over BN254, so on the reference string.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from verifiable_ml.chain import UNBOUND
from verifiable_ml.commitment import Claim, Privacy, encode_tensor
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.execute.run import predictor
from verifiable_ml.execute.trace import check_inputs, claim_of
from verifiable_ml.program import Program
from verifiable_ml.program.files import GRAPH, WEIGHTS, to_files
from verifiable_ml.proving.base import Estimate, Keys, Progress, Verdict, VerificationKey, silent
from verifiable_ml.proving.batch_proof import BatchProof
from verifiable_ml.proving.memory import memory_limit, require_memory
from verifiable_ml.proving.proof import Proof
from verifiable_ml.proving.sumcheck import verify
from verifiable_ml.proving.sumcheck.key import SumcheckKey
from verifiable_ml.proving.sumcheck.native import NAME, Told, native, threads, watched

UNSAFE_SEED = b"verifiable_ml: an UNSAFE reference string"
UNSAFE = "UNSAFE reference string, made from a published seed: anybody can forge proofs; for tests and demos only"


def _given_string() -> Path | None:
    text = os.environ.get("VML_SRS", "")
    return Path(text).expanduser().absolute() if text else None


@dataclass(frozen=True)
class SumcheckBackend:
    """Sound under `verify.ASSUMPTION`. Nothing is hidden.

    srs: a halo2 file; without one an UNSAFE string is made. memory_limit: bytes; what is expected to take more is refused.
    threads: 0 is one a core.
    """

    srs: Path | None = field(default_factory=_given_string)
    memory_limit: int = field(default_factory=memory_limit)
    threads: int = field(default_factory=threads)
    name = NAME

    def supports(self, program: Program, privacy: Privacy) -> None:
        """Raises UnsupportedModel with the operator, BackendUnavailable."""
        _layout(program, privacy, 1)

    def estimate(self, program: Program, privacy: Privacy, count: int = 1) -> Estimate:
        """Fitted to the zoo and to the networks of `vml bench native`, on two cores. count: inputs of one proof. Raises as
        `supports`.
        """
        rows, row_bits, lookups, entries = _layout(program, privacy, count)
        values = rows << row_bits
        warning = "" if self.srs else UNSAFE
        memory = 20_000_000 + 95 * values + 50 * (lookups + entries)
        setup = 0.02 + 0.45e-6 * values + 0.5e-6 * entries
        prove = 0.02 + 0.25e-6 * values + 1e-6 * (lookups + entries)
        return Estimate(values, row_bits, 0, memory, setup, prove, warning)

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent, count: int = 1) -> Keys:
        """The prover's part is made again by whoever proves: that is quick. count: of how many inputs a proof shall be.

        Raises as `supports`, InvalidInput, ResourceExceeded.
        """
        if count < 1:
            raise InvalidInput(thing=f"a batch of {count}", reason="there is nothing to prove", hint="1 or more")
        require_memory(self.estimate(program, privacy, count).memory_bytes, self.memory_limit)
        data, reference = self._prover(program, count, progress).verification()
        label = "" if self.srs else UNSAFE
        inputs = tuple(given.spec.dtype for given in program.inputs)
        outputs = tuple(spec.dtype for spec in program.output_specs)
        return Keys(None, SumcheckKey(program.id, data, reference, label, inputs, outputs))

    def prove(
        self,
        program: Program,
        inputs: Mapping[str, IntArray],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> Proof:
        """Run it twice, here and in the prover, which must agree. context: the id of the request that the proof shall settle
        (rule 9); it holds for nothing else then. Raises InvalidInput on other keys or inputs, ResourceExceeded.
        """
        made = self.prove_batch(program, [inputs], keys, progress, context)
        return Proof(NAME, made.claims[0], made.payload, made.public_inputs[0])

    def prove_batch(
        self,
        program: Program,
        inputs: Sequence[Mapping[str, IntArray]],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> BatchProof:
        """One proof of a claim an input, as many as the keys are for. Raises as `prove`."""
        key = keys.verification
        if not isinstance(key, SumcheckKey):
            raise InvalidInput(thing="keys", reason="they are no sumcheck keys", hint="make them with `vml setup`")
        if len(inputs) != key.count:
            reason = f"the keys are for {key.count} at once"
            raise InvalidInput(thing=f"{len(inputs)} inputs", reason=reason, hint=f"`vml setup --batch {len(inputs)}`")
        require_memory(self.estimate(program, Privacy(), key.count).memory_bytes, self.memory_limit)
        given = [check_inputs(program, each) for each in inputs]
        outputs = [_predictor(program)(each) for each in inputs]
        prover = self._prover(program, key.count, progress)
        if prover.verification() != (key.data, key.reference):
            raise InvalidInput(thing="keys", reason="they are of another program or string", hint="make them with `vml setup`")
        payload = _proved(prover, context, given, outputs, progress)
        claims = tuple(claim_of(program, *run) for run in zip(given, outputs, strict=True))
        return BatchProof(NAME, claims, payload, tuple(tuple(map(encode_tensor, tensors)) for tensors in given))

    def verify(self, proof: Proof, claim: Claim, key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """Assures that the program behind the key gives the claimed outputs on the committed input, under `verify.ASSUMPTION`."""
        one = BatchProof(proof.backend, (proof.claim,), proof.payload, (proof.public_inputs,))
        return verify.judge(one, (claim,), key, context)

    def verify_batch(self, proof: BatchProof, claims: Sequence[Claim], key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """The same of every claim, in this order; rejected as soon as one does not hold."""
        return verify.judge(proof, tuple(claims), key, context)

    def read_key(self, data: bytes) -> SumcheckKey:
        """Raises MalformedEvidence; BackendUnavailable without the extension."""
        return SumcheckKey.from_bytes(data)

    def _prover(self, program: Program, count: int, progress: Progress) -> Any:
        kept = _kept_prover(program, count, self.srs, self.threads)
        if not kept:
            kept.append(watched(lambda told: _made_prover(program, count, self.srs, self.threads, told), progress))
        return kept[0]


@lru_cache(maxsize=4)
def _kept_prover(program: Program, count: int, srs: Path | None, threads: int) -> list[Any]:
    """Where the prover of these is kept, once it is made."""
    return []


def _made_prover(program: Program, count: int, srs: Path | None, threads: int, told: Told) -> Any:
    module, files = native(), to_files(program, {})
    try:
        file = srs.read_bytes() if srs else None
        seed = None if srs else UNSAFE_SEED
        return module.Prover(files[GRAPH], files[WEIGHTS], program.id, count, file, seed, threads, told)
    except module.Refused:
        raise
    except (OSError, ValueError) as error:
        hint = "give a halo2 file of more points (VML_SRS)"
        raise InvalidInput(thing=f"reference string `{srs}`", reason=str(error), hint=hint) from error


_predictor = lru_cache(maxsize=4)(predictor)

Runs = list[tuple[IntArray, ...]]


def _proved(prover: Any, context: bytes, inputs: Runs, outputs: Runs, progress: Progress) -> bytes:
    """The proof's bytes. Each tensor holds that of all runs, one after the other."""
    joined = _together(inputs)
    found, payload = watched(lambda told: prover.prove(context, joined, told), progress)
    if found != _together(outputs):
        raise AssertionError("the prover and the program disagree: this is a bug of ours")
    return bytes(payload)


def _together(runs: Runs) -> list[list[int]]:
    return [np.concatenate([np.ravel(tensor) for tensor in each]).astype(np.int64).tolist() for each in zip(*runs, strict=True)]


@lru_cache(maxsize=8)
def _layout(program: Program, privacy: Privacy, count: int) -> tuple[int, int, int, int]:
    """Rows, log2 of a row's length, lookups, entries of tables."""
    if privacy != Privacy():
        thing, reason = f"program {program.id.hex()[:16]}", "this prover does not hide yet"
        raise UnsupportedModel(thing=thing, reason=reason, hint="use `--backend ezkl` to hide")
    files, module = to_files(program, {}), native()
    try:
        rows, row_bits, lookups, entries = module.layout(files[GRAPH], files[WEIGHTS], count)
    except module.Refused as error:
        operator, reason = error.args
        raise UnsupportedModel(thing=operator, reason=reason, hint="use `--backend ezkl`, or the optimistic path") from error
    return rows, row_bits, lookups, entries
