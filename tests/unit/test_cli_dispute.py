# SPDX-License-Identifier: MIT OR Apache-2.0
"""The optimistic path on the command line: what machines get, exit codes, refusals."""

from __future__ import annotations

import json
import logging
import re
import urllib.request

import pytest
from typer.testing import CliRunner

from verifiable_ml.cli import app, log_lines
from verifiable_ml.cli.challenge import Liar
from verifiable_ml.dispute import metrics
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.frontend import zoo

runner = CliRunner()


def invoke(*words):
    return runner.invoke(app, [*words])


def events(result):
    """Of a command that goes on: a JSON object a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(autouse=True)
def _no_log_left():
    yield
    assert not [each for each in logging.getLogger(log_lines.LOGGER).handlers if isinstance(each, logging.StreamHandler)]


def test_propose_that_asks_itself_goes_on_until_its_answer_is_final():
    result = invoke("propose", "zoo:digits-mlp", "--ask", "digits-mlp:3", "--json")
    assert result.exit_code == 0, result.output
    assert [each["event"] for each in events(result)] == ["proposing", "asked", "answer", "finalise", "withdraw"]
    assert all(each["gas"] > 0 for each in events(result)[2:])


def test_propose_once_answers_and_ends():
    result = invoke("propose", "zoo:digits-mlp", "--ask", "digits-mlp:3", "--once", "--json")
    assert [each["event"] for each in events(result)] == ["proposing", "asked", "answer"]


def test_watch_for_people_says_where_it_looks():
    result = invoke("watch", "zoo:digits-mlp", "--once")
    assert result.exit_code == 0, result.output
    assert "watching" in result.stdout
    assert re.search("claims +0x[0-9a-fA-F]{40}", result.stdout)


@pytest.mark.parametrize("command", ["watch", "propose"])
def test_node_without_the_address_of_the_claims_is_refused(command, monkeypatch):
    monkeypatch.setattr("verifiable_ml.cli.node.Wanted.connect", lambda self: None)
    result = invoke(command, "zoo:digits-mlp", "--chain", "http://127.0.0.1:1", "--json")
    assert result.exit_code == 2
    assert "--optimistic" in json.loads(result.stdout)["hint"]


def test_watch_on_a_node_that_is_not_there_exits_4():
    result = invoke("watch", "zoo:digits-mlp", "--chain", "http://127.0.0.1:1", "--claims", "0x" + "11" * 20, "--json")
    assert result.exit_code == 4


def test_liars_of_the_command_line_are_those_of_the_library():
    assert {each.value for each in Liar} == set(LIES)


@pytest.mark.parametrize(("liar", "reason"), [("middle", "step"), ("root", "timeout")])
def test_challenge_of_a_liar_says_how_it_lost(liar, reason):
    result = invoke("challenge", "zoo:digits-cnn", "--liar", liar, "--input", "digits-cnn:3", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["rejected"], document["reason"]) == (True, reason)
    assert document["transactions"] >= 3
    assert (document["convicted"] != {}) == (reason == "step")


REFUSED = [
    ("challenge", "zoo:digits-mlp"),
    ("challenge", "zoo:digits-mlp", "--liar", "middle"),
    ("challenge", "zoo:digits-mlp", "--liar", "nobody", "--input", "digits-mlp:3"),
    ("challenge", "zoo:digits-mlp", "--assertion", "0x12"),
    ("challenge", "zoo:digits-mlp", "--assertion", "not hex"),
    ("challenge", "zoo:digits-mlp", "--assertion", "11" * 32, "--liar", "first"),
    ("propose",),
    ("demo", "nonsense"),
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_command_line_that_makes_no_sense_exits_2(words):
    assert invoke(*words).exit_code == 2


def test_challenge_of_an_assertion_that_is_not_there_exits_1():
    result = invoke("challenge", "zoo:digits-mlp", "--assertion", "11" * 32, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["sent"] == []


def test_deploy_optimistic_says_addresses_and_gas():
    document = json.loads(invoke("deploy", "zoo:digits-mlp", "--optimistic", "--json").stdout)
    assert {"OptimisticClaims", "DisputeGame", "ProgramRegistry"} <= document.keys()
    assert {"Steps", "ConvStep", "register"} <= document["gas"].keys()


@pytest.mark.timeout(120)
def test_demo_dispute_convicts_and_pays():
    result = invoke("demo", "dispute", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["final"] is True
    assert told["convicted"]["claimed"] != told["convicted"]["computed"]
    assert [each["move"] for each in told["moves"]][::6] == ["challenge", "step"]
    assert told["game_gas"] == sum(each["gas"] for each in told["moves"])
    before, after = told["balances_before"], told["balances_after"]
    assert after["proposer"] < before["proposer"]
    assert after["watcher"] > before["watcher"]
    assert after["burnt"] == 4_800_000 * 10**9
    assert told["seconds"] < 60


def test_demo_dispute_for_people_draws_each_round():
    shown = invoke("demo", "dispute", "--model", "digits-cnn").stdout
    for part in ("watcher  pick", "█", "clocks", "REJECTED by DisputeGame", "ACCEPTED by OptimisticClaims", "burnt"):
        assert part in shown


@pytest.fixture(scope="module")
def watcher():
    """A watcher in the middle of a game."""
    import verifiable_ml as vml

    entry = zoo.model("digits-cnn")
    program = vml.compile(entry.path, calibration=entry.calibration())
    scene = rehearse(program, program.run(entry.test()[0][3])[1], LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.watcher.once()
    return scene.watcher


def test_metrics_are_prometheus_text_on_an_opt_in_port(watcher):
    with metrics.served(watcher, 0) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.read().decode().splitlines()
    values = dict(line.split() for line in lines if not line.startswith("#"))
    assert (values["vml_transactions_total"], values["vml_games_open"], values["vml_passes_total"]) == ("1", "1", "2")
    assert 0 < int(values["vml_least_clock_seconds"]) <= 60
    assert len([line for line in lines if line.startswith("# TYPE")]) == len(values)


def test_metrics_of_another_path_are_not_found(watcher):
    with metrics.served(watcher, 0) as port, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/secrets")


def test_metrics_without_a_port_are_not_served(watcher):
    with metrics.served(watcher, None) as port:
        assert port is None


def test_log_line_for_people_shortens_ids_and_separates_numbers(capsys):
    handler = log_lines.begin(as_json=False)
    logging.getLogger(f"{log_lines.LOGGER}.daemon").info("sent", extra={"fields": {"game": "ab" * 32, "gas": 1234567}})
    log_lines.end(handler)
    assert capsys.readouterr().out.rstrip().endswith("sent  game abababababab…  gas 1,234,567")
