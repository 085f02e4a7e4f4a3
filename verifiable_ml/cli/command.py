# SPDX-License-Identifier: MIT OR Apache-2.0
"""How a function becomes a command: the options that every command has, and one place where errors end."""

from __future__ import annotations

import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from verifiable_ml.cli import settings
from verifiable_ml.cli.failure import Interrupted, typed
from verifiable_ml.cli.render import Screen

PANEL = "Everywhere"
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables, errors too.", rich_help_panel=PANEL)]
Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Log; -vv logs more, with tracebacks.", rich_help_panel=PANEL)
]
Debug = Annotated[bool, typer.Option("--debug", help="Tracebacks.", rich_help_panel=PANEL)]
COMMON = {"as_json": (AsJson, False), "verbose": (Verbose, 0), "debug": (Debug, False)}

NO_READER = 141
"""As any program that SIGPIPE ends: the verdict may not have been read, so neither 0 nor 1."""

Command = Callable[..., int | None]


def with_common_options(function: Command) -> Command:
    """`function(screen, …)` without its screen, and with --json, -v and --debug. It returns the exit code, or None for 0."""
    signature = inspect.signature(function, eval_str=True)
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, p in signature.parameters.items() if name != "screen"]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in COMMON.items()
    ]

    @functools.wraps(function)
    def run(*, as_json: bool, verbose: int, debug: bool, **rest: Any) -> int | None:
        _log(verbose, debug)
        return function(Screen(as_json), **rest)

    run.__doc__ = _shown(function.__doc__ or "")
    run.__signature__ = signature.replace(parameters=[*own, *common])  # type: ignore[attr-defined]
    return run


def _shown(text: str) -> str:
    """The help with its examples marked up: typer takes the indentation away where a line begins with it."""
    head, mark, examples = inspect.cleandoc(text).partition("For example:\n")
    return head + mark + "\n".join(f"[cyan]{line}[/]" for line in examples.splitlines())


def _log(verbose: int, debug: bool) -> None:
    if verbose or debug:
        level = logging.DEBUG if debug or verbose > 1 else logging.INFO
        logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s", force=True)
        for noisy in ("urllib3", "web3", "asyncio"):
            logging.getLogger(noisy).setLevel(max(level, logging.INFO))


class Commands(TyperGroup):
    """The group of all commands. Any error of any command ends here: three fields and an exit code, no traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line and leave with its exit code (SystemExit)."""
        del standalone_mode
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            extra.setdefault("default_map", settings.defaults(self.commands))
            code = super().main(arguments, prog_name or "vml", complete_var, False, windows_expand_args, **extra)
            sys.stdout.flush()
        except BaseException as error:
            code = _end(error, arguments)
        if code == Interrupted.exit_code:
            _end(KeyboardInterrupt(), arguments)
        sys.exit(code or 0)


def _end(error: BaseException, arguments: list[str]) -> int:
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        # The reader (`| head`) has gone. Python would complain once more when it closes the stream.
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        return NO_READER
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    failure = typed(error, arguments)
    if not failure.reason:  # `vml` alone: typer has shown the help
        return failure.exit_code
    if {"--debug", "-vv"} & {*arguments}:
        Screen().err.print_exception()
    Screen("--json" in arguments).fail(failure)
    return failure.exit_code
