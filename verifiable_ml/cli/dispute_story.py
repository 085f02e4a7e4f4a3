# SPDX-License-Identifier: MIT OR Apache-2.0
"""What `vml demo dispute` tells: a proposer changes one number of a run, a watcher finds it, and a contract convicts it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.tree import Tree

from verifiable_ml import api
from verifiable_ml.chain import embedded
from verifiable_ml.cli.game_picture import move_line, path_tree
from verifiable_ml.cli.render import Screen, facts, seconds, table, verdict_line
from verifiable_ml.cli.run import decision
from verifiable_ml.cli.source import sample
from verifiable_ml.cli.story import Story
from verifiable_ml.commitment import encode_tensor
from verifiable_ml.dispute.bonds import challenge_bond, proposer_bond
from verifiable_ml.dispute.clock import PROFILES, Side
from verifiable_ml.dispute.daemon import Daemon, Done
from verifiable_ml.dispute.docket import Docket, account_bytes
from verifiable_ml.dispute.duty import Challenge, Play, Role
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.onchain import LOCAL
from verifiable_ml.dispute.rehearsal import Rehearsal, rehearse
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus
from verifiable_ml.execute import Trace
from verifiable_ml.frontend import zoo

ETHER = 10**18


def told(screen: Screen, model: str, row: int) -> dict[str, Any]:
    """The story of one sample of one model. Raises StoryBroken if a step does not hold, and whatever the steps raise."""
    story = Story(screen)
    entry = zoo.model(model)
    program, trace = _run(story, entry, row)
    scene = _asked(story, program, trace)
    _posted(story, scene, trace)
    _played(story, scene)
    _verdict(story, scene)
    _final(story, scene, trace)
    story.tell("seconds", round(time.monotonic() - story.started, 2))
    return story.document


def _run(story: Story, entry: zoo.ZooModel, row: int) -> tuple[api.Program, Trace]:
    story.chapter(f"1  The model: {entry.title}")
    program = api.compile(entry.path, entry.calibration())
    x = sample(entry, row)
    _, trace = program.run(x)
    answer = entry.classes[decision(program.predict(x)[0])]
    rows = [
        ("program id", program.id.hex()),
        ("operators", f"{len(program.operators)}, {sum(each.nbytes for each in trace.tensors):,} bytes of trace"),
        ("the right answer", answer),
        ("the right trace root", trace.root.hex()),
    ]
    story.tell("program", program.id.hex())
    story.tell("answer", answer, facts("", rows))
    return program, trace


def _asked(story: Story, program: api.Program, trace: Trace) -> Rehearsal:
    story.chapter("2  Somebody asks; a proposer and a watcher put up bonds")
    with story.screen.waiting("deploying 17 contracts on an EVM in this process"):
        scene = rehearse(program, trace, LIES["largest"], embedded())
    price = scene.contracts.claims.call("requests", scene.request_id)[0][6]
    rows = [
        ("OptimisticClaims", scene.contracts.claims.address),
        ("request", scene.request_id.hex()),
        ("a proposer's bond", f"{proposer_bond(price, 0) / ETHER:.4f} ether"),
        ("a challenger's bond", f"{challenge_bond(price) / ETHER:.4f} ether"),
        ("clocks", "60 s a side, the profile `local`"),
    ]
    story.tell("deploy_gas", sum(scene.contracts.gas.values()), facts("", rows))
    return scene


def _posted(story: Story, scene: Rehearsal, trace: Trace) -> None:
    story.chapter("3  The proposer changes one number in one layer, and asserts what follows from it")
    story.document["balances_before"] = _balances(scene)
    (done,) = scene.proposer.once()
    assertion = next(iter(_read(scene).assertions.values()))
    rows = [
        ("asserted trace root", assertion.trace_root.hex()),
        ("the watcher's own", trace.root.hex()),
        ("gas", f"{done.sent.gas_used:,}"),
    ]
    story.must(assertion.trace_root != trace.root, "a lie has another trace root")
    story.tell("asserted", assertion.trace_root.hex(), facts("", rows))


def _played(story: Story, scene: Rehearsal) -> None:
    story.chapter("4  The game")
    moves, gas = list[dict[str, Any]](), 0
    for side, done in scene.play():
        if not isinstance(done.duty, Play | Challenge):
            continue
        gas += done.sent.gas_used
        _read(scene)
        match = scene.match
        assert match is not None, "a challenge opens a game"
        name = "proposer" if side is scene.proposer else "watcher"
        line = move_line(name, done.duty, done.sent.gas_used, match, scene.program)
        story.screen.tell(*line)
        moves.append({"by": name, "move": _name(done), "gas": done.sent.gas_used})
    story.tell("moves", moves)
    story.tell("game_gas", gas, "", path_tree(scene.match, scene.program) if scene.match else Tree(""))


def _verdict(story: Story, scene: Rehearsal) -> None:
    story.chapter("5  The verdict")
    docket = _read(scene)
    assertion, match = next(iter(docket.assertions.values())), scene.match
    assert match is not None, "it was played"
    outcome = match.game.outcome
    convicted = outcome is not None and (outcome.winner, outcome.reason) == (Side.CHALLENGER, Reason.STEP)
    story.must(convicted and assertion.status is AssertionStatus.DEAD, "the step convicts")
    story.must(docket.requests[scene.request_id].status is RequestStatus.OPEN, "the request waits for a right answer")
    story.tell("convicted", asdict(match.conviction) if match.conviction else {}, verdict_line(False, "by DisputeGame", "STEP"))
    rows = [
        ("transactions, challenge to verdict", f"{len(story.document['moves'])}"),
        ("gas of these", f"{story.document['game_gas']:,}"),
    ]
    after = _balances(scene)
    story.tell("balances_after", after, facts("", rows), "", _money(story.document["balances_before"], after))


def _final(story: Story, scene: Rehearsal, trace: Trace) -> None:
    story.chapter("6  The right answer, and time passes")
    account = scene.chain.accounts[4]
    honest = Daemon(scene.contracts.by(account), Role(account_bytes(account), proposes=True), scene.watcher.runs)
    honest.once()
    scene.wait()
    done = [each for _ in range(2) for each in honest.once()]
    final = scene.contracts.claims.call("isFinal", scene.request_id, [encode_tensor(each) for each in trace.outputs])[0]
    story.must(final, "what nobody challenges becomes final")
    rows = [
        (
            "then",
            f"{PROFILES[LOCAL].window} s without a challenge: {', '.join(type(each.duty).__name__.lower() for each in done)}",
        ),
        ("time", f"{seconds(time.monotonic() - story.started)}, all of it"),
    ]
    story.tell("final", final, verdict_line(True, "by OptimisticClaims"), facts("", rows))


def _money(before: dict[str, int], after: dict[str, int]) -> Table:
    rows = []
    for who, had in before.items():
        change = after[who] - had
        rows.append((who, f"{had / ETHER:,.4f}", f"{after[who] / ETHER:,.4f}", f"{change / ETHER:+.4f}"))
    return table("Ether, bonds out and in, gas included", ("", "before", "after", "change"), rows, ("before", "after", "change"))


def _balances(scene: Rehearsal) -> dict[str, int]:
    node = scene.chain.node
    return {
        "proposer": node.balance(scene.proposer.account),
        "watcher": node.balance(scene.watcher.account),
        "burnt": int(scene.contracts.claims.call("burnt")[0]),
    }


def _read(scene: Rehearsal) -> Docket:
    scene.watcher.docket = scene.watcher.reader.read(scene.watcher.account)
    return scene.watcher.docket


def _name(done: Done) -> str:
    return type(done.duty.move).__name__.lower() if isinstance(done.duty, Play) else "challenge"
