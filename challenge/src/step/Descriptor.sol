// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Kind} from "./Kind.sol";

/// @notice An operand as its operator's descriptor describes it.
/// @param isConstant Whether `root` says what it is; else `index` does.
/// @param index Of a tensor of the trace.
/// @param root Tensor root of a constant.
/// @param dtype 0 u8, 1 i16, 2 i32, 3 i64.
/// @param shape Outermost axis first.
/// @param size Elements.
struct Operand {
    bool isConstant;
    uint256 index;
    bytes32 root;
    uint8 dtype;
    uint256[] shape;
    uint256 size;
}

/// @notice A descriptor, read. `numbers` and `lists` are its attributes in their order, maps flat; see `Kind.attributes`.
/// @param records Root of the requantisation records; zero for the identity.
/// @param terms K of rule 5.
/// @param tau Terms of a piece.
struct Operator {
    uint8 kind;
    uint8 dtype;
    uint256[] shape;
    uint256 size;
    Operand[] operands;
    int256[] numbers;
    int256[][] lists;
    uint256 shift;
    int256 low;
    int256 high;
    bytes32 records;
    uint256 terms;
    uint256 tau;
}

/// @title Descriptors of rule 5, read out of calldata: total, and exact to the last byte.
/// @notice The twin of `verifiable_ml/dispute/descriptor.py`. Whether the parts fit together is each operator's to check.
library Descriptor {
    uint256 internal constant MAX_ELEMENTS = 1 << 31;
    uint256 private constant MAX_BYTES = 640;
    uint256 private constant MAX_RANK = 32;
    uint256 private constant MAX_SHIFT = 62;
    uint256 private constant MAX_TERMS = 1024;

    /// @dev Where the next byte lies in calldata, where the last one ends, and where the first one lay.
    struct Reader {
        uint256 place;
        uint256 end;
        uint256 start;
    }

    /// @notice Bytes that are no descriptor. `place` is how far they were read.
    error MalformedDescriptor(uint256 place);

    /// @notice The last axis of the output, 1 if it has none: what records distinguish at most.
    function channels(Operator memory operator) internal pure returns (uint256) {
        uint256 rank = operator.shape.length;
        return rank == 0 ? 1 : operator.shape[rank - 1];
    }

    /// @notice Every field, and nothing left over.
    function parse(bytes calldata data) internal pure returns (Operator memory operator) {
        Reader memory reader;
        assembly ("memory-safe") {
            mstore(reader, data.offset)
            mstore(add(reader, 32), add(data.offset, data.length))
            mstore(add(reader, 64), data.offset)
        }
        operator.kind = uint8(_number(reader, 1));
        if (operator.kind == 0 || operator.kind > Kind.REARRANGE) _refuse(reader);
        operator.dtype = _dtype(reader);
        (operator.shape, operator.size) = _shape(reader);
        operator.operands = new Operand[](_number(reader, 1));
        for (uint256 i; i < operator.operands.length; ++i) {
            _operand(reader, operator.operands[i]);
        }
        _attributes(reader, operator);
        _requantisation(reader, operator);
        operator.terms = _number(reader, 4);
        operator.tau = _number(reader, 4);
        uint256 tau = operator.tau;
        if (tau == 0 || tau > MAX_TERMS || tau & (tau - 1) != 0 || operator.terms == 0) _refuse(reader);
        if (reader.place != reader.end || data.length > MAX_BYTES) _refuse(reader);
    }

    function _operand(Reader memory reader, Operand memory operand) private pure {
        uint256 tag = _number(reader, 1);
        if (tag > 1) _refuse(reader);
        operand.isConstant = tag == 1;
        if (operand.isConstant) operand.root = bytes32(_number(reader, 32));
        else operand.index = _number(reader, 4);
        operand.dtype = _dtype(reader);
        (operand.shape, operand.size) = _shape(reader);
    }

    function _attributes(Reader memory reader, Operator memory operator) private pure {
        bytes6 signature = Kind.attributes(operator.kind);
        (uint256 numbers, uint256 lists) = (0, 0);
        operator.numbers = new int256[](3);
        operator.lists = new int256[][](4);
        for (uint256 i; i < 6 && signature[i] != 0; ++i) {
            if (signature[i] == "i") operator.numbers[numbers++] = _signed(reader);
            else operator.lists[lists++] = _list(reader, signature[i] == "m");
        }
    }

    /// @dev Numbers, or maps of four numbers each, side by side.
    function _list(Reader memory reader, bool ofMaps) private pure returns (int256[] memory list) {
        uint256 width = ofMaps ? 4 : 1;
        list = new int256[](_number(reader, 1) * width);
        for (uint256 i; i < list.length; ++i) {
            if (ofMaps && i % width == 0 && _number(reader, 1) != width) _refuse(reader);
            list[i] = _signed(reader);
        }
    }

    function _requantisation(Reader memory reader, Operator memory operator) private pure {
        operator.shift = _number(reader, 1);
        operator.low = _signed(reader);
        operator.high = _signed(reader);
        operator.records = bytes32(_number(reader, 32));
        if (operator.shift > MAX_SHIFT || operator.low > operator.high) _refuse(reader);
        if (Kind.requantises(operator.kind)) return;
        bool whole = operator.low == type(int64).min && operator.high == type(int64).max;
        // INVARIANT: what moves or chooses values stores them as they are; there is one way to write that.
        if (!whole || operator.shift != 0 || operator.records != 0) _refuse(reader);
    }

    function _dtype(Reader memory reader) private pure returns (uint8 dtype) {
        dtype = uint8(_number(reader, 1));
        if (dtype > 3) _refuse(reader);
    }

    /// @dev INVARIANT: 1 <= size <= 2^31, so that no position of an element overflows.
    function _shape(Reader memory reader) private pure returns (uint256[] memory shape, uint256 size) {
        uint256 rank = _number(reader, 1);
        if (rank > MAX_RANK) _refuse(reader);
        shape = new uint256[](rank);
        size = 1;
        for (uint256 i; i < rank; ++i) {
            shape[i] = _number(reader, 4);
            size *= shape[i];
            if (size == 0 || size > MAX_ELEMENTS) _refuse(reader);
        }
    }

    function _signed(Reader memory reader) private pure returns (int256) {
        return int64(uint64(_number(reader, 8)));
    }

    /// @dev The next `width` bytes, 1 to 32, big endian.
    function _number(Reader memory reader, uint256 width) private pure returns (uint256 word) {
        uint256 here = reader.place;
        unchecked {
            if (here + width > reader.end) _refuse(reader);
            reader.place = here + width;
            assembly ("memory-safe") {
                word := shr(sub(256, shl(3, width)), calldataload(here))
            }
        }
    }

    function _refuse(Reader memory reader) private pure {
        revert MalformedDescriptor(reader.place - reader.start);
    }
}
