# SPDX-License-Identifier: MIT OR Apache-2.0
"""Cases of transcript.json: what is absorbed and drawn, and the state after each step. Not made by the package that is tested."""

from __future__ import annotations

from typing import Any

from eth_hash.auto import keccak

P = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
DRAW = -1
"""A step's count if it draws a challenge; otherwise how many words it absorbs."""

Step = tuple[str, list[int] | None]

CASES: dict[str, tuple[str, list[Step], str]] = {
    "domain_alone": ("vml.sumcheck", [], "state = H(domain, as bytes32)"),
    "one_draw": ("vml.sumcheck", [("alpha", None)], "state = H(state || label)"),
    "two_draws_of_one_label": ("vml.sumcheck", [("alpha", None), ("alpha", None)], "the state stays unreduced: they differ"),
    "nothing_absorbed": ("vml.sumcheck", [("rows", []), ("alpha", None)], "label and a count of 0 are hashed"),
    "two_words_together": ("vml.sumcheck", [("rows", [1, 2]), ("alpha", None)], "state = H(state || label || count || words)"),
    "two_words_apart": ("vml.sumcheck", [("rows", [1]), ("rows", [2]), ("alpha", None)], "another state than together"),
    "greatest_scalar": ("vml.sumcheck", [("scalars", [P - 1, 0]), ("alpha", None)], "p - 1, and zero"),
    "greatest_word": ("vml.sumcheck", [("words", [2**256 - 1]), ("alpha", None)], "a word is any 32 bytes"),
    "full_label": ("d" * 32, [("l" * 32, [7]), ("m" * 32, None)], "labels of 32 bytes have no padding"),
    "other_domain": ("vml.other", [("alpha", None)], "another domain, another challenge"),
    "many_words": ("vml.sumcheck", [("rows", list(range(100))), ("alpha", None), ("beta", None)], "beyond keccak's rate"),
    "draws": ("vml.sumcheck", [(f"draw {number}", None) for number in range(24)], "states beyond each of p, 2p, 3p, 4p, 5p"),
}


def label_word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


def transcript_vectors() -> dict[str, dict[str, Any]]:
    return {name: _vector(*case) for name, case in CASES.items()}


def _vector(domain: str, steps: list[Step], why: str) -> dict[str, Any]:
    state = keccak(label_word(domain))
    states, challenges, words = [state], [], []
    for label, absorbed in steps:
        hashed = state + label_word(label)
        if absorbed is not None:
            given = [number.to_bytes(32, "big") for number in absorbed]
            words += given
            hashed += len(given).to_bytes(32, "big") + b"".join(given)
        state = keccak(hashed)
        states.append(state)
        if absorbed is None:
            challenges.append((int.from_bytes(state, "big") % P).to_bytes(32, "big"))
    return {
        "domain": domain,
        "labels": [label for label, _ in steps],
        "counts": [DRAW if absorbed is None else len(absorbed) for _, absorbed in steps],
        "words": ["0x" + word.hex() for word in words],
        "states": ["0x" + state.hex() for state in states],
        "challenges": ["0x" + challenge.hex() for challenge in challenges],
        "why": why,
    }
