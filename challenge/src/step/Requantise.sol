// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";
import {Descriptor, Operator} from "./Descriptor.sol";
import {Run} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Openings, Span} from "./Openings.sol";

/// @title From an exact accumulator to the stored integer, rule 39; and the records that say how, rule 5.
library Requantise {
    uint8 private constant I64 = 3;

    /// @notice A record where the operator has none, or none where it has one.
    error WrongRecord();
    /// @notice A record that does not lead to the root of the operator's records.
    error WrongRecords(bytes32 wanted, bytes32 found);
    /// @notice The leaf of another channel's record.
    error NotThatChannel(uint256 channel);

    /// @notice clip((value * multiplier + offset) >> shift, low, high); the shift floors. Without a record the value itself.
    /// @dev INVARIANT: |value| < 2^190 and multiplier, offset are 64 bits: nothing overflows.
    function finish(Operator memory operator, uint256 element, int256 value, Run calldata record)
        internal
        pure
        returns (int256)
    {
        if (operator.records == 0) {
            if (record.data.length > 0 || record.first > 0 || record.siblings.length > 0) revert WrongRecord();
            return value;
        }
        return applied(operator, value, open(operator, element, record));
    }

    /// @notice The same by the record that lies in memory from `entry` on.
    function applied(Operator memory operator, int256 value, uint256 entry) internal pure returns (int256) {
        value = value * TensorReader.loaded(entry, I64, 0) + TensorReader.loaded(entry, I64, 1);
        value >>= operator.shift;
        if (value < operator.low) return operator.low;
        return value > operator.high ? operator.high : value;
    }

    /// @notice Where in memory the record of the element's channel lies: multiplier and offset, i64 each; of add also eight i16.
    /// @dev A table of one record is for all channels. INVARIANT: of a longer one no run from leaf 0 on is that short, so a
    /// record has one reading.
    function open(Operator memory operator, uint256 element, Run calldata record)
        internal
        pure
        returns (uint256 source)
    {
        if (operator.records == 0) revert WrongRecord();
        uint256 size = recordBytes(operator);
        bool isOne = record.first == 0 && record.data.length == size;
        uint256 channels = isOne ? 1 : Descriptor.channels(operator);
        (bytes32 root, Span memory span) = Openings.tensorRootOf(I64, size * channels, record);
        if (root != operator.records) revert WrongRecords(operator.records, root);
        uint256 channel = element % channels;
        uint256 begin = channel * size;
        if (begin < span.begin || begin + size > span.end) revert NotThatChannel(channel);
        return span.source + begin - span.begin;
    }

    /// @notice Bytes of one record.
    function recordBytes(Operator memory operator) internal pure returns (uint256) {
        return operator.kind == Kind.ADD ? 32 : 16;
    }
}
