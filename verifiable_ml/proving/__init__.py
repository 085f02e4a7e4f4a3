# SPDX-License-Identifier: MIT OR Apache-2.0
"""proving: a Program and one input become a Proof of a Claim, and a Proof becomes a Verdict."""
