# SPDX-License-Identifier: MIT OR Apache-2.0
"""The sumcheck backend: our own prover, in Rust (circuits/sumcheck). Everything is public; not hiding. docs/sumcheck.md.

Proves in a fraction of a second to seconds, verifies in milliseconds. Rests on KZG over BN254, so on the reference string.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from verifiable_ml.chain import PlanRegistration, TensorLayout
from verifiable_ml.commitment import Claim, Dtype, InputCommitment, Privacy, decode_tensor, encode_tensor, keccak
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import BackendUnavailable, InvalidInput, UnsupportedModel
from verifiable_ml.execute import public_claim
from verifiable_ml.execute.run import recorder
from verifiable_ml.program import Program
from verifiable_ml.program.files import GRAPH, WEIGHTS, to_files
from verifiable_ml.proving.base import Estimate, Keys, Progress, Verdict, VerificationKey, silent
from verifiable_ml.proving.proof import KEY_FORMAT, Proof, canonical, malformed, read_document

NAME, VERSION = "sumcheck", 1
CONTEXT = bytes(32)
"""Of a proof that is bound to no request. Off chain they all are."""
UNSAFE_SEED = b"verifiable_ml: an UNSAFE reference string"
UNSAFE = "UNSAFE reference string, made from a published seed: anybody can forge proofs; for tests and demos only"
ASSUMPTION = "KZG over BN254 (about 100 bits), Fiat-Shamir with keccak-256"


def _native() -> Any:
    """The extension module. Raises BackendUnavailable."""
    try:
        import verifiable_ml_sumcheck
    except ImportError as error:
        raise BackendUnavailable(
            thing="backend `sumcheck`",
            reason="its extension is not installed",
            hint="pip install ./circuits/sumcheck",
        ) from error
    return verifiable_ml_sumcheck


@dataclass(frozen=True)
class SumcheckKey:
    """What a verifier pins. data: tensors, constraints, commitments to weights. reference: the string's secret in the second
    group. srs_label: what to think of the string; "" for a given one. inputs, outputs: their dtypes.
    """

    program_id: bytes
    data: bytes
    reference: bytes
    srs_label: str
    inputs: tuple[Dtype, ...]
    outputs: tuple[Dtype, ...]

    @property
    def backend(self) -> str:
        """Its name."""
        return NAME

    @property
    def privacy(self) -> Privacy:
        """Everything is public."""
        return Privacy()

    @cached_property
    def id(self) -> bytes:
        """keccak-256 of the key's bytes."""
        return keccak(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical(
            {
                "format": KEY_FORMAT,
                "version": VERSION,
                "backend": NAME,
                "srs": self.srs_label,
                "program": self.program_id.hex(),
                "inputs": [dtype.label for dtype in self.inputs],
                "outputs": [dtype.label for dtype in self.outputs],
                "reference": self.reference.hex(),
                "data": self.data.decode(),
            }
        )

    def registration(self) -> PlanRegistration:
        """What a contract pins (rule 10). Raises BackendUnavailable, InvalidInput if no plan follows from the key."""
        return self._registration

    @cached_property
    def _registration(self) -> PlanRegistration:
        try:
            plan, srs_id, inputs, outputs = _native().plan(self.data, self.reference)
        except ValueError as error:
            raise InvalidInput(thing="a sumcheck key", reason=str(error), hint="make it with `vml setup`") from error
        return PlanRegistration(self.program_id, srs_id, plan, _layouts(self.inputs, inputs), _layouts(self.outputs, outputs))


class SumcheckBackend:
    """Sound under `ASSUMPTION`. Nothing is hidden. srs: a halo2 file; without one an UNSAFE string is made."""

    name = NAME

    def __init__(self, srs: Path | None = None) -> None:
        given = os.environ.get("VML_SRS", "")
        self._srs = srs or (Path(given).expanduser().absolute() if given else None)

    def supports(self, program: Program, privacy: Privacy) -> None:
        """Raises UnsupportedModel with the operator, BackendUnavailable."""
        self._layout(program, privacy)

    def estimate(self, program: Program, privacy: Privacy) -> Estimate:
        """Fitted on two cores to the zoo. Raises as `supports`."""
        rows, row_bits, lookups, entries = self._layout(program, privacy)
        values = rows << row_bits
        warning = "" if self._srs else UNSAFE
        memory = 200 * values + 600 * (lookups + entries)
        return Estimate(values, row_bits, 0, memory, 1e-6 * values, 1e-6 * values + 2e-6 * (lookups + entries), warning)

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent) -> Keys:
        """The prover's part is made again by whoever proves: that is quick. Raises as `supports`, InvalidInput."""
        self.supports(program, privacy)
        progress("committing to the weights", None)
        data, reference = self._prover(program).verification()
        label = "" if self._srs else UNSAFE
        inputs = tuple(given.spec.dtype for given in program.inputs)
        return Keys(
            None, SumcheckKey(program.id, data, reference, label, inputs, tuple(spec.dtype for spec in program.output_specs))
        )

    def prove(
        self,
        program: Program,
        inputs: Mapping[str, IntArray],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = CONTEXT,
    ) -> Proof:
        """Run it twice, here and in the prover, which must agree. context: the id of the request that the proof shall settle
        (rule 9); it holds for nothing else then. Raises InvalidInput on other keys or inputs.
        """
        key, trace = keys.verification, recorder(program)(inputs)
        prover = self._prover(program)
        if not isinstance(key, SumcheckKey) or prover.verification() != (key.data, key.reference):
            raise InvalidInput(thing="keys", reason="they are of another program or string", hint="make them with `vml setup`")
        progress("proving", None)
        outputs, payload = prover.prove(context, [_flat(tensor) for tensor in trace.inputs])
        if outputs != [_flat(tensor) for tensor in trace.outputs]:
            raise AssertionError("the prover and the program disagree: this is a bug of ours")
        return Proof(NAME, public_claim(trace), payload, tuple(encode_tensor(tensor) for tensor in trace.inputs))

    def verify(self, proof: Proof, claim: Claim, key: VerificationKey) -> Verdict:
        """Assures that the program behind the key gives the claimed outputs on the committed input, under `ASSUMPTION`."""
        if not isinstance(key, SumcheckKey):
            raise InvalidInput(thing="a verification key", reason="it is no sumcheck key", hint="give the proof's own key")
        reason = _differs(proof, claim, key)
        if reason:
            return Verdict.rejected(reason)
        inputs = [_values(dtype, data) for dtype, data in zip(key.inputs, proof.public_inputs, strict=True)]
        outputs = [_values(output.dtype, output.data) for output in claim.outputs]
        verdict, reason = _native().verify(key.data, key.reference, CONTEXT, inputs, outputs, proof.payload)
        if verdict == "malformed":
            raise malformed("a sumcheck proof", reason)
        if verdict == "rejected":
            return Verdict.rejected(reason)
        return Verdict.accept("; ".join(filter(None, (ASSUMPTION, key.srs_label))))

    def read_key(self, data: bytes) -> SumcheckKey:
        """Raises MalformedEvidence; BackendUnavailable without the extension."""
        value = read_document(data, KEY_FORMAT, VERSION)
        try:
            key = SumcheckKey(
                bytes.fromhex(value["program"]),
                value["data"].encode(),
                bytes.fromhex(value["reference"]),
                str(value["srs"]),
                tuple(Dtype[label.upper()] for label in value["inputs"]),
                tuple(Dtype[label.upper()] for label in value["outputs"]),
            )
            program_id, _ = _native().read_key(key.data, key.reference)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise malformed("a sumcheck key", f"it cannot be read ({error})") from error
        if program_id != key.program_id or key.to_bytes() != data:
            raise malformed("a sumcheck key", "its bytes are not what a key is written as")
        return key

    def _layout(self, program: Program, privacy: Privacy) -> tuple[int, int, int, int]:
        if privacy != Privacy():
            raise UnsupportedModel(
                thing=f"program {program.id.hex()[:16]}",
                reason="this prover does not hide yet",
                hint="use `--backend ezkl` to hide",
            )
        files, native = to_files(program, {}), _native()
        try:
            rows, row_bits, lookups, entries = native.layout(files[GRAPH], files[WEIGHTS], 1)
        except native.Refused as error:
            operator, reason = error.args
            raise UnsupportedModel(thing=operator, reason=reason, hint="use `--backend ezkl`, or the optimistic path") from error
        return rows, row_bits, lookups, entries

    def _prover(self, program: Program) -> Any:
        return _cached_prover(program, self._srs)


