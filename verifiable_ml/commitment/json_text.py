# SPDX-License-Identifier: MIT OR Apache-2.0
"""JSON from strangers: UTF-8, no NaN, no key twice, and no deeper than any artifact of ours.

Depth is looked at before the text is parsed. Python's own limit does not help: py-evm raises it to 100,000 for the whole
process, and then a few kilobytes of `[` are a stack overflow in the parser's C code, which no `except` catches.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def parse_json(data: bytes) -> Any:
    """The value. Raises ValueError on anything else than strict JSON of at most 64 levels."""
    text = data.decode("utf-8")
    _check_depth(text)
    return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object holds a key twice")
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
