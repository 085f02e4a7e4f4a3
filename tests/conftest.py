# SPDX-License-Identifier: MIT OR Apache-2.0
"""A cache of the tests' own, and proofs of a program so small that one takes a second."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace

import numpy as np
import pytest

from verifiable_ml.commitment import Claim, Privacy
from verifiable_ml.program import Builder, Interval, Program, Requantise
from verifiable_ml.program.encoding import Tokens
from verifiable_ml.proving import Keys, Proof
from verifiable_ml.proving.ezkl.backend import EzklBackend

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job, whose children could not be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

PUBLIC, HASHED, PRIVATE = Privacy(), Privacy("hashed", "hashed"), Privacy("private", "committed")
TINY_INPUT = {"x": np.array([[1, 60, 3, 33]], np.uint8)}


def tiny_program(logits: int = 1) -> Program:
    """x [1, 4] in 0..63, a layer with requantisation, a layer of raw integers, some of them negative. logits: a seed."""
    rng, builder = np.random.default_rng(1), Builder()
    x = builder.input("x", (1, 4), Interval(0, 63), Tokens())
    form = Requantise(np.array([3, 1, 2, 3]), np.array([8, 2, -40, 8]), 3, 0, 60)
    hidden = builder.apply(
        "matmul", x, builder.constant(rng.integers(-9, 10, (4, 4))), requantise=form, label="hidden", x_zero=0, w_zero=0
    )
    last = builder.constant(np.random.default_rng(logits).integers(-9, 10, (3, 4)))
    y = builder.apply("matmul", hidden, last, label="logits", x_zero=0, w_zero=0)
    builder.output("y", y, Tokens())
    return builder.build()


@dataclass(frozen=True)
class Honest:
    """A proof with all that it takes to verify it: what attacks change one thing of."""

    program: Program
    keys: Keys
    proof: Proof
    backend: EzklBackend

    @property
    def claim(self) -> Claim:
        return self.proof.claim

    @property
    def key(self):
        return self.keys.verification

    def verify(self):
        """The verdict, every time on bytes that have travelled."""
        return self.backend.verify(Proof.from_bytes(self.proof.to_bytes()), self.claim, self.key)

    def telling(self, **changes) -> Honest:
        """The same evidence with fields of the claim changed, in the proof as well."""
        return replace(self, proof=replace(self.proof, claim=replace(self.claim, **changes)))

    def sending(self, **changes) -> Honest:
        """The same claim with fields of the proof changed."""
        return replace(self, proof=replace(self.proof, **changes))


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory):
    """VML_CACHE_DIR for everything that shares keys."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("VML_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def ezkl(cache_folder):
    pytest.importorskip("ezkl")
    return EzklBackend(srs=None, memory_limit=4 << 30)


@pytest.fixture(scope="session")
def honest(ezkl):
    """Honest proofs by privacy, made when first asked for."""
    made: dict[Privacy, Honest] = {}

    def of(privacy: Privacy = PUBLIC) -> Honest:
        if privacy not in made:
            program = tiny_program()
            keys = ezkl.setup(program, privacy)
            made[privacy] = Honest(program, keys, ezkl.prove(program, TINY_INPUT, keys), ezkl)
        return made[privacy]

    return of
