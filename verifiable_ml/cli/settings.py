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
FLAGLESS = {
    "cache_dir": "VML_CACHE_DIR",
    "memory_limit": "VML_MEMORY_LIMIT",
    "srs": "VML_SRS",
    "threads": "VML_THREADS",
}
"""Settings that belong to a machine, not to a command; the library reads their variables."""
NAMES: dict[str, str] = dict(FLAGLESS)
"""Setting to variable; `setting` fills it."""


def setting(name: str, *flags: str, **rest: Any) -> Any:
    """An option that VML_<NAME> and vml.toml can set as well."""
    NAMES[name] = f"VML_{name.upper()}"
    return typer.Option(*flags, envvar=NAMES[name], show_envvar=True, **rest)


def defaults(commands: Iterable[str], path: Path | None = None) -> dict[str, dict[str, Any]]:
    """What vml.toml says, as defaults of every command. Raises InvalidInput for a broken file or an unknown name."""
    values = read(path or Path(FILE))
    for name in FLAGLESS.keys() & values.keys():
        os.environ.setdefault(FLAGLESS[name], str(values.pop(name)))
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
