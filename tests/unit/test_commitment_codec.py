# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tensors as bytes: little endian two's complement, the four dtypes and nothing else (rule 6)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK
from verifiable_ml.commitment import Dtype, InputCommitment, decode_tensor, encode_tensor
from verifiable_ml.errors import MalformedEvidence


@QUICK
@given(st.sampled_from(Dtype), st.data())
def test_tensor_encoded_is_little_endian_and_decodes_to_itself(dtype, data):
    values = data.draw(st.lists(st.integers(dtype.low, dtype.high), min_size=1, max_size=12))
    encoded = encode_tensor(np.array(values, dtype=dtype.numpy))
    assert encoded == b"".join(v.to_bytes(dtype.width, "little", signed=dtype != Dtype.U8) for v in values)
    assert decode_tensor(encoded, dtype, (len(values),)).tolist() == values


@QUICK
@given(st.sampled_from(Dtype), st.binary(max_size=40))
def test_tensor_of_any_bytes_is_legal_or_of_another_length(dtype, data):
    if len(data) == 2 * dtype.width:
        assert encode_tensor(decode_tensor(data, dtype, (2, 1))) == data
    else:
        with pytest.raises(MalformedEvidence, match=str(2 * dtype.width)):
            decode_tensor(data, dtype, (2, 1))


@pytest.mark.parametrize("order", ["C", "F"])
def test_tensor_in_any_memory_order_has_the_same_bytes(order):
    values = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert encode_tensor(np.asarray(values, order=order)) == values.tobytes()
    assert encode_tensor(values[::-1]) == values[::-1].copy().tobytes() and encode_tensor(values.astype(">i2").astype("<i2"))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "uint32", "uint64", "float32", "float64", "bool", ">i2", "object"])
def test_tensor_of_another_type_is_none_of_ours(dtype):
    with pytest.raises(TypeError):
        encode_tensor(np.zeros(2, dtype=dtype))


NARROWEST = [
    ((0, 255), Dtype.U8), ((0, 0), Dtype.U8), ((-1, 0), Dtype.I16), ((0, 256), Dtype.I16), ((-32768, 32767), Dtype.I16),
    ((0, 32768), Dtype.I32), ((-32769, 0), Dtype.I32), ((-(2**31), 2**31 - 1), Dtype.I32), ((0, 2**31), Dtype.I64),
    ((-(2**63), 2**63 - 1), Dtype.I64),
]  # fmt: skip


@pytest.mark.parametrize(("interval", "dtype"), NARROWEST)
def test_dtype_is_the_narrowest_that_holds_the_interval(interval, dtype):
    assert Dtype.holding(*interval) is dtype


@pytest.mark.parametrize("interval", [(0, 2**63), (-(2**63) - 1, 0)])
def test_dtype_of_more_than_64_bits_does_not_exist(interval):
    with pytest.raises(OverflowError):
        Dtype.holding(*interval)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_salt_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        InputCommitment.salted(bytes(length), Dtype.U8, b"x")


def test_salted_commitment_hides_behind_every_bit_of_its_salt():
    digests = {InputCommitment.salted((1 << bit).to_bytes(32, "big"), Dtype.U8, b"x").digest for bit in range(256)}
    assert len(digests) == 256
