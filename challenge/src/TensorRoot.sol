// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Merkle} from "./Merkle.sol";

/// @title Roots of tensors, rules 1 and 2 of docs/protocol.md.
/// @notice The same bytes as `verifiable_ml/commitment/roots.py`, held together by tests/vectors.
library TensorRoot {
    /// @notice A tensor of no elements does not exist.
    error NoElements();

    /// @notice Rule 2: H(02 || dtype || nbytes u64 || merkle root of the 256-byte leaves).
    /// @param dtype 0 u8, 1 i16, 2 i32, 3 i64.
    /// @param data Little endian two's complement, C order.
    function ofTensor(uint8 dtype, bytes calldata data) internal pure returns (bytes32) {
        if (data.length == 0) revert NoElements();
        return Merkle.tensor(dtype, uint64(data.length), Merkle.root(Merkle.leaves(data)));
    }
}
