# SPDX-License-Identifier: MIT OR Apache-2.0
"""Saved programs under attack. Whoever changes a byte may make every checksum anew: a load gives MalformedProgram, or a
program whose id is the one that the manifest states and whose files are those that were read. Never anything else."""

from __future__ import annotations

import copy
import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from vectors.programs import example_program
from verifiable_ml.errors import InvalidInput, MalformedProgram, ResourceExceeded
from verifiable_ml.program import load, save
from verifiable_ml.program.files import GRAPH, MANIFEST, WEIGHTS, from_files, to_files

HONEST = to_files(example_program(), {})
ID = example_program().id
FREE = ("name", "label")
"""What no id depends on: names for people. Any text is as good as another."""


def rehashed(files: dict[str, bytes], **manifest) -> dict[str, bytes]:
    """The attacker's work: checksums that fit, and whatever else of the manifest is given."""
    stated = {**json.loads(HONEST[MANIFEST]), **manifest}
    content = {name: data for name, data in files.items() if name != MANIFEST}
    stated["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    return {MANIFEST: written(stated), **content}


def written(value) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def verdict(files: dict[str, bytes]) -> bytes | None:
    """None if refused, else the id; a load that is neither fails the test."""
    try:
        program = from_files(files)
    except MalformedProgram as error:
        assert error.reason and error.hint
        return None
    assert program.id.hex() == json.loads(files[MANIFEST])["program"] and to_files(program, {}) == files
    return program.id


def leaves(value, path=()):
    """The path of every leaf and every container of a JSON tree."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from leaves(child, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def replaced(value, path, new):
    if not path:
        return new
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def wrong(old):
    """Other values for a leaf: other types, other numbers, huge ones, texts that parse as the same number."""
    yield from (None, True, False, -1, 0, 1, 2**63, 2**31, 10**400, 0.5, 1e308, "", "0", [], {}, [[]], float("nan"), float("inf"))
    if isinstance(old, int):
        yield from (old + 1, float(old), str(old), [old], -old - 1)
    if isinstance(old, str):
        yield from (old + " ", old.upper(), old[1:], " " + old, "\ud800", old + "\0", f"{old}0")
    if isinstance(old, list):
        yield from (old * 2, old[1:], old[::-1], {"0": old})
    if isinstance(old, dict):
        yield from ({**old, "more": 1}, list(old), dict(list(old.items())[1:]))


def plausible(old):
    """Values that might be another well-formed program's."""
    if isinstance(old, int):
        yield from (0, 1, 255, old + 1, old - 1, -old)
    if isinstance(old, str):
        yield from ("trace 0", "constant 0", old[::-1])
    if isinstance(old, list):
        yield from (old[::-1], old * 2)


def test_program_saved_twice_has_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(example_program(), tmp_path / name, {"report.json": b"{}"})
    files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert files[0] == files[1] and load(tmp_path / "a").id == ID


@pytest.mark.parametrize("name", [MANIFEST, GRAPH])
def test_program_json_with_a_leaf_changed_is_refused_or_says_its_id(name):
    tree, seen = json.loads(HONEST[name]), 0
    for path in leaves(tree):
        for new in wrong(at(tree, path)):
            try:
                data = written(replaced(tree, path, new))
            except ValueError:  # an integer too long to be written
                continue
            files = {**HONEST, name: data}
            accepted = verdict(files if name == MANIFEST else rehashed(files))
            if data == HONEST[name]:
                assert accepted == ID
            elif accepted is not None:
                assert path[-1] in FREE and isinstance(new, str), (path, new)
            seen += 1
    assert seen > 100


def test_program_json_changed_by_an_attacker_who_states_the_new_id_is_another_program():
    """The attacker recomputes everything. What loads then has another id than the honest one: whoever pins ids is safe."""
    tree, others = json.loads(HONEST[GRAPH]), set()
    for path in leaves(tree):
        for new in plausible(at(tree, path)):
            files = rehashed({**HONEST, GRAPH: written(replaced(tree, path, new))})
            stated = _id_by_force(files)
            if stated is None:
                continue
            accepted = verdict(rehashed(files, program=stated.hex()))
            if accepted is not None and files[GRAPH] != HONEST[GRAPH] and path[-1] not in FREE:
                assert accepted != ID, (path, new)
                others.add(accepted)
    assert len(others) > 20  # the attack is no straw man


def _id_by_force(files: dict[str, bytes]) -> bytes | None:
    """What a patched loader, one without checks, would call these files."""
    from verifiable_ml.errors import VerifiableMlError
    from verifiable_ml.program import files as module

    try:
        return module._build(json.loads(files[GRAPH]), safetensors.numpy.load(files[WEIGHTS])).id
    except (VerifiableMlError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


ARRAYS = safetensors.numpy.load(HONEST[WEIGHTS])


def weights(**changed) -> bytes:
    arrays = {**ARRAYS, **{name.replace("_", "."): values for name, values in changed.items()}}
    return safetensors.numpy.save({name: values for name, values in arrays.items() if values is not None})


FORGED_WEIGHTS = {
    "an array left out": lambda: weights(constant_0=None),
    "an array too many": lambda: weights(more=np.zeros(3, dtype=np.int64)),
    "a wider dtype": lambda: weights(constant_1=ARRAYS["constant.1"].astype(np.int64)),
    "floats": lambda: weights(constant_0=ARRAYS["constant.0"].astype(np.float64)),
    "half floats": lambda: weights(multiplier_0=ARRAYS["multiplier.0"].astype(np.float16)),
    "truths": lambda: weights(constant_0=np.ones((3, 2, 2, 2), dtype=bool)),
    "unsigned 64 bits": lambda: weights(offset_0=np.full(3, 2**64 - 1, dtype=np.uint64)),
    "another shape": lambda: weights(constant_0=ARRAYS["constant.0"].reshape(3, 4, 2, 1)),
    "a flat shape": lambda: weights(constant_0=ARRAYS["constant.0"].ravel()),
    "no elements": lambda: weights(constant_0=np.zeros((0, 2), dtype=np.int16)),
    "a constant that nobody reads": lambda: weights(constant_4=np.array([5], dtype=np.uint8)),
    "a multiplier of two axes": lambda: weights(multiplier_0=ARRAYS["multiplier.0"].reshape(1, 3)),
    "a multiplier written once too often": lambda: weights(multiplier_7=np.ones(2, dtype=np.int64)),
    "an offset beyond its limit": lambda: weights(offset_6=np.array([2**62, 0])),
    "metadata": lambda: safetensors.numpy.save(ARRAYS, metadata={"by": "nobody"}),
    "a name with two forms": lambda: safetensors.numpy.save(
        {("constant.00" if name == "constant.0" else name): values for name, values in ARRAYS.items()}
    ),
    "a header too long": lambda: (2**62).to_bytes(8, "little") + HONEST[WEIGHTS][8:],
    "offsets beyond the end": lambda: HONEST[WEIGHTS].replace(b'"data_offsets":[0,', b'"data_offsets":[9,', 1),
    "an unknown dtype": lambda: HONEST[WEIGHTS].replace(b'"dtype":"I64"', b'"dtype":"I65"', 1),
    "brain floats": lambda: HONEST[WEIGHTS].replace(b'"dtype":"I16"', b'"dtype":"BF16"'.replace(b" ", b""), 1),
    "nothing": lambda: b"",
    "a pickle": lambda: b"\x80\x04N.",
}


@pytest.mark.parametrize("why", FORGED_WEIGHTS)
def test_program_weights_forged_are_refused(why):
    forged = FORGED_WEIGHTS[why]()
    assert forged != HONEST[WEIGHTS]
    assert verdict(rehashed({**HONEST, WEIGHTS: forged})) is None


def test_program_weight_changed_by_one_is_another_program_or_none():
    for name, values in ARRAYS.items():
        for place in range(values.size):
            forged = values.copy()
            forged.flat[place] += 1
            assert verdict(rehashed({**HONEST, WEIGHTS: weights(**{name.replace(".", "_"): forged})})) is None, name


TEXTS = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]\n",
    "a number": b"5\n",
    "no unicode": b"\xff\xfe\x00",
    "utf-16": HONEST[GRAPH].decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + HONEST[GRAPH],
    "nesting": b'{"a":' * 200_000,
    "nested lists": b"[" * 200_000 + b"]" * 200_000,
    "nesting in a name": HONEST[GRAPH].replace(b'"picture"', b"[" * 900 + b"]" * 900),
    "NaN for a name": HONEST[GRAPH].replace(b'"picture"', b"NaN"),
    "a duplicate key": HONEST[GRAPH].replace(b'"salt":', b'"salt": "", "salt":', 1),
    "other white space": HONEST[GRAPH].replace(b"\n", b"\r\n"),
    "a missing last line": HONEST[GRAPH][:-1],
    "other key order": json.dumps(json.loads(HONEST[GRAPH]), indent=1, sort_keys=False)[::1].encode() + b"\n ",
    "escapes": HONEST[GRAPH].replace(b'"picture"', rb'"\u0070icture"'),
    "a million digits": HONEST[GRAPH].replace(b'"base": 0', b'"base": ' + b"9" * 1_000_000),
    "minus zero": HONEST[GRAPH].replace(b'"base": 0', b'"base": -0'),
    "an exponent": HONEST[GRAPH].replace(b'"base": 0', b'"base": 0e0'),
    "a constant before the first": HONEST[GRAPH].replace(b'"constant 3"', b'"constant -1"'),
    "a zero point beyond 64 bits": HONEST[GRAPH].replace(b"128\n", b"36893488147419103232\n", 1),
    "a scale of nothing": HONEST[GRAPH].replace(b"0.25", b"0.0"),
    "a scale of infinity": HONEST[GRAPH].replace(b"0.25", b"1e999"),
}


