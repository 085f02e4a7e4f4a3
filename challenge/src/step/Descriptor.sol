// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {CanonicalBytes, Reader} from "./CanonicalBytes.sol";
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
    using CanonicalBytes for Reader;

    uint256 private constant MAX_BYTES = 640;
    uint256 private constant MAX_SHIFT = 62;
    uint256 private constant MAX_TERMS = 1024;
    /// @dev Bytes of shift, bounds, root of the records, terms and tau.
    uint256 private constant TAIL = 57;

    /// @notice The last axis of the output, 1 if it has none: what records distinguish at most.
    function channels(Operator memory operator) internal pure returns (uint256) {
        uint256 rank = operator.shape.length;
        return rank == 0 ? 1 : operator.shape[rank - 1];
    }

    /// @notice Every field, and nothing left over.
    function parse(bytes calldata data) internal pure returns (Operator memory operator) {
        Reader memory reader = CanonicalBytes.reader(data);
        _head(reader, operator);
        uint256 count = reader.number(1);
        operator.operands = new Operand[](count);
        for (uint256 i; i < count; ++i) {
            _operand(reader, operator.operands[i]);
        }
        _attributes(reader, operator);
        _tail(reader, operator);
        if (data.length > MAX_BYTES) reader.refuse();
    }

    /// @notice Kind, output, requantisation and pieces, which are all that `finish` needs: neither operands nor attributes.
    /// @dev Whether what lies between is well formed was said by `parse`, when the descriptor was accepted.
    function outline(bytes calldata data) internal pure returns (Operator memory operator) {
        Reader memory reader = CanonicalBytes.reader(data);
        _head(reader, operator);
        if (reader.place + TAIL > reader.end) reader.refuse();
        reader.place = reader.end - TAIL;
        _tail(reader, operator);
    }

    function _head(Reader memory reader, Operator memory operator) private pure {
        operator.kind = uint8(reader.number(1));
        if (operator.kind == 0 || operator.kind > Kind.REARRANGE) reader.refuse();
        operator.dtype = reader.dtype();
        (operator.shape, operator.size) = reader.shape();
    }

    function _operand(Reader memory reader, Operand memory operand) private pure {
        uint256 tag = reader.number(1);
        if (tag > 1) reader.refuse();
        operand.isConstant = tag == 1;
        if (tag == 1) operand.root = bytes32(reader.number(32));
        else operand.index = reader.number(4);
        operand.dtype = reader.dtype();
        (operand.shape, operand.size) = reader.shape();
    }

    function _attributes(Reader memory reader, Operator memory operator) private pure {
        uint256 signature = uint48(Kind.attributes(operator.kind));
        operator.numbers = new int256[](3);
        operator.lists = new int256[][](4);
        (uint256 numbers, uint256 lists) = (0, 0);
        unchecked {
            for (uint256 letter; signature != 0; signature = (signature << 8) & type(uint48).max) {
                letter = signature >> 40;
                if (letter == uint8(bytes1("i"))) operator.numbers[numbers++] = reader.signed();
                else operator.lists[lists++] = letter == uint8(bytes1("l")) ? _list(reader) : _maps(reader);
            }
        }
    }

    function _list(Reader memory reader) private pure returns (int256[] memory list) {
        uint256 count = reader.number(1);
        list = new int256[](count);
        _signedInto(reader, list, 0, count);
    }

    /// @dev Maps of four numbers each, side by side.
    function _maps(Reader memory reader) private pure returns (int256[] memory list) {
        uint256 count = reader.number(1) * 4;
        list = new int256[](count);
        for (uint256 i; i < count; i += 4) {
            if (reader.number(1) != 4) reader.refuse();
            _signedInto(reader, list, i, 4);
        }
    }

    /// @dev INVARIANT: the list has room for `count` numbers from `first` on.
    function _signedInto(Reader memory reader, int256[] memory list, uint256 first, uint256 count) private pure {
        uint256 source = reader.taken(8 * count);
        assembly ("memory-safe") {
            let to := add(list, mul(32, add(first, 1)))
            for { let end := add(source, mul(8, count)) } lt(source, end) { source := add(source, 8) } {
                mstore(to, signextend(7, shr(192, calldataload(source))))
                to := add(to, 32)
            }
        }
    }

    function _tail(Reader memory reader, Operator memory operator) private pure {
        (uint256 shift, int256 low, int256 high) = (reader.number(1), reader.signed(), reader.signed());
        bytes32 records = bytes32(reader.number(32));
        if (shift > MAX_SHIFT || low > high) reader.refuse();
        // INVARIANT: what has no records stores values as they are, as does what moves or chooses them: one way to write that.
        bool isIdentity = low == type(int64).min && high == type(int64).max && shift == 0 && records == 0;
        if (!isIdentity && (records == 0 || !Kind.requantises(operator.kind))) reader.refuse();
        (operator.shift, operator.low, operator.high, operator.records) = (shift, low, high, records);
        (uint256 terms, uint256 tau) = (reader.number(4), reader.number(4));
        if (terms == 0 || tau == 0 || tau > MAX_TERMS || tau & (tau - 1) != 0) reader.refuse();
        if (reader.place != reader.end) reader.refuse();
        (operator.terms, operator.tau) = (terms, tau);
    }
}
