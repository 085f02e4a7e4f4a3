# SPDX-License-Identifier: MIT OR Apache-2.0
"""Claims from strangers: any JSON gives MalformedEvidence, or a claim that is written as it was read."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiable_ml.commitment import Claim, Dtype, InputCommitment, OutputBytes, Privacy
from verifiable_ml.errors import MalformedEvidence

HONEST = Claim(
    bytes(range(32)),
    (InputCommitment.public(Dtype.U8, b"input"), InputCommitment.salted(bytes(32), Dtype.I16, b"\1\2")),
    (OutputBytes(Dtype.I32, b"\0\1\2\3"), OutputBytes(Dtype.U8, b"\7")),
    Privacy("hashed", "committed"),
)
QUICK = settings(max_examples=250, deadline=None, derandomize=True)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["u8", "public", "00" * 32, "U8"])
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def verdict(value) -> Claim | None:
    try:
        claim = Claim.from_json(value)
    except MalformedEvidence as error:
        assert error.reason and error.hint
        return None
    assert json.dumps(claim.to_json(), sort_keys=True) == json.dumps(value, sort_keys=True)
    assert Claim.from_json(claim.to_json()) == claim and len(claim.id) == 32
    return claim


def paths(value, path=()):
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(child, (*path, key))


PATHS = list(paths(HONEST.to_json()))


def with_leaf(path, new):
    if not path:
        return new
    changed = copy.deepcopy(HONEST.to_json())
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return changed


def test_claim_written_and_read_is_the_same_in_any_key_order():
    assert verdict(HONEST.to_json()) == HONEST
    assert verdict(json.loads(json.dumps(HONEST.to_json(), sort_keys=True))) == HONEST


@QUICK
@given(JSON)
def test_claim_from_any_json_is_refused(value):
    assert verdict(value) is None


@QUICK
@given(st.sampled_from(PATHS), JSON)
def test_claim_with_any_part_replaced_is_refused_or_another_claim(path, new):
    value = with_leaf(path, new)
    claim = verdict(value)
    if claim is not None and claim != HONEST:
        assert claim.id != HONEST.id


HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
INPUT = st.fixed_dictionaries({"scheme": st.integers(-1, 6), "digest": HEX32})
DATA = st.binary(max_size=16).map(bytes.hex)
OUTPUT = st.fixed_dictionaries({"dtype": st.sampled_from(["u8", "i16", "i32", "i64", "I64", "f32"]), "data": DATA})
MODES = st.sampled_from(["public", "hashed", "private", "committed", ""])
PARTS = {
    "program": HEX32,
    "inputs": st.lists(INPUT, max_size=3),
    "outputs": st.lists(OUTPUT, max_size=3),
    "privacy": st.fixed_dictionaries({"input": MODES, "weights": MODES}),
}


@QUICK
@given(st.fixed_dictionaries(PARTS))
def test_claim_of_the_right_form_round_trips_or_is_refused(value):
    verdict(value)


def endless():
    """A list inside of itself: JSON cannot say it, a caller in Python can."""
    value: list = []
    value.append(value)
    return value


def deep():
    value: list = []
    for _ in range(100_000):
        value = [value]
    return value


FORGED = {
    "no scheme of ours": (("inputs", 0, "scheme"), 5),
    "a negative scheme": (("inputs", 0, "scheme"), -1),
    "a scheme beyond a byte": (("inputs", 0, "scheme"), 256),
    "true for a scheme": (("inputs", 0, "scheme"), True),
    "a text for a scheme": (("inputs", 0, "scheme"), "0"),
    "a float for a scheme": (("inputs", 0, "scheme"), 0.0),
    "NaN for a scheme": (("inputs", 0, "scheme"), float("nan")),
    "infinity for a scheme": (("inputs", 0, "scheme"), float("inf")),
    "a huge scheme": (("inputs", 0, "scheme"), 10**5000),
    "upper case": (("program",), HONEST.program_id.hex().upper()),
    "white space in hex": (("program",), " " + HONEST.program_id.hex()),
    "a prefix": (("program",), "0x" + HONEST.program_id.hex()),
    "a short id": (("program",), HONEST.program_id.hex()[2:]),
    "a short digest": (("inputs", 0, "digest"), "00"),
    "no inputs": (("inputs",), []),
    "256 inputs": (("inputs",), [{"scheme": 0, "digest": "00" * 32}] * 256),
    "no outputs": (("outputs",), []),
    "256 outputs": (("outputs",), [{"dtype": "u8", "data": "00"}] * 256),
    "an empty output": (("outputs", 0, "data"), ""),
    "half an element": (("outputs", 0, "data"), "000102"),
    "an unknown dtype": (("outputs", 0, "dtype"), "f32"),
    "a dtype in upper case": (("outputs", 0, "dtype"), "I32"),
    "a dtype that is a method": (("outputs", 0, "dtype"), "of"),
    "weights' mode for the input": (("privacy", "input"), "committed"),
    "an unknown mode": (("privacy", "weights"), "secret"),
    "a mode that is a list": (("privacy", "weights"), ["public"]),
    "one key more": (("privacy", "salt"), "00"),
    "one key more at the top": (("note",), None),
    "a list inside of itself": (("inputs",), endless()),
    "a very deep list": (("inputs", 0, "digest"), deep()),
    "a very deep list that nobody asked for": (("note",), deep()),
    "a very deep list beside an input": (("inputs", 0, "note"), deep()),
}


@pytest.mark.parametrize("why", FORGED)
def test_claim_with_one_thing_forged_is_refused(why):
    assert verdict(with_leaf(*FORGED[why])) is None


@pytest.mark.parametrize("path", [path for path in PATHS if path and isinstance(path[-1], str)])
def test_claim_without_one_of_its_keys_is_refused(path):
    value = HONEST.to_json()
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    assert verdict(value) is None


@pytest.mark.parametrize("code", range(-1, 257))
def test_privacy_code_is_one_mode_or_refused(code):
    try:
        privacy = Privacy.from_code(code)
    except MalformedEvidence:
        assert not (0 <= code < 256 and code & 15 < 3 and code >> 4 < 4)
    else:
        assert privacy.code == code


def test_claim_id_tells_apart_what_could_run_together():
    """Counts and fixed widths: an output's root cannot pass for an input, nor two claims for one."""
    a, b = HONEST.inputs
    claims = [
        HONEST,
        Claim(HONEST.program_id, (a,), HONEST.outputs, HONEST.privacy),
        Claim(HONEST.program_id, (b, a), HONEST.outputs, HONEST.privacy),
        Claim(HONEST.program_id, (a, b), HONEST.outputs[::-1], HONEST.privacy),
        Claim(HONEST.program_id, (a, b), HONEST.outputs[:1], HONEST.privacy),
        Claim(HONEST.program_id, (a, b), (*HONEST.outputs, HONEST.outputs[0]), HONEST.privacy),
        Claim(HONEST.program_id, (a, b), HONEST.outputs, Privacy("public", "committed")),
        Claim(HONEST.program_id, (a, InputCommitment(1, b.digest)), HONEST.outputs, HONEST.privacy),
        Claim(bytes(32), (a, b), HONEST.outputs, HONEST.privacy),
        Claim(HONEST.program_id, (a, b), (OutputBytes(Dtype.I16, b"\0\1\2\3"), HONEST.outputs[1]), HONEST.privacy),
    ]
    assert len({claim.id for claim in claims}) == len(claims)
