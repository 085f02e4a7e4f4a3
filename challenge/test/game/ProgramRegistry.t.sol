// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {InputForm, OutputForm, Program} from "../../src/game/Forms.sol";
import {Described, Leaf} from "../../src/game/GameState.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {ProgramRegistry} from "../../src/game/ProgramRegistry.sol";
import {Test} from "../Test.sol";
import {RealSteps} from "./RealSteps.sol";
import {ToySteps} from "./ToySteps.sol";
import {Tree, Trees} from "./Trees.sol";

/// @title What is registered is what the id says: rules 4, 5 and 53, properties 25, 31 and 35.
contract ProgramRegistry_Test is Test {
    ProgramRegistry private registry = new ProgramRegistry(new ToySteps());

    event Registered(bytes32 indexed programId, address indexed sender, uint8 inputs, uint32 operators);
    event Published(bytes32 indexed programId, address indexed sender, string contentAddress);

    // ---- a header of two inputs, three operators, two outputs -------------------------------------------------------------

    function _inputs() private pure returns (bytes memory) {
        bytes memory first = abi.encodePacked(uint8(0), uint8(2), uint32(5), uint32(60), int64(0), int64(255));
        bytes memory second = abi.encodePacked(uint8(2), uint8(0), int64(-32769), int64(7));
        return abi.encodePacked(uint8(2), first, keccak256("first"), second, keccak256("second"));
    }

    function _outputs(uint32 first, uint32 second) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), first, keccak256("a"), second, keccak256("b"));
    }

    function _header() private pure returns (bytes memory) {
        return abi.encodePacked(_inputs(), uint32(3), _outputs(4, 1), uint8(4), uint8(0));
    }

    function _descriptor(uint256 operator) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), uint8(3), uint64(80 * operator + 8), uint32(1), uint32(1), uint32(operator));
    }

    function _tree() private pure returns (Tree memory) {
        bytes32[] memory leaves = new bytes32[](3);
        for (uint256 i; i < 3; ++i) {
            leaves[i] = keccak256(abi.encodePacked(hex"21", _descriptor(i)));
        }
        return Trees.grow(leaves);
    }

    /// @dev The first output is operator 2, the second one input 1.
    function _opened() private pure returns (Described[] memory opened) {
        opened = new Described[](2);
        opened[0] = Described(_descriptor(2), Trees.siblings(_tree(), 0, 2, 2));
        opened[1] = Described("", new bytes32[](0));
    }

    function _register(bytes memory header) private returns (bytes32) {
        return registry.register(header, 0, Trees.root(_tree()), _opened(), "ipfs://program");
    }

    // ---- what is kept -----------------------------------------------------------------------------------------------------

    function test_register_wellFormed_keepsItsForms() external {
        vm.warp(12_345);
        bytes32 root = Trees.root(_tree());
        bytes32 wanted =
            keccak256(abi.encodePacked(hex"20", "vml.program", uint16(1), bytes32(0), keccak256(_header()), root));
        vm.expectEmit();
        emit Registered(wanted, address(this), 2, 3);
        vm.expectEmit();
        emit Published(wanted, address(this), "ipfs://program");
        assertEq(_register(_header()), wanted);
        Program memory known = registry.program(wanted);
        assertEq(known.descriptorsRoot, root);
        assertEq(uint256(known.registered), 12_345);
        assertEq(uint256(known.operators), 3);
        assertEq(uint256(known.inputs), 2);
        assertEq(uint256(known.inputBytes), 304);
        assertEq(uint256(known.outputBytes), 168 + 4);
        vm.assertTrue(!known.hidden, "no salt");
        (InputForm[] memory inputs, OutputForm[] memory outputs) = registry.forms(wanted);
        assertEq(inputs.length, 2);
        _isInput(inputs[0], 0, 300, 0, 255);
        _isInput(inputs[1], 2, 4, -32769, 7);
        assertEq(outputs.length, 2);
        _isOutput(outputs[0], 4, 3, 168);
        _isOutput(outputs[1], 1, 2, 4);
    }

    function _isInput(InputForm memory form, uint256 dtype, uint256 nbytes, int256 low, int256 high) private pure {
        assertEq(uint256(form.dtype), dtype);
        assertEq(uint256(form.nbytes), nbytes);
        assertEq(int256(form.low), low);
        assertEq(int256(form.high), high);
    }

    function _isOutput(OutputForm memory form, uint256 index, uint256 dtype, uint256 nbytes) private pure {
        assertEq(uint256(form.index), index);
        assertEq(uint256(form.dtype), dtype);
        assertEq(uint256(form.nbytes), nbytes);
    }

    /// @dev Property 25: who registers first decides nothing; other addresses of its files may follow.
    function test_register_twice_reverts() external {
        bytes32 programId = _register(_header());
        vm.warp(99);
        vm.prank(address(0xBAD));
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.AlreadyRegistered.selector, programId));
        _register(_header());
        vm.expectEmit();
        emit Published(programId, address(this), "https://elsewhere");
        registry.publish(programId, "https://elsewhere");
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.UnknownProgram.selector, bytes32(0)));
        registry.publish(0, "https://nowhere");
    }

    /// @dev Rule 33: the same of one integer that is shown.
    function test_inputElement_aroundTheInterval_isLegalOrNot() external {
        bytes32 programId = _register(_header());
        bytes4[4] memory values = [bytes4(0xff7fffff), 0x07000000, 0xfe7fffff, 0x08000000];
        for (uint256 i; i < 4; ++i) {
            bytes memory data = abi.encodePacked(values[i]);
            bytes32 top = keccak256(abi.encodePacked(hex"00", data));
            bytes32 root = keccak256(abi.encodePacked(hex"02", uint8(2), uint64(4), top));
            (, bool isLegal) = registry.inputElement(programId, 1, root, 0, Leaf(data, new bytes32[](0)));
            assertEq(isLegal ? 1 : 0, uint256(i < 2 ? 1 : 0));
        }
    }

    /// @dev Rule 11: both ends of an interval belong to it, and what lies beyond either is refused.
    function test_rootsOfInputs_aroundTheInterval_areTakenOrRefused() external {
        bytes32 programId = _register(_header());
        bytes[] memory inputs = new bytes[](2);
        inputs[0] = new bytes(300);
        bytes4[4] memory values = [bytes4(0xff7fffff), 0x07000000, 0xfe7fffff, 0x08000000];
        int256[2] memory outside = [int256(-32770), 8];
        for (uint256 i; i < 4; ++i) {
            inputs[1] = abi.encodePacked(values[i]);
            if (i >= 2) {
                vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.OutsideInterval.selector, 1, 0, outside[i - 2]));
            }
            registry.rootsOfInputs(programId, inputs);
        }
    }

    /// @dev Rule 4: salt, header and descriptors are in the id.
    function test_register_salted_isAnotherProgramAndHidden() external {
        bytes32 salted = registry.register(_header(), keccak256("salt"), Trees.root(_tree()), _opened(), "");
        vm.assertTrue(salted != _register(_header()), "another program");
        vm.assertTrue(registry.program(salted).hidden, "its weights are hidden");
    }

    // ---- headers that are none ----------------------------------------------------------------------------------------------

    /// @dev Property 31: exact to the byte. Every prefix is refused, and so is a byte more.
    function test_register_anotherLength_reverts() external {
        bytes memory header = _header();
        for (uint256 length; length < header.length; ++length) {
            _refused(Trees.slice(header, 0, length), "it ends too early");
        }
        _refused(bytes.concat(header, hex"00"), "nothing is left over");
    }

    function test_register_malformedInput_reverts() external {
        bytes memory tail = abi.encodePacked(uint32(3), _outputs(4, 1), uint8(4), uint8(0));
        bytes32 root = keccak256("encoding");
        _refused(abi.encodePacked(uint8(0), tail), "a program has an input");
        bytes memory dims = abi.encodePacked(uint8(1), uint32(9));
        _refused(_one(4, dims, 0, 255, root), "dtype");
        _refused(_one(0, abi.encodePacked(uint8(33)), 0, 255, root), "rank");
        _refused(_one(0, abi.encodePacked(uint8(1), uint32(0)), 0, 255, root), "number of elements");
        bytes memory large = abi.encodePacked(uint8(2), uint32(1 << 16), uint32((1 << 15) + 1));
        _refused(_one(0, large, 0, 255, root), "number of elements");
        bytes memory overflowing = abi.encodePacked(uint8(3), uint32(1 << 31), uint32(1 << 31), uint32(1 << 31));
        _refused(_one(0, overflowing, 0, 255, root), "number of elements");
        _refused(_one(0, dims, 1, 0, root), "interval");
        _refused(_one(0, dims, 0, 256, root), "interval");
        _refused(_one(0, dims, -1, 255, root), "interval");
        _refused(_one(1, dims, 0, 255, root), "interval"); // u8 is narrower
        _refused(_one(2, dims, -32768, 32767, root), "interval");
        _refused(_one(3, dims, -2147483648, 2147483647, root), "interval");
        _refused(_one(2, dims, 0, 2147483648, root), "interval");
    }

    function _one(uint8 dtype, bytes memory dims, int64 low, int64 high, bytes32 root)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(1), dtype, dims, low, high, root, uint32(3), _outputs(3, 0), uint8(4), uint8(0));
    }

    function test_register_malformedCounts_reverts() external {
        bytes memory tail = abi.encodePacked(uint8(4), uint8(0));
        _refused(abi.encodePacked(_inputs(), uint32(0), _outputs(1, 1), tail), "number of operators");
        _refused(abi.encodePacked(_inputs(), type(uint32).max, _outputs(1, 1), tail), "number of operators");
        _refused(abi.encodePacked(_inputs(), type(uint32).max - 1, _outputs(1, 1), tail), "number of operators");
        _refused(abi.encodePacked(_inputs(), uint32(3), uint8(0), tail), "a program has an output");
        _refused(abi.encodePacked(_inputs(), uint32(3), _outputs(4, 5), tail), "an output is a tensor of the trace");
        _refused(
            abi.encodePacked(_inputs(), uint32(3), _outputs(type(uint32).max, 1), tail),
            "an output is a tensor of the trace"
        );
    }

    function _refused(bytes memory header, string memory rule) private {
        (bytes32 root, Described[] memory opened) = (Trees.root(_tree()), _opened());
        (bool done, bytes memory why) =
            address(registry).call(abi.encodeCall(registry.register, (header, 0, root, opened, "")));
        vm.assertTrue(!done && bytes4(why) == IProgramRegistry.MalformedHeader.selector, "taken, or another error");
        (, string memory given) = abi.decode(Trees.slice(why, 4, why.length - 4), (uint256, string));
        vm.assertEq(keccak256(bytes(given)), keccak256(bytes(rule)), given);
    }

    // ---- descriptors that are none -------------------------------------------------------------------------------------------

    function test_register_otherDescriptors_reverts() external {
        bytes32 root = Trees.root(_tree());
        Described[] memory opened = new Described[](1);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongDescriptors.selector, 2, 1));
        registry.register(_header(), 0, root, opened, "");
        bytes4 why = IProgramRegistry.DescriptorNotUnderRoot.selector;
        opened = _opened();
        opened[0].data[20] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(why, 0));
        registry.register(_header(), 0, root, opened, "");
        opened = _opened();
        opened[0] = Described(_descriptor(1), Trees.siblings(_tree(), 0, 1, 2));
        vm.expectRevert(abi.encodeWithSelector(why, 0));
        registry.register(_header(), 0, root, opened, "");
        opened = _opened();
        opened[1].data = hex"00";
        vm.expectRevert(abi.encodeWithSelector(why, 1));
        registry.register(_header(), 0, root, opened, "");
        opened = _opened();
        opened[1].siblings = new bytes32[](1);
        vm.expectRevert(abi.encodeWithSelector(why, 1));
        registry.register(_header(), 0, root, opened, "");
    }

    /// @dev Property 30: a node of the tree, told as a descriptor's leaf, has another depth.
    function test_register_descriptorOfAnotherDepth_reverts() external {
        bytes32 leaf = keccak256(abi.encodePacked(hex"21", _descriptor(2)));
        Described[] memory opened = _opened();
        opened[0].siblings = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.DescriptorNotUnderRoot.selector, 0));
        registry.register(_header(), 0, leaf, opened, "");
    }

    // ---- with Python ----------------------------------------------------------------------------------------------------------

    /// @dev Rules 4 and 5 on the programs of tests/vectors, with the contracts that read descriptors.
    function test_register_everyVector_hasItsId() external {
        string memory json = vm.readFile("../tests/vectors/program_id.json");
        string[] memory names = vm.parseJsonKeys(json, "$");
        registry = new ProgramRegistry(RealSteps.deploy());
        for (uint256 i; i < names.length; ++i) {
            string memory name = string.concat(".", names[i]);
            bytes memory header = vm.parseJsonBytes(json, string.concat(name, ".header"));
            bytes32 salt = vm.parseJsonBytes32(json, string.concat(name, ".salt"));
            bytes[] memory descriptors = vm.parseJsonBytesArray(json, string.concat(name, ".descriptors"));
            (bytes32 root, Described[] memory opened) = _openBoth(descriptors);
            bytes32 wanted = vm.parseJsonBytes32(json, string.concat(name, ".program_id"));
            vm.assertEq(registry.register(header, salt, root, opened, ""), wanted, names[i]);
            (InputForm[] memory inputs, OutputForm[] memory outputs) = registry.forms(wanted);
            _isInput(inputs[0], 0, 32, 0, 255);
            _isInput(inputs[1], 0, 1, 0, 2);
            assertEq(uint256(outputs[0].index), 11);
            assertEq(uint256(outputs[1].index), 12);
        }
        assertEq(names.length, 2);
    }

    /// @dev The example's outputs are its last two operators: tensors 11 and 12 after two inputs.
    function _openBoth(bytes[] memory descriptors) private pure returns (bytes32 root, Described[] memory opened) {
        bytes32[] memory leaves = new bytes32[](descriptors.length);
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encodePacked(hex"21", descriptors[i]));
        }
        Tree memory tree = Trees.grow(leaves);
        opened = new Described[](2);
        opened[0] = Described(descriptors[9], Trees.siblings(tree, 0, 9, 4));
        opened[1] = Described(descriptors[10], Trees.siblings(tree, 0, 10, 4));
        root = Trees.root(tree);
    }
}
