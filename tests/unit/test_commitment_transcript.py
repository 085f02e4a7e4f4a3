# SPDX-License-Identifier: MIT OR Apache-2.0
"""The transcript follows its vectors, which Rust and Solidity follow too."""

from __future__ import annotations

import pytest

from vectors.test_vectors import cases, raw, vectors
from vectors.transcripts import DRAW
from verifiable_ml.commitment import Transcript
from verifiable_ml.commitment.transcript import MODULUS


@cases("transcript")
def test_transcript_vector_gives_its_states_and_challenges(kind, case):
    vector = vectors(kind)[case]
    words, drawn = list(map(raw, vector["words"])), []
    transcript = Transcript(vector["domain"])
    states = [transcript.state]
    for label, count in zip(vector["labels"], vector["counts"], strict=True):
        if count == DRAW:
            drawn.append(transcript.challenge(label).to_bytes(32, "big"))
        else:
            transcript.absorb_words(label, words[:count])
            del words[:count]
        states.append(transcript.state)
    assert not words
    assert states == list(map(raw, vector["states"]))
    assert drawn == list(map(raw, vector["challenges"]))


def test_transcript_vectors_hold_states_beyond_the_modulus_and_two_equal_draws_that_differ():
    quotients = {int(state, 16) // MODULUS for state in vectors("transcript")["draws"]["states"]}
    assert quotients >= {0, 1, 2, 3, 4, 5}
    first, second = vectors("transcript")["two_draws_of_one_label"]["challenges"]
    assert first != second


def test_absorbed_scalars_are_their_words():
    by_scalars, by_words = Transcript("domain"), Transcript("domain")
    by_scalars.absorb_scalars("scalars", [0, MODULUS - 1])
    by_words.absorb_words("scalars", [bytes(32), (MODULUS - 1).to_bytes(32, "big")])
    assert by_scalars.state == by_words.state


@pytest.mark.parametrize("scalar", [-1, MODULUS])
def test_absorbed_scalar_outside_the_field_is_refused(scalar):
    with pytest.raises(ValueError, match=r"\[0, p\)"):
        Transcript("domain").absorb_scalars("scalars", [scalar])


def test_word_or_label_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Transcript("domain").absorb_words("words", [bytes(31)])
    with pytest.raises(ValueError, match="at most 32"):
        Transcript("d" * 33)
