# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many inputs as work items of one batch proof each: what is kept already is not done again, and what fails is tried again.

Nothing that a worker answers is kept unless it verifies here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, Protocol

from verifiable_ml.commitment import Claim
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import VerifiableMlError, WorkerFailed
from verifiable_ml.execute.run import predictor
from verifiable_ml.execute.trace import check_inputs, claim_of
from verifiable_ml.program import Program
from verifiable_ml.program.files import from_files, to_files
from verifiable_ml.proving.backends import batch_backend, read_key
from verifiable_ml.proving.base import Keys, VerificationKey
from verifiable_ml.proving.batch_proof import BatchProof
from verifiable_ml.proving.engines import Engine

Inputs = Mapping[str, IntArray]
RETRIES = 2


@dataclass(frozen=True, eq=False)
class Item:
    """inputs: integers by name, as many as the key is for."""

    number: int
    inputs: tuple[Inputs, ...]


def items_of(inputs: Sequence[Inputs], size: int) -> tuple[Item, ...]:
    """All inputs in order, `size` an item; the last item is filled up with the last input, since a key is for one size."""
    starts = range(0, len(inputs), size)
    return tuple(
        Item(number, tuple(inputs[min(place, len(inputs) - 1)] for place in range(start, start + size)))
        for number, start in enumerate(starts)
    )


@dataclass(frozen=True)
class ProveItem:
    """What a worker does, which needs nothing but this: a program's files and a verification key's bytes."""

    files: tuple[tuple[str, bytes], ...]
    key: bytes

    @classmethod
    def of(cls, program: Program, key: VerificationKey) -> ProveItem:
        """For proofs under that key."""
        return cls(tuple(sorted(to_files(program, {}).items())), key.to_bytes())

    def __call__(self, item: Item) -> bytes:
        """The proof, as it is written. Raises as `BatchBackend.prove_batch`."""
        key = read_key(self.key)
        proof = batch_backend(key.backend).prove_batch(_program(self.files), item.inputs, Keys(None, key))
        return proof.to_bytes()


@lru_cache(maxsize=1)
def _program(files: tuple[tuple[str, bytes], ...]) -> Program:
    """Read once a worker."""
    return from_files(dict(files))


class Shelf(Protocol):
    """Where finished items are kept."""

    def get(self, number: int) -> BatchProof | None:
        """What is kept under that number; None if there is nothing, or nothing that can be read."""

    def put(self, number: int, proof: BatchProof) -> None:
        """Keep it, whole or not at all."""


@dataclass(frozen=True)
class Outcome:
    """What became of an item: proved now, there already, or failed after all attempts."""

    number: int
    became: Literal["proved", "kept", "failed"]
    error: VerifiableMlError | None = None


Job = Callable[[Item], bytes]


@dataclass(frozen=True)
class Work:
    """A program's items under one key. retries: attempts after the first, of what a worker failed at."""

    program: Program
    key: VerificationKey
    shelf: Shelf
    retries: int = RETRIES

    def done(self, items: Sequence[Item], engine: Engine, job: Job | None = None) -> Iterator[Outcome]:
        """Each item's outcome, as it comes. job: what the engine is to call, by default `ProveItem`."""
        todo, job = [], job or ProveItem.of(self.program, self.key)
        for item in items:
            kept = self.shelf.get(item.number)
            if kept is not None and self._refusal(item, kept) == "":
                yield Outcome(item.number, "kept")
            else:
                todo.append(item)
        for attempt in range(self.retries + 1):
            failed = []
            for item, answer in engine.run(job, todo):
                error = self._keep(item, answer)
                if error is None:
                    yield Outcome(item.number, "proved")
                elif attempt < self.retries and isinstance(error, WorkerFailed):
                    failed.append(item)
                else:
                    yield Outcome(item.number, "failed", error)
            todo = failed

    def _keep(self, item: Item, answer: bytes | Exception) -> VerifiableMlError | None:
        """Put a true proof on the shelf. What went wrong otherwise: WorkerFailed if it may go better another time."""
        if isinstance(answer, VerifiableMlError):
            return answer
        if isinstance(answer, Exception):
            return _failed(item, f"{type(answer).__name__}: {answer}"[:300])
        try:
            proof = BatchProof.from_bytes(answer)
            refusal = self._refusal(item, proof)
        except VerifiableMlError as error:
            return _failed(item, str(error))
        if refusal:
            return _failed(item, f"its proof is rejected: {refusal}")
        self.shelf.put(item.number, proof)
        return None

    def _refusal(self, item: Item, proof: BatchProof) -> str:
        """Why a proof does not show this item's claims, "" if it does."""
        try:
            return batch_backend(self.key.backend).verify_batch(proof, self.claims(item), self.key).reason
        except VerifiableMlError as error:
            return error.reason or type(error).__name__

    def claims(self, item: Item) -> tuple[Claim, ...]:
        """What an item is about: the program is run here, whoever proves it."""
        return tuple(claim_of(self.program, check_inputs(self.program, each), self._predict(each)) for each in item.inputs)

    @cached_property
    def _predict(self) -> Callable[[Inputs], tuple[IntArray, ...]]:
        return predictor(self.program)


def _failed(item: Item, reason: str) -> WorkerFailed:
    return WorkerFailed(thing=f"the worker of item {item.number}", reason=reason, hint="run it again: what is proved is kept")
