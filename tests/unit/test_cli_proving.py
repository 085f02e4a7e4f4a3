# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml estimate` to `vml deploy` as people and machines read them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml import api
from verifiable_ml.bench.table import Table
from verifiable_ml.cli import app, files
from verifiable_ml.cli.main import COMMANDS
from verifiable_ml.cli.render import Screen
from verifiable_ml.frontend import Problem
from verifiable_ml.proving import Verdict

pytest.importorskip("ezkl")
runner = CliRunner()
UNSAFE = "UNSAFE reference string"
VERIFY = "verify p.proof p.claim -k p.vk"


@pytest.fixture(scope="module", autouse=True)
def _in_a_folder_with_a_proof(cache_folder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("proving"))
        api.Program.of(tiny_program()).save("p.vml")
        np.save("x.npy", TINY_INPUT["x"])
        assert run("setup p.vml").exit_code == run("prove p.vml -i x.npy").exit_code == 0
        yield


def run(words):
    return runner.invoke(app, words.split())


def document(words):
    return json.loads(run(f"{words} --json").stdout)


def test_estimate_for_people_says_what_the_keys_are_worth():
    assert UNSAFE in run("estimate p.vml").stdout
    assert UNSAFE in document("estimate p.vml")["warning"]


def test_estimate_of_replay_has_no_circuit():
    assert not re.search("rows|proving key|warning", run("estimate p.vml -b replay").stdout)


@pytest.mark.parametrize("words", ["setup p.vml", "prove p.vml -i x.npy", "deploy p.vml"])
def test_command_that_uses_keys_says_what_they_are_worth(words):
    assert UNSAFE in run(words).stdout
    assert UNSAFE in document(words)["warning"]


def test_prove_says_how_long_it_takes_before_it_does():
    told = run("prove p.vml -i x.npy -b ezkl -o e.proof --claim e.claim").stderr
    assert re.search(r"keys \(about .* if new\)", told)
    assert re.search(r"proof \(about .*\)", told)


def test_prove_of_a_hidden_input_says_that_the_salt_is_not_kept():
    words = "prove p.vml -i x.npy --backend ezkl --hide input -o h.proof --claim h.claim"
    assert "salt" in run(words).stderr
    assert "salt" not in run("prove p.vml -i x.npy").stderr


def test_prove_by_replay_says_no_size_and_no_time():
    done = run("prove p.vml -i x.npy -b replay -o r.proof --claim r.claim")
    assert "r.proof\n" in done.stdout
    assert "about" not in done.stderr


def test_verify_says_what_an_acceptance_rests_on():
    assert re.search(f"rests on .*{UNSAFE}", run(VERIFY).stdout)
    assert UNSAFE in document(VERIFY)["assumption"]


def test_verify_on_a_chain_shows_one_list_of_facts():
    shown = run(f"{VERIFY} --chain embedded").stdout
    names = re.findall(r"^  (claim id|rests on|gas|transaction)( +)", shown, re.M)
    assert [name for name, _ in names] == ["claim id", "rests on", "gas", "transaction"]
    assert len({len(name + space) for name, space in names}) == 1, "values stand below each other"


def test_verify_rejected_by_the_chain_alone_says_its_reason(monkeypatch):
    proof = api.Proof.from_bytes(Path("p.proof").read_bytes())
    changed = proof.payload[:100] + bytes([proof.payload[100] ^ 1]) + proof.payload[101:]
    Path("f.proof").write_bytes(replace(proof, payload=changed).to_bytes())
    monkeypatch.setattr(api, "verify", lambda *_, **__: Verdict.accept())
    done = run("verify f.proof p.claim -k p.vk --chain embedded --json")
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (said["accepted"], said["reason"]) == (False, said["chain"]["reason"])
    assert said["reason"]


def test_deploy_on_the_embedded_chain_says_that_it_is_a_rehearsal():
    assert "rehearsal" in run("deploy p.vml").stdout


def test_lint_of_one_problem_counts_it_as_one(monkeypatch):
    monkeypatch.setattr("verifiable_ml.frontend.lint", lambda *_, **__: [Problem("n", "Det", "r", "f")])
    assert "1 problem\n" in run("lint zoo:digits-mlp").stdout


def test_bench_shows_numbers_to_the_right(monkeypatch):
    def measure(step):
        """Two rows."""
        return Table("t", "T", ("model", "count"), (("a", 1), ("b", 1000)))

    monkeypatch.setattr("verifiable_ml.bench.TABLES", {"t": measure})
    assert re.search(r"^ a +1\n b +1,000$", run("bench t").stdout, re.M)


