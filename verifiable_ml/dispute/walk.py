# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where a game is in a tree: the rounds of a walk and which nodes exist (rule 21), and how nodes hash up (rules 1 and 22).

A *height* counts from the lowest level, which is 0: tensor roots in a trace's tree, leaves in a tensor's. A node of a height is
named by its *index* among the nodes of that height.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from verifiable_ml.commitment.merkle import ABSENT_HASHES, depth_of, node_hash
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.program import pieces

MOST_PARTIALS = pieces.FAN_OUT
FAN_OUT = 6
"""d: levels of a round, a parameter of the deployment; a reveal shows at most 2^d children. 1 is plain bisection."""
BLOCK_HEIGHT = 2
"""A walk in a tensor ends at a block of 4 leaves."""
BLOCK_BYTES = LEAF_BYTES << BLOCK_HEIGHT


def rounds(levels: int, most: int) -> tuple[int, ...]:
    """The levels of each round: as few rounds as there can be, as even as they can be, longer ones first (rule 21)."""
    count = -(-levels // most)
    return tuple(levels // count + (place < levels % count) for place in range(count))


@lru_cache(maxsize=1024)
def stations(width: int, floor: int, most: int) -> tuple[int, ...]:
    """The heights at which a walk over `width` lowest entries stops, from its root to `floor`. Alone: there is no walk."""
    heights = [depth_of(width)]
    for levels in rounds(max(heights[0] - floor, 0), most):
        heights.append(heights[-1] - levels)
    return tuple(heights)


def existing(width: int, height: int, index: int, levels: int) -> int:
    """How many nodes exist `levels` below node `index` of `height`, over `width` lowest entries; they are the first ones."""
    below = -(-width >> (height - levels)) if width else 0
    return max(min(1 << levels, below - (index << levels)), 0)


def leaves_of(nbytes: int) -> int:
    """Leaves of a tensor."""
    return -(-nbytes // LEAF_BYTES)


def block_bytes(nbytes: int, block: int) -> int:
    """How many bytes a tensor of `nbytes` has in that block; 0 beyond its end."""
    return max(min(BLOCK_BYTES, nbytes - block * BLOCK_BYTES), 0)


def grown(nodes: Sequence[bytes], bottom: int, top: int) -> list[Sequence[bytes]]:
    """The existing nodes of each height from `bottom`, at which they are `nodes`, to `top`. E fills in for absent ones."""
    levels = [nodes]
    for height in range(bottom, top):
        below = levels[-1]
        even = below if len(below) % 2 == 0 else (*below, ABSENT_HASHES[height])
        levels.append([node_hash(left, right) for left, right in zip(even[::2], even[1::2], strict=True)])
    return levels


def fold(nodes: Sequence[bytes], bottom: int, top: int) -> bytes:
    """The node of height `top` over `nodes`, the existing ones of height `bottom`, of which there is at least one."""
    (root,) = grown(nodes, bottom, top)[-1]
    return root


def are_words(values: Sequence[bytes]) -> bool:
    """Whether each has 32 bytes: others would hash up as if they began elsewhere."""
    return all(len(value) == 32 for value in values)


def climb(node: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """The ancestor as many levels above as there are siblings; bit i of the index says on which side the i-th one stands."""
    for level, sibling in enumerate(siblings):
        node = node_hash(sibling, node) if index >> level & 1 else node_hash(node, sibling)
    return node


def cuts(first: int, last: int) -> list[int]:
    """After which pieces of the range [first, last) accumulators are posted (rule 26): after each, or at 64 even cuts."""
    count = last - first
    shown = min(count, MOST_PARTIALS)
    return [first + place * count // shown for place in range(1, shown + 1)]
