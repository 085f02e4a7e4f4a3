# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is at stake: the price of gas that a request fixes, bonds, and who gets a lost one (rules 43 and 51). Amounts in wei."""

from __future__ import annotations

from typing import NamedTuple

from verifiable_ml.dispute.clock import Profile

CHALLENGE_GAS = 2_400_000
"""Safety 2 * 0.6M gas, a proposer's worst game, over the half that is not burnt."""
PROPOSAL_GAS = 4 * CHALLENGE_GAS
"""Four times as much, and at least 2 * 0.8M gas, a challenger's worst game, over the half that is not burnt."""
DATA_GAS = 2 * 40
"""Of a demanded byte: calldata costs 40 gas a byte, and serving shall pay."""


def price_of(profile: Profile, base_fee: int) -> int:
    """The price of gas of a request: min(cap, max(floor, 4 * base fee)). It is fixed for all that follows from the request."""
    return min(profile.cap, max(profile.floor, 4 * base_fee))


def challenge_bond(price: int) -> int:
    """What a challenger stakes on one game, and a requester on an input that it gives by commitment."""
    return CHALLENGE_GAS * price


def proposer_bond(price: int, least: int) -> int:
    """What a proposer stakes on one assertion: at least what the request asks for."""
    return max(PROPOSAL_GAS * price, least)


def demand_pay(price: int, nbytes: int) -> int:
    """What a demand for so many bytes costs, and their server earns."""
    return DATA_GAS * nbytes * price


class Split(NamedTuple):
    """A lost bond, in two parts that are the whole of it."""

    won: int
    burnt: int


def lost(bond: int) -> Split:
    """Half to the winner of that game, half burnt; an odd wei burns. So nobody gains by losing to itself (rule 45)."""
    return Split(bond // 2, bond - bond // 2)
