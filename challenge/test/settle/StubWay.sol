// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IWay} from "../../src/settle/IWay.sol";
import {Question} from "../../src/settle/Question.sol";

/// @title A way on which the evidence "final" is enough.
contract StubWay is IWay {
    error NotFinal();
    error Refused();

    function open(Question calldata, bytes calldata terms) external payable {
        if (keccak256(terms) == keccak256("refuse")) revert Refused();
    }

    function check(bytes32, Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        pure
        returns (bytes32)
    {
        if (keccak256(evidence) != keccak256("final")) revert NotFinal();
        return keccak256(abi.encode(question.programId, question.inputsId, outputs));
    }

    /// @notice Every program's first output is i16.
    function outputDtype(bytes32, uint8) external pure returns (uint8) {
        return 1;
    }
}
