// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @dev The modulus of BN254's base field: coordinates are integers below it.
uint256 constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

/// @notice A sum of points under way, laid out as the precompiles read it. Begin with the first summand in (x, y), or zeros.
struct Sum {
    uint256 x;
    uint256 y;
    uint256 pointX;
    uint256 pointY;
    uint256 scalar;
}

/// @title Points of BN254 by the precompiles of EIP-196 and EIP-197, which refuse coordinates >= q and points off the curve.
/// @dev INVARIANT: a result is used only if the call succeeded and returned as many bytes as its answer has.
library Curve {
    /// @notice Thrown when a precompile refuses: a coordinate is not below q, or a point is not on its curve.
    error NoPoint();

    /// @dev Gas of a multiple of a point, and of a product of two pairings, EIP-1108.
    uint256 private constant MULTIPLE = 6_000;
    uint256 private constant PAIRING = 113_000;

    /// @notice sum += scalar * (x, y).
    function add(Sum memory sum, uint256 x, uint256 y, uint256 scalar) internal view {
        bool ok;
        assembly ("memory-safe") {
            let point := add(sum, 64)
            mstore(point, x)
            mstore(add(sum, 96), y)
            mstore(add(sum, 128), scalar)
            ok := staticcall(gas(), 7, point, 96, point, 64)
            ok := and(ok, eq(returndatasize(), 64))
            if ok {
                ok := staticcall(gas(), 6, sum, 128, sum, 64)
                ok := and(ok, eq(returndatasize(), 64))
            }
        }
        if (!ok) _refuse(MULTIPLE);
    }

    /// @notice Whether e(left, 1) = e(right, tau), tau in the second group: imaginary parts first, as EIP-197 has them.
    function pairingHolds(Sum memory left, Sum memory right, uint256[4] memory tau) internal view returns (bool holds) {
        bool ok;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mcopy(free, left, 64)
            // The generator of the second group, EIP-197.
            mstore(add(free, 64), 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2)
            mstore(add(free, 96), 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed)
            mstore(add(free, 128), 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b)
            mstore(add(free, 160), 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa)
            mstore(add(free, 192), mload(right))
            mstore(add(free, 224), mod(sub(Q, mload(add(right, 32))), Q)) // y is below q: it is a precompile's answer
            mcopy(add(free, 256), tau, 128)
            ok := staticcall(gas(), 8, free, 384, free, 32)
            ok := and(ok, eq(returndatasize(), 32))
            holds := eq(mload(free), 1)
        }
        if (!ok) _refuse(PAIRING);
    }

    /// @dev A precompile takes all that it is given, the caller keeps a 64th, so what is left tells whether it was given enough: who ran dry
    /// says nothing, for that is no verdict on a proof.
    function _refuse(uint256 cost) private view {
        if (63 * gasleft() < cost) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        revert NoPoint();
    }
}
