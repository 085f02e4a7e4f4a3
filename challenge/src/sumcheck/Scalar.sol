// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @dev The order of BN254's first group: scalars are integers below it. Loops keep it in a variable p: where a literal stands the compiler
/// saves code and spends 30 gas to fetch it.
uint256 constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

/// @title Scalars of BN254 beyond what addmod and mulmod say.
library Scalar {
    /// @notice Thrown for the inverse of zero.
    error NoInverse();

    /// @notice Thrown when a word that a prover sent is not below p.
    error NotCanonical();

    /// @notice a - b, of scalars.
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return addmod(a, P - b, P); // INVARIANT: b <= P
        }
    }

    /// @notice The inverse, by Fermat: the precompile raises to p - 2. About 1,500 gas.
    function inverse(uint256 x) internal view returns (uint256 result) {
        if (x == 0) revert NoInverse();
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 32)
            mstore(add(free, 32), 32)
            mstore(add(free, 64), 32)
            mstore(add(free, 96), x)
            mstore(add(free, 128), sub(P, 2))
            mstore(add(free, 160), P)
            let ok := staticcall(gas(), 5, free, 192, free, 32)
            if iszero(and(ok, eq(returndatasize(), 32))) { revert(0, 0) }
            result := mload(free)
        }
    }

    /// @notice The words of calldata from `at` on, each a scalar.
    function checkWords(uint256 start, uint256 count) internal pure {
        bool below = true;
        assembly ("memory-safe") {
            let p := P
            for { let end := add(start, shl(5, count)) } lt(start, end) { start := add(start, 32) } {
                below := and(below, lt(calldataload(start), p))
            }
        }
        if (!below) revert NotCanonical();
    }
}
