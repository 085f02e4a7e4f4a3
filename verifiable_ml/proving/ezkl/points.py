# SPDX-License-Identifier: MIT OR Apache-2.0
"""Points of BN254's G1 as ezkl packs them and as a proof writes them."""

from __future__ import annotations

from verifiable_ml.proving.ezkl.srs import MODULUS

SIGN = 0x80
"""Of the last byte: y is odd (halo2curves' packed form)."""


def unpack(packed: bytes) -> bytes:
    """32 packed bytes (x little endian, the sign of y on top) to 64: x, y big endian. Raises ValueError off the curve."""
    x = int.from_bytes(packed[:31] + bytes([packed[31] & 0x3F]), "little")
    y = pow(x**3 + 3, (MODULUS + 1) // 4, MODULUS)
    if len(packed) != 32 or x >= MODULUS or (y * y - x**3 - 3) % MODULUS:
        raise ValueError("no point of the curve")
    if y % 2 != bool(packed[31] & SIGN):
        y = MODULUS - y
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")
