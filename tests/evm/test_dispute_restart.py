# SPDX-License-Identifier: MIT OR Apache-2.0
"""A side that is killed at every state of a game, and starts again with chain and program alone, still wins (property 3)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

import verifiable_ml as vml
from evm.conftest import running_anvil
from evm.dispute_scenes import digits, long_rows
from verifiable_ml import chain as chains
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.dispute.liars import LIES, one_number
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.dispute.runs import Runs, honest

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


KEYS = {
    "propose": "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "watch": "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
}
"""Of anvil's second and third account. Public knowledge, worthless anywhere else."""


def daemon(command, url, scene, folder):
    """`vml watch` or `vml propose` in a process of its own."""
    vml.Program.of(scene.program).save(folder / "program.vml")
    words = [command, "program.vml", "--chain", url, "--claims", scene.contracts.claims.address, "--poll", "0.2", "--json"]
    env = {**os.environ, "VML_PRIVATE_KEY": KEYS[command], "PYTHONUNBUFFERED": "1"}
    start = [sys.executable, "-c", "from verifiable_ml.cli import main; main()"]
    return subprocess.Popen([*start, *words], stdout=subprocess.PIPE, cwd=folder, env=env, text=True)


def sent_before_death(command, url, scene, folder):
    """What a fresh process sends first: then it is killed."""
    process = daemon(command, url, scene, folder)
    try:
        return next(told["event"] for told in map(json.loads, process.stdout) if told.get("message") == "sent")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def lenet():
    """A program with a walk inside of its tensor."""
    return digits("lenet5-mnist")


WALK = ["challenge", "pick", "pick", "step"]
SUMS = ["challenge", "pick", "name", "step"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene_of", "lie", "moves"),
    [(lenet, LIES["largest"], WALK), (long_rows, lambda mine: one_number(mine, 1, 2), SUMS)],
    ids=["walk", "sums"],
)
def test_property_03_watch_process_killed_after_each_transaction_still_wins(tmp_path, scene_of, lie, moves):
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(*scene_of(), lie, chains.connect(url))
        sent = []
        while "step" not in sent and len(sent) < 10:
            scene.proposer.once()
            sent.append(sent_before_death("watch", url, scene, tmp_path))
        scene.watcher.once()
        assert sent == moves
        assert scene.match.game.outcome == CONVICTED


@pytest.mark.slow
def test_property_03_propose_process_killed_after_each_transaction_still_defends(tmp_path):
    """Against a challenger that is wrong, and waits as soon as nothing that it could show is."""
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(*lenet(), chain=chains.connect(url))
        scene.watcher.runs.shown = lambda trace: LIES["largest"](honest(trace))
        sent = []
        while "timeout" not in sent and len(sent) < 10:
            sent.append(sent_before_death("propose", url, scene, tmp_path))
            if not scene.watcher.once():
                scene.chain.node.advance(61)
        docket = scene.watcher.reader.read(scene.watcher.account)
        assert sent == ["answer", "reveal", "reveal", "block", "timeout"]
        assert next(iter(docket.matches.values())).game.outcome == Outcome(Side.PROPOSER, Reason.TIMEOUT)


@pytest.mark.slow
def test_watch_process_that_is_interrupted_ends_with_130_and_no_traceback(tmp_path):
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(*digits(), LIES["largest"], chains.connect(url))
        process = daemon("watch", url, scene, tmp_path)
        assert json.loads(process.stdout.readline())["event"] == "watching"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in rest