@pytest.mark.parametrize("why", TEXTS)
@pytest.mark.parametrize("name", [MANIFEST, GRAPH])
def test_program_text_that_is_not_as_written_is_refused(why, name):
    assert TEXTS[why] != HONEST[GRAPH]
    files = {**HONEST, name: TEXTS[why]}
    assert verdict(files if name == MANIFEST else rehashed(files)) is None


@pytest.mark.parametrize("version", [0, 2, 999, "1", None, 1.5])
def test_program_of_unknown_version_is_refused_by_name(version):
    with pytest.raises(MalformedProgram, match="version") as raised:
        from_files({**HONEST, MANIFEST: written({**json.loads(HONEST[MANIFEST]), "version": version})})
    assert repr(version) in raised.value.reason


def test_program_of_another_id_than_the_manifest_states_is_refused():
    assert verdict(rehashed(HONEST, program=bytes(32).hex())) is None
    assert verdict(rehashed(HONEST, program=ID.hex().upper())) is None


@pytest.mark.parametrize("name", sorted(HONEST))
def test_program_file_truncated_anywhere_is_refused(name):
    for length in {0, 1, 7, 8, 9, *range(0, len(HONEST[name]), 97), len(HONEST[name]) - 1}:
        files = {**HONEST, name: HONEST[name][:length]}
        assert verdict(files) is None and (name == MANIFEST or verdict(rehashed(files)) is None)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(HONEST)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3))
