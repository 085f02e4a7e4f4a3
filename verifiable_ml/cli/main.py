# SPDX-License-Identifier: MIT OR Apache-2.0
"""The application: one row a command, in the order in which a model becomes a verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from verifiable_ml.cli.bench import bench
from verifiable_ml.cli.challenge import challenge
from verifiable_ml.cli.command import Command, Commands, with_common_options
from verifiable_ml.cli.compile import compile_
from verifiable_ml.cli.demo import demo
from verifiable_ml.cli.deploy import deploy
from verifiable_ml.cli.doctor import doctor
from verifiable_ml.cli.estimate import estimate
from verifiable_ml.cli.lint import lint
from verifiable_ml.cli.propose import propose
from verifiable_ml.cli.prove import prove
from verifiable_ml.cli.run import run
from verifiable_ml.cli.setup import setup
from verifiable_ml.cli.verify import verify
from verifiable_ml.cli.watch import watch

COMMANDS: dict[str, Command] = {
    "lint": lint,
    "compile": compile_,
    "run": run,
    "estimate": estimate,
    "setup": setup,
    "prove": prove,
    "verify": verify,
    "deploy": deploy,
    "propose": propose,
    "watch": watch,
    "challenge": challenge,
    "demo": demo,
    "bench": bench,
    "doctor": doctor,
}

EPILOG = (
    "Exit codes: 0 accepted, 1 rejected, 2 usage or malformed, 3 unsupported model, 4 chain, 5 resource or worker, "
    "6 fidelity below the threshold, 70 a fault of ours, 130 interrupted."
)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    epilog=EPILOG,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(asked: bool) -> None:
    if asked:
        from verifiable_ml import __version__

        typer.echo(f"vml {__version__}")
        raise typer.Exit


@app.callback()
def vml(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = False,
) -> None:
    """One quantised integer program, one claim about it, several independent ways to make that claim final."""
    del version


for _name, _command in COMMANDS.items():
    app.command(_name)(with_common_options(_command))


def main() -> None:
    """The entry point `vml`. Leaves with an exit code."""
    app(prog_name="vml")
