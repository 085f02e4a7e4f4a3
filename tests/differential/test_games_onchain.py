# SPDX-License-Identifier: MIT OR Apache-2.0
"""Games by dispute/rules.py and by DisputeGame.sol, move by move: what is legal, what is stored, who wins. Rules 20 to 32
and 41."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from attacks.every_move import every_move
from differential.game_chain import GameChain
from differential.mirror import START, Mirror
from differential.step_chain import Refused
from unit.small_games import GAMES, honest_of
from vectors.games import cases
from vectors.generate import FOLDER
from verifiable_ml.dispute import liars, player
from verifiable_ml.dispute.actions import answer
from verifiable_ml.dispute.clock import PROFILES, Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.moves import Move, Timeout
from verifiable_ml.dispute.settlement import AssertionStatus, RequestTerms
from verifiable_ml.dispute.settlement.requests import MAX_INPUT_BYTES

REQUESTER, PROPOSER, CHALLENGER, STRANGER = (bytes([letter]) * 20 for letter in b"rpcs")
VECTORS = json.loads((FOLDER / "game.json").read_text())


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


# ---- vectors, from the file alone --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_game_vector_is_played_alike_by_the_contracts(name):
    v = VECTORS[name]
    if name == "padding":  # the lie is the sibling of the output: who asserts it shows the false one
        v["paths"][1][0] = "0x" + bytes(32).hex()
    chain, start = GameChain(v["fan_out"]), START + PROFILES[v["profile"]].window
    game = opened(chain, v, start)
    for sent in v["moves"]:
        chain.set_block(start + sent["now"], 0)
        sender = PROPOSER if sent["by"] == "proposer" else CHALLENGER
        answered = chain.send(sender, "games", sent["move"], game, sent["number"], raw(sent["node"]), *arguments(sent))
        assert isinstance(answered, Refused) != sent["legal"], f"{sent['move']} {sent['number']}: {answered}"
        assert stored(chain, game, v, start) == {key: value for key, value in sent.items() if key.startswith("after_")}
    assert sent["after_state"] == "over"


def opened(chain: GameChain, v: dict[str, Any], start: int) -> bytes:
    """Everything up to the challenge, out of the vector; the game's id."""
    chain.set_block(START, 0)
    outputs = list(
        zip(map(raw, v["output_descriptors"]), [list(map(raw, path)) for path in v["output_descriptor_paths"]], strict=True)
    )
    registered = raw(v["header"]), bytes(32), raw(v["descriptors"]), outputs, ""
    assert chain.send(REQUESTER, "registry", "register", *registered) == (raw(v["program_id"]),)
    chain.set_block(start, 0)
    inputs = list(map(raw, v["inputs"]))
    (request,) = chain.send(REQUESTER, "claims", "request", raw(v["program_id"]), (v["profile"], 0, 0, 0), inputs)
    (roots,) = chain.view("registry", "rootsOfInputs", raw(v["program_id"]), inputs)
    trace = raw(v["trace_root"]), roots, [list(map(raw, path)) for path in v["paths"]]
    bond, stake = chain.view("claims", "bonds", request)
    (assertion,) = chain.send(PROPOSER, "claims", "assertOutputs", request, trace, list(map(raw, v["outputs"])), value=bond)
    (game,) = chain.send(CHALLENGER, "claims", "challenge", assertion, raw(v["own_root"]), value=stake)
    chain.assertion = assertion
    return game


def arguments(sent: dict[str, Any]) -> tuple[Any, ...]:
    """What the function is given after game, number and node: the vector has its names."""
    words = {
        key: list(map(raw, sent[key])) for key in ("children", "siblings", "descriptor_siblings", "leaf_siblings") if key in sent
    }
    described = (raw(sent["descriptor"]), words["descriptor_siblings"]) if "descriptor_siblings" in sent else None
    leaf = (raw(sent["leaf"]), words["leaf_siblings"]) if "leaf" in sent else None
    partials = raw(sent.get("partials", ""))
    match sent["move"]:
        case "reveal":
            return ([*words["children"], *words["siblings"]],)
        case "enterByReveal":
            return described, [*words["children"], *words["siblings"]]
        case "pick":
            return (sent["child"],)
        case "postBlock":
            return raw(sent["data"]), words["siblings"]
        case "enterByBlock":
            return described, raw(sent["data"]), words["siblings"]
        case "nameElement":
            return sent["element"], leaf
        case "postPartials":
            return sent["element"], sent["first"], partials, raw(sent["descriptor"]), run(sent["record"])
        case "pickInterval":
            return sent["interval"], partials
        case "stepElement":
            return sent["element"], leaf, evidence(sent)
        case "stepPiece":
            return sent["piece"], partials, evidence(sent)
    assert sent["move"] == "timeout"
    return ()


