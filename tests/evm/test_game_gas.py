# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a dispute costs: each call as a transaction on an EVM of Prague, intrinsic gas and the floor of EIP-7623 included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from differential.game_chain import created, move_arguments, registration_arguments
from unit.small_games import chain as lookups
from unit.small_games import honest_forest, honest_of
from verifiable_ml import chain as chains
from verifiable_ml.chain.contract import Contract
from verifiable_ml.dispute import liars, player, rules, settlement
from verifiable_ml.dispute.actions import answer
from verifiable_ml.dispute.clock import PROFILES, Side
from verifiable_ml.dispute.forest import Forest, registration
from verifiable_ml.dispute.game import Game, State, Terms
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.settlement import Call, Settlement
from verifiable_ml.dispute.settlement.assertions import MAX_OUTPUT_BYTES
from verifiable_ml.program import OPERATORS

TABLE = Path(__file__).with_name("game_gas.json")
LIMITS = {"reveal": 115_000, "pick": 40_000, "postBlock": 75_000, "challenge": 130_000}
"""Of a reveal of 64 children, of the bytes of a block with 6 siblings, whatever they are."""
PROPOSER_GAS, CHALLENGER_GAS = 600_000, 800_000
"""Of a whole game at worst: what rule 43 counts bonds by."""


@cache
def deployed() -> tuple[chains.Chain, dict[str, Contract]]:
    """One deployment for all games, d = 6."""
    chain = chains.embedded()
    steps = chain.deploy("Steps", [chain.deploy(f"{name.capitalize()}Step").address for name in OPERATORS])
    registry = chain.deploy("ProgramRegistry", steps.address)
    sender = chain.node.sender
    games = created(sender, chain.node.web3.eth.get_transaction_count(sender) + 1)
    claims = chain.deploy("OptimisticClaims", games, registry.address)
    return chain, {"registry": registry, "claims": claims, "games": chain.deploy("DisputeGame", claims.address, steps.address, 6)}


class Dispute:
    """One game on chain, and what each transaction of it costs."""

    def __init__(self, liar: Forest, honest: Forest) -> None:
        self.chain, at = deployed()
        self.at, (self.requester, self.proposer, self.challenger) = at, self.chain.accounts[1:4]
        self.spent: list[tuple[str, str, int]] = []
        self.game = self._opened(liar, honest)
        self._play(liar, honest)

    def _send(self, who: str, contract: str, function: str, *arguments: Any, value: int = 0) -> None:
        sent = self.at[contract].by(who).send(function, *arguments, value=value)
        self.spent.append((who, function, sent.gas_used))

    def _opened(self, liar: Forest, honest: Forest) -> Game:
        program, known = liar.program, Settlement(self.chain.node.chain_id, bytes.fromhex(self.at["claims"].address[2:]))
        self._send(self.requester, "registry", "register", *registration_arguments(program))
        self.chain.node.advance(PROFILES[2].window)
        roots = liar.trace[0][: len(program.inputs)]
        self._send(self.requester, "claims", "requestByRoots", program.id, (2, 0, 0, 0), roots, value=10**18)
        request = self._logged("Requested")["requestId"]
        bond, stake = self.at["claims"].call("bonds", request)
        made = answer(self._twin(known, liar, request), request, liar)
        outputs = sum(liar.tensors[output.index].nbytes for output in program.outputs)
        function = "assertRoots" if outputs > MAX_OUTPUT_BYTES else "assertOutputs"
        trace = made.trace_root, roots, made.paths
        self._send(self.proposer, "claims", function, request, trace, made.outputs, value=bond)
        assertion = self._logged("Asserted")["assertionId"]
        self._send(self.challenger, "claims", "challenge", assertion, honest.root, value=stake)
        game = next(event for event in self._events("games") if event.name == "GameOpened").values["gameId"]
        sides = [bytes.fromhex(account[2:]) for account in (self.proposer, self.challenger)]
        terms = Terms(game, assertion, *sides, liar.root, registration(program), PROFILES[2], 6)
        return rules.open_game(terms, honest.root, self.chain.node.now())

    def _twin(self, known: Settlement, liar: Forest, request: bytes) -> Settlement:
        """As much of a settlement as an answer is made from."""
        known = settlement.register(known, Call(b"", 0), liar.program)
        return replace(known, requests={request: settlement.Request(b"", liar.program.id, (), False, 2, 0, 0, 0, 0)})

    def _events(self, contract: str) -> Iterator[Any]:
        number = self.chain.node.number()
        return self.at[contract].events(number, number)

    def _logged(self, name: str) -> dict[str, Any]:
        return next(event for event in self._events("claims") if event.name == name).values

    def _play(self, liar: Forest, honest: Forest) -> None:
        moves: list[Move] = []
        while self.game.state is not State.OVER:
            game, is_proposer = self.game, self.game.clock.side is Side.PROPOSER
            who, side, mine = (
                (self.proposer, player.proposer, liar) if is_proposer else (self.challenger, player.challenger, honest)
            )
            move = side(mine, game, moves, game.clock.start)
            function, arguments = move_arguments(move, game.form.kind if game.form else None)
            self._send(who, "games", function, move.game, move.number, move.node, *arguments)
            self.game = rules.play(game, move, bytes.fromhex(who[2:]), self.chain.node.now())
            moves.append(move)

    def table(self) -> dict[str, Any]:
        """Gas of each transaction from the challenge on, and of each side."""
        start = next(place for place, (_, function, _) in enumerate(self.spent) if function == "challenge")
        rows = self.spent[start:]
        by = {who: sum(gas for sender, _, gas in rows if sender == account) for who, account in self._sides().items()}
        return {"moves": [[function, gas] for _, function, gas in rows], **by}

    def _sides(self) -> dict[str, str]:
        return {"proposer": self.proposer, "challenger": self.challenger}


