// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Trace} from "./ClaimState.sol";
import {InputForm, OutputForm, Program} from "./Forms.sol";
import {Described, Leaf} from "./GameState.sol";

/// @title Programs that can be asked for: rules 4, 5 and 53 of docs/protocol.md.
/// @notice An id says what a program is, and this contract what of it a request, an assertion or a game has to know. Anybody
/// registers: the id is made here, out of what is given. That descriptors under the root are well formed it does not say; an
/// operator whose descriptor is not cannot be defended, so nobody should assert anything of such a program. What is shown of a
/// program's tensors is checked here, too; what follows from it is OptimisticClaims' to say.
interface IProgramRegistry {
    /// @notice A program is known from now on.
    event Registered(bytes32 indexed programId, address indexed sender, uint8 inputs, uint32 operators);
    /// @notice Somebody says where the program's files lie. Whoever watches it fetches them and compares the id.
    event Published(bytes32 indexed programId, address indexed sender, string contentAddress);

    /// @notice Once is enough: the time of the first registration counts.
    error AlreadyRegistered(bytes32 programId);
    /// @notice Nobody has registered it.
    error UnknownProgram(bytes32 programId);
    /// @notice The header's bytes are not those of rule 4; `place` is where reading stopped.
    error MalformedHeader(uint256 place, string rule);
    /// @notice There is one descriptor for each output that the header names, empty for an output that is an input.
    error WrongDescriptors(uint256 wanted, uint256 given);
    /// @notice The descriptor of an output does not lie under the root.
    error DescriptorNotUnderRoot(uint256 output);

    /// @notice Another number of inputs, outputs, paths or siblings than there are, or an index beyond them.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice A tensor, or a leaf, of another length than the program fixes.
    error WrongLength(uint256 index, uint256 wanted, uint256 given);
    /// @notice An integer outside the interval that the program declares.
    error OutsideInterval(uint256 input, uint256 element, int256 value);
    /// @notice A tensor is not where the program has it under the trace root.
    error NotInTrace(uint256 index, bytes32 traceRoot);
    /// @notice What was shown does not hash up to this root.
    error NotUnderRoot(bytes32 root);
    /// @notice The operand is a tensor of the trace.
    error NotConstant(uint8 operand);

    /// @notice Registers a program.
    /// @param header Its bytes, rule 4.
    /// @param salt Zero unless weights are hidden.
    /// @param descriptorsRoot merkle(descriptors), rule 4.
    /// @param outputs The descriptor of each output's operator, opened under the root; empty for an output that is an input.
    /// @param contentAddress Where its files lie, such as an IPFS address.
    /// @return programId Rule 4.
    function register(
        bytes calldata header,
        bytes32 salt,
        bytes32 descriptorsRoot,
        Described[] calldata outputs,
        string calldata contentAddress
    ) external returns (bytes32 programId);

    /// @notice Says where the files of a registered program lie; the first address may be wrong, or vanish.
    function publish(bytes32 programId, string calldata contentAddress) external;

    /// @notice What is known of a program. Reverts if it is not registered.
    function program(bytes32 programId) external view returns (Program memory);

    /// @notice What the program fixes of its inputs and outputs. Reverts if it is not registered.
    function forms(bytes32 programId) external view returns (InputForm[] memory, OutputForm[] memory);

    /// @notice The roots of inputs, rule 2. Reverts unless they are as long, and their integers as small, as declared; rule 11.
    function rootsOfInputs(bytes32 programId, bytes[] calldata inputs) external view returns (bytes32[] memory roots);

    /// @notice The roots of outputs, rule 2. Reverts unless they are as long as the program fixes.
    function rootsOfOutputs(bytes32 programId, bytes[] calldata outputs) external view returns (bytes32[] memory roots);

    /// @notice Rule 12: reverts unless inputs and outputs are leaves of the trace, where the program has them.
    function checkTrace(bytes32 programId, Trace calldata trace, bytes32[] calldata outputRoots) external view;

    /// @notice An element of an input that is known by its root, out of the leaf that holds it; rule 33.
    /// @param leaf That holds it, and its siblings up to the root of the tensor's tree.
    /// @return value The integer.
    /// @return isLegal Whether it lies in the declared interval.
    function inputElement(bytes32 programId, uint256 input, bytes32 root, uint256 element, Leaf calldata leaf)
        external
        view
        returns (int256 value, bool isLegal);

    /// @notice A constant of the program, as an operand of one of its operators.
    /// @param operator Index, from 0.
    /// @param descriptor Of that operator, opened.
    function constantOf(bytes32 programId, uint32 operator, Described calldata descriptor, uint8 operand)
        external
        view
        returns (bytes32 root, uint8 dtype, uint64 nbytes);
}
