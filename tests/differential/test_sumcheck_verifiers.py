# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two verifiers of native proofs, in Rust by the key and in Solidity by the plan, judge whole proofs alike, whatever changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import pytest

from differential.record_sumcheck import CONTEXT, PROGRAM, Proved, saved
from differential.step_chain import Refused
from differential.sumcheck_verifier import Recorded, recorded, verifier
from verifiable_ml.commitment.transcript import MODULUS as P

native = pytest.importorskip(
    "verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck"
)

Q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
"""The modulus of the curve's coordinates."""


@pytest.fixture(scope="module")
def honest() -> Proved:
    return saved(PROGRAM)


def test_recorded_plan_follows_from_its_program(honest):
    assert honest.plan == recorded(PROGRAM).plan
    assert honest.recorded() == recorded(PROGRAM)


@dataclass(frozen=True)
class Shown:
    """What both verifiers are shown."""

    context: bytes
    inputs: list[list[int]]
    outputs: list[list[int]]
    proof: tuple[bytes, ...]


def word_flipped(shown: Shown, random: Random) -> Shown:
    place = random.randrange(len(shown.proof))
    return _word(shown, place, int.from_bytes(shown.proof[place]) ^ 1 << random.randrange(256))


def word_random(shown: Shown, random: Random) -> Shown:
    return _word(shown, random.randrange(len(shown.proof)), random.randrange(P))


def word_plain(shown: Shown, random: Random) -> Shown:
    return _word(shown, random.randrange(len(shown.proof)), random.choice((0, 1, 2, P - 1, P, Q - 1, Q, 2**256 - 1)))


def word_not_canonical(shown: Shown, random: Random) -> Shown:
    place = random.randrange(len(shown.proof))
    return _word(shown, place, (int.from_bytes(shown.proof[place]) + random.choice((P, Q))) % 2**256)


def words_exchanged(shown: Shown, random: Random) -> Shown:
    words, (a, b) = [*shown.proof], random.sample(range(len(shown.proof)), 2)
    words[a], words[b] = words[b], words[a]
    return replace(shown, proof=tuple(words))


def words_repeated(shown: Shown, random: Random) -> Shown:
    a, b = random.sample(range(len(shown.proof) - 1), 2)
    return replace(shown, proof=(*shown.proof[:a], *shown.proof[b : b + 2], *shown.proof[a + 2 :])[: len(shown.proof)])


def point_infinite(shown: Shown, random: Random) -> Shown:
    place = random.randrange(len(shown.proof) - 1)
    return replace(shown, proof=(*shown.proof[:place], bytes(32), bytes(32), *shown.proof[place + 2 :]))


def point_negated(shown: Shown, random: Random) -> Shown:
    place = random.randrange(len(shown.proof))
    return _word(shown, place, (Q - int.from_bytes(shown.proof[place])) % 2**256)


def proof_of_another_length(shown: Shown, random: Random) -> Shown:
    return replace(shown, proof=random.choice((shown.proof[:-1], shown.proof[1:], (*shown.proof, bytes(32)), ())))


def input_changed(shown: Shown, random: Random) -> Shown:
    return replace(shown, inputs=_changed(shown.inputs, random, lambda value: value ^ 1 << random.randrange(8)))


def output_changed(shown: Shown, random: Random) -> Shown:
    return replace(shown, outputs=_changed(shown.outputs, random, lambda value: value + random.choice((-1, 1, 256, -(2**40)))))


def context_changed(shown: Shown, random: Random) -> Shown:
    return replace(shown, context=random.randbytes(32))


def nothing_changed(shown: Shown, _: Random) -> Shown:
    return shown


MUTATIONS = (
    word_flipped, word_random, word_plain, word_not_canonical, words_exchanged, words_repeated, point_infinite, point_negated,
    proof_of_another_length, input_changed, output_changed, context_changed, nothing_changed,
)  # fmt: skip


def _word(shown: Shown, place: int, value: int) -> Shown:
    return replace(shown, proof=(*shown.proof[:place], value.to_bytes(32), *shown.proof[place + 1 :]))


def _changed(tensors, random: Random, change):
    which = random.randrange(len(tensors))
    place = random.randrange(len(tensors[which]))
    values = [*tensors[which][:place], change(tensors[which][place]), *tensors[which][place + 1 :]]
    return [*tensors[:which], values, *tensors[which + 1 :]]


def judged_alike(honest: Proved, seeds: range) -> set[tuple[str, bool]]:
    """Each mutation in turn; what it was, and whether both accepted."""
    original, found = Shown(CONTEXT, honest.inputs, honest.outputs, honest.recorded().proof), set()
    for seed in seeds:
        mutation = MUTATIONS[seed % len(MUTATIONS)]
        shown = mutation(original, Random(seed))
        given = Recorded(honest.plan, shown.context, honest.statement(shown.inputs, shown.outputs), shown.proof)
        on_chain = not isinstance(verifier().verify(given), Refused)
        verdict, reason = native.verify(
            honest.key, honest.reference, shown.context, shown.inputs, shown.outputs, b"".join(shown.proof)
        )
        assert on_chain == (verdict == "accepted"), (seed, mutation.__name__, verdict, reason)
        assert on_chain == (shown == original), (seed, mutation.__name__)
        found.add((mutation.__name__, on_chain))
    return found


def test_mutated_proofs_are_judged_alike_and_only_the_true_one_is_accepted(honest):
    found = judged_alike(honest, range(1_000))
    assert {name for name, accepted in found if not accepted} >= {each.__name__ for each in MUTATIONS} - {"nothing_changed"}
    assert ("nothing_changed", True) in found


@pytest.mark.slow
def test_many_mutated_proofs_are_judged_alike(honest):
    judged_alike(honest, range(1_000, 10_000))
