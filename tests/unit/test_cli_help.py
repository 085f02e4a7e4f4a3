# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every command is documented, and what its help shows runs."""

import inspect
import shlex

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from verifiable_ml.cli import app
from verifiable_ml.cli.main import COMMANDS
from verifiable_ml.frontend import zoo

runner = CliRunner()
PIPELINE = (
    "lint", "compile", "run", "estimate", "setup", "prove", "verify", "deploy", "propose", "watch", "challenge", "demo", "bench",
    "doctor",
)  # fmt: skip
"""The order in which a model becomes a verdict: each example may need what an earlier one has written."""


def examples(name):
    """The command lines under "For example:" in a command's docstring."""
    _, _, shown = (inspect.getdoc(COMMANDS[name]) or "").partition("For example:")
    return [line.strip() for line in shown.splitlines() if line.strip()]


def test_commands_are_those_of_the_pipeline():
    assert set(COMMANDS) == set(PIPELINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented_with_an_example(name):
    assert examples(name)
    assert all(line.startswith(f"vml {name}") for line in examples(name))
    shown = runner.invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert all(line in shown for line in examples(name))
    command = typer.main.get_command(app).commands[name]
    assert all(parameter.help for parameter in command.params), "an option without help"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every example of every help, one after the other, in one folder."""
    folder = tmp_path_factory.mktemp("examples")
    found = zoo.model("digits-mlp")
    (folder / "model.onnx").write_bytes(found.path.read_bytes())
    np.savez(folder / "samples.npz", pixels=found.samples.calibration)
    np.save(folder / "x.npy", found.test(6)[0][5]["pixels"])
    np.save(folder / "many.npy", np.stack([sample["pixels"] for sample in found.test(6)[0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        lines = [line for name in PIPELINE for line in examples(name)]
        return {line: runner.invoke(app, shlex.split(line)[1:]) for line in lines}


@pytest.mark.parametrize("line", [line for name in COMMANDS for line in examples(name)])
def test_example_of_the_help_runs(results, line):
    assert results[line].exit_code == 0, results[line].output
    assert results[line].stdout.strip()
