// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What a program fixes of an input.
/// @param dtype 0 u8, 1 i16, 2 i32, 3 i64.
/// @param nbytes Of the whole tensor.
/// @param low Least integer, declared.
/// @param high Greatest integer, declared.
struct InputForm {
    uint8 dtype;
    uint64 nbytes;
    int64 low;
    int64 high;
}

/// @notice What a program fixes of an output.
/// @param index Of the tensor in the trace: inputs first, then operators.
/// @param dtype 0 u8, 1 i16, 2 i32, 3 i64.
/// @param nbytes Of the whole tensor.
struct OutputForm {
    uint32 index;
    uint8 dtype;
    uint64 nbytes;
}

/// @notice What requests and games read of a program; its forms lie in a contract of their own.
/// @param descriptorsRoot merkle(descriptors) of rule 4.
/// @param forms A data contract that holds both lists.
/// @param registered When, unix time; 0 if never.
/// @param operators How many.
/// @param inputs How many.
/// @param hidden The salt is not zero, so weights are hidden.
/// @param inputBytes Of all inputs together.
/// @param outputBytes Of all outputs together.
struct Program {
    bytes32 descriptorsRoot;
    address forms;
    uint40 registered;
    uint32 operators;
    uint8 inputs;
    bool hidden;
    uint64 inputBytes;
    uint64 outputBytes;
}
