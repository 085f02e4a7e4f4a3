# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whatever ends a command becomes a typed error with three fields: the library's own pass, the rest is named here."""

from __future__ import annotations

import errno

from typer.exceptions import TyperException

from verifiable_ml.errors import InvalidInput, ResourceExceeded, VerifiableMlError

NO_ROOM = errno.ENOSPC, errno.EDQUOT, errno.EFBIG


class Interrupted(VerifiableMlError):
    """Ctrl-C."""

    exit_code = 130


class InternalError(VerifiableMlError):
    """A fault of ours: nothing that a user does should end here."""

    exit_code = 70


def typed(error: BaseException, arguments: list[str]) -> VerifiableMlError:
    """The error that a command ends with. arguments: the command line, to name the command in a hint."""
    if isinstance(error, VerifiableMlError):
        return error
    if isinstance(error, TyperException):
        return InvalidInput(thing="the command line", reason=error.format_message(), hint=f"`{_help(error)}` lists what it takes")
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(thing="vml", reason="interrupted", hint="nothing half-written is left; run it again")
    if isinstance(error, MemoryError):
        return ResourceExceeded(thing="memory", reason="there is not enough", hint="`vml estimate` says what a proof takes")
    if isinstance(error, OSError):
        return _from_system(error)
    return InternalError(
        thing=f"vml {' '.join(arguments[:1])}".strip(),
        reason=f"a fault of ours ({type(error).__name__}: {error})",
        hint="run it again with --debug and report the traceback",
    )


def _help(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'vml'} --help"


def _from_system(error: OSError) -> VerifiableMlError:
    thing = f"`{error.filename}`" if error.filename else "a file or a connection"
    why = error.strerror or type(error).__name__
    if error.errno in NO_ROOM:
        return ResourceExceeded(thing=thing, reason=f"it cannot be written: {why}", hint="make room, or write elsewhere")
    return InvalidInput(thing=thing, reason=f"{why}", hint="check the path and its rights")