def test_program_bytes_flipped_are_refused_or_only_a_name(name, flips):
    data = bytearray(HONEST[name])
    for place, by in flips:
        data[place % len(data)] ^= by
    if bytes(data) != HONEST[name]:
        assert verdict({**HONEST, name: bytes(data)}) is None
        if name != MANIFEST:
            assert verdict(rehashed({**HONEST, name: bytes(data)})) in (None, ID)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from([MANIFEST, GRAPH, WEIGHTS, "x"]), st.binary(max_size=200)))
def test_program_of_any_bytes_is_refused(files):
    assert verdict(files) is None
    if files.keys() >= {GRAPH, WEIGHTS}:
        assert verdict(rehashed(files)) is None


# ---- directories -----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path) -> Path:
    save(example_program(), tmp_path / "model.vml")
    return tmp_path / "model.vml"


def _symlink(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / "elsewhere")
    (folder / WEIGHTS).symlink_to(folder.parent / "elsewhere")


def _fifo(folder: Path) -> None:
    import os

    os.mkfifo(folder / "pipe")


DIRECTORIES = {
    "a file too many": lambda folder: (folder / "notes.txt").write_text("hello"),
    "a file missing": lambda folder: (folder / WEIGHTS).unlink(),
    "a folder inside": lambda folder: (folder / "more").mkdir(),
    "a symlink to the same bytes": _symlink,
    "a pipe that nobody writes": _fifo,
    "a file of 5 GB": lambda folder: _sparse(folder / WEIGHTS, 5 * 2**30),
    "a JSON of 1 GB": lambda folder: _sparse(folder / GRAPH, 2**30),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize("why", DIRECTORIES)
def test_program_directory_with_other_content_is_refused(saved, why):
    DIRECTORIES[why](saved)
    with pytest.raises(MalformedProgram):
        load(saved)


def test_program_that_is_not_there_is_an_invalid_input(tmp_path):
    for path in (tmp_path, tmp_path / "none", tmp_path / ("long" * 100), "nul\0"):
        with pytest.raises(InvalidInput):
            load(path)


def test_program_extra_file_tampered_with_is_refused(tmp_path):
    save(example_program(), tmp_path / "m", {"report.json": b"{}"})
    (tmp_path / "m" / "report.json").write_bytes(b"{ }")
    with pytest.raises(MalformedProgram, match="checksum"):
        load(tmp_path / "m")


@pytest.mark.parametrize("name", ["../up", "a/b", "/abs", "", ".", "..", MANIFEST, GRAPH, WEIGHTS, "nul\0"])
def test_program_extra_file_of_a_forged_name_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput):
        save(example_program(), tmp_path / "m", {name: b""})
    assert list(tmp_path.iterdir()) == []