# ---- what every command has to keep to -------------------------------------------------------------------------------

ALL = {
    "lint": "lint zoo:digits-mlp",
    "compile": "compile zoo:digits-mlp",
    "run": "run p.vml -i x.npy --trace",
    "estimate": "estimate p.vml",
    "setup": "setup p.vml",
    "prove": "prove p.vml -i x.npy",
    "verify": f"{VERIFY} --chain embedded",
    "deploy": "deploy p.vml",
    "propose": "propose zoo:digits-mlp --ask digits-mlp:3",
    "watch": "watch zoo:digits-mlp --once",
    "challenge": "challenge zoo:digits-cnn --liar weight --input digits-cnn:7",
    "demo": "demo",
    "bench": "bench",
    "doctor": "doctor",
}
FAILING = {
    "lint": "lint nobody.onnx",
    "compile": "compile zoo:digits-mlp --threshold 2",
    "run": "run p.vml -i zoo:digits-mlp:3",
    "estimate": "estimate p.vml -b replay --hide input",
    "setup": "setup nobody.vml",
    "prove": "prove p.vml -i x.npy -o /dev/full --claim /dev/null",
    "verify": "verify p.claim p.proof -k p.vk",
    "deploy": "deploy p.vml --chain http://127.0.0.1:9",
    "propose": "propose nobody.vml",
    "watch": "watch nobody.vml",
    "challenge": "challenge zoo:digits-mlp --liar nobody",
    "demo": "demo --sample 9999",
    "bench": "bench nobody",
    "doctor": "doctor surplus",
}


def test_tables_have_every_command():
    assert ALL.keys() == FAILING.keys() == COMMANDS.keys()


LINES = {"propose", "watch"}
"""Commands that go on and on: each event is a line, a document of its own."""


@pytest.mark.parametrize("name", sorted(LINES))
def test_command_that_goes_on_writes_a_document_a_line_with_json(name, capfd):
    done = run(f"{ALL[name]} --json")
    assert (done.exit_code, capfd.readouterr().out) == (0, ""), done.output
    assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "name", sorted(ALL.keys() - LINES - {"demo"})
)  # that one takes a while: test_wheel.py reads its document
def test_command_that_succeeds_with_json_writes_one_document(name, capfd):
    """capfd sees what a library might write past Python's standard output."""
    done = run(f"{ALL[name]} --json")
    assert (done.exit_code, capfd.readouterr().out) == (0, ""), done.output
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("name", FAILING)
def test_command_that_fails_with_json_writes_one_document(name, capfd):
    failed = run(f"{FAILING[name]} --json")
    assert (failed.exit_code > 1, capfd.readouterr().out) == (True, "")
    assert json.loads(failed.stdout).keys() == {"error", "thing", "reason", "hint"}


@pytest.mark.parametrize("name", ALL)
def test_command_into_a_pipe_writes_no_spaces_at_the_end_of_a_line(name):
    shown = run(ALL[name]).stdout
    assert shown
    assert not re.search(" $", shown, re.M)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_indents_its_examples_and_names_arguments_in_capitals(name):
    shown = runner.invoke(app, [name, "-h"], env={"COLUMNS": "200"}).stdout
    examples = re.findall(rf"^( +)vml {name}", shown, re.M)
    assert examples
    assert {len(indent) for indent in examples} == {3}
    (usage,) = re.findall(r"Usage: .*", shown)
    assert not re.search(r"{[a-z]|\[\[", usage)


def test_wait_on_a_terminal_shows_a_sign_of_life_and_elsewhere_nothing():
    for terminal in (True, False):
        stream = io.StringIO()
        with Screen(err=Console(file=stream, force_terminal=terminal)).waiting("asking the node"):
            pass
        assert ("asking the node" in stream.getvalue()) == terminal


def test_salts_are_kept_where_asked_and_open_the_claim(ezkl):
    assert run("prove p.vml -i x.npy --backend ezkl --hide input -o s.proof --claim s.claim --salts s.salts").exit_code == 0
    kept, claim = json.loads(Path("s.salts").read_text()), files.read_claim(Path("s.claim"))
    assert kept["claim"] == claim.id.hex()
    assert Path("s.salts").stat().st_mode & 0o777 == 0o600
    salts = tuple(map(bytes.fromhex, kept["salts"]))
    assert ezkl.commitments(api.load("p.vml"), TINY_INPUT, salts) == claim.inputs
    assert kept["salts"][0] not in Path("s.proof").read_text() + Path("s.claim").read_text()
