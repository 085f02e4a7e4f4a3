# SPDX-License-Identifier: MIT OR Apache-2.0
"""Inputs that requests give by their roots, put together from leaves that demands have brought onto the chain (rule 51)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from verifiable_ml.commitment import Dtype, tensor_root
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.dispute.docket import Request, Told, demand_of
from verifiable_ml.dispute.onchain import Demand
from verifiable_ml.dispute.opening import leaf_count

Leaves = Mapping[bytes, Mapping[int, bytes]]
"""Of a tensor, by its root: the bytes of a leaf, by its place."""


def leaves_of(told: Iterable[Told]) -> Leaves:
    """What was shown, out of the events Demanded and Served."""
    demands, found = dict[bytes, Demand](), dict[bytes, dict[int, bytes]]()
    for each in told:
        if each.name == "Demanded":
            demands[each.values["demandId"]] = demand_of(each)
        elif each.name == "Served" and each.values["demandId"] in demands:
            demand, data = demands[each.values["demandId"]], each.values["data"]
            shown = {demand.first + at // LEAF_BYTES: data[at : at + LEAF_BYTES] for at in range(0, len(data), LEAF_BYTES)}
            found.setdefault(demand.root, {}).update(shown)
    return found


def completed(request: Request, told: Iterable[Told], leaves: Leaves) -> Request:
    """The request with the bytes of its inputs, if it gives their roots alone and all of their leaves were shown."""
    forms = {each.root: each for each in (demand_of(told) for told in told if told.name == "Demanded")}
    inputs = [_whole(forms[root], leaves.get(root, {})) for root in request.roots if root in forms]
    if request.inputs or len(inputs) != len(request.roots) or not all(inputs):
        return request
    return replace(request, inputs=tuple(inputs))


def _whole(form: Demand, leaves: Mapping[int, bytes]) -> bytes:
    """The tensor's bytes; none if leaves are missing, or a node tells other ones."""
    data = b"".join(leaves.get(place, b"") for place in range(leaf_count(form.nbytes)))
    return data if len(data) == form.nbytes and tensor_root(Dtype(form.dtype), data) == form.root else b""
