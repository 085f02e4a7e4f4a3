# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each instruction of the machine on random registers, against big integers. Its numbers are those of the crate `plan`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod

import pytest

from differential.step_chain import Refused
from differential.sumcheck_cases import scalars
from differential.sumcheck_chain import harness, number
from differential.test_sumcheck_parts import equality, naive_index_table
from verifiable_ml.commitment.transcript import MODULUS as P

Registers = list[int]
COUNT = 160
A, B, D = 10, 60, 100
"""Where operands and results begin."""


def registers() -> Registers:
    """Random, with both ends of the field among the operands; what may be written begins as zeros, as in a plan."""
    made = list(map(number, scalars(COUNT, "registers")))
    made[A + 1], made[A + 2], made[B], made[B + 1] = 0, P - 1, P - 1, 1
    made[D:] = [0] * (COUNT - D)
    return made


def instruction(op: int, n: int = 0, imm: int = 0, d: int = D) -> bytes:
    return bytes([op]) + b"".join(place.to_bytes(3, "big") for place in (d, A, B)) + n.to_bytes(2, "big") + imm.to_bytes(4, "big")


def run(code: bytes, data: bytes = b"", given: Registers | None = None) -> Registers:
    answer = harness().machine(given or registers(), data, code)
    assert not isinstance(answer, Refused), answer
    return answer


def check(code: bytes, wanted: Registers, data: bytes = b"") -> None:
    before = registers()
    assert run(code, data) == before[:D] + [value % P for value in wanted] + [0] * (COUNT - D - len(wanted))


def operands(n: int) -> tuple[Registers, Registers]:
    given = registers()
    return given[A : A + n], given[B : B + n]


def table(point: Registers) -> Registers:
    return [equality(point, index) for index in range(1 << len(point))]


PAIRS = [(A, B), (A + 1, B), (B, B), (D, B + 3), (D + 1, D + 3)]
"""Operands of products: the last two read what was written before."""


def pair_bytes(pairs: list[tuple[int, int]]) -> bytes:
    return b"".join((32 * place).to_bytes(3, "big") for pair in pairs for place in pair)


def test_products_are_written_one_by_one():
    given = registers()
    for place, (a, b) in enumerate(PAIRS):
        given[D + place] = given[a] * given[b] % P
    assert run(instruction(1, n=len(PAIRS)), pair_bytes(PAIRS)) == given


def test_sum_goes_on_from_the_register_before_it():
    given = registers()
    given[D - 1] = 5
    wanted = (5 + sum(given[a] * given[b] for a, b in PAIRS[:3])) % P
    after = run(instruction(2, n=3), pair_bytes(PAIRS[:3]), given=list(given))
    assert after[D + 2] == wanted and after[:D] == given[:D]


def test_copy_copies():
    check(instruction(3, n=7), operands(7)[0])


POINTWISE: dict[str, tuple[int, Callable[[Registers, Registers], int]]] = {
    "eq": (4, lambda a, b: prod(x * y + (1 - x) * (1 - y) for x, y in zip(a, b, strict=True))),
    "dot": (11, lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))),
    "sum": (17, lambda a, _: sum(a)),
}


@pytest.mark.parametrize("name", POINTWISE)
@pytest.mark.parametrize("n", range(10))
def test_instruction_of_two_runs_gives_the_naive_value(name, n):
    op, naive = POINTWISE[name]
    check(instruction(op, n=n), [naive(*operands(n))])


def test_complement_is_one_minus():
    check(instruction(5, n=4), [1 - x for x in operands(4)[0]])


@pytest.mark.parametrize("n", range(5))
def test_index_functions_give_the_naive_sums(n):
    a, b = operands(n)
    for bound in (0, 1, 2, 3, 5, 8, 11, 15, 16, 17, 1000):
        known = range(min(bound, 1 << n))
        check(instruction(6, n=n, imm=bound), [sum(equality(a, i) for i in known)])
        check(instruction(7, n=n, imm=bound), [sum(equality(a, i) * equality(b, i) for i in known)])
        check(instruction(8, n=n, imm=bound), [sum(equality(a, i) * min(i, bound) for i in range(1 << n))])


