# SPDX-License-Identifier: MIT OR Apache-2.0
"""The parts of the native proof's verifier in Solidity against Python's big integers, and openings against Rust's verdicts."""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from differential.step_chain import Refused
from differential.sumcheck_cases import AXES, openings, scalars
from differential.sumcheck_chain import Opening, harness, number
from vectors.test_vectors import cases, raw, vectors
from vectors.transcripts import label_word
from verifiable_ml.commitment import Transcript
from verifiable_ml.commitment.transcript import MODULUS as P

Q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
WORKSPACE = Path(__file__).resolve().parents[2] / "circuits" / "sumcheck"


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


# ---- transcript ------------------------------------------------------------------------------------------------------


@cases("transcript")
def test_transcript_vector_gives_its_states_and_challenges_on_chain(kind, case):
    vector = vectors(kind)[case]
    labels = list(map(label_word, vector["labels"]))
    found = harness().transcript(label_word(vector["domain"]), labels, vector["counts"], list(map(raw, vector["words"])))
    assert found == (list(map(raw, vector["states"])), list(map(raw, vector["challenges"])))


# ---- rounds ----------------------------------------------------------------------------------------------------------


def naive_rounds(state: bytes, claim: int, degree: int, words: list[bytes]) -> tuple[bytes, int, list[int]]:
    transcript, point = Transcript("unused"), []
    transcript.state = state
    for start in range(0, len(words), degree):
        sent = words[start : start + degree]
        transcript.absorb_words("round", sent)
        point.append(transcript.challenge("point"))
        constant, *higher = map(number, sent)
        coefficients = [constant, claim - 2 * constant - sum(higher), *higher]
        claim = sum(c * pow(point[-1], power, P) for power, c in enumerate(coefficients)) % P
    return transcript.state, claim, point


