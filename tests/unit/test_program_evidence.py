# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs of which a step would cost more than rule 39 allows are not registered for disputes, and the error says why."""

from __future__ import annotations

from typing import Any, cast

import pytest

from verifiable_ml.dispute import onchain
from verifiable_ml.errors import UnsupportedOperator
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens
from verifiable_ml.program.evidence import MAX_EVIDENCE, check_affordable, most_shown

U8 = Interval(0, 255)


def sum_of(operands: int, side: int) -> Program:
    builder = Builder()
    refs = [builder.input(f"x{place}", (1, side, side, 64), U8, Tokens()) for place in range(operands)]
    form = {"coefficients": tuple((1,) for _ in refs), "requantise": Requantise([1], [0], 3, 0, 255)}
    builder.output("y", builder.apply("add", *refs, **form), Tokens())
    return builder.build()


def test_sum_of_eight_large_tensors_is_refused_by_its_name_with_the_bytes_and_a_way_out():
    program = sum_of(8, 4096)
    shown = most_shown(program, program.operators[0])
    with pytest.raises(UnsupportedOperator) as refused:
        check_affordable(program)
    assert (refused.value.thing, shown > MAX_EVIDENCE) == ("operator `add`", True)
    assert f"{shown:,} bytes" in refused.value.reason and "fewer operands" in refused.value.hint


def test_registration_refuses_it_before_anything_is_sent():
    with pytest.raises(UnsupportedOperator):
        onchain.register(cast(Any, None), sum_of(8, 4096))


@pytest.mark.parametrize(("operands", "side"), [(8, 1024), (7, 4096), (2, 4096)])
def test_fewer_operands_or_smaller_ones_are_taken(operands, side):
    check_affordable(sum_of(operands, side))


def test_more_tensors_in_the_trace_make_every_path_longer():
    builder = Builder()
    refs = [builder.input(f"x{place}", (1, 512), U8, Tokens()) for place in range(200)]
    builder.output("y", builder.apply("mul", refs[0], refs[1]), Tokens())
    few, many = sum_of(2, 1), builder.build()
    assert most_shown(many, many.operators[0]) > most_shown(few, few.operators[0])


def test_rearrange_of_many_tensors_opens_one():
    builder = Builder()
    refs = [builder.input(f"x{place}", (4096,), U8, Tokens()) for place in range(20)]
    maps = ((20 * 4096, 0, 1, 1),)
    shape = {"shape": (20 * 4096,), "view": (20 * 4096,), "permutation": (0,), "maps": maps, "axis": 0}
    builder.output("y", builder.apply("rearrange", *refs, **shape), Tokens())
    program = builder.build()
    assert most_shown(program, program.operators[0]) < 256 + 32 * (4 + 5) + 640