def run(told: dict[str, Any]) -> tuple[int, bytes, list[bytes]]:
    return told["first"], raw(told["data"]), list(map(raw, told["siblings"]))


def evidence(sent: dict[str, Any]) -> tuple[Any, ...]:
    operands = [(list(map(run, each["runs"])), list(map(raw, each["path"]))) for each in sent["operands"]]
    return raw(sent["descriptor"]), operands, run(sent["record"])


def stored(chain: GameChain, game: bytes, v: dict[str, Any], start: int) -> dict[str, Any]:
    """What the contract stores, under the vector's names."""
    _, state, node, descriptor, posted, dispute, _ = (word.to_bytes(32, "little") for word in chain.stored(game))
    number, phase = state[0], state[1]
    status = chain.view("claims", "assertions", chain.assertion)[0]
    is_over, is_dead = phase == 9, status[5] == 3
    return {
        "after_state": list(State)[phase - 1],
        "after_number": number,
        "after_node": "0x" + (bytes(32) if node[::-1] == raw(v["trace_root"]) else node[::-1]).hex(),
        "after_child": little(state, 6, 4),
        "after_tensor": little(state, 10, 4),
        "after_descriptor": "0x" + descriptor[::-1].hex(),
        "after_posted": "0x" + posted[::-1].hex(),
        "after_dispute": [int.from_bytes(dispute[:8], "little", signed=True), *(little(dispute, at, 4) for at in (8, 12, 16))],
        "after_deadline": little(state, 22, 5) - start,
        "after_winner": ("challenger" if is_dead else "proposer") if is_over else "",
        "after_reason": ("step" if status[6] == 1 else "timeout") if is_over else "",
    }


def little(word: bytes, start: int, length: int) -> int:
    return int.from_bytes(word[start : start + length], "little")


# ---- games that are played twice ---------------------------------------------------------------------------------------


def mirrored(asserted: Forest, own_root: bytes, *, profile: int = 0, fan_out: int = 6) -> tuple[Mirror, bytes]:
    """A game against an assertion of that forest, in both worlds."""
    m = Mirror.deployed(fan_out)
    m.register(asserted)
    terms, given = RequestTerms(profile, 0, 0, 0), asserted.tensors[: len(asserted.program.inputs)]
    ask = m.request if sum(tensor.nbytes for tensor in given) <= MAX_INPUT_BYTES else m.request_by_roots
    request = ask(REQUESTER, asserted, terms, 10**18)
    made = m.propose(PROPOSER, request, answer(m.state, request, asserted), m.state.requests[request].proposer_bond)
    return m, m.challenge(CHALLENGER, made, own_root, m.state.requests[request].challenge_bond)


def played(m: Mirror, name: bytes, asserted: Forest, honest: Forest, rng: np.random.Generator, tries: int) -> None:
    """The game to its end, at a random pace. Before each move some that differ from it in one field are tried in both worlds."""
    moves: list[Move] = []
    while (game := m.state.games[name]).state is not State.OVER:
        is_proposer = game.clock.side is Side.PROPOSER
        sender, side, mine = (PROPOSER, player.proposer, asserted) if is_proposer else (CHALLENGER, player.challenger, honest)
        m.now = game.clock.start + int(rng.integers(game.clock.deadline - game.clock.start))
        due = side(mine, game, moves, m.now)
        # What is wrong of a pick, or of a naming, may be legal: then the game goes on from there, and ends by time
        tried = [*mutants(due, rng, tries), due] if due else []
        for move in tried:
            if m.play(sender, name, move):
                moves.append(move)
                break
        else:
            m.now = game.clock.deadline
            assert m.play(STRANGER, name, Timeout(name, game.number, game.node))


