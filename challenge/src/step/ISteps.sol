// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice Consecutive leaves of a tensor, rule 37. A record that is missing is a run of no bytes.
/// @param first Index of the first leaf.
/// @param data The leaves' bytes.
/// @param siblings From the lowest level up; at each the left one if the run begins at an odd index, then the right one if it
/// ends at an even one.
struct Run {
    uint32 first;
    bytes data;
    bytes32[] siblings;
}

/// @notice Leaves of one operand. Neither runs nor path: nothing of it is read.
/// @param runs They rise, with a gap between them.
/// @param path Siblings of the tensor's root in the trace's tree; none for a constant.
struct Opening {
    Run[] runs;
    bytes32[] path;
}

/// @notice What is known of an element after some of its terms, rule 38.
/// @param value A sum, or the greatest so far.
/// @param index Of argmax, where it stands.
struct Accumulator {
    int256 value;
    uint256 index;
}

/// @notice What a step is about.
/// @param traceRoot Rule 3: under it the operands are opened.
/// @param count Tensors of the trace, inputs and operators.
/// @param descriptor Rule 5.
/// @param element Flat position in the operator's output.
/// @param piece Which of its pieces, from 0.
struct Statement {
    bytes32 traceRoot;
    uint32 count;
    bytes descriptor;
    uint256 element;
    uint256 piece;
}

/// @title One step of any operator, rules 25 to 39.
/// @notice Evidence that opens nothing, or leaves an operator's domain, reverts with an error of its own.
interface ISteps {
    /// @notice What the game needs of a descriptor.
    /// @return kind The operator, from 1.
    /// @return dtype Of its output.
    /// @return nbytes Of its output.
    /// @return terms Of an element.
    /// @return tau Terms of a piece.
    function form(bytes calldata descriptor)
        external
        view
        returns (uint8 kind, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau);

    /// @notice The accumulator before the first piece: 0; for max and argmax the least i64.
    function neutral(uint8 kind) external pure returns (Accumulator memory);

    /// @notice The accumulator after one more piece. `record` is read by add alone, whose coefficients it holds.
    function advance(
        Statement calldata statement,
        Opening[] calldata operands,
        Run calldata record,
        Accumulator calldata start
    ) external view returns (Accumulator memory end);

    /// @notice The integer that the output stores, rule 39.
    /// @dev Reads kind, output and requantisation of the descriptor. Whether the rest is well formed, `form` has said.
    function finish(bytes calldata descriptor, uint256 element, Accumulator calldata accumulator, Run calldata record)
        external
        view
        returns (int256 value);
}
