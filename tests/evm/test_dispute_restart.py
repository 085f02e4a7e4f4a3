# SPDX-License-Identifier: MIT OR Apache-2.0
"""A watcher that is killed at every state of a game, and starts again with chain and program alone, still wins (property 3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from evm.conftest import running_anvil
from evm.dispute_scenes import digits, long_rows
from verifiable_ml import chain as chains
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.dispute.liars import LIES, one_number
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.dispute.runs import Runs

CONVICTED = Outcome(Side.CHALLENGER, Reason.STEP)


def born_again(daemon):
    """The same account with nothing in memory."""
    return Daemon(daemon.contracts, daemon.role, Runs(daemon.runs.programs.values(), daemon.runs.shown))


@pytest.mark.parametrize(
    ("scene_of", "lie"), [(digits, LIES["largest"]), (long_rows, lambda mine: one_number(mine, 1, 2))], ids=["walk", "sums"]
)
def test_property_03_both_sides_forget_everything_before_each_pass_and_the_lie_is_convicted(scene_of, lie):
    scene = rehearse(*scene_of(), lie)
    for _ in range(12):
        scene.proposer, scene.watcher = born_again(scene.proposer), born_again(scene.watcher)
        if not scene.proposer.once() and not scene.watcher.once():
            break
    assert scene.match.game.outcome == CONVICTED


def test_property_03_watcher_that_joins_late_plays_the_game_of_its_account_on():
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.proposer.once()
    scene.chain.node.advance(50)
    scene.watcher = born_again(scene.watcher)
    list(scene.play())
    assert scene.match.game.outcome == CONVICTED


def watching(url, claims, account_key, folder):
    """`vml watch` in a process of its own."""
    command = [sys.executable, "-c", "from verifiable_ml.cli import main; main()"]
    words = ["watch", "zoo:digits-cnn", "--chain", url, "--claims", claims, "--poll", "0.2", "--json"]
    env = {**os.environ, "VML_PRIVATE_KEY": account_key, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, cwd=folder, env=env, text=True)


ANVIL_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Of anvil's third account. Public knowledge, worthless anywhere else."""


@pytest.mark.slow
def test_property_03_watch_process_killed_after_each_transaction_still_wins(tmp_path):
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(*digits(), LIES["largest"], chains.connect(url))
        killed, sent = 0, []
        scene.proposer.once()
        for _ in range(10):
            process = watching(url, scene.contracts.claims.address, ANVIL_KEY, tmp_path)
            try:
                line = next(event for event in map(json.loads, process.stdout) if event.get("message") == "sent")
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
            killed += 1
            sent.append(line["event"])
            if line["event"] == "step":
                break
            scene.proposer.once()
        scene.watcher.docket = scene.watcher.reader.read(scene.watcher.account)
        assert sent[0] == "challenge"
        assert sent[-1] == "step"
        assert killed == len(sent) >= 3
        assert scene.match.game.outcome == CONVICTED


@pytest.mark.slow
def test_watch_process_that_is_interrupted_ends_with_130_and_no_traceback(tmp_path):
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(*digits(), LIES["largest"], chains.connect(url))
        process = watching(url, scene.contracts.claims.address, ANVIL_KEY, tmp_path)
        assert json.loads(process.stdout.readline())["event"] == "watching"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in rest
