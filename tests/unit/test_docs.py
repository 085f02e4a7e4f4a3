# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every code block of the documentation runs, page by page, in the order of the page; what cannot run is compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from verifiable_ml.cli.main import COMMANDS
from verifiable_ml.cli.settings import NAMES
from verifiable_ml.frontend import zoo
from verifiable_ml.frontend.operators import OPERATORS
from verifiable_ml.frontend.passes import PASSES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#]+)")
SHOWN = "", "text"
"""What is shown and not run: output, pictures, lines that need a node of your own."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    code: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text())]


def script(page: Path) -> str:
    """All that runs of a page as one shell script: a page tells one story, whether in sh or in Python."""
    parts = ["set -euo pipefail"]
    python = [block.code for block in blocks(page) if block.language == "python"]
    if python:
        parts.append("python - <<'PAGE'\n" + "\n".join(python) + "PAGE")
    for block in blocks(page):
        if block.language == "sh":
            parts += [line for line in block.code.splitlines() if not line.startswith(("make ", "source "))]
    return "\n".join(parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_has_blocks_of_known_languages_and_links_that_lead_somewhere(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= {*SHOWN, "python", "sh", "solidity", "toml"}
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in PAGES if script(page).count("\n")], ids=lambda page: page.name)
def test_page_runs(page: Path, tmp_path: Path, cache_folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "REPOSITORY": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script(page)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_make_targets_of_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.M)}
    assert {"demo", "test"} <= named <= targets


def test_solidity_of_the_pages_stands_in_the_contracts() -> None:
    sources = [path.read_text() for path in (ROOT / "challenge" / "src").rglob("*.sol")]
    shown = [block.code for page in PAGES for block in blocks(page) if block.language == "solidity"]
    assert shown
    for code in shown:
        assert any(code in source for source in sources), code


def test_settings_of_the_pages_exist() -> None:
    shown = [tomllib.loads(block.code) for page in PAGES for block in blocks(page) if block.language == "toml"]
    assert shown
    assert all(table.keys() <= NAMES.keys() for table in shown)


def test_command_line_page_has_every_command() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    assert re.findall(r"^\| `vml (\w+)` \|", page, re.M) == [
        "lint", "compile", "run", "estimate", "setup", "prove", "verify", "deploy", "propose", "watch", "challenge", "demo",
        "bench", "doctor",
    ]  # fmt: skip
    assert all(f"`vml {name}`" in page for name in COMMANDS)


def test_models_page_names_every_pass_and_every_operator() -> None:
    page = (ROOT / "docs" / "models.md").read_text()
    assert {name for name, _ in PASSES} <= set(re.findall(r"`(\w+)`", page))
    assert set(OPERATORS) <= set(re.findall(r"\w+", page))


@pytest.mark.parametrize("name", zoo.names())
def test_readme_table_says_what_the_card_says(name: str) -> None:
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| [{name}]"))
    card = (ROOT / "models" / name / "README.md").read_text()
    record = json.loads((ROOT / "models" / name / "model.json").read_text())
    real, integer = (re.search(rf"accuracy, {kind} \| ([\d.]+)%", card) for kind in ("float", "integers"))
    assert f"| {record['parameters']:,} |" in row
    assert real is not None and integer is not None
    assert f"| {real[1]} %, {integer[1]} % |" in row
