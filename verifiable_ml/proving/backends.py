# SPDX-License-Identifier: MIT OR Apache-2.0
"""The table of backends. Adding one is adding a line."""

from __future__ import annotations

from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.proving.base import Backend, BatchBackend, VerificationKey
from verifiable_ml.proving.ezkl.backend import EzklBackend
from verifiable_ml.proving.proof import KEY_FORMAT, malformed, read_document
from verifiable_ml.proving.replay import ReplayBackend
from verifiable_ml.proving.sumcheck import SumcheckBackend

BACKENDS: dict[str, type[Backend]] = {each.name: each for each in (SumcheckBackend, EzklBackend, ReplayBackend)}
"""The first one proves unless another is named."""


def backend(name: str) -> Backend:
    """The backend of that name, with its settings from the environment. Raises InvalidInput."""
    if name not in BACKENDS:
        raise InvalidInput(thing=f"backend `{name}`", reason="there is none of that name", hint=f"one of {', '.join(BACKENDS)}")
    return BACKENDS[name]()


def batch_backend(name: str) -> BatchBackend:
    """The backend of that name, for several inputs in one proof. Raises InvalidInput, UnsupportedModel if it cannot."""
    made = backend(name)
    if not isinstance(made, SumcheckBackend):
        reason = "it proves one input at a time"
        raise UnsupportedModel(thing=f"backend `{name}`", reason=reason, hint="use `--backend sumcheck`, or prove each by itself")
    return made


def read_key(data: bytes) -> VerificationKey:
    """A verification key of whichever backend. Raises MalformedEvidence."""
    name = read_document(data, KEY_FORMAT, 1).get("backend")
    if not isinstance(name, str) or name not in BACKENDS:
        raise malformed("a verification key", f"its backend {name!r:.40} is unknown")
    return backend(name).read_key(data)
