# SPDX-License-Identifier: MIT OR Apache-2.0
"""The contracts of the optimistic path, deployed or found: thirteen steps, their router, programs, claims, games."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from verifiable_ml.chain import Chain, Contract
from verifiable_ml.chain.artifacts import load_artifact
from verifiable_ml.chain.contract import deploy as create
from verifiable_ml.commitment import keccak
from verifiable_ml.dispute.walk import FAN_OUT
from verifiable_ml.errors import ChainError
from verifiable_ml.program import OPERATORS

REGISTRY, CLAIMS, GAMES, STEPS = "ProgramRegistry", "OptimisticClaims", "DisputeGame", "Steps"
STEP_NAMES = tuple(f"{name.capitalize()}Step" for name in OPERATORS)
"""In the order of their kinds, as the router takes them."""


@dataclass(frozen=True)
class Contracts:
    """Where programs, claims and games are. `first`: the block from which on there can be events; gas: of what was deployed."""

    registry: Contract
    claims: Contract
    games: Contract
    fan_out: int = FAN_OUT
    first: int = 0
    gas: dict[str, int] = field(default_factory=dict)

    def by(self, account: str) -> Contracts:
        """The same contracts, called by another account that the node holds."""
        return replace(self, registry=self.registry.by(account), claims=self.claims.by(account), games=self.games.by(account))


def deploy(chain: Chain, fan_out: int = FAN_OUT) -> Contracts:
    """Deploy all of them, in seventeen transactions. Raises ChainError, Reverted."""
    first, gas = chain.node.number(), dict[str, int]()

    def made(name: str, *arguments: object) -> Contract:
        contract, sent = create(chain.node, load_artifact(name), *arguments)
        gas[name] = sent.gas_used
        return contract

    steps = made(STEPS, [made(name).address for name in STEP_NAMES])
    registry = made(REGISTRY, steps.address)
    # Claims and games name each other: the second one's address follows from the account and its next nonce but one.
    claims = made(CLAIMS, _address_after(chain, 1), registry.address)
    games = made(GAMES, claims.address, steps.address, fan_out)
    return Contracts(registry, claims, games, fan_out, first, gas)


def found(chain: Chain, claims: str, first: int = 0) -> Contracts:
    """Those that stand already, by the address of OptimisticClaims. Raises ChainError where other code stands."""
    contract = chain.at(CLAIMS, claims)
    games = chain.at(GAMES, contract.call("GAMES")[0])
    registry = chain.at(REGISTRY, contract.call("REGISTRY")[0])
    return Contracts(registry, contract, games, games.call("FAN_OUT")[0], first)


def deployment_gas(contracts: Contracts) -> int:
    """Gas of all contracts together."""
    return sum(contracts.gas.values())


def _address_after(chain: Chain, more: int) -> str:
    """Of the contract that the account will create after `more` other transactions: keccak(rlp(sender, nonce))."""
    sender = chain.node.sender
    if sender is None:
        raise ChainError(thing="a deployment", reason="no account was given", hint="set VML_PRIVATE_KEY or pass a keystore")
    nonce = chain.node.nonce() + more
    digits = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    number = digits if 0 < nonce < 0x80 else bytes([0x80 + len(digits)]) + digits
    items = b"\x94" + bytes.fromhex(sender[2:]) + number
    return "0x" + keccak(bytes([0xC0 + len(items)]) + items)[12:].hex()