@pytest.mark.parametrize("degree", [1, 2, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_rounds_give_the_naive_value(degree, count):
    words = scalars(degree * count, "round")
    answer = harness().rounds(bytes(32), P - 1, degree, words)
    assert not isinstance(answer, Refused)
    assert answer[:3] == naive_rounds(bytes(32), P - 1, degree, words)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", [P, 2**256 - 1])
def test_round_with_a_coefficient_beyond_the_field_is_refused(place, value):
    words = scalars(6, "round")
    words[place] = word(value)
    assert harness().rounds(bytes(32), 0, 3, words) == Refused("NotCanonical")


# ---- index tables ----------------------------------------------------------------------------------------------------


def equality(point: list[int], index: int) -> int:
    value = 1
    for bit, coordinate in enumerate(reversed(point)):
        value = value * (coordinate if index >> bit & 1 else 1 - coordinate) % P
    return value


def naive_index_table(axis: tuple[int, ...], r: list[int], i: list[int]) -> list[int]:
    outputs, inputs, taps, stride, dilation, pad = axis
    values = []
    for tap in range(taps):
        reads = ((o, o * stride + tap * dilation - pad) for o in range(outputs))
        values.append(sum(equality(r, o) * equality(i, x) for o, x in reads if 0 <= x < inputs) % P)
    return values


SHAPES = [(outputs, inputs) for outputs in (1, 2, 3, 5, 8) for inputs in (1, 4, 6, 7, 8, 13)]
STEPS = [(1, 1, 1, 0), (3, 1, 1, 1), (5, 2, 1, 4), (3, 2, 2, 1), (2, 2, 1, 0), (4, 4, 3, 9), (3, 1, 7, 20), (3, 3, 1, 2)]
"""(taps, stride, dilation, pad)"""
WINDOWS = [(*shape, *step) for shape in SHAPES for step in STEPS] + [axis for axis, _ in AXES.values()]


def points(axis: tuple[int, ...]) -> tuple[list[bytes], list[bytes]]:
    bits = [(extent - 1).bit_length() for extent in axis[:2]]
    return scalars(bits[0], "r"), scalars(bits[1], "i")


@pytest.mark.parametrize("by_carry", [False, True], ids=["table", "carry"])
def test_index_table_gives_the_naive_sum(by_carry):
    checked = 0
    for axis in WINDOWS:
        r, i = points(axis)
        if by_carry and (axis[3] == 3 or axis[3] > 1 << len(i)):
            continue
        answer = harness().index_table(axis, by_carry, r, i)
        assert not isinstance(answer, Refused), axis
        assert answer[0] == naive_index_table(axis, list(map(number, r)), list(map(number, i))), axis
        checked += 1
    assert checked > 150


@pytest.mark.parametrize("axis", [(4, 12, 1, 3, 1, 0), (1, 2, 1, 4, 1, 0)], ids=str)
def test_index_table_by_carry_refuses_a_stride_that_it_does_not_know(axis):
    assert harness().index_table(axis, True, *points(axis)) == Refused("NoPowerOfTwo")


# ---- rows ------------------------------------------------------------------------------------------------------------


def test_rows_fold_as_multiples_of_one_point_do():
    point = openings()[2].opening.row
    weights = scalars(5, "weights")
    total = word(sum(map(number, weights)) % P)
    many, one = harness().rows(point * 5, weights), harness().rows(point, [total])
    assert not isinstance(many, Refused) and not isinstance(one, Refused)
    assert many[0] == one[0] != (bytes(32), bytes(32))
    zero = harness().rows([bytes(32)] * 2, [word(3)])
    assert not isinstance(zero, Refused) and zero[0] == (bytes(32), bytes(32))


@pytest.mark.parametrize(
    "point", [(word(1), word(3)), (word(1), word(2 + Q)), (word(1 + Q), word(2)), (word(0), word(1))], ids=str
)
def test_row_that_is_no_point_is_refused(point):
    assert harness().rows(point, [word(1)]) == Refused("NoPoint")


# ---- openings --------------------------------------------------------------------------------------------------------

BORDERS = (0, 1, P - 1, P, 2**256 - 1)
VERDICTS = {"OpeningFails": "fails", "NotCanonical": "malformed", "Infinity": "malformed", "NoPoint": "malformed"}


def on_chain(opening: Opening) -> str:
    made = openings()[3]  # key and transcript are the same for every size
    answer = harness().opening(made.before, made.tau, opening)
    return VERDICTS[answer.error] if isinstance(answer, Refused) else "holds"


@pytest.mark.parametrize("n", openings())
def test_opening_that_rust_wrote_holds_and_leaves_its_transcript(n):
    made = openings()[n]
    answer = harness().opening(made.before, made.tau, made.opening)
    assert not isinstance(answer, Refused), answer
    assert answer[0] == made.after


@pytest.mark.parametrize("count", [0, 1])
def test_opening_at_fewer_than_two_coordinates_is_refused_by_name(count):
    made = openings()[2]
    short = replace(made.opening, point=made.opening.point[:count])
    assert harness().opening(made.before, made.tau, short) == Refused("TooFewCoordinates")


def flat(opening: Opening) -> list[bytes]:
    return [*opening.row, opening.value, *opening.point, *opening.words]


def unflat(words: list[bytes]) -> Opening:
    return Opening(tuple(words[:2]), words[2], tuple(words[3:-22]), tuple(words[-22:]))


def mutants(count: int, seed: int) -> list[Opening]:
    """True openings with one thing changed, and now and then with none."""
    chance, made = random.Random(seed), []
    honest = [flat(openings()[n].opening) for n in (2, 3, 8)]
    for _ in range(count):
        words = list(chance.choice(honest))
        place, other = (chance.randrange(len(words)) for _ in range(2))
        value = number(words[place])
        changed = [value ^ 1 << chance.randrange(254), value + P, value + Q, Q - value, *BORDERS, chance.randrange(P)]
        own = 2 <= place < len(words) - 22  # value and point are the verifier's: scalars
        words[place] = word(chance.choice(changed) % (P if own else 2**256))
        how = chance.randrange(8)
        if how == 0:
            words = list(chance.choice(honest))
        elif how == 1:
            words[place] = words[other]
        elif how == 2:
            start = len(words) - 22 + 2 * chance.choice([0, 1, 2, 3, 4, 8, 9, 10])
            words[start : start + 2] = chance.choice([[bytes(32)] * 2, [word(1), word(2)], [word(1), word(Q - 2)], words[:2]])
        made.append(unflat(words))
    return made


def judged_by_rust(openings: list[Opening]) -> list[str]:
    command = ["cargo", "run", "--quiet", "-p", "commitment", "--example", "judge"]
    lines = "\n".join(" ".join(each.hex() for each in flat(opening)) for opening in openings)
    return subprocess.run(command, cwd=WORKSPACE, input=lines, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cargo"), reason="needs Rust: the verdicts are those of the crate `commitment`")
def test_opening_mutated_gets_the_same_verdict_from_rust_and_on_chain():
    made = mutants(1000, seed=2025)
    by_rust = judged_by_rust(made)
    assert [on_chain(opening) for opening in made] == by_rust
    assert {verdict: by_rust.count(verdict) > 50 for verdict in ("holds", "fails", "malformed")} == {
        "holds": True, "fails": True, "malformed": True,
    }  # fmt: skip


def test_opening_mutated_never_holds_on_chain():
    honest = {tuple(flat(made.opening)) for made in openings().values()}
    for opening in mutants(200, seed=8):
        assert (on_chain(opening) == "holds") == (tuple(flat(opening)) in honest)
