# SPDX-License-Identifier: MIT OR Apache-2.0
"""What each part of the native proof's verifier costs on chain, the part alone, without calldata: the terms of rule 72."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from differential.sumcheck_cases import AXES, openings, scalars
from differential.sumcheck_chain import Refused, harness
from differential.sumcheck_verifier import recorded, verifier

PROOFS = ("credit-default", "digits-cnn", "digits-mlp", "digits-transformer", "lenet5-mnist")
TABLE = Path(__file__).with_name("sumcheck_gas.json")


def opening(n: int) -> int:
    made = openings()[n]
    answer = harness().opening(made.before, made.tau, made.opening)
    assert not isinstance(answer, Refused), answer
    return answer[1]


def rows(count: int) -> int:
    """Of `count` rows one more: what a long column pays for each."""
    point = openings()[2].opening.row
    first, second = (harness().rows(point * (count + more), scalars(count + more, "weights")) for more in (0, 1))
    assert not isinstance(first, Refused) and not isinstance(second, Refused)
    return second[1] - first[1]


def rounds(degree: int) -> int:
    """A round more, the other way round: ten more and a tenth."""
    few, many = (harness().rounds(bytes(32), 7, degree, scalars(degree * count, "round")) for count in (10, 20))
    assert not isinstance(few, Refused) and not isinstance(many, Refused)
    return (many[-1] - few[-1]) // 10


def index_table(name: str) -> int:
    axis, by_carry = AXES[name]
    bits = [(extent - 1).bit_length() for extent in axis[:2]]
    answer = harness().index_table(axis, by_carry, scalars(bits[0], "r"), scalars(bits[1], "i"))
    assert not isinstance(answer, Refused), answer
    return answer[1]


def transaction(name: str) -> int:
    """A whole proof, calldata and EIP-7623 included."""
    answer = verifier().verify(recorded(name))
    assert not isinstance(answer, Refused), answer
    return answer


def measured() -> dict[str, int]:
    made = {f"opening, n = {n}": opening(n) for n in (8, 13, 16, 18)}
    made |= {f"row, the {count + 1}th": rows(count) for count in (4, 64)}
    made |= {f"round of degree {degree}": rounds(degree) for degree in (2, 3, 9)}
    made |= {f"index table, {name}": index_table(name) for name in AXES}
    return made | {f"transaction, proof of {name}": transaction(name) for name in PROOFS}


def test_parts_of_the_verifier_cost_what_the_table_says():
    found, told = measured(), json.loads(TABLE.read_text())
    again = "if on purpose: python -m differential.test_sumcheck_gas, with tests/ on the path"
    assert found == pytest.approx(told, rel=0.01), again


def test_parts_of_the_verifier_cost_no_more_than_the_plan_budgets():
    """Rule 72 has 250k an opening, 6.55k a row, 6.1k a lookup round (degree 9), 2.1k another one."""
    told = json.loads(TABLE.read_text())
    assert max(gas for name, gas in told.items() if "opening" in name) <= 200_000
    assert max(gas for name, gas in told.items() if "row, " in name) <= 6_700
    assert told["transaction, proof of digits-mlp"] <= 550_000
    assert told["transaction, proof of lenet5-mnist"] <= 1_000_000
    assert told["round of degree 9"] <= 6_100 and told["round of degree 3"] <= 2_100


if __name__ == "__main__":
    TABLE.write_text(json.dumps(measured(), indent=1) + "\n")
