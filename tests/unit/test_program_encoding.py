# SPDX-License-Identifier: MIT OR Apache-2.0
"""Real numbers to integers and back: what is refused, and that a round trip loses at most half a step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK
from verifiable_ml.errors import InvalidInput
from verifiable_ml.program import Interval, Linear, Ranks, TensorSpec, Tokens
from verifiable_ml.program.encoding import encode, encoding_from_json

SPEC = TensorSpec((2,), Interval(0, 255))
HALF = Linear((0.5,), (128,))

REFUSED = {
    "NaN": ([float("nan"), 0], HALF),
    "infinity": ([float("inf"), 0], HALF),
    "minus infinity": ([0, float("-inf")], HALF),
    "too large": ([64.0, 0], HALF),
    "too small": ([0, -64.5], HALF),
    "another shape": ([0.0], HALF),
    "a scalar": (0.0, HALF),
    "texts": (["1", "2"], HALF),
    "objects": ([None, 1], HALF),
    "complex numbers": ([1j, 0], HALF),
    "a token that is no integer": ([0.5, 1], Tokens()),
    "a token out of range": ([256, 1], Tokens()),
    "a negative token": ([-1, 1], Tokens()),
    "a float beyond 64 bits": ([1e300, 0], Tokens()),
}


@pytest.mark.parametrize("why", REFUSED)
def test_encode_bad_input_is_refused_by_name(why):
    real, encoding = REFUSED[why]
    with pytest.raises(InvalidInput) as raised:
        encode("pixels", SPEC, encoding, real)
    assert "pixels" in raised.value.thing and raised.value.hint


@pytest.mark.parametrize(("real", "wanted"), [([1e300, -1e300], [255, 0]), ([63.5, -64], [255, 0]), ([0.25, 0.75], [128, 130])])
def test_encode_saturated_is_the_nearest_end(real, wanted):
    """And halves go to the even neighbour."""
    encoded = encode("x", SPEC, HALF, real, saturate=True)
    assert encoded.tolist() == wanted and encoded.dtype == np.uint8


@QUICK
@given(st.floats(1e-6, 1e6), st.integers(-300, 300), st.lists(st.floats(-1, 1), min_size=2, max_size=2))
def test_encode_and_decode_lose_at_most_half_a_step(scale, zero, unit):
    linear, real = Linear((scale,), (zero,)), np.array(unit) * scale * 1000
    encoded = encode("x", TensorSpec((2,), Interval(-(2**15), 2**15)), linear, real)
    assert np.abs(linear.decode(encoded) - real).max() <= scale * 0.5000001


BAD_ENCODINGS = [
    ((), ()), ((1.0,), ()), ((0.0,), (0,)), ((-1.0,), (0,)), ((float("nan"),), (0,)), ((float("inf"),), (0,)),
    ((1.0,), (2**63,)), ((1.0,), (-(2**63) - 1,)), ((1.0, 1.0), (0,)),
]  # fmt: skip


@pytest.mark.parametrize(("scale", "zero"), BAD_ENCODINGS)
def test_linear_encoding_that_means_nothing_is_refused(scale, zero):
    with pytest.raises(ValueError, match="linear encoding"):
        Linear(scale, zero)


RANKS = Ranks(((-1.5, -0.0, float(np.float32(0.1))), ()))


@pytest.mark.parametrize("encoding", [Tokens(), HALF, Linear((0.1, 1e-300), (-(2**63), 2**63 - 1)), RANKS])
def test_encoding_from_its_json_is_itself(encoding):
    assert (
        encoding_from_json(encoding.to_json()) == encoding
        and encoding_from_json(encoding.to_json()).canonical == encoding.canonical
    )


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": "ranks"},
        {"kind": "ranks", "thresholds": [[0.1]]},
        {"kind": "other"},
        {"kind": "linear"},
        {"kind": "linear", "scale": 1, "zero": [0]},
        [],
        None,
    ],
)
def test_encoding_from_other_json_is_refused(value):
    with pytest.raises((KeyError, TypeError, ValueError)):
        encoding_from_json(value)


BAD_RANKS = [(), ((1.0, 1.0),), ((2.0, 1.0),), ((0.1,),), ((float("nan"),),), ((float("inf"),),), ((0.0, -0.0),)]


@pytest.mark.parametrize("thresholds", BAD_RANKS)
def test_ranks_among_thresholds_that_mean_nothing_are_refused(thresholds):
    with pytest.raises(ValueError, match="thresholds"):
        Ranks(thresholds)


def test_ranks_of_numbers_on_and_beside_a_threshold_are_those_of_float32():
    """0.1 in double precision lies below 0.1 in single precision, and is rounded to it before it is compared."""
    spec = TensorSpec((7, 2), RANKS.interval)
    column = [-2.0, -1.5, np.nextafter(np.float32(-1.5), np.float32(0)), 0.0, 0.1, 0.11, 1e300]
    encoded = encode("x", spec, RANKS, [[value, value] for value in column])
    assert encoded[:, 0].tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert not encoded[:, 1].any()


def test_ranks_decoded_and_encoded_again_are_the_same():
    spec, ranks = TensorSpec((4, 2), RANKS.interval), np.array([[0, 0], [1, 0], [2, 0], [3, 0]])
    assert (encode("x", spec, RANKS, RANKS.decode(ranks)) == ranks).all()


def test_ranks_fit_tensors_of_as_many_features_only():
    assert RANKS.fits((5, 2))
    assert not RANKS.fits((2, 5)) and not RANKS.fits(())
