# SPDX-License-Identifier: MIT OR Apache-2.0
"""A settlement that is played twice, by the rules in Python and by the contracts, and compared after every action.

What Python refuses the contracts refuse, what it takes they take, and then all that both store is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from differential.game_chain import GameChain, described, registration_arguments, run_of
from differential.step_chain import Refused
from verifiable_ml.commitment import encode_tensor
from verifiable_ml.dispute import settlement
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Game, Reason, State, packed
from verifiable_ml.dispute.moves import Move, Step
from verifiable_ml.dispute.opening import Run
from verifiable_ml.dispute.settlement import AssertionStatus, Call, RequestStatus, RequestTerms, Settlement, at_stake
from verifiable_ml.dispute.settlement.assertions import Answer, assertion_id
from verifiable_ml.dispute.settlement.demands import OfConstant, OfInput, OfOutput, Wanted, demand_id
from verifiable_ml.errors import IllegalMove, MalformedEvidence
from verifiable_ml.program.ops import OPERATORS

PHASES = [None, *State]
REQUESTS = [None, *RequestStatus]
ASSERTIONS = [None, *AssertionStatus]
REASONS = [None, *Reason]
START = 1_000_000


@dataclass
class Mirror:
    """One deployment, and its twin. Amounts in wei."""

    chain: GameChain
    state: Settlement
    now: int = START
    taken: dict[str, int] = field(default_factory=dict)
    """How often each kind of action went through."""
    refused: dict[str, int] = field(default_factory=dict)

    @classmethod
    def deployed(cls, fan_out: int = 6) -> Mirror:
        chain = GameChain(fan_out)
        return cls(chain, Settlement(1, chain.address, fan_out))

    # ---- programs and requests -----------------------------------------------------------------------------------------

    def register(self, forest: Forest, ago: int = 10**5) -> None:
        """A program, so long ago."""
        program = forest.program
        self.state = settlement.register(self.state, Call(b"", self.now - ago), program)
        self.chain.set_block(self.now - ago, 0)
        (name,) = self.chain.send(bytes(20), "registry", "register", *registration_arguments(program))
        assert name == program.id

    def request(self, sender: bytes, forest: Forest, terms: RequestTerms, value: int) -> bytes | None:
        """By the bytes of its inputs. Its id, or None if it is refused."""
        inputs = [encode_tensor(tensor) for tensor in forest.tensors[: len(forest.program.inputs)]]
        return self._made(
            "request",
            lambda state: settlement.request(state, self.call(sender, value), forest.program.id, terms, inputs),
            lambda: self.chain.send(sender, "claims", "request", forest.program.id, terms_of(terms), inputs, value=value),
        )

    def request_by_roots(self, sender: bytes, forest: Forest, terms: RequestTerms, value: int) -> bytes | None:
        """By the roots of its inputs."""
        roots = forest.trace[0][: len(forest.program.inputs)]
        return self._made(
            "request_by_roots",
            lambda state: settlement.request_by_roots(state, self.call(sender, value), forest.program.id, terms, roots),
            lambda: self.chain.send(sender, "claims", "requestByRoots", forest.program.id, terms_of(terms), roots, value=value),
        )

    def _made(self, kind: str, twin: Callable[[Settlement], Settlement], send: Callable[[], Any]) -> bytes | None:
        before = set(self.state.requests)
        answer = self.act(kind, twin, send)
        if answer is None:
            return None
        (made,) = set(self.state.requests) - before
        assert answer == (made,)
        return made

    def withdraw_fee(self, sender: bytes, name: bytes) -> None:
        self.act(
            "withdraw_fee",
            lambda state: settlement.withdraw_fee(state, self.call(sender), name),
            lambda: self.chain.send(sender, "claims", "withdrawFee", name),
        )

    def show_bad_input(self, sender: bytes, name: bytes, place: int, element: int, run: Run) -> None:
        roots = self.state.requests[name].input_roots
        first = self.state.requests[name].first_game
        challenger = address(self.state.games[first].terms.challenger if first else b"")
        self.act(
            "show_bad_input",
            lambda state: settlement.show_bad_input(state, self.call(sender), name, place, element, run),
            lambda: self.chain.send(
                sender, "claims", "showBadInput", name, roots, place, element, (run.data, run.siblings), challenger
            ),
        )

    # ---- assertions and games ------------------------------------------------------------------------------------------

    def propose(self, sender: bytes, name: bytes, answer: Answer, value: int) -> bytes | None:
        asked = self.state.requests[name]
        forms = self.state.programs[asked.program].outputs
        by_roots = sum(form.nbytes for form in forms) > 4096
        trace = answer.trace_root, asked.input_roots, answer.paths
        before = set(self.state.assertions)
        answered = self.act(
            "propose",
            lambda state: settlement.propose(state, self.call(sender, value), name, answer),
            lambda: self.chain.send(
                sender, "claims", "assertRoots" if by_roots else "assertOutputs", name, trace, answer.outputs, value=value
            ),
        )
        if answered is None:
            return None
        (made,) = set(self.state.assertions) - before
        assert answered == (made,)
        return made

    def challenge(self, sender: bytes, key: bytes, own_root: bytes, value: int) -> bytes | None:
        before = set(self.state.games)
        answered = self.act(
            "challenge",
            lambda state: settlement.challenge(state, self.call(sender, value), key, own_root),
            lambda: self.chain.send(sender, "claims", "challenge", key, own_root, value=value),
        )
        if answered is None:
            return None
        (made,) = set(self.state.games) - before
        assert answered == (made,)
        return made

    def play(self, sender: bytes, name: bytes, move: Move) -> bool:
        """A move. Of a moot game the contract refuses those alone that would end it: a check in each would cost 5k gas."""
        if not self._is_said(move, game := self.state.games[name]):
            return False
        return (
            self.act(
                type(move).__name__.lower(),
                lambda state: settlement.play(state, self.call(sender), name, move),
                lambda: self.chain.play(sender, move, game.form.kind if game.form else None),
            )
            is not None
        )

    def _is_said(self, move: Move, game: Game) -> bool:
        """Whether calldata can say it: an accumulator that fits its bytes, and of a step what its function is given."""
        if isinstance(move, Step) and (move.element != game.element if move.leaf is None else move.piece or move.posted):
            return False
        try:
            packed(game.form.kind if game.form else None, getattr(move, "posted", ()))
        except IllegalMove:
            return False
        return True

    def close(self, sender: bytes, name: bytes) -> None:
        self.act(
            "close",
            lambda state: settlement.close(state, self.call(sender), name),
            lambda: self.chain.send(sender, "games", "close", name),
        )

    def finalise(self, sender: bytes, key: bytes) -> None:
        self.act(
            "finalise",
            lambda state: settlement.finalise(state, self.call(sender), key),
            lambda: self.chain.send(sender, "claims", "finalise", key),
        )

    def return_bond(self, sender: bytes, key: bytes) -> None:
        self.act(
            "return_bond",
            lambda state: settlement.return_bond(state, self.call(sender), key),
            lambda: self.chain.send(sender, "claims", "returnBond", key),
        )

    # ---- data and money ------------------------------------------------------------------------------------------------

    def demand(self, sender: bytes, key: bytes, wanted: Wanted, first: int, count: int, value: int) -> None:
        made = self.state.assertions[key]
        match wanted:
            case OfInput(place):
                which: tuple[Any, ...] = "demandInput", self.state.requests[made.request].input_roots, place
            case OfOutput(place):
                which = "demandOutput", made.output_roots, place
            case OfConstant(operator, opened, operand):
                which = "demandConstant", operator, described(opened), operand
        self.act(
            "demand",
            lambda state: settlement.demand(state, self.call(sender, value), key, wanted, first, count),
            lambda: self.chain.send(sender, "claims", which[0], key, *which[1:], first, count, value=value),
        )

    def serve(self, sender: bytes, name: bytes, run: Run) -> None:
        asks = self._demand(name)
        self.act(
            "serve",
            lambda state: settlement.serve(state, self.call(sender), name, run),
            lambda: self.chain.send(sender, "claims", "serve", asks, run_of(run)),
        )

    def close_demand(self, sender: bytes, name: bytes) -> None:
        asks = self._demand(name)
        self.act(
            "close_demand",
            lambda state: settlement.close_demand(state, self.call(sender), name),
            lambda: self.chain.send(sender, "claims", "closeDemand", asks),
        )

    def _demand(self, name: bytes) -> tuple[Any, ...]:
        asks = self.state.demands[name]
        assert demand_id(asks) == name
        return (
            asks.assertion, address(asks.payer), asks.deadline, asks.dtype, asks.nbytes, asks.root, asks.first, asks.count
        )  # fmt: skip

    def withdraw(self, sender: bytes) -> None:
        self.act(
            "withdraw",
            lambda state: settlement.withdraw(state, self.call(sender)),
            lambda: self.chain.send(sender, "claims", "withdraw", address(sender)),
        )

    # ---- both, and their comparison ------------------------------------------------------------------------------------

    def call(self, sender: bytes, value: int = 0) -> Call:
        return Call(sender, self.now, value, 0)

    def act(self, kind: str, twin: Callable[[Settlement], Settlement], send: Callable[[], Any]) -> Any:
        """Both take it, or both refuse it. What the contract answers, None if it is refused."""
        try:
            after, rule = twin(self.state), None
        except (IllegalMove, MalformedEvidence) as error:
            after, rule = self.state, error
        self.chain.set_block(self.now, 0)
        answer = send()
        assert isinstance(answer, Refused) == (rule is not None), f"{kind}: Python {rule or 'takes it'}, chain {answer}"
        counted = self.taken if rule is None else self.refused
        counted[kind] = counted.get(kind, 0) + 1
        changed, self.state = changes(self.state, after), after
        self._compare(changed)
        return None if rule else answer

    def _compare(self, changed: dict[str, list[bytes]]) -> None:
        for name in changed["requests"]:
            self._compare_request(name)
        for key in changed["assertions"]:
            self._compare_assertion(key)
        for name in changed["games"]:
            compare_game(self.state.games[name], self.chain.stored(name))
        for name in changed["demands"]:
            assert self.chain.view("claims", "isDemanded", name) == (name in self.state.demands,)
        for account in changed["balances"]:
            assert self.chain.view("claims", "balances", address(account)) == (self.state.balances.get(account, 0),)
        assert self.chain.view("claims", "burnt") == (self.state.burnt,)
        assert self.chain.balance("claims") == self.state.held
        # INVARIANT: what is held is what is owed, what is burnt, and what is at stake (property 16)
        assert self.state.held == sum(self.state.balances.values()) + self.state.burnt + at_stake(self.state)

    def _compare_request(self, name: bytes) -> None:
        asked = self.state.requests[name]
        ((who, deadline, epoch, profile, status, by_roots, *rest),) = self.chain.view("claims", "requests", name)
        price, bond, fee, first_posted, living, inputs, operators, program, _, final = rest
        assert (who, deadline, epoch, profile) == (address(asked.requester), asked.deadline, asked.epoch, asked.profile)
        assert (REQUESTS[status], by_roots, price) == (asked.status, asked.by_roots, asked.price)
        assert (bond, fee, first_posted or None) == (asked.minimum_bond, asked.fee, asked.first_posted)
        assert (living, program, final) == (len(asked.living), asked.program, asked.final or bytes(32))
        known = self.state.programs[program].game
        assert (inputs, operators) == (known.inputs, known.operators)
        for root, count in asked.living.items():
            assert self.chain.view("claims", "living", name, root) == (count,)

    def _compare_assertion(self, key: bytes) -> None:
        made = self.state.assertions[key]
        assert key == assertion_id(made.request, made.epoch, made.proposer, made.output_roots, made.trace_root)
        ((request, root, who, posted, end, status, reason, _, epoch, *counts),) = self.chain.view("claims", "assertions", key)
        assert (request, root, who) == (made.request, made.trace_root, address(made.proposer))
        assert (posted, end, ASSERTIONS[status], REASONS[reason]) == (made.posted, made.end, made.status, made.reason)
        assert (epoch, *counts) == (made.epoch, made.games, made.open_games, made.open_demands)


def compare_game(game: Game, words: list[int]) -> None:
    """What rules.py says of a game, and what the contract stores of it."""
    who, state, node, descriptor, posted, dispute, ends = words
    assert who & (1 << 160) - 1 == int.from_bytes(game.terms.challenger, "big")
    assert who >> 224 == game.terms.program.count
    number, phase, *_ = state.to_bytes(32, "little")
    fields = [part(state, start, length) for start, length in ((48, 32), (80, 32), (144, 32), (176, 40))]
    assert (PHASES[phase], number) == (game.state, game.number)
    assert fields[:2] == [game.child, game.tensor]
    assert fields[3] == game.clock.deadline
    assert fields[2] == (game.clock.challenger if game.clock.side is Side.PROPOSER else game.clock.proposer)
    assert node.to_bytes(32, "big") == (game.node if game.node != bytes(32) else game.terms.trace_root)
    assert (descriptor.to_bytes(32, "big"), posted.to_bytes(32, "big")) == (game.descriptor, game.posted)
    if game.form is not None:
        assert part(state, 40, 8) == OPERATORS[game.form.kind].CODE << 4 | game.form.dtype
        assert (part(state, 112, 32), part(state, 216, 40)) == (game.form.pieces, game.form.nbytes)
    assert signed(part(dispute, 0, 64)) == game.value
    assert [part(dispute, start, 32) for start in (64, 96, 128)] == [game.element, game.first, game.last]
    if game.end is not None:
        assert (signed(part(ends, 128, 64)), part(ends, 192, 64)) == (game.end.value, game.end.index)


def part(word: int, start: int, length: int) -> int:
    return word >> start & (1 << length) - 1


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def address(account: bytes) -> str:
    return "0x" + account.rjust(20, b"\0").hex()


def terms_of(terms: RequestTerms) -> tuple[int, int, int, int]:
    return terms.profile, terms.fee, terms.minimum_bond, terms.deadline


def changes(before: Settlement, after: Settlement) -> dict[str, list[bytes]]:
    """The ids of all that an action has changed, and of what it has created or removed."""
    found = {}
    for name in ("requests", "assertions", "games", "demands", "balances"):
        old, new = getattr(before, name), getattr(after, name)
        found[name] = [key for key in {**old, **new} if old.get(key) is not new.get(key)]
    return found
