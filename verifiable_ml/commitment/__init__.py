# SPDX-License-Identifier: MIT OR Apache-2.0
"""commitment: bytes and what binds them. Rules 1 to 10 of docs/protocol.md.

In: tensors and bytes. Out: roots, openings, ids and the Claim. Knows no program, no proof, no chain.
"""

from verifiable_ml.commitment.claim import Claim, InputCommitment, OutputBytes, Privacy
from verifiable_ml.commitment.codec import Dtype, decode_tensor, encode_tensor
from verifiable_ml.commitment.json_text import parse_json
from verifiable_ml.commitment.keccak import keccak
from verifiable_ml.commitment.merkle import MerkleTree, Opening, verify_opening
from verifiable_ml.commitment.roots import blob_leaves, tensor_root, tensor_tree, trace_root
from verifiable_ml.commitment.transcript import Transcript

__all__ = [
    "Claim",
    "Dtype",
    "InputCommitment",
    "MerkleTree",
    "Opening",
    "OutputBytes",
    "Privacy",
    "Transcript",
    "blob_leaves",
    "decode_tensor",
    "encode_tensor",
    "keccak",
    "parse_json",
    "tensor_root",
    "tensor_tree",
    "trace_root",
    "verify_opening",
]
