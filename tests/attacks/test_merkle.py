# SPDX-License-Identifier: MIT OR Apache-2.0
"""Merkle openings and roots under attack, rules 1 to 3: an honest opening with one thing changed must fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiable_ml.commitment import Dtype, MerkleTree, Opening, keccak, tensor_root, tensor_tree, trace_root, verify_opening
from verifiable_ml.commitment.merkle import ABSENT_HASHES, depth_of, leaf_hash, node_hash
from verifiable_ml.commitment.roots import blob_leaves

COUNTS = [1, 2, 3, 5, 64, 65]
QUICK = settings(max_examples=150, deadline=None, derandomize=True)


def tree_of(count: int) -> MerkleTree:
    return MerkleTree(tuple(leaf_hash(bytes([number])) for number in range(count)))


def accepted(tree: MerkleTree, value: bytes, opening: Opening, depth: int | None = None) -> bool:
    return verify_opening(tree.root, tree.depth if depth is None else depth, value, opening)


@pytest.mark.parametrize("count", COUNTS)
def test_opening_honest_is_accepted_at_every_index(count):
    tree = tree_of(count)
    assert all(accepted(tree, value, tree.open(index)) for index, value in enumerate(tree.values))


@pytest.mark.parametrize("count", COUNTS)
def test_opening_at_another_index_or_of_another_value_is_rejected(count):
    tree = tree_of(count)
    for index, value in enumerate(tree.values):
        honest = tree.open(index)
        for other in range(1 << tree.depth):
            assert accepted(tree, value, replace(honest, index=other)) == (other == index)
        assert not accepted(tree, leaf_hash(b"forged"), honest)
        assert not any(accepted(tree, node, honest) for node in tree.values if node != value)


@pytest.mark.parametrize("count", COUNTS)
def test_opening_with_index_overflow_is_rejected(count):
    """An index that agrees modulo 2^depth walks the same path: it must not be a second name of one leaf."""
    tree = tree_of(count)
    for index, value in enumerate(tree.values):
        for overflow in (index + (1 << tree.depth), index - (1 << tree.depth), index + 2**64, ~index):
            assert not accepted(tree, value, replace(tree.open(index), index=overflow))


@pytest.mark.parametrize("count", COUNTS[1:])
def test_opening_node_as_leaf_is_rejected(count):
    """An inner node shown at its place with the shorter path, also with siblings made up to reach the depth."""
    tree = tree_of(count)
    for height in range(1, tree.depth + 1):
        for place, node in enumerate(tree.levels[height]):
            path = tuple(
                level[sibling] if (sibling := place >> up ^ 1) < len(level) else ABSENT_HASHES[height + up]
                for up, level in enumerate(tree.levels[height:-1])
            )
            assert verify_opening(tree.root, len(path), node, Opening(place, path))  # true, were the depth the prover's
            assert not accepted(tree, node, Opening(place, path))
            for filler in (bytes(32), node, ABSENT_HASHES[0]):
                assert not accepted(tree, node, Opening(place << height, (filler,) * height + path))


def test_opening_leaf_as_node_is_rejected():
    """64 bytes of a leaf chosen as two hashes: with no domain tags its hash would be their parent."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert leaf_hash(left + right) != node_hash(left, right) and leaf_hash(b"\x01" + left + right) != node_hash(left, right)
    tree = MerkleTree((leaf_hash(left + right), leaf_hash(b"other")))
    assert not verify_opening(tree.root, 2, left, Opening(0, (right, tree.values[1])))


@pytest.mark.parametrize("count", COUNTS)
def test_opening_of_a_wrong_depth_is_rejected(count):
    tree = tree_of(count)
    for index, value in enumerate(tree.values):
        honest = tree.open(index)
        for depth in {0, tree.depth - 1, tree.depth + 1, 64} - {tree.depth}:
            assert not accepted(tree, value, honest, depth)
        assert not accepted(tree, value, replace(honest, siblings=(*honest.siblings, bytes(32))))
        assert not honest.siblings or not accepted(tree, value, replace(honest, siblings=honest.siblings[:-1]))


@pytest.mark.parametrize("count", [4, 5, 64, 65])
def test_opening_with_swapped_siblings_is_rejected(count):
    tree = tree_of(count)
    for index, value in enumerate(tree.values):
        honest = tree.open(index)
        assert not accepted(tree, value, replace(honest, siblings=honest.siblings[::-1]))
        left_right = (value, *honest.siblings[1:])
        assert not accepted(tree, honest.siblings[0], replace(honest, siblings=left_right))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_opening_with_siblings_or_values_of_another_length_is_rejected(length):
    tree = tree_of(5)
    honest = tree.open(3)
    for place in range(3):
        siblings = (*honest.siblings[:place], bytes(length), *honest.siblings[place + 1 :])
        assert not accepted(tree, tree.values[3], replace(honest, siblings=siblings))
    joined = tree.values[3] + honest.siblings[0]
    assert not accepted(tree, joined[:length], honest)
    assert not verify_opening(bytes(length), 0, bytes(length), Opening(0, ()))


