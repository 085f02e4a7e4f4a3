# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where a tensor's elements lie in memory. onnxruntime wants channels first, programs have them last: moving is put off.

A transposition or a reshape changes only the Layout; bytes move when an operator asks for an order that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.tensor import Shape


@dataclass(frozen=True, slots=True)
class Layout:
    """`axes`: sizes of the axes as they are stored. `order`: those axes, in the order in which the tensor is read.

    The one form: no axes of one entry, and stored neighbours that are read as neighbours are one axis.
    """

    axes: Shape
    order: Shape

    @classmethod
    def plain(cls, shape: Sequence[int]) -> Layout:
        """Stored as it is read."""
        return cls(tuple(shape), tuple(range(len(shape))))._merged()

    @property
    def is_plain(self) -> bool:
        """Whether it is stored as it is read."""
        return len(self.axes) <= 1

    def permuted(self, view: Sequence[int], permutation: Sequence[int]) -> Layout | None:
        """Seen as `view`, its axes permuted as in numpy.transpose. None if `view` cuts through stored axes."""
        split = self._split(view)
        if split is None:
            return None
        axes, groups = split
        return Layout(axes, tuple(axis for place in permutation for axis in groups[place]))._merged()

    def read(self, stored: IntArray, shape: Shape) -> IntArray:
        """The tensor, from the array as it is stored; a view where NumPy can make one."""
        if self.is_plain:
            return stored if stored.shape == shape else stored.reshape(shape)
        return stored.reshape(self.axes).transpose(self.order).reshape(shape)

    def _split(self, view: Sequence[int]) -> tuple[Shape, list[Shape]] | None:
        """The stored axes cut so that each axis of `view` is a run of whole ones: (their sizes, the run of each)."""
        axes, order, groups = list(self.axes), list(self.order), []
        place = 0
        for size in view:
            start = place
            while size > 1:
                axis = order[place]
                if axes[axis] > size:
                    if axes[axis] % size:
                        return None
                    axes[axis : axis + 1] = [size, axes[axis] // size]
                    order = [a + (a > axis) for a in order]
                    order.insert(place + 1, axis + 1)
                elif size % axes[axis]:
                    return None
                size //= axes[axis]
                place += 1
            groups.append((start, place))
        return tuple(axes), [tuple(order[start:stop]) for start, stop in groups]

    def _merged(self) -> Layout:
        order = [axis for axis in self.order if self.axes[axis] > 1]
        rank = {axis: place for place, axis in enumerate(sorted(order))}
        sizes = [self.axes[axis] for axis in sorted(order)]
        runs: list[list[int]] = []
        for axis in (rank[axis] for axis in order):
            if runs and runs[-1][-1] + 1 == axis:
                runs[-1].append(axis)
            else:
                runs.append([axis])
        stored = sorted(runs)
        return Layout(tuple(int(np.prod([sizes[a] for a in run])) for run in stored), tuple(map(stored.index, runs)))


def identity(rank: int) -> Shape:
    """The permutation that moves nothing."""
    return tuple(range(rank))


def channel_first(rank: int) -> Shape:
    """The permutation from [N, *spatial, C] to [N, C, *spatial]."""
    return (0, rank - 1, *range(1, rank - 1)) if rank > 2 else identity(rank)


def inverse(permutation: Shape) -> Shape:
    """The permutation that undoes it."""
    return tuple(permutation.index(axis) for axis in range(len(permutation)))
