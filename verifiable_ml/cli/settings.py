# SPDX-License-Identifier: MIT OR Apache-2.0
"""Settings: a flag beats VML_*, which beats vml.toml in the working directory, which beats the default.

Every option of options.py that is made by `setting` can be set in all four places, under one name.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from verifiable_ml.errors import InvalidInput

FILE = "vml.toml"
CACHE_DIR = "cache_dir"
NAMES: dict[str, str] = {CACHE_DIR: "VML_CACHE_DIR"}
"""Setting to variable; `setting` fills it. The cache has no flag: it belongs to a machine, not to a command."""


def setting(name: str, *flags: str, **rest: Any) -> Any:
    """An option that VML_<NAME> and vml.toml can set as well."""
    NAMES[name] = f"VML_{name.upper()}"
    return typer.Option(*flags, envvar=NAMES[name], show_envvar=True, **rest)


def defaults(commands: Iterable[str], path: Path | None = None) -> dict[str, dict[str, Any]]:
    """What vml.toml says, as defaults of every command. Raises InvalidInput for a broken file or an unknown name."""
    values = read(path or Path(FILE))
    if CACHE_DIR in values:
        os.environ.setdefault(NAMES[CACHE_DIR], str(values.pop(CACHE_DIR)))
    return dict.fromkeys(commands, values)


def read(path: Path) -> dict[str, Any]:
    """The table in a settings file, {} if there is none."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(thing=f"`{path}`", reason=f"it is no TOML ({error})", hint='lines like: backend = "ezkl"') from error
    unknown = sorted(values.keys() - NAMES.keys())
    if unknown:
        raise InvalidInput(
            thing=f"`{path}`", reason=f"{unknown[0]!r} is no setting", hint=f"there are: {', '.join(sorted(NAMES))}"
        )
    nested = [name for name, value in values.items() if isinstance(value, dict)]
    if nested:
        raise InvalidInput(thing=f"`{path}`", reason=f"{nested[0]!r} is a table", hint='lines like: backend = "ezkl"')
    return {name: list(map(str, value)) if isinstance(value, list) else str(value) for name, value in values.items()}
