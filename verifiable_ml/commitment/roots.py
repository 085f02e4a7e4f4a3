# SPDX-License-Identifier: MIT OR Apache-2.0
"""Roots of tensors and traces: rules 2 and 3."""

from __future__ import annotations

from collections.abc import Sequence

from verifiable_ml.commitment.codec import Dtype
from verifiable_ml.commitment.keccak import keccak
from verifiable_ml.commitment.merkle import TENSOR, TRACE, MerkleTree, leaf_hash

LEAF_BYTES = 256
"""Small enough that a convolution's window opens few wasted bytes, large enough that paths stay short."""


def blob_leaves(data: bytes) -> tuple[bytes, ...]:
    """The hashes of the 256-byte leaves of some bytes; the last leaf is as short as it is."""
    return tuple(leaf_hash(data[start : start + LEAF_BYTES]) for start in range(0, len(data), LEAF_BYTES))


def tensor_tree(data: bytes) -> MerkleTree:
    """The tree over a tensor's bytes. Raises ValueError for a tensor of no elements: it does not exist."""
    return MerkleTree(blob_leaves(data))


def tensor_root(dtype: Dtype, data: bytes) -> bytes:
    """Rule 2: H(02 || dtype || nbytes u64 || merkle root). No shape in it: a reshape keeps the root."""
    return keccak(TENSOR + bytes([dtype]) + len(data).to_bytes(8, "big") + tensor_tree(data).root)


def trace_root(tensor_roots: Sequence[bytes]) -> bytes:
    """Rule 3: H(04 || count u32 || merkle(tensor roots)); inputs first, then operators in program order."""
    return keccak(TRACE + len(tensor_roots).to_bytes(4, "big") + MerkleTree(tensor_roots).root)
