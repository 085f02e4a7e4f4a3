# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every problem of a model at once, in graph order, each with the node, the reason and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.frontend.load import Problem, Sample, prepare
from verifiable_ml.frontend.read import LIMIT_BYTES


def lint(
    source: Any,
    samples: Sequence[Sample] | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> tuple[Problem, ...]:
    """Problems that keep a model from becoming a program, () if none. The model is rewritten first: what a pass mends is none.

    Raises InvalidInput and MalformedModel, since such a file has no nodes to speak of.
    """
    try:
        return prepare(source, samples, fixed=fixed, limit_bytes=limit_bytes).problems
    except UnsupportedModel as error:
        return (Problem(error.thing, "model", error.reason, error.hint),)
