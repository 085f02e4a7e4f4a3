// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {InputForm, OutputForm} from "./Forms.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";

/// @notice A header and how far it is read.
struct Reader {
    bytes data;
    uint256 place;
}

/// @title The header of a program, rule 4: read byte for byte, with nothing left over.
library Header {
    uint256 private constant MAX_RANK = 32;
    uint256 private constant MAX_ELEMENTS = 1 << 31;

    /// @notice What the header says; of outputs the index only, their form is their operator's.
    function parse(bytes memory header)
        internal
        pure
        returns (InputForm[] memory inputs, uint32 operators, OutputForm[] memory outputs)
    {
        Reader memory reader = Reader(header, 0);
        inputs = new InputForm[](_number(reader, 1));
        if (inputs.length == 0) _refuse(reader, "a program has an input");
        for (uint256 i; i < inputs.length; ++i) {
            inputs[i] = _input(reader);
        }
        operators = uint32(_number(reader, 4));
        // INVARIANT: the tensors of a trace are counted in 32 bits, rule 3.
        if (operators == 0 || operators > type(uint32).max - inputs.length) _refuse(reader, "number of operators");
        outputs = new OutputForm[](_number(reader, 1));
        if (outputs.length == 0) _refuse(reader, "a program has an output");
        for (uint256 i; i < outputs.length; ++i) {
            outputs[i].index = uint32(_number(reader, 4));
            if (outputs[i].index >= inputs.length + operators) _refuse(reader, "an output is a tensor of the trace");
            _number(reader, 32); // the root of its decoding
        }
        _number(reader, 2); // the largest depth, the most partial levels: what a player's duration follows from
        if (reader.place != header.length) _refuse(reader, "nothing is left over");
    }

    function _input(Reader memory reader) private pure returns (InputForm memory form) {
        form.dtype = uint8(_number(reader, 1));
        if (form.dtype > 3) _refuse(reader, "dtype");
        form.nbytes = uint64(_elements(reader) << form.dtype);
        form.low = int64(uint64(_number(reader, 8)));
        form.high = int64(uint64(_number(reader, 8)));
        // INVARIANT: one interval has one dtype, the narrowest, so two encodings of one input do not exist.
        if (form.low > form.high || _narrowest(form.low, form.high) != form.dtype) _refuse(reader, "interval");
        _number(reader, 32); // the root of its encoding
    }

    function _elements(Reader memory reader) private pure returns (uint256 count) {
        uint256 rank = _number(reader, 1);
        if (rank > MAX_RANK) _refuse(reader, "rank");
        count = 1;
        for (uint256 i; i < rank; ++i) {
            // INVARIANT: count <= 2^31 here, times 32 bits: it cannot overflow.
            count *= _number(reader, 4);
            if (count == 0 || count > MAX_ELEMENTS) _refuse(reader, "number of elements");
        }
    }

    function _narrowest(int64 low, int64 high) private pure returns (uint8) {
        if (low >= 0 && high <= int64(uint64(type(uint8).max))) return 0;
        if (low >= type(int16).min && high <= type(int16).max) return 1;
        if (low >= type(int32).min && high <= type(int32).max) return 2;
        return 3;
    }

    /// @dev The next `width` bytes, at most 32, big endian.
    function _number(Reader memory reader, uint256 width) private pure returns (uint256 value) {
        (bytes memory data, uint256 place) = (reader.data, reader.place);
        if (place + width > data.length) _refuse(reader, "it ends too early");
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, width)), mload(add(add(data, 32), place)))
        }
        reader.place = place + width;
    }

    function _refuse(Reader memory reader, string memory rule) private pure {
        revert IProgramRegistry.MalformedHeader(reader.place, rule);
    }
}
