# SPDX-License-Identifier: MIT OR Apache-2.0
"""rearrange against big integers: joins, negative steps, pads, repeats, nearest resize, fills; and its one form."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK, Operand, assert_agrees, expected_of, operands, program_of, shapes
from verifiable_ml.program.ops import rearrange

WIDE = (-(2**63), 2**63 - 1)


@st.composite
def arguments(draw, most_operands: int = 3) -> tuple[list[Operand], dict]:
    """Operands that join along an axis, and any map a permuted axis."""
    count = draw(st.integers(1, most_operands))
    shape = draw(shapes(1 if count > 1 else 0, 3, 3))
    axis = draw(st.integers(0, max(len(shape) - 1, 0)))
    sizes = [draw(st.integers(1, 2)) for _ in range(count)]
    parts = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes] if shape else [()]
    view = (*shape[:axis], sum(sizes), *shape[axis + 1 :]) if shape else ()
    permutation = tuple(draw(st.permutations(range(len(view)))))
    step, start = st.integers(-3, 3), st.integers(-4, 5)
    plain = [st.just((view[place], 0, 1, 1)) for place in permutation]
    maps = tuple(draw(st.one_of(p, st.tuples(st.integers(1, 3), start, step, st.integers(1, 3)))) for p in plain)
    attributes = {
        "view": view,
        "permutation": permutation,
        "maps": maps,
        "axis": axis,
        "fill": draw(st.sampled_from([0, -1, 2**40])),
    }
    attributes["shape"] = draw(st.sampled_from([tuple(m[0] for m in maps), (prod(m[0] for m in maps),)]))
    return [draw(operands(part, *WIDE)) for part in parts], attributes


@QUICK
@given(arguments())
def test_rearrange_any_map_agrees_with_big_integers(drawn):
    given_, attributes = drawn
    assert_agrees("rearrange", given_, **attributes)


@QUICK
@given(arguments())
def test_rearrange_canonical_form_is_a_fixed_point_of_the_same_meaning(drawn):
    given_, attributes = drawn
    shapes_ = tuple(o.shape for o in given_)
    once = rearrange.canonical(rearrange.Attributes(**attributes), shapes_)
    assert rearrange.canonical(once, shapes_) == once
    plain = {name: getattr(once, name) for name in ("shape", "view", "permutation", "maps", "axis", "fill")}
    assert expected_of("rearrange", given_, **plain) == expected_of("rearrange", given_, **attributes)


@QUICK
@given(arguments(most_operands=1), st.integers(2, 5), st.data())
def test_rearrange_written_in_another_way_has_the_same_id(drawn, factor, data):
    """Fractions not reduced, axes of one entry, and axes that move together written as two."""
    given_, attributes = drawn
    other = {**attributes, "maps": tuple((c, s * factor, t * factor, d * factor) for c, s, t, d in attributes["maps"])}
    place = data.draw(st.integers(0, len(attributes["view"])))
    view, permutation = attributes["view"], attributes["permutation"]
    other["view"] = (*view[:place], 1, *view[place:])
    other["permutation"] = (*(axis + (axis >= place) for axis in permutation), place)
    other["maps"] = (*other["maps"], (1, 0, factor, factor))
    assert program_of("rearrange", given_, **other).id == program_of("rearrange", given_, **attributes).id


def test_rearrange_split_axes_that_move_together_have_one_id():
    x = Operand((2, 3, 4), tuple(range(24)), (0, 23))
    split = {"view": (2, 3, 4), "permutation": (2, 0, 1), "maps": ((4, 0, 1, 1), (2, 0, 1, 1), (3, 0, 1, 1)), "shape": (4, 6)}
    joined = {"view": (6, 4), "permutation": (1, 0), "maps": ((4, 0, 1, 1), (6, 0, 1, 1)), "shape": (4, 6)}
    assert assert_agrees("rearrange", [x], **split).id == assert_agrees("rearrange", [x], **joined).id


def test_rearrange_fill_that_is_never_read_is_no_part_of_the_id():
    x, plain = Operand((2,), (3, 4), (0, 9)), {"view": (2,), "permutation": (0,), "maps": ((2, 1, -1, 1),), "shape": (2,)}
    filled, unfilled = (program_of("rearrange", [x], fill=fill, **plain) for fill in (99, 0))
    assert filled.id == unfilled.id and filled.operators[0].output.interval.high == 9


def test_rearrange_known_uses_agree_with_big_integers():
    """Slice with a negative step, pad, nearest resize by 3/2, repeat, and a concatenation along the last axis."""
    x = Operand((2, 3), (0, 1, 2, 10, 11, 12), (0, 12))
    rows = (2, 0, 1, 1)
    for last in [(2, 2, -2, 1), (6, -1, 1, 1), (4, 0, 2, 3), (3, 1, 0, 1)]:
        assert_agrees("rearrange", [x], view=(2, 3), permutation=(0, 1), maps=(rows, last), shape=(2, last[0]), fill=-7)
    y = Operand((2, 1), (-5, -6), (-6, 0))
    whole = {"view": (2, 4), "permutation": (0, 1), "maps": (rows, (4, 0, 1, 1)), "shape": (2, 4)}
    assert_agrees("rearrange", [x, y], axis=1, **whole)


@pytest.mark.parametrize("of", [(3, 1, 2, 2), (3, -1, 4, 2), (2, 0, 3, 2), (4, 5, 0, 3), (3, -7, -9, 3)])
def test_rearrange_map_of_equal_steps_is_written_without_a_fraction(of):
    count, start, step, divisor = of
    read = [(start + i * step) // divisor for i in range(count)]
    x, rest = Operand((9,), tuple(range(9)), (0, 8)), {"view": (9,), "permutation": (0,), "shape": (count,), "fill": 70}
    plain = (count, read[0], read[1] - read[0], 1)
    assert program_of("rearrange", [x], maps=(of,), **rest).id == program_of("rearrange", [x], maps=(plain,), **rest).id
    assert_agrees("rearrange", [x], maps=(of,), **rest)


@pytest.mark.parametrize("of", [(4, 0, 1, 2), (3, 0, 1, 2), (5, 1, 2, 3), (4, 3, -1, 2)])
def test_rearrange_map_of_unequal_steps_keeps_its_fraction(of):
    x, rest = Operand((9,), tuple(range(9)), (0, 8)), {"view": (9,), "permutation": (0,), "shape": of[:1]}
    assert program_of("rearrange", [x], maps=(of,), **rest).operators[0].attributes.maps == (of,)
