# SPDX-License-Identifier: MIT OR Apache-2.0
"""settlement: requests, assertions, finality and money, as pure functions over a frozen state. Rules 9 to 19, 33, 43, 50 to 54.

In: a Settlement and a Call (who, when, with how much). Out: the next Settlement, or IllegalMove. The twin of
challenge/src/game/OptimisticClaims.sol, part by part: ledger, requests, assertions, demands.
"""

from verifiable_ml.dispute.settlement.assertions import (
    challenge,
    close,
    finalise,
    is_final,
    is_moot,
    play,
    propose,
    return_bond,
)
from verifiable_ml.dispute.settlement.demands import close_demand, demand, serve
from verifiable_ml.dispute.settlement.ledger import (
    Assertion,
    AssertionStatus,
    Call,
    Demand,
    KnownProgram,
    Request,
    RequestStatus,
    Settlement,
    at_stake,
    withdraw,
)
from verifiable_ml.dispute.settlement.requests import (
    RequestTerms,
    register,
    request,
    request_by_roots,
    show_bad_input,
    withdraw_fee,
)

__all__ = [
    "Assertion",
    "AssertionStatus",
    "Call",
    "Demand",
    "KnownProgram",
    "Request",
    "RequestStatus",
    "RequestTerms",
    "Settlement",
    "at_stake",
    "challenge",
    "close",
    "close_demand",
    "demand",
    "finalise",
    "is_final",
    "is_moot",
    "play",
    "propose",
    "register",
    "request",
    "request_by_roots",
    "return_bond",
    "serve",
    "show_bad_input",
    "withdraw",
    "withdraw_fee",
]
