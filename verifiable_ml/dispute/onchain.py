# SPDX-License-Identifier: MIT OR Apache-2.0
"""What one can do with the contracts of the optimistic path, one function a transaction. Raises Reverted, ChainError."""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.chain import Reverted, Sent
from verifiable_ml.commitment import MerkleTree, tensor_tree
from verifiable_ml.dispute import calldata
from verifiable_ml.dispute.bonds import challenge_bond
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.deployment import Contracts
from verifiable_ml.dispute.forest import Forest, registration
from verifiable_ml.dispute.game import descriptor_leaf
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.program import Program
from verifiable_ml.program.evidence import check_affordable
from verifiable_ml.program.identity import descriptor, header

MAX_INPUT_BYTES = 24 * 1024
"""Inputs up to here travel in the request (rule 11)."""
MAX_OUTPUT_BYTES = 4 * 1024
"""Outputs up to here travel in the assertion (rule 12)."""
LOCAL = next(number for number, profile in enumerate(PROFILES) if profile.name == "local")
NEVER = (1 << 40) - 1
"""The latest deadline that a request can have, unix time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a requester offers and wants: rule 11. fee, least_bond in wei; deadline: unix time."""

    profile: int = LOCAL
    fee: int = 0
    least_bond: int = 0
    deadline: int = NEVER

    @property
    def struct(self) -> tuple[int, int, int, int]:
        """The struct Terms."""
        return self.profile, self.fee, self.least_bond, self.deadline


@dataclass(frozen=True, slots=True)
class Demand:
    """Leaves of a tensor that somebody wants to see: the struct Demand (rule 51), and its id."""

    id: bytes
    assertion: bytes
    payer: str
    deadline: int
    dtype: int
    nbytes: int
    root: bytes
    first: int
    count: int

    @property
    def struct(self) -> tuple[object, ...]:
        """As the contract takes it."""
        return self.assertion, self.payer, self.deadline, self.dtype, self.nbytes, self.root, self.first, self.count


def is_registered(contracts: Contracts, program_id: bytes) -> bool:
    """Whether a program can be asked for (rule 53: some time after it was registered)."""
    try:
        contracts.registry.call("program", program_id)
    except Reverted as refused:
        if refused.refusal.name == "UnknownProgram":
            return False
        raise
    return True


def register(contracts: Contracts, program: Program, address: str = "") -> Sent:
    """Make a program known. address: where its files lie. Raises UnsupportedOperator if a step of it would cost too much."""
    check_affordable(program)
    leaves = MerkleTree([descriptor_leaf(descriptor(program, each)) for each in program.operators])
    opened, inputs = [], len(program.inputs)
    for output in program.outputs:
        place = output.index - inputs
        data = descriptor(program, program.operators[place]) if place >= 0 else b""
        opened.append(calldata.described(data, leaves.open(place).siblings if data else ()))
    root = registration(program).descriptors
    return contracts.registry.send("register", header(program), program.salt, root, opened, address)


def request(contracts: Contracts, program: Program, inputs: tuple[bytes, ...], roots: tuple[bytes, ...], asked: Asked) -> Sent:
    """Ask what a program says about an input: its bytes where they are few, else its roots (and a deposit)."""
    if sum(map(len, inputs)) <= MAX_INPUT_BYTES:
        return contracts.claims.send("request", program.id, asked.struct, list(inputs), value=asked.fee)
    deposit = challenge_bond(PROFILES[asked.profile].cap)  # what is more than the price of the block asks for is credited
    return contracts.claims.send("requestByRoots", program.id, asked.struct, list(roots), value=asked.fee + deposit)


def bonds(contracts: Contracts, request_id: bytes) -> tuple[int, int]:
    """What a proposer and what a challenger has to send, in wei."""
    proposer, challenger = contracts.claims.call("bonds", request_id)
    return proposer, challenger


def answer(contracts: Contracts, request_id: bytes, mine: Forest) -> Sent:
    """Assert what one's own run gave, with the bond."""
    indices = [output.index for output in mine.program.outputs]
    outputs = [mine.data(index) for index in indices]
    bond, _ = bonds(contracts, request_id)
    if sum(map(len, outputs)) <= MAX_OUTPUT_BYTES:
        return contracts.claims.send("assertOutputs", request_id, calldata.trace(mine), outputs, value=bond)
    roots = [mine.tensor_root(index) for index in indices]
    return contracts.claims.send("assertRoots", request_id, calldata.trace(mine), roots, value=bond)


def challenge(contracts: Contracts, request_id: bytes, assertion_id: bytes, own_root: bytes) -> Sent:
    """Open a game, with the bond."""
    _, bond = bonds(contracts, request_id)
    return contracts.claims.send("challenge", assertion_id, own_root, value=bond)


def play(contracts: Contracts, move: Move, kind: str) -> Sent:
    """Any move of a game. kind: of the picked operator, "" before there is one."""
    function, arguments = calldata.call_of(move, kind)
    return contracts.games.send(function, *arguments)


def close(contracts: Contracts, game_id: bytes) -> Sent:
    """End a game whose assertion is dead, or whose request is closed."""
    return contracts.games.send("close", game_id)


def finalise(contracts: Contracts, assertion_id: bytes) -> Sent:
    """Make an answer final (rule 15)."""
    return contracts.claims.send("finalise", assertion_id)


def return_bond(contracts: Contracts, assertion_id: bytes) -> Sent:
    """The bond of a living assertion of a closed request."""
    return contracts.claims.send("returnBond", assertion_id)


def buy(contracts: Contracts, assertion: bytes, roots: tuple[bytes, ...], place: int, first: int, count: int, pay: int) -> Sent:
    """Demand leaves of an input. roots: of all inputs; pay: in wei, exactly."""
    return contracts.claims.send("demandInput", assertion, list(roots), place, first, count, value=pay)


def show_bad_input(
    contracts: Contracts, request: bytes, roots: tuple[bytes, ...], place: int, element: int, leaf: Run, challenger: bytes
) -> Sent:
    """Make a request void: an element of its input leaves the interval. challenger: of its first game, zero if there was none."""
    opened = leaf.data, list(leaf.siblings)
    return contracts.claims.send("showBadInput", request, list(roots), place, element, opened, "0x" + challenger.hex())


def serve(contracts: Contracts, demand: Demand, data: bytes) -> Sent:
    """Show what was demanded. data: the whole tensor."""
    leaves = list(range(demand.first, demand.first + demand.count))
    (shown,) = show(data, tensor_tree(data), leaves)
    return contracts.claims.send("serve", demand.struct, calldata.run(shown))


def close_demand(contracts: Contracts, demand: Demand) -> Sent:
    """End a demand that was not served in time: the assertion is dead."""
    return contracts.claims.send("closeDemand", demand.struct)


def owed(contracts: Contracts, account: str) -> int:
    """What an account can withdraw, in wei."""
    return int(contracts.claims.call("balances", account)[0])


def withdraw(contracts: Contracts, to: str) -> Sent:
    """Pay out what the sender is owed."""
    return contracts.claims.send("withdraw", to)
