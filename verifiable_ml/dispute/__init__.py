# SPDX-License-Identifier: MIT OR Apache-2.0
"""dispute: how a wrong trace is found and one element of it convicted. Rules 20 to 47 of docs/protocol.md.

In: two trace roots that differ, and openings under them. Out: a verdict. `steps` recomputes one piece of one element of each
operator, and `witness` shows what a piece reads. Knows no zero-knowledge proof.
"""
