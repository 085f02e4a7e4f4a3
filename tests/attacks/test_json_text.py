# SPDX-License-Identifier: MIT OR Apache-2.0
"""JSON of strangers never takes the process down, whatever the recursion limit is that somebody's import has set."""

from __future__ import annotations

import json
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiable_ml.cli.files import read_claim
from verifiable_ml.cli.source import _arrays
from verifiable_ml.commitment import parse_json
from verifiable_ml.errors import InvalidInput, MalformedEvidence
from verifiable_ml.proving.proof import KEY_FORMAT, Proof, read_document

READERS = {
    "proof": lambda path: Proof.from_bytes(path.read_bytes()),
    "key": lambda path: read_document(path.read_bytes(), KEY_FORMAT, 1),
    "claim": read_claim,
    "input": _arrays,
}

REFUSED = {
    "lists": b"[" * 200_000,
    "objects": b'{"a":' * 200_000,
    "65 levels": b"[" * 65 + b"]" * 65,
    "depth behind a string with brackets that close": b'["' + b"]" * 1000 + b'",' + b"[" * 200_000,
    "depth behind an escaped quote": rb'["\"",' + b"[" * 200_000,
    "depth behind an escaped backslash": rb'["\\",' + b"[" * 200_000,
    "depth behind a string that never ends": b'["' + rb"\"" * 200_000 + b"[" * 200_000,
    "utf-16 whose bytes look like quotes": ("[" + json.dumps("\u2200")[:-1] + "[" * 200_000).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no unicode": b'"\xff"',
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice, escaped": rb'{"a": 1, "\u0061": 1}',
    "NaN": b"[NaN]",
    "infinity": b"[-Infinity]",
    "many digits": b"9" * 100_000,
    "two values": b"1 2",
    "nothing": b"",
}


@pytest.fixture(params=[1000, 100_000], ids=["Python's limit", "py-evm's limit"])
def limit(request):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(request.param, before))
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("why", REFUSED)
def test_json_that_is_not_strict_is_a_value_error(limit, why):
    with pytest.raises(ValueError, match=r"."):
        parse_json(REFUSED[why])


@pytest.mark.parametrize("text", [b"[" * 64 + b"]" * 64, b'{"[[": "]]{{", "\\"": ["\\\\"]}', b'"' + b"[" * 1000 + b'"', b" 1e3 "])
def test_json_within_the_limit_is_read(limit, text):
    assert parse_json(text) == json.loads(text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_json_written_by_python_is_read_back(value):
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        assert parse_json(text.encode("utf-8", "surrogatepass" if ascii_only else "strict")) == value


@pytest.mark.parametrize("unit", [b'"', rb"\"", b'"\\', b'"[', b"[]", b"{}", b'","'])
def test_json_of_a_megabyte_is_judged_in_linear_time(unit):
    start = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        parse_json(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("read", ["proof", "key", "claim", "input"])
def test_artifact_of_deep_json_is_refused_by_its_reader(limit, tmp_path, read):
    path = tmp_path / "deep.json"
    path.write_bytes(b"[" * 200_000)
    with pytest.raises((MalformedEvidence, InvalidInput)):
        READERS[read](path)
