# SPDX-License-Identifier: MIT OR Apache-2.0
"""QuantSpec: the choices of a quantisation. Everything else follows from the model and the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from verifiable_ml.errors import InvalidInput

Width = Literal["auto", "8", "mixed", "16"]
Weights = Literal["auto", 8, 16]
Method = Literal["minmax", "percentile"]


@dataclass(frozen=True, slots=True)
class QuantSpec:
    """width: "8" has u8 everywhere; "mixed" u8 into matmul, conv and tables, i16 elsewhere (residual sums, norms); "16" i16;
    "auto" as few bits for each tensor as the threshold allows. weights: bits; "auto" is 8, or chosen where the width is.

    `headroom` widens every i16 range, since range is cheap there and saturation is not. `max_shift` bounds the shift of
    a requantisation: circuits pay for 2^shift rows of tables.
    """

    width: Width = "auto"
    weights: Weights = "auto"
    method: Method = "minmax"
    percentile: float = 99.99
    headroom: float = 4.0
    max_shift: int = 12

    def __post_init__(self) -> None:
        known = self.width in get_args(Width) and self.weights in get_args(Weights) and self.method in get_args(Method)
        sane = 50 < self.percentile <= 100 and 1 <= self.headroom <= 64 and 4 <= self.max_shift <= 40
        if not known or not sane:
            raise InvalidInput(
                thing=f"{self}",
                reason="no such quantisation",
                hint="width auto, 8, mixed, 16; weights auto, 8, 16; percentile in (50, 100]; headroom 1 to 64; shift 4 to 40",
            )

    def to_json(self) -> dict[str, str | int | float]:
        """For reports."""
        return {
            "width": self.width,
            "weights": self.weights,
            "method": self.method,
            "percentile": self.percentile,
            "headroom": self.headroom,
            "max_shift": self.max_shift,
        }
