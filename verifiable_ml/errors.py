# SPDX-License-Identifier: MIT OR Apache-2.0
"""One exception tree. Every error is three fields: the thing, the reason, the way out.

The library raises data; the command line renders it once, and `--json` prints the same three fields. A stranger's bytes
raise `MalformedEvidence` or yield a verdict, nothing else.
"""

from __future__ import annotations

from typing import Any, ClassVar


class VerifiableMlError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *, thing: str, reason: str, hint: str) -> None:
        self.thing = thing
        self.reason = reason
        self.hint = hint
        super().__init__(f"{thing}: {reason} ({hint})")

    def __reduce__(self) -> tuple[Any, ...]:
        """Whole through pickle, as from a worker process: Python's own way calls the class with the message alone."""
        return type(self).__new__, (type(self), *self.args), self.__dict__

    def to_json(self) -> dict[str, str]:
        """The same fields for machines: error, thing, reason, hint."""
        return {"error": type(self).__name__, "thing": self.thing, "reason": self.reason, "hint": self.hint}


class MalformedEvidence(VerifiableMlError):
    """Bytes that are no proof, claim, key or opening at all."""


class IllegalMove(VerifiableMlError):
    """A move of a dispute game, or an action on a request, that a rule of docs/protocol.md forbids: on chain it reverts."""

    def __init__(self, rule: int, reason: str) -> None:
        self.rule = rule
        super().__init__(thing="a move", reason=reason, hint=f"rule {rule} of docs/protocol.md says which moves are legal")


class InvalidInput(VerifiableMlError):
    """An input of the wrong shape, type or range, or one that is not finite; or a call that makes no sense."""


class MalformedModel(VerifiableMlError):
    """A file that is not a well-formed ONNX model."""


class MalformedProgram(VerifiableMlError):
    """A program that breaks a rule of the format: not canonical, tampered with, or of an unknown version."""


class UnsupportedModel(VerifiableMlError):
    """A well-formed model that is out of reach, here or in one backend."""

    exit_code = 3


class UnsupportedOperator(UnsupportedModel):
    """One node of a model is out of reach."""


class QuantisationError(VerifiableMlError):
    """No integer program with proven bounds could be made of the model."""

    exit_code = 3


class FidelityBelowThreshold(QuantisationError):
    """The integer program answers too differently from the float model."""

    exit_code = 6


class BackendUnavailable(VerifiableMlError):
    """A backend that is not installed, or of another version."""

    exit_code = 5


class CorruptedArtifact(VerifiableMlError):
    """A file of ours whose checksum or structure is wrong: a key, a reference string, a cache entry."""

    exit_code = 5


class WorkerFailed(VerifiableMlError):
    """The worker process ended without an answer."""

    exit_code = 5


class ResourceExceeded(VerifiableMlError):
    """Out of memory, disk or time."""

    exit_code = 5


class ChainError(VerifiableMlError):
    """A chain refused, reverted or answered nonsense."""

    exit_code = 4


class WrongChain(ChainError):
    """The node serves another chain than the one that was asked for."""


class Unreachable(ChainError):
    """No node answers at that address."""


class TransactionPending(ChainError):
    """A transaction was sent, and no block has taken it yet."""
