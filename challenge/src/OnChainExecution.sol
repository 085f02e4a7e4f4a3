// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {Merkle} from "./Merkle.sol";
import {TensorReader} from "./TensorReader.sol";
import {TensorRoot} from "./TensorRoot.sol";
import {CanonicalBytes, Reader} from "./step/CanonicalBytes.sol";
import {Descriptor, Operand, Operator} from "./step/Descriptor.sol";
import {IStep} from "./step/IStep.sol";
import {Steps} from "./step/Steps.sol";

/// @title Programs small enough to be run by the chain itself, rule 40: no proof, no game, nobody to trust.
/// @notice Constants are code, a program is a plan of calls to the operators' step contracts, and a run is one call. The element
/// functions are those of the dispute game; what a run costs grows with the operators' terms, a few dozen gas each.
contract OnChainExecution {
    using CanonicalBytes for Reader;

    /// @notice An operand: a constant's data contract, or, where that is zero, a tensor of the trace.
    struct Source {
        address constantData;
        uint256 index;
    }

    /// @notice One operator. `records` is the data contract of its requantisation records, zero where it has none.
    struct Operation {
        address step;
        bytes descriptor;
        Source[] operands;
        address records;
    }

    /// @notice An input's type, number of elements, and interval.
    struct Input {
        uint8 dtype;
        uint256 size;
        int256 low;
        int256 high;
    }

    /// @notice A program as it is run. outputs: indices in the trace; dtypes: of every tensor of it.
    struct Plan {
        Input[] inputs;
        Operation[] operations;
        uint256[] outputs;
        uint8[] dtypes;
    }

    uint8 private constant I64 = 3;

    /// @notice The router whose step contracts are called.
    Steps public immutable STEPS;

    /// @notice Where the bytes of a constant, or of records, are: by their tensor root.
    mapping(bytes32 root => address) public dataOf;

    mapping(bytes32 programId => address) private _plans;

    /// @notice A constant is on chain.
    event Stored(bytes32 indexed root, address data);
    /// @notice A program can be run.
    event Registered(bytes32 indexed programId);
    /// @notice The chain ran a program: the claim of rule 8, everything public, is true.
    event Executed(bytes32 indexed claimId, bytes32 indexed programId);

    /// @notice A type that is none.
    error NoSuchDtype(uint8 dtype);
    /// @notice A constant, or records, that nobody has stored.
    error NotStored(bytes32 root);
    /// @notice A header and descriptors that contradict each other; `rule` says how.
    error BadProgram(string rule);
    /// @notice A program that nobody has registered.
    error UnknownProgram(bytes32 programId);
    /// @notice Another number of inputs than the program has.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice An input of another length than the program fixes.
    error WrongLength(uint256 input, uint256 wanted, uint256 given);
    /// @notice An integer outside the interval that the program declares.
    error OutsideInterval(uint256 input, uint256 index, int256 value);

    constructor(Steps steps) {
        STEPS = steps;
    }

    /// @notice Puts a constant, or requantisation records, on chain. At most 24,575 bytes, the size of a contract.
    function store(uint8 dtype, bytes calldata data) external returns (bytes32 root) {
        if (dtype > 3) revert NoSuchDtype(dtype);
        root = TensorRoot.ofTensor(dtype, data);
        // INVARIANT: bytes are found by their root alone, so that it does not matter who stored them.
        if (dataOf[root] != address(0)) return root;
        address data_ = SSTORE2.write(data);
        dataOf[root] = data_;
        emit Stored(root, data_);
    }

    /// @notice Makes a program runnable. Anybody may: the id follows from the bytes, rule 4.
    function register(bytes32 salt, bytes calldata header, bytes[] calldata descriptors)
        external
        returns (bytes32 programId)
    {
        Plan memory plan;
        _readHeader(plan, header, descriptors.length);
        bytes32[] memory leaves = new bytes32[](descriptors.length);
        uint256[] memory sizes = new uint256[](plan.dtypes.length);
        for (uint256 i; i < plan.inputs.length; ++i) {
            sizes[i] = plan.inputs[i].size;
        }
        for (uint256 i; i < descriptors.length; ++i) {
            leaves[i] = keccak256(abi.encodePacked(hex"21", descriptors[i]));
            _plan(plan, sizes, i, descriptors[i]);
        }
        bytes32 root = Merkle.root(leaves);
        programId = keccak256(abi.encodePacked(hex"20", "vml.program", uint16(1), salt, keccak256(header), root));
        if (_plans[programId] != address(0)) return programId;
        _plans[programId] = SSTORE2.write(abi.encode(plan));
        emit Registered(programId);
    }

    /// @notice Whether a program can be run.
    function isRegistered(bytes32 programId) external view returns (bool) {
        return _plans[programId] != address(0);
    }

    /// @notice `run` as a transaction that leaves an event.
    function execute(bytes32 programId, bytes[] calldata inputs)
        external
        returns (bytes32 claimId, bytes[] memory outputs)
    {
        (claimId, outputs) = run(programId, inputs);
        emit Executed(claimId, programId);
    }

    /// @notice The outputs of a program on public inputs, and the id of the claim that says so.
    function run(bytes32 programId, bytes[] calldata inputs)
        public
        view
        returns (bytes32 claimId, bytes[] memory outputs)
    {
        address place = _plans[programId];
        if (place == address(0)) revert UnknownProgram(programId);
        Plan memory plan = abi.decode(SSTORE2.read(place), (Plan));
        bytes[] memory trace = _inputs(plan, inputs);
        for (uint256 i; i < plan.operations.length; ++i) {
            trace[inputs.length + i] = _evaluate(plan.operations[i], trace);
        }
        outputs = new bytes[](plan.outputs.length);
        for (uint256 i; i < outputs.length; ++i) {
            outputs[i] = trace[plan.outputs[i]];
        }
        claimId = keccak256(
            abi.encodePacked(hex"10", programId, _commitments(plan, inputs), _roots(plan, outputs), uint8(0))
        );
    }

    function _evaluate(Operation memory operation, bytes[] memory trace) private view returns (bytes memory) {
        bytes[] memory operands = new bytes[](operation.operands.length);
        for (uint256 i; i < operands.length; ++i) {
            Source memory source = operation.operands[i];
            operands[i] = source.constantData == address(0) ? trace[source.index] : SSTORE2.read(source.constantData);
        }
        bytes memory records = operation.records == address(0) ? bytes("") : SSTORE2.read(operation.records);
        return IStep(operation.step).evaluate(operation.descriptor, operands, records);
    }

    /// @dev The trace with its inputs, each of its length and within its interval, and room for the rest.
    function _inputs(Plan memory plan, bytes[] calldata inputs) private pure returns (bytes[] memory trace) {
        if (inputs.length != plan.inputs.length) revert WrongCount(plan.inputs.length, inputs.length);
        trace = new bytes[](plan.dtypes.length);
        for (uint256 i; i < inputs.length; ++i) {
            Input memory input = plan.inputs[i];
            uint256 nbytes = input.size << input.dtype;
            if (inputs[i].length != nbytes) revert WrongLength(i, nbytes, inputs[i].length);
            for (uint256 j; j < input.size; ++j) {
                int256 value = TensorReader.element(inputs[i], input.dtype, j);
                if (value < input.low || value > input.high) revert OutsideInterval(i, j, value);
            }
            trace[i] = inputs[i];
        }
    }

    /// @dev Rules 7 and 8: count u8 || (scheme 0, tensor root)...
    function _commitments(Plan memory plan, bytes[] calldata inputs) private pure returns (bytes memory list) {
        list = abi.encodePacked(uint8(inputs.length));
        for (uint256 i; i < inputs.length; ++i) {
            list = abi.encodePacked(list, hex"00", TensorRoot.ofTensor(plan.inputs[i].dtype, inputs[i]));
        }
    }

    /// @dev Rule 8: count u8 || tensor roots...
    function _roots(Plan memory plan, bytes[] memory outputs) private view returns (bytes memory list) {
        list = abi.encodePacked(uint8(outputs.length));
        for (uint256 i; i < outputs.length; ++i) {
            list = abi.encodePacked(list, this.rootOf(plan.dtypes[plan.outputs[i]], outputs[i]));
        }
    }

    /// @notice Rule 2.
    function rootOf(uint8 dtype, bytes calldata data) external pure returns (bytes32) {
        return TensorRoot.ofTensor(dtype, data);
    }

    function _readHeader(Plan memory plan, bytes calldata header, uint256 operators) private pure {
        Reader memory reader = CanonicalBytes.reader(header);
        plan.inputs = new Input[](reader.number(1));
        plan.dtypes = new uint8[](plan.inputs.length + operators);
        for (uint256 i; i < plan.inputs.length; ++i) {
            Input memory input = plan.inputs[i];
            input.dtype = reader.dtype();
            (, input.size) = reader.shape();
            (input.low, input.high) = (reader.signed(), reader.signed());
            reader.number(32); // the root of its encoding: how reals become integers is the caller's
            plan.dtypes[i] = input.dtype;
        }
        if (reader.number(4) != operators || operators == 0) revert BadProgram("number of operators");
        plan.outputs = new uint256[](reader.number(1));
        for (uint256 i; i < plan.outputs.length; ++i) {
            plan.outputs[i] = reader.number(4);
            if (plan.outputs[i] >= plan.dtypes.length) revert BadProgram("output");
            reader.number(32); // the root of its decoding
        }
        reader.number(2); // depth and levels, which the dispute game needs
        reader.close();
    }

    /// @dev Operator `i`: its contract, and where its operands are.
    function _plan(Plan memory plan, uint256[] memory sizes, uint256 i, bytes calldata descriptor) private view {
        Operator memory operator = Descriptor.parse(descriptor);
        if (plan.operations.length == 0) plan.operations = new Operation[](sizes.length - plan.inputs.length);
        Operation memory operation = plan.operations[i];
        uint256 own = plan.inputs.length + i;
        operation.step = STEPS.step(operator.kind);
        operation.descriptor = descriptor;
        operation.operands = new Source[](operator.operands.length);
        for (uint256 j; j < operator.operands.length; ++j) {
            Operand memory operand = operator.operands[j];
            if (operand.isConstant) {
                operation.operands[j].constantData = _stored(operand.root, operand.dtype);
                continue;
            }
            // INVARIANT: an operator reads what stands before it, as the tensor that it is.
            bool isTensor = operand.index < own && sizes[operand.index] == operand.size;
            if (!isTensor || plan.dtypes[operand.index] != operand.dtype) revert BadProgram("operand");
            operation.operands[j].index = operand.index;
        }
        if (operator.records != 0) operation.records = _stored(operator.records, I64);
        // INVARIANT: what the operator's contract would refuse on every run is not registered.
        IStep(operation.step).form(descriptor);
        (sizes[own], plan.dtypes[own]) = (operator.size, operator.dtype);
    }

    function _stored(bytes32 root, uint8 dtype) private view returns (address data) {
        data = dataOf[root];
        if (data == address(0)) revert NotStored(root);
        // INVARIANT: what is run is what a dispute would open: the bytes are read as the type that their root names.
        if (this.rootOf(dtype, SSTORE2.read(data)) != root) revert BadProgram("constant");
    }
}
