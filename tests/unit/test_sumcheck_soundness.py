# SPDX-License-Identifier: MIT OR Apache-2.0
"""docs/sumcheck.md says how sound a native proof is: the bits follow from how many lookups and entries a program has."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import verifiable_ml as vml
from verifiable_ml.commitment.transcript import MODULUS
from verifiable_ml.program.files import GRAPH, WEIGHTS, to_files

PAGE = Path(__file__).parents[2] / "docs" / "sumcheck.md"


@pytest.mark.parametrize("name", vml.zoo.names())
def test_bits_of_the_zoo_are_what_the_page_says(name):
    native = pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed")
    heads, bits = re.search(r"^\| (digits-mlp .*) \|\n[-|]+\n\| (.*) \|$", PAGE.read_text(), re.MULTILINE).groups()
    told = dict(zip(heads.split(" | "), map(int, bits.split(" | ")), strict=True))
    model = vml.zoo.model(name)
    files = to_files(vml.compile(model.path, model.calibration()), {})
    _, _, lookups, entries = native.layout(files[GRAPH], files[WEIGHTS], 1)
    assert told[name] == int(math.log2(MODULUS / (2 * lookups * entries)))