def deep() -> tuple[Forest, Forest]:
    """4,096 tensors: two reveals of 64 tensor roots or nodes above them."""
    honest = honest_forest(*lookups(4095, 1))
    return liars.one_number(honest, 4095, 0), honest


def wide() -> tuple[Forest, Forest]:
    """A tensor of 64 blocks: a reveal of 64 nodes with its descriptor, a block with 6 siblings."""
    honest = honest_forest(*lookups(2, 65_536))
    return liars.one_number(honest, 1, 65_535), honest


def of(name: str, late: float = 0.5) -> tuple[Forest, Forest]:
    honest = honest_of(name)
    return liars.one_number(honest, 1, 0, late=late), honest


GAMES = {
    "4,096 tensors": deep,
    "64 KiB": wide,
    "a matmul of 3,000 terms": lambda: of("sum_3000"),
    "256 pieces": lambda: of("max_64"),
    "argmax": lambda: of("argmax_5000"),
}


@cache
def played(name: str) -> dict[str, Any]:
    return Dispute(*GAMES[name]()).table()


@pytest.mark.parametrize("name", GAMES)
def test_game_gas_is_that_of_the_table(name):
    assert played(name) == json.loads(TABLE.read_text())[name], "if on purpose: python tests/evm/test_game_gas.py"


@pytest.mark.parametrize("name", GAMES)
def test_game_stays_below_what_bonds_are_counted_by(name):
    game = played(name)
    assert game["proposer"] < PROPOSER_GAS
    assert game["challenger"] < CHALLENGER_GAS


@pytest.mark.parametrize("name", GAMES)
def test_moves_stay_below_their_limits(name):
    over = [(function, gas) for function, gas in played(name)["moves"] if gas > LIMITS.get(function, 400_000)]
    assert over == []


def test_limits_are_met_by_the_largest_moves():
    """64 children, 64 children with 6 siblings, a block with 6 siblings: the limits are not met by small ones."""
    reveals = [gas for function, gas in played("4,096 tensors")["moves"] if function == "reveal"]
    assert len(reveals) == 2
    assert min(reveals) > 100_000
    assert dict(played("64 KiB")["moves"])["postBlock"] > 70_000


if __name__ == "__main__":
    TABLE.write_text(json.dumps({name: played(name) for name in GAMES}, indent=1) + "\n")
