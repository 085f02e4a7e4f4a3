# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml doctor`: what is here, what is missing, and the way out."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.text import Text

import verifiable_ml
from verifiable_ml.cli.render import Screen, amount, table
from verifiable_ml.errors import BackendUnavailable, VerifiableMlError

State = Literal["ok", "missing", "broken"]
STYLES = {"ok": "green", "missing": "yellow", "broken": "bold red"}
NEEDED = "numpy", "onnx", "onnxruntime", "onnxslim", "safetensors", "web3", "eth-tester"
CONTRACTS = (
    "SumcheckClaimVerifier", "SumcheckVerifier", "SumcheckWay", "ClaimVerifier", "Halo2VerifierReusable", "EzklWay", "Settlement",
    "VerifiedPayout",
)  # fmt: skip
TINY_CONTRACT = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\ncontract Tiny {}\n"
ENOUGH_DISK = ENOUGH_MEMORY = 4e9
"""Bytes; what the largest model of the zoo takes when it is proved."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. missing: optional, `way_out` says how to get it; broken: nothing works without it."""

    thing: str
    state: State
    detail: str
    way_out: str = ""


def doctor(screen: Screen) -> int | None:
    """Look at this installation: versions, prover, cache, chain tools, disk and memory. Exit 5 if something needed is broken.

    For example:
      vml doctor
    """
    findings = [finding for look in LOOKS for finding in look()]
    rows = [(f.thing, Text(f.state, style=STYLES[f.state]), f.detail, f.way_out) for f in findings]
    broken = [finding for finding in findings if finding.state == "broken"]
    screen.show(
        {"healthy": not broken, "findings": [asdict(finding) for finding in findings]},
        table("", ("thing", "state", "detail", "way out"), rows),
    )
    return BackendUnavailable.exit_code if broken else None


def _python() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("verifiable-ml", "ok", f"{verifiable_ml.__version__} in {Path(verifiable_ml.__file__).parent}")
    for name in NEEDED:
        version = _version(name)
        yield Finding(
            name, "ok" if version else "broken", version or "not installed", "" if version else "reinstall verifiable-ml"
        )


def _prover() -> Iterator[Finding]:
    from verifiable_ml.proving.sumcheck.native import INTERFACE, native

    try:
        version = native().__version__
    except BackendUnavailable as error:
        yield Finding("native prover", "missing", error.reason, error.hint)
    else:
        yield Finding("native prover", "ok", f"verifiable-ml-sumcheck {version}, interface {INTERFACE}")


def _extras() -> Iterator[Finding]:
    for name, extra, gives in (
        ("ezkl", "ezkl", "proofs that hide inputs or weights"),
        ("torch", "torch", "models straight from PyTorch"),
        ("scikit-learn", "sklearn", "classical models"),
        ("ray", "ray", "many proofs on many machines"),
    ):
        version = _version(name)
        way_out = "" if version else f"pip install 'verifiable-ml[{extra}]': {gives}"
        yield Finding(name, "ok" if version else "missing", version or "not installed", way_out)


def _shipped() -> Iterator[Finding]:
    from verifiable_ml.chain import load_artifact
    from verifiable_ml.frontend import zoo

    for name in CONTRACTS:
        yield _tried(f"contract {name}", lambda name=name: f"{len(load_artifact(name).runtime):,} bytes")  # type: ignore[misc]
    models = zoo.names()
    yield Finding("zoo", "ok" if models else "broken", ", ".join(models) or "no model is there", "" if models else "reinstall")


def _tools() -> Iterator[Finding]:
    from verifiable_ml.chain import compile_source

    found = _tried("Solidity compiler", lambda: f"compiles ({len(compile_source(TINY_CONTRACT, 'Tiny').runtime)} bytes)")
    yield found if found.state == "ok" else Finding(found.thing, "missing", found.detail, found.way_out)
    anvil = shutil.which("anvil") or _in_checkout("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
    way_out = (
        "" if anvil else "only for a node of your own: `make npm` in a checkout, or install Foundry; the embedded EVM needs none"
    )
    yield Finding("anvil", "ok" if anvil else "missing", "found" if anvil else "not found", way_out)


def _machine() -> Iterator[Finding]:
    folder = _cache()
    probe = next(parent for parent in (folder, *folder.parents) if parent.exists())
    writable = os.access(probe, os.W_OK)
    yield Finding(
        "cache", "ok" if writable else "broken", str(folder), "" if writable else "set VML_CACHE_DIR to a folder of yours"
    )
    disk, memory = shutil.disk_usage(probe).free, psutil.virtual_memory().available
    few = "large models need 4 GB: make room or set VML_CACHE_DIR"
    yield Finding("disk", "ok" if disk > ENOUGH_DISK else "missing", f"{amount(disk)} free", "" if disk > ENOUGH_DISK else few)
    small = "large proofs need 4 GB: `vml estimate` says what yours takes"
    yield Finding(
        "memory", "ok" if memory > ENOUGH_MEMORY else "missing", f"{amount(memory)} free", "" if memory > ENOUGH_MEMORY else small
    )


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _prover, _extras, _shipped, _tools, _machine)


def _tried(thing: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(thing, "ok", attempt())
    except VerifiableMlError as error:
        return Finding(thing, "broken", error.reason, error.hint)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _in_checkout(path: str) -> str | None:
    place = Path(__file__).resolve().parents[2] / path
    return str(place) if place.is_file() else None


def _cache() -> Path:
    import platformdirs

    return Path(os.environ.get("VML_CACHE_DIR") or platformdirs.user_cache_dir("verifiable_ml"))
