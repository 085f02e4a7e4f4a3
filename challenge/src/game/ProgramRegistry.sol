// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {Descriptor, Operand} from "../step/Descriptor.sol";
import {ISteps} from "../step/ISteps.sol";
import {TensorReader} from "../TensorReader.sol";
import {TensorRoot} from "../TensorRoot.sol";
import {Trace} from "./ClaimState.sol";
import {InputForm, OutputForm, Program} from "./Forms.sol";
import {Described, Leaf} from "./GameState.sol";
import {Header} from "./Header.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";

/// @title Programs that can be asked for: rules 4, 5 and 53 of docs/protocol.md.
contract ProgramRegistry is IProgramRegistry {
    /// @notice Reads descriptors.
    ISteps public immutable STEPS;

    mapping(bytes32 programId => Program) private _programs;

    constructor(ISteps steps) {
        STEPS = steps;
    }

    /// @inheritdoc IProgramRegistry
    function register(
        bytes calldata header,
        bytes32 salt,
        bytes32 descriptorsRoot,
        Described[] calldata descriptors,
        string calldata contentAddress
    ) external returns (bytes32 programId) {
        programId = Ids.program(salt, keccak256(header), descriptorsRoot);
        // INVARIANT: written once, from bytes that the id is made of; who sends them, and when again, changes nothing.
        if (_programs[programId].registered != 0) revert AlreadyRegistered(programId);
        (InputForm[] memory inputs, uint32 operators, OutputForm[] memory outputs) = Header.parse(header);
        _open(inputs, operators, outputs, descriptorsRoot, descriptors);
        _programs[programId] = Program({
            descriptorsRoot: descriptorsRoot,
            forms: SSTORE2.write(abi.encode(inputs, outputs)),
            registered: uint40(block.timestamp),
            operators: operators,
            inputs: uint8(inputs.length),
            hidden: salt != 0,
            inputBytes: _sum(inputs),
            outputBytes: _sum(outputs)
        });
        emit Registered(programId, msg.sender, uint8(inputs.length), operators);
        emit Published(programId, msg.sender, contentAddress);
    }

    /// @inheritdoc IProgramRegistry
    function publish(bytes32 programId, string calldata contentAddress) external {
        program(programId);
        emit Published(programId, msg.sender, contentAddress);
    }

    // ---- what is shown of a program's tensors ----------------------------------------------------------------------------

    /// @inheritdoc IProgramRegistry
    function rootsOfInputs(bytes32 programId, bytes[] calldata inputs) external view returns (bytes32[] memory roots) {
        (InputForm[] memory wanted,) = forms(programId);
        if (inputs.length != wanted.length) revert WrongCount(wanted.length, inputs.length);
        roots = new bytes32[](inputs.length);
        for (uint256 i; i < inputs.length; ++i) {
            _checkLength(i, wanted[i].nbytes, inputs[i].length);
            _checkInterval(wanted[i], i, inputs[i]);
            roots[i] = TensorRoot.ofTensor(wanted[i].dtype, inputs[i]);
        }
    }

    /// @inheritdoc IProgramRegistry
    function rootsOfOutputs(bytes32 programId, bytes[] calldata outputs)
        external
        view
        returns (bytes32[] memory roots)
    {
        (, OutputForm[] memory wanted) = forms(programId);
        if (outputs.length != wanted.length) revert WrongCount(wanted.length, outputs.length);
        roots = new bytes32[](outputs.length);
        for (uint256 i; i < outputs.length; ++i) {
            _checkLength(i, wanted[i].nbytes, outputs[i].length);
            roots[i] = TensorRoot.ofTensor(wanted[i].dtype, outputs[i]);
        }
    }

    /// @inheritdoc IProgramRegistry
    function checkTrace(bytes32 programId, Trace calldata trace, bytes32[] calldata outputRoots) external view {
        (InputForm[] memory given, OutputForm[] memory wanted) = forms(programId);
        uint256 inputs = given.length;
        uint32 count = uint32(inputs) + program(programId).operators;
        if (trace.inputRoots.length != inputs) revert WrongCount(inputs, trace.inputRoots.length);
        if (outputRoots.length != wanted.length) revert WrongCount(wanted.length, outputRoots.length);
        if (trace.paths.length != inputs + wanted.length) {
            revert WrongCount(inputs + wanted.length, trace.paths.length);
        }
        for (uint256 i; i < inputs; ++i) {
            _checkLeaf(trace.root, count, trace.inputRoots[i], i, trace.paths[i]);
        }
        for (uint256 i; i < wanted.length; ++i) {
            _checkLeaf(trace.root, count, outputRoots[i], wanted[i].index, trace.paths[inputs + i]);
        }
    }

    /// @inheritdoc IProgramRegistry
    function inputElement(bytes32 programId, uint256 input, bytes32 root, uint256 element, Leaf calldata leaf)
        external
        view
        returns (int256 value, bool isLegal)
    {
        (InputForm[] memory all,) = forms(programId);
        if (input >= all.length) revert WrongCount(all.length, input);
        InputForm memory form = all[input];
        if (element >= form.nbytes >> form.dtype) revert WrongCount(form.nbytes >> form.dtype, element);
        uint256 place = (element << form.dtype) / Merkle.LEAF_BYTES;
        uint256 left = form.nbytes - place * Merkle.LEAF_BYTES;
        _checkLength(place, left < Merkle.LEAF_BYTES ? left : Merkle.LEAF_BYTES, leaf.data.length);
        _checkSiblings(Merkle.depth(Merkle.leafCount(form.nbytes)), leaf.siblings);
        bytes32 top = Merkle.climb(Merkle.leaf(leaf.data), place, leaf.siblings);
        if (Merkle.tensor(form.dtype, form.nbytes, top) != root) revert NotUnderRoot(root);
        value = TensorReader.element(leaf.data, form.dtype, element - ((place * Merkle.LEAF_BYTES) >> form.dtype));
        isLegal = form.low <= value && value <= form.high;
    }

    /// @inheritdoc IProgramRegistry
    function constantOf(bytes32 programId, uint32 operator, Described calldata descriptor, uint8 operand)
        external
        view
        returns (bytes32 root, uint8 dtype, uint64 nbytes)
    {
        Program memory known = program(programId);
        if (operator >= known.operators) revert WrongCount(known.operators, operator);
        _checkSiblings(Merkle.depth(known.operators), descriptor.siblings);
        bytes32 top = Merkle.climb(Ids.descriptor(descriptor.data), operator, descriptor.siblings);
        if (top != known.descriptorsRoot) revert NotUnderRoot(known.descriptorsRoot);
        Operand[] memory operands = Descriptor.parse(descriptor.data).operands;
        if (operand >= operands.length) revert WrongCount(operands.length, operand);
        Operand memory read = operands[operand];
        if (!read.isConstant) revert NotConstant(operand);
        // INVARIANT: at most 2^31 elements of 8 bytes, which the descriptor was read for.
        return (read.root, read.dtype, uint64(read.size << read.dtype));
    }

    /// @inheritdoc IProgramRegistry
    function forms(bytes32 programId) public view returns (InputForm[] memory, OutputForm[] memory) {
        return abi.decode(SSTORE2.read(program(programId).forms), (InputForm[], OutputForm[]));
    }

    /// @inheritdoc IProgramRegistry
    function program(bytes32 programId) public view returns (Program memory known) {
        known = _programs[programId];
        if (known.registered == 0) revert UnknownProgram(programId);
    }

    /// @dev Fills in dtype and length of each output, from the descriptor of its operator.
    function _open(
        InputForm[] memory inputs,
        uint32 operators,
        OutputForm[] memory outputs,
        bytes32 descriptorsRoot,
        Described[] calldata descriptors
    ) private view {
        if (descriptors.length != outputs.length) {
            revert WrongDescriptors(outputs.length, descriptors.length);
        }
        for (uint256 i; i < outputs.length; ++i) {
            uint256 index = outputs[i].index;
            Described calldata opened = descriptors[i];
            if (index < inputs.length) {
                // Nothing is left over: what is not asked for is not given.
                if (opened.data.length + opened.siblings.length != 0) revert DescriptorNotUnderRoot(i);
                (outputs[i].dtype, outputs[i].nbytes) = (inputs[index].dtype, inputs[index].nbytes);
                continue;
            }
            bytes32 leaf = Ids.descriptor(opened.data);
            bytes32 root = Merkle.climb(leaf, index - inputs.length, opened.siblings);
            if (root != descriptorsRoot || opened.siblings.length != Merkle.depth(operators)) {
                revert DescriptorNotUnderRoot(i);
            }
            (, outputs[i].dtype, outputs[i].nbytes,,) = STEPS.form(opened.data);
        }
    }

    function _sum(InputForm[] memory all) private pure returns (uint64 total) {
        for (uint256 i; i < all.length; ++i) {
            total += all[i].nbytes;
        }
    }

    function _sum(OutputForm[] memory all) private pure returns (uint64 total) {
        for (uint256 i; i < all.length; ++i) {
            total += all[i].nbytes;
        }
    }

    function _checkInterval(InputForm memory form, uint256 input, bytes calldata data) private pure {
        (uint8 dtype, int256 low, int256 high) = (form.dtype, form.low, form.high);
        if (dtype == 0 && low == 0 && high == 255) return; // every byte is legal
        uint256 count = data.length >> dtype;
        for (uint256 i; i < count; ++i) {
            int256 value = TensorReader.element(data, dtype, i);
            if (value < low || value > high) revert OutsideInterval(input, i, value);
        }
    }

    function _checkLeaf(bytes32 traceRoot, uint32 count, bytes32 leaf, uint256 index, bytes32[] calldata path)
        private
        pure
    {
        _checkSiblings(Merkle.depth(count), path);
        // INVARIANT: who lies in the output alone finds no path, so cannot post it.
        if (Merkle.trace(count, Merkle.climb(leaf, index, path)) != traceRoot) revert NotInTrace(index, traceRoot);
    }

    function _checkLength(uint256 index, uint256 wanted, uint256 given) private pure {
        if (wanted != given) revert WrongLength(index, wanted, given);
    }

    function _checkSiblings(uint256 wanted, bytes32[] calldata siblings) private pure {
        if (siblings.length != wanted) revert WrongCount(wanted, siblings.length);
    }
}
