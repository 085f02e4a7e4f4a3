# SPDX-License-Identifier: MIT OR Apache-2.0
"""Large files that are made once: a folder each, whole or not there, every file's SHA-256 checked at each load."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from verifiable_ml.commitment import parse_json
from verifiable_ml.errors import CorruptedArtifact, ResourceExceeded

MANIFEST = "manifest.json"
VERSION = 1


def root() -> Path:
    """VML_CACHE_DIR, or where the system keeps caches."""
    return Path(os.environ.get("VML_CACHE_DIR") or platformdirs.user_cache_dir("verifiable_ml")).expanduser().absolute()


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder for work under way, on the file system of the cache, gone at the end. Clears those of processes that died."""
    work = root() / "work"
    folder = work / f"{os.getpid()}-{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise _full(error) from error
    try:
        for other in work.iterdir():
            owner = other.name.partition("-")[0]
            if not owner.isdigit() or not psutil.pid_exists(int(owner)):
                shutil.rmtree(other, ignore_errors=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(files: dict[str, Path | bytes], facts: dict[str, Any], target: Path) -> None:
    """Move files into a new folder of the cache with a manifest, in one rename. If it is there already, that one stays."""
    staging = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        staging.mkdir(parents=True)
        for name, source in files.items():
            if isinstance(source, bytes):
                (staging / name).write_bytes(source)
            else:
                os.replace(source, staging / name)
        digests = {name: sha256(staging / name) for name in sorted(files)}
        (staging / MANIFEST).write_text(json.dumps({"version": VERSION, "files": digests, **facts}, indent=1) + "\n")
        _rename(staging, target)
    except OSError as error:
        raise _full(error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def load(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """The manifest of a folder, after every file's checksum was found right. Raises CorruptedArtifact, naming the file."""
    try:
        manifest = parse_json((folder / MANIFEST).read_bytes())
        digests = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise corrupted(folder / MANIFEST, f"it cannot be read ({error})", folder) from error
    if manifest.get("version") != VERSION or set(digests) != set(names):
        raise corrupted(folder / MANIFEST, "it lists other files than it has to", folder)
    for name in names:
        try:
            right = sha256(folder / name) == digests[name]
        except OSError as error:
            raise corrupted(folder / name, str(error), folder) from error
        if not right:
            raise corrupted(folder / name, "its checksum is wrong", folder)
    return dict(manifest)


def sha256(path: Path) -> str:
    """In hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def corrupted(path: Path, reason: str, folder: Path) -> CorruptedArtifact:
    """The error for a file of the cache that is not what was put there."""
    return CorruptedArtifact(thing=f"`{path}`", reason=reason, hint=f"delete it, it is made again: rm -r '{folder}'")


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        if not (target / MANIFEST).is_file():
            raise


def _full(error: OSError) -> ResourceExceeded:
    return ResourceExceeded(
        thing=f"the cache `{root()}`", reason=str(error.strerror or error), hint="free some space, or set VML_CACHE_DIR elsewhere"
    )
