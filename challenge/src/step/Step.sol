// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {TensorReader} from "../TensorReader.sol";
import {Descriptor, Operator} from "./Descriptor.sol";
import {Factor} from "./Dot.sol";
import {IStep} from "./IStep.sol";
import {Accumulator, Opening, Run, Statement} from "./ISteps.sol";
import {Kind} from "./Kind.sol";
import {Opened, Openings} from "./Openings.sol";
import {Positions} from "./Positions.sol";
import {Requantise} from "./Requantise.sol";

/// @notice Terms [first, end) of one element, with what is known of the operands.
/// @param coefficients Of add, where in memory they lie: an i16 an operand.
struct Piece {
    Operator operator;
    uint256 element;
    uint256 first;
    uint256 end;
    Opened[] opened;
    uint256 coefficients;
}

/// @title What all operators' steps share: the twin of `verifiable_ml/dispute/step.py`.
abstract contract Step is IStep {
    /// @dev No accumulator reaches it, rule 31: 1,024 products of two centred i64 stay below 2^139, and scaled below 2^255.
    int256 private constant LIMIT = 1 << 190;

    /// @dev Bytes of a record before the coefficients of add.
    uint256 private constant MULTIPLIER_AND_OFFSET = 16;

    /// @notice A descriptor of another operator.
    error NotThisOperator(uint8 kind);
    /// @notice Shapes, attributes and number of terms of a descriptor that do not fit together.
    error Unfit();
    /// @notice An element that the output does not have.
    error NoSuchElement(uint256 element, uint256 size);
    /// @notice A piece that an element does not have.
    error NoSuchPiece(uint256 piece, uint256 pieces);
    /// @notice Another number of openings than the operator has operands.
    error WrongOpenings(uint256 wanted, uint256 given);
    /// @notice An accumulator beyond 190 bits.
    error TooWide();
    /// @notice Records that are neither one nor one a channel.
    error WrongRecords();
    /// @notice A value that the output's type does not hold.
    error OutsideDtype(int256 value);
    /// @notice An operand outside of the operator's domain, rule 32.
    error OutsideDomain(int256 value);

    /// @inheritdoc IStep
    function form(bytes calldata descriptor)
        external
        pure
        returns (uint8 code, uint8 dtype, uint64 nbytes, uint32 terms, uint32 tau)
    {
        Operator memory operator = _parse(descriptor);
        nbytes = uint64(operator.size << operator.dtype);
        return (operator.kind, operator.dtype, nbytes, uint32(operator.terms), uint32(operator.tau));
    }

    /// @inheritdoc IStep
    function advance(
        Statement calldata statement,
        Opening[] calldata operands,
        Run calldata record,
        Accumulator calldata start
    ) external pure returns (Accumulator memory end) {
        Piece memory piece;
        piece.operator = _parse(statement.descriptor);
        _checkElement(piece.operator, statement.element);
        piece.element = statement.element;
        _bound(piece, statement.piece);
        _checkAccumulator(start);
        uint256 count = piece.operator.operands.length;
        if (operands.length != count) revert WrongOpenings(count, operands.length);
        piece.opened = new Opened[](count);
        for (uint256 i; i < count; ++i) {
            piece.opened[i] = Openings.open(statement, piece.operator.operands[i], operands[i]);
        }
        if (kind() == Kind.ADD) {
            piece.coefficients = Requantise.open(piece.operator, piece.element, record) + MULTIPLIER_AND_OFFSET;
        }
        return _accumulate(piece, start);
    }

    /// @inheritdoc IStep
    function evaluate(bytes calldata descriptor, bytes[] calldata operands, bytes calldata records)
        external
        pure
        returns (bytes memory output)
    {
        Piece memory piece;
        Operator memory operator = _parse(descriptor);
        piece.operator = operator;
        piece.opened = _whole(operator, operands);
        (uint256 table, uint256 channels) = _table(operator, records);
        uint256 size = Requantise.recordBytes(operator);
        output = new bytes(operator.size << operator.dtype);
        for (uint256 element; element < operator.size; ++element) {
            uint256 entry = table + (element % channels) * size;
            (piece.element, piece.coefficients) = (element, entry + MULTIPLIER_AND_OFFSET);
            int256 value = _element(piece);
            if (operator.records != 0) value = Requantise.applied(operator, value, entry);
            if (!TensorReader.store(output, operator.dtype, element, value)) revert OutsideDtype(value);
        }
    }

    /// @inheritdoc IStep
    function finish(bytes calldata descriptor, uint256 element, Accumulator calldata accumulator, Run calldata record)
        external
        pure
        returns (int256)
    {
        Operator memory operator = Descriptor.outline(descriptor);
        if (operator.kind != kind()) revert NotThisOperator(operator.kind);
        _checkElement(operator, element);
        _checkAccumulator(accumulator);
        int256 value = operator.kind == Kind.ARGMAX ? int256(accumulator.index) : accumulator.value;
        return Requantise.finish(operator, element, value, record);
    }

    /// @inheritdoc IStep
    function kind() public pure virtual returns (uint8);

    /// @dev Whether shapes, attributes and terms fit together, as `output_shape` and `terms` of the Python operator say.
    function _fits(Operator memory operator) internal pure virtual returns (bool);

    /// @dev The accumulator after the piece's terms.
    function _accumulate(Piece memory piece, Accumulator memory start)
        internal
        pure
        virtual
        returns (Accumulator memory);

    /// @dev `count` elements of an operand, centred by the zero point that stands at its place among the attributes.
    function _factor(Piece memory piece, uint256 operand, uint256 position, uint256 count)
        internal
        pure
        returns (Factor memory)
    {
        Opened memory opened = piece.opened[operand];
        return Factor(Openings.find(opened, position, count), opened.dtype, piece.operator.numbers[operand]);
    }

    /// @dev The element of a broadcast operand that the output's element reads.
    function _stretched(Piece memory piece, uint256 operand) internal pure returns (int256) {
        uint256[] memory shape = piece.operator.operands[operand].shape;
        uint256 position = Positions.stretched(piece.element, piece.operator.shape, shape);
        return Openings.read(piece.opened[operand], position);
    }

    /// @dev The piece's elements of the only operand, of which the terms of an element lie side by side.
    function _neighbours(Piece memory piece) internal pure returns (int256[] memory) {
        Opened memory opened = piece.opened[0];
        uint256 position = piece.element * piece.operator.terms + piece.first;
        uint256 count = piece.end - piece.first;
        return TensorReader.wide(Openings.find(opened, position, count), opened.dtype, count);
    }

    /// @dev Whether the output is the only operand without its `axes` innermost axes, whose entries are the terms.
    function _reduces(Operator memory operator, int256 axes) internal pure returns (bool) {
        uint256[] memory x = operator.operands[0].shape;
        if (axes < 1 || axes > int256(x.length)) return false;
        if (!Positions.keeps(operator.operands[0], operator.shape, uint256(axes))) return false;
        return operator.terms == Positions.product(x, operator.shape.length);
    }

    /// @dev One element, piece after piece, before it is requantised.
    function _element(Piece memory piece) private pure returns (int256 value) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        Accumulator memory accumulator = Accumulator(Kind.neutral(kind()), 0);
        uint256 pieces = (piece.operator.terms + piece.operator.tau - 1) / piece.operator.tau;
        for (uint256 i; i < pieces; ++i) {
            _bound(piece, i);
            accumulator = _accumulate(piece, accumulator);
        }
        value = kind() == Kind.ARGMAX ? int256(accumulator.index) : accumulator.value;
        // INVARIANT: of the memory that an element took, nothing is read after it.
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    /// @dev Operands of which every element is there.
    function _whole(Operator memory operator, bytes[] calldata operands) private pure returns (Opened[] memory opened) {
        uint256 count = operator.operands.length;
        if (operands.length != count) revert WrongOpenings(count, operands.length);
        opened = new Opened[](count);
        for (uint256 i; i < count; ++i) {
            opened[i] = Openings.whole(operator.operands[i], operands[i]);
        }
    }

    /// @dev Where in memory the records lie, and how many channels they distinguish; 1 if there are none.
    function _table(Operator memory operator, bytes calldata records) private pure returns (uint256 table, uint256) {
        uint256 channels = operator.records == 0 ? 0 : records.length / Requantise.recordBytes(operator);
        bool isTable = channels == 1 || channels == Descriptor.channels(operator);
        if (operator.records == 0) isTable = true;
        if (!isTable || records.length != channels * Requantise.recordBytes(operator)) revert WrongRecords();
        return (Openings.copied(records), channels == 0 ? 1 : channels);
    }

    function _parse(bytes calldata descriptor) private pure returns (Operator memory operator) {
        operator = Descriptor.parse(descriptor);
        if (operator.kind != kind()) revert NotThisOperator(operator.kind);
        // INVARIANT: what follows divides by nothing that is 0, and reads no axis that is not there.
        if (!_fits(operator)) revert Unfit();
    }

    function _checkElement(Operator memory operator, uint256 element) private pure {
        if (element >= operator.size) revert NoSuchElement(element, operator.size);
    }

    function _checkAccumulator(Accumulator calldata accumulator) private pure {
        int256 value = accumulator.value;
        if (value >= LIMIT || value <= -LIMIT || accumulator.index >= uint256(LIMIT)) revert TooWide();
    }

    function _bound(Piece memory piece, uint256 number) private pure {
        (uint256 terms, uint256 tau) = (piece.operator.terms, piece.operator.tau);
        uint256 pieces = (terms + tau - 1) / tau;
        if (number >= pieces) revert NoSuchPiece(number, pieces);
        piece.first = number * tau;
        piece.end = piece.first + tau < terms ? piece.first + tau : terms;
    }
}
