# SPDX-License-Identifier: MIT OR Apache-2.0
"""OptimisticClaims, DisputeGame and ProgramRegistry on an EVM in this process, spoken to in the words of `verifiable_ml.dispute`.

A call either goes through, or is refused with the name of a custom error; anything else (a panic, no gas) fails the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyrevm
from eth_abi.abi import decode
from eth_utils.abi import get_abi_output_types

from differential.step_chain import SENDER, Chain, Refused, compiled
from verifiable_ml.chain.contract import encode_arguments, encode_call
from verifiable_ml.commitment import MerkleTree, keccak
from verifiable_ml.dispute.game import descriptor_leaf, packed
from verifiable_ml.dispute.moves import Block, Described, Leaf, Move, Name, Partials, Pick, PickInterval, Reveal, Step, Timeout
from verifiable_ml.dispute.opening import MISSING, Run
from verifiable_ml.program import Program
from verifiable_ml.program.identity import descriptor, header

NAMES = {"claims": "OptimisticClaims", "games": "DisputeGame", "registry": "ProgramRegistry"}


class GameChain(Chain):
    """The contracts of one deployment. fan_out: d of rule 21."""

    def __init__(self, fan_out: int = 6) -> None:
        super().__init__()
        registry = self.deploy("ProgramRegistry", _arguments("ProgramRegistry", self.steps))
        games = created(SENDER, self.evm.basic(SENDER).nonce + 1)
        claims = self.deploy("OptimisticClaims", _arguments("OptimisticClaims", games, registry))
        assert self.deploy("DisputeGame", _arguments("DisputeGame", claims, self.steps, fan_out)) == games
        self.at = {"claims": claims, "games": games, "registry": registry}
        self.now, self.base_fee = 0, 0

    @property
    def address(self) -> bytes:
        """Of the contract whose requests they are, 20 bytes."""
        return bytes.fromhex(self.at["claims"][2:])

    def set_block(self, now: int, base_fee: int) -> None:
        """What the next transactions see."""
        self.now, self.base_fee = now, base_fee
        self.evm.set_block_env(pyrevm.BlockEnv(timestamp=now, basefee=base_fee))

    def send(self, sender: bytes, contract: str, function: str, *arguments: Any, value: int = 0) -> tuple[Any, ...] | Refused:
        """A transaction; what the function returns."""
        return self._ask(sender, contract, function, arguments, value, is_static=False)

    def view(self, contract: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        """A call that changes nothing. It may not be refused."""
        answer = self._ask(bytes(20), contract, function, arguments, 0, is_static=True)
        assert not isinstance(answer, Refused), answer
        return answer

    def _ask(
        self, sender: bytes, contract: str, function: str, arguments: tuple[Any, ...], value: int, *, is_static: bool
    ) -> tuple[Any, ...] | Refused:
        abi = next(e for e in compiled(NAMES[contract])["abi"] if e["type"] == "function" and e["name"] == function)
        who = "0x" + sender.hex()
        if value:
            self.evm.set_balance(who, self.evm.get_balance(who) + value)
        data = encode_call(abi, arguments)
        try:
            answer = self.evm.message_call(caller=who, to=self.at[contract], calldata=data, value=value, is_static=is_static)
        except RuntimeError as error:
            return Refused(self._reason(str(error)))
        # EIP-7623: no less than 40 gas a byte of calldata, 10 a zero
        zeros = data.count(0)
        self.gas_used = max(self.evm.result.gas_used, 21_000 + 10 * zeros + 40 * (len(data) - zeros))
        return tuple(decode(get_abi_output_types(abi), answer))

    def balance(self, contract: str) -> int:
        """What it holds, in wei."""
        return self.evm.get_balance(self.at[contract])

    def stored(self, game: bytes) -> list[int]:
        """The words of a game that its moves write: players, state, node, descriptor, posted, dispute, ends."""
        slot = int.from_bytes(keccak(game + bytes(32)), "big")
        return [self.evm.storage(self.at["games"], slot + place) for place in range(7)]

    def play(self, sender: bytes, move: Move, kind: str | None) -> tuple[Any, ...] | Refused:
        """A move of a game. kind: of the picked operator, which says how a list of accumulators is packed."""
        function, arguments = move_arguments(move, kind)
        return self.send(sender, "games", function, move.game, move.number, move.node, *arguments)


# ---- moves as arguments ----------------------------------------------------------------------------------------------


def move_arguments(move: Move, kind: str | None) -> tuple[str, tuple[Any, ...]]:
    """The function of DisputeGame that a move is, and what it is given after game, number and node."""
    match move:
        case Reveal(children=children, siblings=siblings, descriptor=None):
            return "reveal", ([*children, *siblings],)
        case Reveal(children=children, siblings=siblings, descriptor=opened):
            return "enterByReveal", (described(opened), [*children, *siblings])
        case Pick(child=child):
            return "pick", (child,)
        case Block(data=data, siblings=siblings, descriptor=None):
            return "postBlock", (data, siblings)
        case Block(data=data, siblings=siblings, descriptor=opened):
            return "enterByBlock", (described(opened), data, siblings)
        case Name(element=element, leaf=leaf):
            return "nameElement", (element, leaf_of(leaf))
        case Partials():
            record = run_of(move.record or MISSING)
            return "postPartials", (move.element, move.first, packed(kind, move.posted), move.descriptor, record)
        case PickInterval(interval=interval, posted=posted):
            return "pickInterval", (interval, packed(kind, posted))
        case Step(leaf=None):
            return "stepPiece", (move.piece, packed(kind, move.posted), evidence(move))
        case Step(leaf=leaf):
            return "stepElement", (move.element, leaf_of(leaf), evidence(move))
    assert isinstance(move, Timeout)
    return "timeout", ()


def described(opened: Described) -> tuple[bytes, Sequence[bytes]]:
    return opened.data, opened.siblings


def leaf_of(leaf: Leaf) -> tuple[bytes, Sequence[bytes]]:
    return leaf.data, leaf.siblings


def run_of(run: Run) -> tuple[int, bytes, Sequence[bytes]]:
    return run.first, run.data, run.siblings


def evidence(move: Step) -> tuple[Any, ...]:
    operands = [([run_of(run) for run in opening.runs], opening.path) for opening in move.openings]
    return move.descriptor, operands, run_of(move.record or MISSING)


# ---- programs as arguments -------------------------------------------------------------------------------------------


def registration_arguments(program: Program) -> tuple[Any, ...]:
    """What ProgramRegistry.register is given."""
    descriptors = [descriptor(program, operator) for operator in program.operators]
    tree = MerkleTree([descriptor_leaf(data) for data in descriptors])
    opened = []
    for output in program.outputs:
        place = output.index - len(program.inputs)
        opened.append((descriptors[place], tree.open(place).siblings) if place >= 0 else (b"", ()))
    return header(program), program.salt, tree.root, opened, "ipfs://" + program.id.hex()


def _arguments(contract: str, *values: Any) -> bytes:
    constructor = next(entry for entry in compiled(contract)["abi"] if entry["type"] == "constructor")
    return encode_arguments(constructor, values)


def created(sender: str, nonce: int) -> str:
    """The address of the contract that an account creates with that nonce, below 128."""
    return "0x" + keccak(b"\xd6\x94" + bytes.fromhex(sender[2:]) + bytes([nonce or 0x80]))[12:].hex()
