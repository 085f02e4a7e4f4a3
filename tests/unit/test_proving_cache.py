# SPDX-License-Identifier: MIT OR Apache-2.0
"""The cache: whole or not there, and never believed without its checksum."""

from __future__ import annotations

import contextlib
import errno
import os

import pytest

from verifiable_ml.errors import CorruptedArtifact, InvalidInput, ResourceExceeded
from verifiable_ml.proving.ezkl import cache, srs
from verifiable_ml.proving.ezkl.process import Worker


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def entry(own_cache, tmp_path):
    (tmp_path / "made").write_bytes(b"a large file")
    cache.publish({"large": tmp_path / "made", "small": b"small"}, {"label": "a test"}, own_cache / "keys" / "one")
    return own_cache / "keys" / "one"


def test_published_entry_loads_with_its_facts(entry):
    assert cache.load(entry, ("large", "small"))["label"] == "a test"
    assert (entry / "large").read_bytes() == b"a large file"


def test_second_publication_leaves_the_first(entry):
    cache.publish({"large": b"another"}, {}, entry)
    assert (entry / "large").read_bytes() == b"a large file"
    assert os.listdir(entry.parent) == ["one"]


DAMAGE = {
    "flipped": lambda entry: (entry / "large").write_bytes(b"a lArge file"),
    "cut": lambda entry: (entry / "large").write_bytes(b"a lar"),
    "gone": lambda entry: (entry / "small").unlink(),
    "no_manifest": lambda entry: (entry / "manifest.json").unlink(),
    "manifest_is_garbage": lambda entry: (entry / "manifest.json").write_bytes(b"\xff{"),
    "manifest_is_a_list": lambda entry: (entry / "manifest.json").write_text("[]"),
    "manifest_lists_less": lambda entry: (entry / "manifest.json").write_text('{"version": 1, "files": {"small": ""}}'),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_entry_is_corrupted_and_the_hint_deletes_it(entry, name):
    DAMAGE[name](entry)
    with pytest.raises(CorruptedArtifact) as caught:
        cache.load(entry, ("large", "small"))
    assert str(entry) in caught.value.thing
    assert caught.value.hint.endswith(f"rm -r '{entry}'")


def test_full_disk_leaves_no_entry(own_cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "sha256", full)
    with pytest.raises(ResourceExceeded, match="No space left"):
        cache.publish({"small": b"small"}, {}, own_cache / "keys" / "one")
    assert not list((own_cache / "keys").iterdir())


def test_workspace_is_gone_after_an_exception_and_clears_those_of_the_dead(own_cache):
    stale = own_cache / "work" / "999999999-dead"
    stale.mkdir(parents=True)
    with contextlib.suppress(KeyboardInterrupt), cache.workspace() as folder:
        assert folder.is_dir()
        assert not stale.exists()
        raise KeyboardInterrupt
    assert not list((own_cache / "work").iterdir())


def test_workspace_where_nothing_can_be_written_is_a_typed_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ResourceExceeded, match="VML_CACHE_DIR"), cache.workspace():
        pass


@pytest.fixture(scope="module")
def string(tmp_path_factory):
    pytest.importorskip("ezkl")
    folder = tmp_path_factory.mktemp("srs")
    Worker(folder).run("srs", logrows=6)
    return (folder / "srs").read_bytes()


def test_reference_string_of_the_user_is_taken_and_labelled(string, tmp_path):
    (tmp_path / "mine.srs").write_bytes(string)
    found = srs.reference(6, tmp_path / "mine.srs", Worker(tmp_path))
    assert found.label == srs.GIVEN
    assert len(srs.verifier_part(found.path)) == 516


def _changed(string: bytes, at: int) -> bytes:
    return string[:at] + bytes([string[at] ^ 1]) + string[at + 1 :]


WRONG = {
    "empty": (lambda s: b"", "2^0 points"),
    "cut": (lambda s: s[:-1], "bytes, a string of 2^6 points has"),
    "longer": (lambda s: s + b"\0", "bytes, a string of 2^6 points has"),
    "another_size": (lambda s: b"\7" + s[1:], "2^7 points"),
    "another_generator": (lambda s: _changed(s, 4), "generator"),
    "a_point_off_the_curve": (lambda s: _changed(s, 4 + 64 * 5), "point 5 is not on the curve"),
    "the_last_point_off_the_curve": (lambda s: _changed(s, 4 + 64 * 127), "point 127 is not on the curve"),
    "no_second_group": (lambda s: s[:-256] + bytes(256), "second group"),
    "no_field_element": (lambda s: s[: 4 + 64] + b"\xff" * 64 + s[4 + 128 :], "point 1 is not on the curve"),
}


@pytest.mark.parametrize("name", WRONG)
def test_reference_string_that_is_none_is_refused(string, tmp_path, name):
    change, reason = WRONG[name]
    (tmp_path / "mine.srs").write_bytes(change(string))
    with pytest.raises(InvalidInput, match="reference string") as caught:
        srs.reference(6, tmp_path / "mine.srs", Worker(tmp_path))
    assert reason in caught.value.reason


def test_reference_string_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="No such file"):
        srs.reference(6, tmp_path / "none.srs", Worker(tmp_path))


def test_reference_string_corrupted_in_the_cache_is_named(tmp_path):
    pytest.importorskip("ezkl")
    found = srs.reference(6, None, Worker(tmp_path))
    assert found.label == srs.UNSAFE
    data = found.path.read_bytes()
    found.path.write_bytes(_changed(data, len(data) // 2))
    with pytest.raises(CorruptedArtifact, match="checksum"):
        srs.reference(6, None, Worker(tmp_path))
