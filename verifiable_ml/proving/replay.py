# SPDX-License-Identifier: MIT OR Apache-2.0
"""replay: the trivial backend. Its proof is the public input, and to verify is to run the program again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from verifiable_ml.chain import UNBOUND, Registration
from verifiable_ml.commitment import Claim, Privacy, decode_tensor, encode_tensor, keccak
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput, MalformedProgram, UnsupportedModel
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.program import Program
from verifiable_ml.program.files import from_files, to_files
from verifiable_ml.proving.base import Estimate, Keys, Progress, Verdict, VerificationKey, check_unbound, silent
from verifiable_ml.proving.proof import KEY_FORMAT, Proof, canonical, malformed, read_document

NAME, VERSION = "replay", 1


@dataclass(frozen=True)
class ReplayKey:
    """The program itself: whoever verifies runs it."""

    program: Program

    @property
    def backend(self) -> str:
        """Its name."""
        return NAME

    @property
    def program_id(self) -> bytes:
        """The program's."""
        return self.program.id

    @property
    def privacy(self) -> Privacy:
        """Everything is public."""
        return Privacy()

    @cached_property
    def id(self) -> bytes:
        """keccak-256 of the key's bytes."""
        return keccak(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The program's files, in one."""
        files = {name: base64.b64encode(data).decode() for name, data in sorted(to_files(self.program, {}).items())}
        return canonical({"format": KEY_FORMAT, "version": VERSION, "backend": NAME, "program": files})

    def registration(self) -> Registration:
        """Raises UnsupportedModel: a contract cannot run any program again; the dispute game is for that."""
        raise UnsupportedModel(
            thing="a replay key", reason="no contract verifies by running the program", hint="prove with `--backend sumcheck`"
        )


class ReplayBackend:
    """Sound without any assumption, as costly to verify as to run, and nothing is hidden."""

    name = NAME

    def supports(self, program: Program, privacy: Privacy) -> None:
        """Every program; raises UnsupportedModel if anything is to be hidden."""
        if privacy != Privacy():
            raise UnsupportedModel(
                thing=f"program {program.id.hex()[:16]}",
                reason="who replays sees the input and the weights",
                hint="leave out --hide, or use `--backend ezkl`",
            )

    def estimate(self, program: Program, privacy: Privacy) -> Estimate:
        """Nothing to set up; the memory of the trace; 20 million multiplications a second in the reference."""
        self.supports(program, privacy)
        held = sum(operator.output.nbytes for operator in program.operators) + 16 * program.parameters
        return Estimate(0, 0, 0, held, 0.0, program.parameters / 2e7)

    def setup(self, program: Program, privacy: Privacy, progress: Progress = silent) -> Keys:
        """The program is the key."""
        self.supports(program, privacy)
        return Keys(None, ReplayKey(Program(program.inputs, program.constants, program.operators, program.outputs, program.salt)))

    def prove(
        self,
        program: Program,
        inputs: Mapping[str, IntArray],
        keys: Keys,
        progress: Progress = silent,
        context: bytes = UNBOUND,
    ) -> Proof:
        """Run it; the inputs' bytes are the evidence."""
        check_unbound(NAME, context)
        if keys.verification.program_id != program.id:
            raise InvalidInput(thing="keys", reason="they are another program's", hint="make them with `vml setup`")
        progress("running the program", None)
        trace = run_reference(program, inputs)
        return Proof(NAME, public_claim(trace), b"", tuple(encode_tensor(tensor) for tensor in trace.inputs))

    def verify(self, proof: Proof, claim: Claim, key: VerificationKey, context: bytes = UNBOUND) -> Verdict:
        """Assures that the pinned program gives the claimed outputs on the input committed to. No assumption but keccak-256's."""
        check_unbound(NAME, context)
        if not isinstance(key, ReplayKey):
            raise InvalidInput(thing="a verification key", reason="it is no replay key", hint="give the key that fits the proof")
        reason = _differs(proof, claim, key)
        if reason:
            return Verdict.rejected(reason)
        found = _run_again(proof, key.program)
        if found is None:
            return Verdict.rejected("an input leaves its interval")
        if found.inputs != claim.inputs:
            return Verdict.rejected("the input is not the one that the claim commits to")
        if found != claim:
            return Verdict.rejected("the program gives other outputs")
        return Verdict.accept("the program was run again here")

    def read_key(self, data: bytes) -> ReplayKey:
        """Read a key; every bound of its program is proved again. Raises MalformedEvidence."""
        value = read_document(data, KEY_FORMAT, VERSION)
        try:
            files = {str(name): base64.b64decode(text, validate=True) for name, text in value["program"].items()}
            key = ReplayKey(from_files(files))
        except (KeyError, AttributeError, TypeError, ValueError, binascii.Error, MalformedProgram) as error:
            raise malformed("a replay key", f"its program cannot be read ({error})") from error
        if key.to_bytes() != data:
            raise malformed("a replay key", "its bytes are not what a key is written as")
        return key


def _differs(proof: Proof, claim: Claim, key: ReplayKey) -> str:
    claim.check()
    if proof.backend != NAME:
        return f"the proof is one of backend {proof.backend!r}, the key of replay"
    if claim.program_id != key.program_id:
        return "the claim is about another program than the key"
    if claim.privacy != key.privacy:
        return "the claim hides what replay cannot hide"
    if proof.claim != claim:
        return "the proof is about another claim"
    if proof.payload:
        raise malformed("a replay proof", "bytes follow where a replay has none")
    return ""


def _run_again(proof: Proof, program: Program) -> Claim | None:
    given: dict[str, Any] = {}
    if len(proof.public_inputs) != len(program.inputs):
        raise malformed("a replay proof", f"it holds {len(proof.public_inputs)} inputs, the program has {len(program.inputs)}")
    for each, data in zip(program.inputs, proof.public_inputs, strict=True):
        given[each.name] = decode_tensor(data, each.spec.dtype, each.spec.shape)
    try:
        return public_claim(run_reference(program, given))
    except InvalidInput:
        return None