@pytest.mark.parametrize("n", range(5))
def test_tables_give_every_entry_and_their_extension(n):
    a, _ = operands(n)
    check(instruction(9, n=n), table(a))
    entries = operands(1 << n)[1]
    check(instruction(10, n=n), [sum(weight * entry for weight, entry in zip(table(a), entries, strict=True))])


def test_map_adds_entries_where_its_pairs_say():
    pairs = [(0, 3), (2, 0), (5, 3), (1, 1), (2, 3)]
    data = b"\7" * 4 + b"".join(o.to_bytes(2, "big") + i.to_bytes(2, "big") for o, i in pairs)
    a, _ = operands(6)
    check(instruction(12, n=5, imm=4), [sum(a[o] for o, to in pairs if to == i) for i in range(4)], data)


def test_integers_scale_entries_and_weigh_their_sum():
    integers = [0, 1, -1, 2**63 - 1, -(2**63), 77]
    data = b"\7" * 8 + b"".join(value.to_bytes(8, "big", signed=True) for value in integers)
    scaled = [value * entry for value, entry in zip(integers, operands(6)[0], strict=True)]
    check(instruction(13, n=6, imm=8), scaled, data)
    check(instruction(14, n=6, imm=8), [sum(scaled)], data)


@pytest.mark.parametrize(("count", "n"), [(1, 1), (3, 5), (4, 2), (0, 3)])
def test_outer_product_has_the_first_factor_above(count, n):
    check(instruction(15, n=n, imm=count), [x * y for x, y in product(operands(count)[0], operands(n)[1])])


@pytest.mark.parametrize(
    "axis",
    [(8, 8, 3, 1, 1, 1), (2, 3, 5, 4, 1, 0), (5, 7, 3, 1, 2, 1), (3, 7, 2, 2, 1, 0), (2, 7, 3, 3, 1, 1), (1, 1, 3, 4, 1, 1)],
    ids=str,
)
def test_window_gives_the_naive_sums_of_every_tap(axis):
    bits = [(extent - 1).bit_length() for extent in axis[:2]]
    data = b"\7" + b"".join(value.to_bytes(4, "big") for value in (*bits, *axis))
    check(instruction(16, imm=1), naive_index_table(axis, operands(bits[0])[0], operands(bits[1])[1]), data)


def test_pair_dot_sums_products_of_four():
    places = [(0, 2, 1, 3), (5, 5, 0, 0), (1, 0, 4, 2)]
    data = b"".join((32 * place).to_bytes(2, "big") for four in places for place in four)
    a, b = operands(8)
    check(instruction(18, n=3), [sum(a[h] * a[i] * b[j] * b[k] for h, i, j, k in places)], data)


@pytest.mark.parametrize("imm", [0, 1])
def test_defect_is_that_of_eight_fractions(imm):
    given = registers()
    helper, fractions, counts, alpha = given[A], given[A + 1 : A + 9], given[A + 9 : A + 17], given[B]
    numerators = counts if imm else [1] * 8
    others = [prod(alpha - f for place, f in enumerate(fractions) if place != own) for own in range(8)]
    sum_of_others = sum(n * other for n, other in zip(numerators, others, strict=True))
    check(instruction(36, imm=imm), [helper * prod(alpha - f for f in fractions) - sum_of_others])


def test_same_rejects_what_differs():
    assert harness().machine(registers(), b"", instruction(37, imm=3)) == Refused("Rejected")
    given = registers()
    given[B] = given[A]
    assert run(instruction(37, imm=3), given=list(given)) == given


def test_code_of_no_instruction_is_refused():
    known = {*range(1, 19), *range(32, 43)}
    for code in set(range(256)) - known:
        assert harness().machine(registers(), b"", instruction(code)) == Refused("NoInstruction")