@lru_cache(maxsize=4)
def _cached_prover(program: Program, srs: Path | None) -> Any:
    native, files = _native(), to_files(program, {})
    try:
        file = srs.read_bytes() if srs else None
        return native.Prover(files[GRAPH], files[WEIGHTS], program.id, 1, file, None if srs else UNSAFE_SEED)
    except native.Refused:
        raise
    except (OSError, ValueError) as error:
        hint = "give a halo2 file of more points (VML_SRS)"
        raise InvalidInput(thing=f"reference string `{srs}`", reason=str(error), hint=hint) from error


def _flat(tensor: IntArray) -> list[int]:
    flat: list[int] = np.asarray(tensor, dtype=np.int64).ravel().tolist()
    return flat


def _layouts(dtypes: tuple[Dtype, ...], intervals: list[tuple[int, int, int]]) -> tuple[TensorLayout, ...]:
    """A key's interval holds what stands in the padding as well, so it may be wider than the type."""
    pairs = zip(dtypes, intervals, strict=True)
    return tuple(TensorLayout(dtype, count, max(low, dtype.low), min(high, dtype.high)) for dtype, (count, low, high) in pairs)


def _values(dtype: Dtype, data: bytes) -> list[int]:
    return _flat(decode_tensor(data, dtype, (len(data) // dtype.width,)))


def _differs(proof: Proof, claim: Claim, key: SumcheckKey) -> str:
    claim.check()
    if proof.backend != NAME:
        return f"the proof is one of backend {proof.backend!r}, the key of sumcheck"
    if claim.program_id != key.program_id:
        return "the claim is about another program than the key"
    if claim.privacy != key.privacy:
        return "the claim hides what this prover cannot hide"
    if proof.claim != claim:
        return "the proof is about another claim"
    if tuple(output.dtype for output in claim.outputs) != key.outputs:
        return "the claimed outputs are not of the program's types"
    if len(proof.public_inputs) != len(key.inputs):
        raise malformed("a sumcheck proof", f"it holds {len(proof.public_inputs)} inputs, the program has {len(key.inputs)}")
    committed = tuple(InputCommitment.public(*pair) for pair in zip(key.inputs, proof.public_inputs, strict=True))
    return "" if committed == claim.inputs else "the input is not the one that the claim commits to"