# ---- a save that fails -----------------------------------------------------------------------------------------------

OTHER = example_program(salt=b"\x07" * 32)
FAILURES = {
    "a full disk": (OSError(errno.ENOSPC, "No space left on device"), ResourceExceeded),
    "a quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), ResourceExceeded),
    "no permission": (PermissionError(errno.EACCES, "Permission denied"), InvalidInput),
    "Ctrl-C": (KeyboardInterrupt(), KeyboardInterrupt),
    "no memory": (MemoryError(), MemoryError),
}


@pytest.mark.parametrize("older", [True, False], ids=["over an older program", "anew"])
@pytest.mark.parametrize("operation", ["write_bytes", "rename", "chmod"])
@pytest.mark.parametrize("why", FAILURES)
def test_save_that_fails_at_any_call_leaves_what_was_there(tmp_path, monkeypatch, why, operation, older):
    failure, expected = FAILURES[why]
    target, honest = tmp_path / "model.vml", getattr(Path, operation)
    for failing in range(3):
        if older:
            save(example_program(), target)
        before, calls = sorted(tmp_path.rglob("*")), []

        def broken(self, *arguments, failing=failing, calls=calls):
            calls.append(self)
            if len(calls) == failing + 1:
                if operation == "write_bytes":
                    honest(self, arguments[0][: len(arguments[0]) // 2])
                raise failure
            return honest(self, *arguments)

        monkeypatch.setattr(Path, operation, broken)
        try:
            save(OTHER, target)
        except expected:
            failed = True
        else:
            failed = False
        monkeypatch.undo()
        assert failed == (len(calls) > failing) and (failed or failing > 0)
        if failed:
            assert sorted(tmp_path.rglob("*")) == before and (not older or load(target).id == ID)


def test_save_over_something_else_is_refused(tmp_path):
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday").write_text("rain")
    for path in (tmp_path / "diary", tmp_path / "diary" / "monday", tmp_path / "diary" / "monday" / "model.vml"):
        with pytest.raises(InvalidInput):
            save(example_program(), path)
    assert (tmp_path / "diary" / "monday").read_text() == "rain"


def test_save_through_a_symlink_replaces_what_it_points_to(saved, tmp_path):
    (tmp_path / "latest").symlink_to(saved)
    save(OTHER, tmp_path / "latest")
    assert load(saved).id == OTHER.id and (tmp_path / "latest").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "model.vml"]