def mutants(move: Move, rng: np.random.Generator, count: int) -> Iterator[Move]:
    """The same move with one leaf of its tree of fields changed."""
    for _ in range(count):
        places = list(leaves(move))
        path = places[int(rng.integers(len(places)))]
        yield changed(move, path, rng)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from leaves(each, (*path, place))
        yield (*path, len)
    elif isinstance(value, bytes | int):
        yield path


def changed(value: Any, path: tuple[Any, ...], rng: np.random.Generator) -> Any:
    if not path:
        return other(value, rng)
    head, *tail = path
    if head is len:
        return value[:-1] if value and rng.random() < 0.5 else (*value, value[-1] if value else bytes(32))
    if isinstance(head, str):
        return replace(value, **{head: changed(getattr(value, head), tuple(tail), rng)})
    return (*value[:head], changed(value[head], tuple(tail), rng), *value[head + 1 :])


def other(value: bytes | int, rng: np.random.Generator) -> bytes | int:
    if isinstance(value, int):
        return max(value + int(rng.choice([-1, 1])), 0) if value >= 0 else value + 1
    place = int(rng.integers(len(value))) if value else 0
    if len(value) == 32 or (value and rng.random() < 0.7):
        return value[:place] + bytes([value[place] ^ 1 << int(rng.integers(8))]) + value[place + 1 :]
    return value[:-1] if value and rng.random() < 0.5 else value + b"\0"


@pytest.mark.parametrize("fan_out", [1, 2, 6])
@pytest.mark.parametrize("name", sorted(GAMES))
def test_game_with_every_move_mutated_is_alike_in_both(name, fan_out):
    honest, rng = honest_of(name), np.random.default_rng(fan_out)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    m, game = mirrored(liar, honest.root, profile=fan_out % 3, fan_out=fan_out)
    played(m, game, liar, honest, rng, 100)
    assert sum(m.refused.values()) > 120
    assert sum(m.taken.values()) > 6


@pytest.mark.parametrize("seed", range(40))
def test_random_lie_is_convicted_or_timed_out_in_both(seed):
    rng = np.random.default_rng(seed)
    honest = honest_of(str(rng.choice(["example", "chain_10", "wide_5000", "raw_sum_3000", "argmax_5000", "max_9"])))
    index = int(rng.integers(len(honest.program.inputs), len(honest.tensors)))
    liar = liars.one_number(honest, index, int(rng.integers(honest.tensors[index].size)), late=float(rng.random()))
    m, game = mirrored(liar, honest.root, profile=int(rng.integers(3)), fan_out=int(rng.integers(1, 9)))
    played(m, game, liar, honest, rng, 4)
    (made,) = m.state.assertions.values()
    assert m.state.games[game].outcome is not None
    assert made.status in (AssertionStatus.DEAD, AssertionStatus.LIVING)


@pytest.mark.parametrize("name", ["chain_2", "sum_3000", "argmax_5000"])
def test_honest_proposer_is_convicted_by_no_move_of_either(name):
    """Every move that a challenger has, in one game after another: no step convicts, in neither world."""
    honest, rng = honest_of(name), np.random.default_rng(7)
    m, game = mirrored(honest, bytes(32))
    moves: list[Move] = []
    while (now := m.state.games[game]).state is not State.OVER:
        if now.clock.side is Side.PROPOSER:
            due = player.proposer(honest, now, moves, now.clock.start)
            assert m.play(PROPOSER, game, due)
            moves.append(due)
            continue
        tried = [move for move in every_move(now, moves, honest) if not hasattr(move, "child") or move.child >= 0]
        tried = [move for move in tried if getattr(move, "interval", 0) >= 0 and getattr(move, "piece", 0) >= 0]
        for place in rng.permutation(len(tried)):
            if m.play(CHALLENGER, game, tried[place]):
                moves.append(tried[place])
                break
        else:
            m.now = now.clock.deadline
            assert m.play(STRANGER, game, Timeout(game, now.number, now.node))
    (made,) = m.state.assertions.values()
    assert made.status is AssertionStatus.LIVING
    assert m.refused["step"] > 0


def test_vectors_are_those_of_the_players():
    """The file has every case, so that none is left out here."""
    assert set(VECTORS) == set(cases())
