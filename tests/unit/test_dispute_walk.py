# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rule 21: rounds, which nodes exist, and how they hash up, against definitions from the root down."""

from __future__ import annotations

from itertools import pairwise

import pytest

from verifiable_ml.commitment import MerkleTree, keccak
from verifiable_ml.commitment.merkle import depth_of
from verifiable_ml.dispute.forest import children, siblings
from verifiable_ml.dispute.walk import climb, cuts, existing, fold, rounds, stations
from verifiable_ml.program.pieces import partial_levels


@pytest.mark.parametrize("most", range(1, 9))
def test_rounds_are_as_few_and_as_even_as_they_can_be_and_longer_ones_come_first(most):
    assert rounds(0, most) == ()
    for levels in range(1, 40):
        made = rounds(levels, most)
        assert sum(made) == levels
        assert len(made) == min(count for count in range(1, 41) if count * most >= levels)
        assert max(made) - min(made) <= 1
        assert list(made) == sorted(made, reverse=True)


def test_stations_lead_from_the_root_to_the_floor_or_stay_where_no_walk_is():
    assert stations(100, 0, 6) == (7, 3, 0)
    assert stations(100, 2, 3) == (7, 4, 2)
    assert [stations(width, 2, 6) for width in (1, 2, 3, 4)] == [(0,), (1,), (2,), (2,)]
    assert stations(5, 2, 1) == (3, 2)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 9, 13, 16, 21])
def test_property_27_existing_nodes_are_those_over_an_entry(width):
    depth = depth_of(width)
    for height in range(depth + 1):
        for index in range(1 << (depth - height)):
            for levels in range(height + 1):
                low = height - levels
                nodes = range(index << levels, (index + 1) << levels)
                assert existing(width, height, index, levels) == sum(node << low < width for node in nodes)


@pytest.mark.parametrize("most", [1, 2, 3, 6])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 9, 13, 64, 65, 100])
def test_children_at_every_station_fold_to_their_node_and_climb_to_the_one_before(width, most):
    levels = MerkleTree([keccak(bytes([number])) for number in range(width)]).levels
    for top, bottom in pairwise(stations(width, 0, most)):
        for index, node in enumerate(levels[top]):
            shown = children(levels, top, index, top - bottom)
            assert len(shown) == existing(width, top, index, top - bottom)
            assert fold(shown, bottom, top) == node
            for place, child in enumerate(shown, index << (top - bottom)):
                assert climb(child, place, siblings(levels, bottom, place, top - bottom)) == node


@pytest.mark.parametrize("pieces", [1, 2, 6, 63, 64, 65, 100, 127, 128, 129, 256, 4095, 4096, 4097, 300_000])
def test_rule_26_cuts_are_even_and_lead_to_single_pieces_within_the_levels_of_rule_42(pieces):
    widest, levels = pieces, 0
    while widest > 1:
        ends = cuts(0, widest)
        assert len(ends) == min(widest, 64)
        assert ends[-1] == widest
        widest, levels = max(after - before for before, after in pairwise([0, *ends])), levels + 1
    assert levels == partial_levels(pieces, 1)
