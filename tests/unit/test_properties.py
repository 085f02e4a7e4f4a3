# SPDX-License-Identifier: MIT OR Apache-2.0
"""docs/properties.md says where each property of a dispute is shown: in every file that it lists, by a test of that name, and
in no other.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs" / "properties.md").read_text()
ROWS = {int(row[1]): re.findall(r"`([\w/]+\.py)`", row[2]) for row in re.finditer(r"^\| (\d+) \|(.*)$", PAGE, re.M)}


def naming(number: int) -> set[str]:
    """Files with a test that has the property's number in its name."""
    name = re.compile(rf"^def test_property_{number:02}_", re.M)
    return {str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py") if name.search(path.read_text())}


def test_page_has_every_property():
    assert set(ROWS) == set(range(1, 46))


@pytest.mark.parametrize("number", sorted(ROWS))
def test_property_has_tests_of_its_number_in_the_files_that_the_page_lists_and_in_no_other(number):
    assert ROWS[number]
    assert naming(number) == set(ROWS[number])
