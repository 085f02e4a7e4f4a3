# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml challenge`: one game, by hand; or a rehearsal against a liar of one's choice."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verifiable_ml.cli.node import EMBEDDED, ChainId, ChainName, Keystore, PasswordFile, Wanted
from verifiable_ml.cli.optimistic import Claims, Since, place
from verifiable_ml.cli.options import ProgramPath
from verifiable_ml.cli.render import Screen, facts, verdict_line
from verifiable_ml.cli.source import one_input, program
from verifiable_ml.cli.verify import REJECTED
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.dispute.docket import Match
    from verifiable_ml.program import Program


class Liar(StrEnum):
    """Where a liar lies: the names of dispute/rehearsal.py."""

    FIRST = "first"
    MIDDLE = "middle"
    LAST = "last"
    LARGEST = "largest"
    HIDDEN = "hidden"
    WEIGHT = "weight"
    ROOT = "root"


Which = Annotated[
    str | None,
    typer.Option("--assertion", help="Id of the assertion to challenge: 64 hex digits. One move a run of the command."),
]
LiarName = Annotated[
    Liar | None, typer.Option("--liar", help="Rehearse: play against one that lies there, on an EVM in this process.")
]
Sample = Annotated[str | None, typer.Option("--input", "-i", help="The input, as `vml run` takes it.")]


def challenge(
    screen: Screen,
    path: ProgramPath,
    given: Sample = None,
    liar: LiarName = None,
    assertion: Which = None,
    chain: ChainName = EMBEDDED,
    claims: Claims = None,
    since: Since = 0,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
) -> int | None:
    """Challenge one assertion by hand: each run says whose turn it is, and sends the one move that is due, if it is yours.

    With --liar a whole game is rehearsed, against a proposer that lies in the first, middle, last or largest operator, in a
    number that nothing follows from, in a weight, or in a tensor's root alone. Exits 0 if the assertion was rejected (or a
    move was sent), 1 if it stands.

    For example:
      vml challenge zoo:digits-mlp --liar middle --input digits-mlp:3
    """
    if (liar is None) == (assertion is None):
        raise InvalidInput(
            thing="what to challenge", reason="name one", hint="--assertion ID on a chain, or --liar NAME to rehearse"
        )
    if liar is not None:
        if given is None:
            raise InvalidInput(thing="--liar", reason="about which input?", hint="--input digits-mlp:3")
        return _rehearsed(screen, path, given, liar)
    wanted = Wanted(chain or EMBEDDED, chain_id, keystore, password_file)
    return _by_hand(screen, wanted, claims, since, path, given, _id(assertion or ""))


def _rehearsed(screen: Screen, path: str, given: str, liar: Liar) -> int | None:
    from verifiable_ml.cli.game_picture import move_line, path_tree
    from verifiable_ml.dispute.duty import Challenge, Play
    from verifiable_ml.dispute.liars import LIES
    from verifiable_ml.dispute.rehearsal import rehearse

    made = program(path)
    _, trace = made.run(one_input(given, [each.name for each in made.inputs]))
    scene = rehearse(made, trace, LIES[liar])
    gas, count = 0, 0
    for side, done in scene.play():
        if isinstance(done.duty, Play | Challenge):
            scene.watcher.docket = scene.watcher.reader.read(scene.watcher.account)
            gas, count = gas + done.sent.gas_used, count + 1
            name = "proposer" if side is scene.proposer else "watcher"
            if scene.match:
                screen.tell(*move_line(name, done.duty, done.sent.gas_used, scene.match, made))
    if scene.match and scene.match.game.outcome is None:
        scene.wait()
        scene.watcher.once()  # says that the time of the other side is over
        scene.watcher.docket = scene.watcher.reader.read(scene.watcher.account)
    return _told(screen, scene.match, made, gas, count, path_tree(scene.match, made) if scene.match else "")


def _told(screen: Screen, match: Match | None, made: Program, gas: int, count: int, tree: Any) -> int | None:
    from verifiable_ml.dispute.clock import Side

    outcome = match.game.outcome if match else None
    rejected = outcome is not None and outcome.winner is Side.CHALLENGER
    reason = outcome.reason.value if outcome else "there was nothing to challenge"
    found = asdict(match.conviction) if match and match.conviction else {}
    document = {"rejected": rejected, "reason": reason, "gas": gas, "transactions": count, "convicted": found}
    rows = [("transactions", count), ("gas", f"{gas:,}")]
    screen.show(document, "", tree, "", verdict_line(not rejected, "by DisputeGame", reason), facts("", rows))
    return None if rejected else REJECTED


def _by_hand(
    screen: Screen, wanted: Wanted, claims: str | None, since: int, path: str, given: str | None, assertion: bytes
) -> int | None:
    from verifiable_ml.dispute.docket import Docket
    from verifiable_ml.dispute.duty import Challenge, CloseGame, Duty, Play, Role

    at = place(wanted, claims, since, [path], [given] if given else [])
    daemon = at.daemon(lambda account: Role(account, watches=True), 0)

    def about(duty: Duty, docket: Docket) -> bool:
        match duty:
            case Challenge():
                return duty.assertion == assertion
            case Play():
                return docket.matches[duty.move.game].assertion == assertion
            case CloseGame():
                return docket.matches[duty.game].assertion == assertion
        return False

    done = daemon.once(about)
    sent = [{"duty": type(each.duty).__name__, "gas": each.sent.gas_used} for each in done]
    screen.show(
        {"assertion": assertion.hex(), "sent": sent}, facts("", ((str(each["duty"]), f"{each['gas']:,} gas") for each in sent))
    )
    return None if done else REJECTED


def _id(text: str) -> bytes:
    digits = text.removeprefix("0x")
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise InvalidInput(thing="--assertion", reason=f"`{text}` is no id", hint="64 hex digits: `vml watch` says them")
    return found
