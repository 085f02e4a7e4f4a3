# SPDX-License-Identifier: MIT OR Apache-2.0
"""The tables of checks that `make mutants` switches off match the code, and the page tells of each."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "circuits" / "sumcheck" / "tool" / "mutants.py"
LANGUAGES = ("rust", "solidity")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", TOOL)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks its annotations up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", LANGUAGES)
def test_mutant_texts_stand_in_the_code_once(tool, language):
    assert list(tool.stale(tool.table(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_mutants_have_names_of_their_own_and_switch_something_off(tool, language):
    mutants = tool.table(language)
    assert len({each.name for each in mutants}) == len(mutants) > 50
    for each in mutants:
        assert each.replaced(lambda number, assembly: "off") != each.text and "OFF" in each.marked


def test_page_of_mutants_is_what_the_tables_and_results_say(tool, tmp_path, monkeypatch):
    committed = tool.PAGE.read_text()
    monkeypatch.setattr(tool, "PAGE", tmp_path / "mutants.md")
    tool.write()
    assert tool.PAGE.read_text() == committed, "python circuits/sumcheck/tool/mutants.py write"


def test_mutants_that_nobody_notices_are_explained(tool):
    unnoticed = {name for language in LANGUAGES for name, found in tool.known(language).items() if not found}
    assert unnoticed == set(tool.survivors())
