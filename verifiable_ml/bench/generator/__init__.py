# SPDX-License-Identifier: MIT OR Apache-2.0
"""generator: a verifier of one program's native proofs alone, in Solidity, to be measured against the one for all programs.

In: the bytes of a plan. Out: the text of contracts that verify what SumcheckVerifier does by that plan, in straight lines. No
contract that ships is made so.
"""

from verifiable_ml.bench.generator.code import Plan
from verifiable_ml.bench.generator.contract import Generated, generate

__all__ = ["Generated", "Plan", "generate"]
