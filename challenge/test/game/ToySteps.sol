// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Accumulator, ISteps, Opening, Run, Statement} from "../../src/step/ISteps.sol";

/// @notice A toy operator: what a descriptor says, and nothing else.
struct Toy {
    uint8 kind;
    uint8 dtype;
    uint64 nbytes;
    uint32 terms;
    uint32 tau;
}

/// @title Operators without operands, so that a game can be played without a program: a piece adds element + piece + 1.
/// @dev Kind 11 has an index as well, as argmax has: the number of pieces. Kind 99 is no operator.
contract ToySteps is ISteps {
    error NoToy(uint8 kind);

    /// @inheritdoc ISteps
    function form(bytes calldata descriptor)
        public
        pure
        returns (uint8 kind, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau)
    {
        (kind, dtype) = (uint8(descriptor[0]), uint8(descriptor[1]));
        if (kind == 99 || descriptor.length != 22) revert NoToy(kind);
        nbytes = uint64(bytes8(descriptor[2:10]));
        (terms, tau) = (uint32(bytes4(descriptor[10:14])), uint32(bytes4(descriptor[14:18])));
    }

    /// @inheritdoc ISteps
    function neutral(uint8 kind) external pure returns (Accumulator memory) {
        return Accumulator(kind == 11 ? type(int64).min : int256(0), 0);
    }

    /// @inheritdoc ISteps
    function advance(Statement calldata s, Opening[] calldata, Run calldata, Accumulator calldata start)
        external
        pure
        returns (Accumulator memory end)
    {
        (uint8 kind,,,,) = form(s.descriptor);
        end.value = start.value + int256(s.element + s.piece + 1);
        if (kind == 11) end.index = start.index + 1;
    }

    /// @inheritdoc ISteps
    function finish(bytes calldata descriptor, uint256, Accumulator calldata accumulator, Run calldata)
        external
        pure
        returns (int256)
    {
        (, uint8 dtype,,,) = form(descriptor);
        if (dtype == 0) return int256(uint256(uint8(uint256(accumulator.value))));
        if (dtype == 1) return int16(int256(accumulator.value));
        return dtype == 2 ? int256(int32(accumulator.value)) : int256(int64(accumulator.value));
    }
}
