# SPDX-License-Identifier: MIT OR Apache-2.0
"""dispute: how a wrong trace is found and one element of it convicted. Rules 20 to 47 of docs/protocol.md.

In: two trace roots that differ, and openings under them. Out: a verdict. In the order of a dispute:
- `rules` is the game as a specification (with `walk`, `clock`, `moves`, `game`), `settlement` what is at stake in it (`bonds`);
- `steps` recomputes one piece of one element of each operator, and `witness` shows what a piece reads;
- `player` plays either side of a game from its own `forest`, `watcher` acts for an account; `liars` do not;
- `simulate` plays a game without a chain, `sybils` an attack by many.
Knows no zero-knowledge proof and no chain.
"""