@pytest.mark.parametrize("count", [1, 3, 5, 65])
def test_tree_with_its_last_leaf_twice_has_another_root(count):
    """Where an odd leaf is paired with itself, two lists have one root (CVE-2012-2459)."""
    values = tree_of(count).values
    assert MerkleTree((*values, values[-1])).root != MerkleTree(values).root


@pytest.mark.parametrize("count", [3, 5, 65])
def test_opening_of_an_absent_leaf_shows_that_it_is_absent_and_nothing_else(count):
    """The place behind the last leaf opens to E0 only: not to zero, not to the last leaf, not to the hash of no bytes."""
    tree = tree_of(count)
    whole = MerkleTree((*tree.values, ABSENT_HASHES[0]))
    assert whole.root == tree.root
    absent = whole.open(count)
    assert accepted(tree, ABSENT_HASHES[0], absent)
    for forged in (bytes(32), tree.values[-1], leaf_hash(b""), keccak(b""), leaf_hash(bytes(256)), ABSENT_HASHES[1]):
        assert not accepted(tree, forged, absent)


def test_absent_subtree_is_no_leaf_and_no_zero():
    assert ABSENT_HASHES[0] == keccak(b"\x03") and leaf_hash(b"") != ABSENT_HASHES[0] and leaf_hash(b"\x03") != ABSENT_HASHES[0]
    assert all(node_hash(bytes(32), bytes(32)) != absent for absent in ABSENT_HASHES)
    assert len(set(ABSENT_HASHES)) == len(ABSENT_HASHES) and tree_of(3).levels[0] == tree_of(3).values


def test_tree_of_nothing_does_not_exist():
    for make in (lambda: depth_of(0), lambda: MerkleTree(()).root, lambda: tensor_root(Dtype.U8, b"")):
        with pytest.raises(ValueError, match="at least one leaf"):
            make()
    with pytest.raises(IndexError):
        tree_of(3).open(3)  # the absent one is not opened as if it existed
    with pytest.raises(IndexError):
        tree_of(3).open(-1)


DATA = np.arange(520, dtype="<i2").tobytes()


def test_tensor_root_replayed_for_another_tensor_differs():
    """The same bytes as another dtype, a shorter or longer tensor, one with the padding written out, one of its own leaves."""
    roots = [tensor_root(dtype, DATA) for dtype in Dtype]
    roots += [tensor_root(Dtype.I16, changed) for changed in (DATA[:-2], DATA + b"\0\0", DATA[:1024], DATA + bytes(240))]
    roots += [
        tensor_tree(DATA).root,
        trace_root([tensor_root(Dtype.I16, DATA)]),
        tensor_root(Dtype.U8, b"".join(blob_leaves(DATA))),
    ]
    assert len(set(roots)) == len(roots)


def test_tensor_of_one_leaf_and_its_tree_of_many_leaves_do_not_meet():
    """A tensor whose bytes spell a node's preimage: tag and length keep it apart."""
    inner = tensor_tree(DATA)
    spelt = b"\x01" + inner.levels[-2][0] + inner.levels[-2][1]
    assert tensor_tree(spelt).root != inner.root and tensor_root(Dtype.U8, spelt) != tensor_root(Dtype.I16, DATA)


def test_trace_root_counts_its_tensors():
    """Padding written out as a tensor, a tensor twice, two swapped, one left out: all other roots."""
    a, b, c = (tensor_root(Dtype.U8, bytes([number])) for number in range(3))
    lists = [[a, b, c], [a, b, c, c], [a, b, c, ABSENT_HASHES[0]], [b, a, c], [a, b], [a], [trace_root([a, b, c])]]
    assert len({trace_root(tensors) for tensors in lists}) == len(lists)


@QUICK
@given(st.binary(min_size=1, max_size=2000), st.integers(0, 10**6), st.integers(1, 255))
def test_tensor_root_any_byte_changed_differs(data, place, by):
    forged = bytearray(data)
    forged[place % len(data)] ^= by
    assert tensor_root(Dtype.U8, bytes(forged)) != tensor_root(Dtype.U8, data)


@QUICK
@given(
    st.integers(1, 9),
    st.binary(max_size=64) | st.just(b"\0" * 32),
    st.integers(-(2**70), 2**70),
    st.lists(st.binary(min_size=31, max_size=33), max_size=5),
)
def test_opening_of_any_bytes_is_rejected(count, value, index, siblings):
    tree = tree_of(count)
    assert not accepted(tree, value, Opening(index, tuple(siblings)))
