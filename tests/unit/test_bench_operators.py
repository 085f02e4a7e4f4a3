# SPDX-License-Identifier: MIT OR Apache-2.0
"""The table of which backend proves which operator says what the backends say, of every operator."""

from __future__ import annotations

from verifiable_ml.bench.operators import CASES, operators
from verifiable_ml.program import OPERATORS


def test_operators_table_has_every_operator_and_what_each_backend_answers():
    table = operators()
    assert {case.kind for case in CASES} == OPERATORS.keys()
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert all(row["replay"] == "yes" for row in rows)
    assert {row["operator"] for row in rows if row["ezkl"] == "no"} == {"lookup", "divide", "isqrt", "argmax"}
    assert all((row["why not"] == "") == ({"yes"} == set(list(row.values())[2:-1])) for row in rows)
    assert table.to_markdown().count("\n| ") == len(rows) + 1
