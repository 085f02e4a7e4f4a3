# SPDX-License-Identifier: MIT OR Apache-2.0
"""keccak-256, the hash that the EVM computes for 30 gas and 6 a word. Source: Ethereum Yellow Paper, section 4.1."""

from __future__ import annotations

from eth_hash.backends.pysha3 import backend  # named: left to itself eth_hash prefers pycryptodome, at four times the time


def keccak(data: bytes) -> bytes:
    """32 bytes. The original padding of Keccak, not that of SHA3-256."""
    return backend.keccak256(data)
