# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which cells of a circuit are constrained to be equal, read out of a proving key of ezkl.

halo2 keeps it as a permutation: for each column a vector in which cell (column, row) is written DELTA^column * OMEGA^row,
in Montgomery form. A cell that stands for itself is equal to no other.
"""

from __future__ import annotations

from pathlib import Path

from verifiable_ml.chain import FIELD

GENERATOR, TWO_ADICITY = 7, 28
Cell = tuple[int, int]


def classes(proving_key: Path, logrows: int, columns: int = 64) -> dict[Cell, frozenset[Cell]]:
    """Each cell of (column, row) that is tied to others, with all of those, itself included."""
    data, rows = proving_key.read_bytes(), 1 << logrows
    names = _names(rows, columns)
    written = {name: cell for cell, name in names.items()}
    start = data.index(names[0, rows - 2] + names[0, rows - 1]) - 32 * (rows - 2)  # rows of blinding: tied to nothing
    moved: dict[Cell, Cell] = {}
    for column in range(columns):
        at = start + column * (32 * rows + 4)  # each vector comes after its length
        cells = [written.get(data[at + 32 * row : at + 32 * row + 32]) for row in range(rows)]
        if None in cells:
            break
        moved.update({(column, row): cell for row, cell in enumerate(cells) if cell is not None})
    return _cycles(moved)


def _names(rows: int, columns: int) -> dict[Cell, bytes]:
    delta = pow(GENERATOR, 1 << TWO_ADICITY, FIELD)
    omega = pow(GENERATOR, (FIELD - 1) // rows, FIELD)
    names = {}
    for column in range(columns):
        value = pow(delta, column, FIELD) * pow(2, 256, FIELD) % FIELD
        for row in range(rows):
            names[column, row] = value.to_bytes(32, "little")
            value = value * omega % FIELD
    return names


def _cycles(moved: dict[Cell, Cell]) -> dict[Cell, frozenset[Cell]]:
    found: dict[Cell, frozenset[Cell]] = {}
    for cell in moved:
        if cell not in found:
            cycle, at = [cell], moved[cell]
            while at != cell:
                cycle.append(at)
                at = moved[at]
            found.update(dict.fromkeys(cycle, frozenset(cycle)))
    return {cell: tied for cell, tied in found.items() if len(tied) > 1}
