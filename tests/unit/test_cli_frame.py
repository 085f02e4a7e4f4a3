# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every command shares: exit codes, errors as three fields, settings, streams."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from verifiable_ml.cli import app, files, settings
from verifiable_ml.cli.main import COMMANDS
from verifiable_ml.errors import (
    BackendUnavailable,
    ChainError,
    FidelityBelowThreshold,
    InvalidInput,
    MalformedEvidence,
    ResourceExceeded,
    UnsupportedModel,
    VerifiableMlError,
)

VML = Path(sys.executable).with_name("vml")
runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def failing(monkeypatch, error):
    """`vml doctor` whose first look raises."""

    def look():
        raise error

    monkeypatch.setattr("verifiable_ml.cli.doctor.LOOKS", (look,))


CASES = [
    (InvalidInput(thing="t", reason="r", hint="h"), 2),
    (MalformedEvidence(thing="t", reason="r", hint="h"), 2),
    (UnsupportedModel(thing="t", reason="r", hint="h"), 3),
    (ChainError(thing="t", reason="r", hint="h"), 4),
    (BackendUnavailable(thing="t", reason="r", hint="h"), 5),
    (FidelityBelowThreshold(thing="t", reason="r", hint="h"), 6),
    (OSError(errno.ENOSPC, "No space left on device", "model.vml"), 5),
    (MemoryError(), 5),
    (PermissionError(errno.EACCES, "Permission denied", "x"), 2),
    (KeyboardInterrupt(), 130),
    (ZeroDivisionError("boom"), 70),
]


@pytest.mark.parametrize(
    ("error", "code"), CASES, ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else ""
)
def test_command_that_fails_exits_with_the_code_of_its_kind(monkeypatch, error, code):
    failing(monkeypatch, error)
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == code
    assert "error: " in result.stderr
    assert "hint: " in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "code"), CASES, ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else ""
)
def test_command_that_fails_with_json_prints_four_fields(monkeypatch, error, code):
    failing(monkeypatch, error)
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == code
    document = json.loads(result.stdout)
    assert document.keys() == {"error", "thing", "reason", "hint"}
    if isinstance(error, VerifiableMlError):
        assert document == error.to_json()


@pytest.mark.parametrize("flag", ["--debug", "-vv"])
def test_command_that_fails_with_debug_shows_the_traceback(monkeypatch, flag):
    failing(monkeypatch, ZeroDivisionError("boom"))
    result = runner.invoke(app, ["doctor", flag])
    assert "Traceback" in result.stderr
    assert result.exit_code == 70


@pytest.mark.parametrize(
    "words",
    [
        ["compile"],
        ["nonsense"],
        ["run", "x.vml"],
        ["compile", "x", "--width", "9"],
        ["doctor", "--unknown"],
        ["doctor", "surplus"],
    ],
)
def test_command_line_that_makes_no_sense_exits_2_and_names_its_help(words):
    result = runner.invoke(app, words)
    assert result.exit_code == 2
    assert "--help" in result.stderr
    document = json.loads(runner.invoke(app, [*words, "--json"]).stdout)
    assert document["error"] == "InvalidInput"


def test_vml_alone_shows_the_help_and_exits_2():
    result = runner.invoke(app, [])
    assert result.exit_code == 2
    assert all(name in result.output for name in COMMANDS)
    assert "error" not in result.stderr


def test_setting_in_four_places_the_nearer_one_wins(tmp_path):
    def threshold(*words, **env):
        result = runner.invoke(app, ["compile", "zoo:digits-mlp", "--json", *words], env=env)
        return json.loads(result.stdout).get("reason", "accepted")

    assert threshold() == "accepted"
    (tmp_path / "vml.toml").write_text("threshold = 2\n")
    assert "2.00000 and 99.00% are asked" in threshold()
    assert "3.00000 and 99.00% are asked" in threshold(VML_THRESHOLD="3")
    assert "4.00000 and 99.00% are asked" in threshold("--threshold", "4", VML_THRESHOLD="3")


@pytest.mark.parametrize("text", ["threshhold = 1", "threshold = ", "[threshold]\nx = 1", "\xff"])
def test_settings_file_that_is_wrong_is_named(tmp_path, text):
    (tmp_path / "vml.toml").write_bytes(text.encode("latin-1"))
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 2
    assert "vml.toml" in json.loads(result.stdout)["thing"]


@pytest.mark.parametrize("name", sorted(settings.FLAGLESS))
def test_setting_of_the_machine_reaches_the_library_unless_its_variable_is_set(tmp_path, monkeypatch, name):
    (tmp_path / "vml.toml").write_text(f"{name} = 7\n")
    for given, found in (({}, "7"), ({settings.FLAGLESS[name]: "8"}, "8")):
        monkeypatch.setattr(os, "environ", dict(given))
        assert settings.defaults(["prove"], tmp_path / "vml.toml") == {"prove": {}}
        assert os.environ[settings.FLAGLESS[name]] == found


def test_setting_has_the_variable_that_its_name_says():
    assert settings.NAMES
    assert all(variable == f"VML_{name.upper()}" for name, variable in settings.NAMES.items())


def test_file_whose_writing_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "old").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceExceeded, match="No space"):
        files.write(tmp_path / "old", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_program_on_a_full_disk_exits_5_and_leaves_nothing(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    result = runner.invoke(app, ["compile", "zoo:digits-mlp", "--json"])
    assert result.exit_code == ResourceExceeded.exit_code
    assert json.loads(result.stdout)["error"] == "ResourceExceeded"
    assert list(tmp_path.iterdir()) == []


def test_entry_point_run_as_a_process_answers():
    done = subprocess.run(
        [VML, "run", "zoo:digits-mlp", "--input", "digits-mlp:3", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["decisions"]
    assert done.stderr == ""


def test_entry_point_whose_reader_leaves_exits_141_in_silence():
    process = subprocess.Popen(
        [VML, "run", "zoo:digits-mlp", "--input", "digits-mlp:3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""


def test_entry_point_completes_commands():
    env = {**os.environ, "_VML_COMPLETE": "complete_bash", "COMP_WORDS": "vml comp", "COMP_CWORD": "1"}
    done = subprocess.run([VML], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["compile"]
