// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimId} from "../ClaimId.sol";
import {Request, Terms} from "../game/ClaimState.sol";
import {OutputForm} from "../game/Forms.sol";
import {IOptimisticClaims} from "../game/IOptimisticClaims.sol";
import {IProgramRegistry} from "../game/IProgramRegistry.sol";
import {IWay} from "./IWay.sol";
import {Question} from "./Question.sol";
import {QuestionId} from "./QuestionId.sol";

/// @title Final by a dispute window: whoever has run the program could have objected, and nobody did.
/// @notice Rests on what OptimisticClaims rests on: one honest account that watches the program. Terms: (address payer, bytes[]
/// inputs); the value is the fee. Evidence: (bytes32[] inputRoots). Nothing can be hidden (rule 54).
/// @dev Holds no money: a fee lies with OptimisticClaims until it is earned or taken back.
contract DisputeWay is IWay {
    /// @notice The request that was made for a question.
    /// @param payer Who may take the fee back, from the deadline on.
    /// @param claimsRequest Its id at OptimisticClaims.
    struct Opened {
        address payer;
        bytes32 claimsRequest;
    }

    /// @notice Where answers become final.
    IOptimisticClaims public immutable CLAIMS;
    /// @notice How long that takes, rule 44. Fixed here: who could choose it would choose the shortest.
    uint8 public immutable PROFILE;
    /// @notice A proposer's bond at least, in wei. Fixed here: who could choose it could choose one that nobody has.
    uint128 public immutable MINIMUM_BOND;

    /// @notice By the id of a Settlement's request.
    mapping(bytes32 requestId => Opened) public opened;

    /// @notice A request was made at OptimisticClaims.
    event Asked(bytes32 indexed requestId, bytes32 indexed claimsRequest, address indexed payer);

    /// @notice Rule 54: what is hidden cannot be disputed.
    error HiddenClaim(uint8 privacy);
    /// @notice The inputs are others than those of the question, or the program is another one.
    error WrongQuestion(bytes32 requestId);
    /// @notice The same question is open already.
    error AlreadyOpened(bytes32 requestId);
    /// @notice No request was made for it here.
    error NotOpened(bytes32 requestId);
    /// @notice These outputs are not final: not yet, or others are.
    error NotFinal(bytes32 claimsRequest);
    /// @notice Only who paid the fee takes it back.
    error NotPayer(address sender);

    constructor(IOptimisticClaims claims, uint8 profile, uint128 minimumBond) {
        (CLAIMS, PROFILE, MINIMUM_BOND) = (claims, profile, minimumBond);
    }

    /// @inheritdoc IWay
    function open(Question calldata question, bytes calldata terms) external payable {
        if (question.privacy != 0) revert HiddenClaim(question.privacy);
        // INVARIANT: the sender is in the id, so nobody opens, or opens otherwise, what another Settlement was asked.
        bytes32 requestId = QuestionId.ofQuestion(msg.sender, question);
        if (opened[requestId].claimsRequest != 0) revert AlreadyOpened(requestId);
        (address payer, bytes[] memory inputs) = abi.decode(terms, (address, bytes[]));
        bytes32[] memory roots = _registry().rootsOfInputs(question.programId, inputs);
        if (_inputsId(roots) != question.inputsId) revert WrongQuestion(requestId);
        // All ether there is fits in 128 bits. INVARIANT: nothing is credited to this contract, since the value is the fee.
        Terms memory asked = Terms(PROFILE, uint128(msg.value), MINIMUM_BOND, question.deadline);
        bytes32 claimsRequest = CLAIMS.request{value: msg.value}(question.programId, asked, inputs);
        opened[requestId] = Opened(payer, claimsRequest);
        emit Asked(requestId, claimsRequest, payer);
    }

    /// @inheritdoc IWay
    function check(bytes32 requestId, Question calldata question, bytes[] calldata outputs, bytes calldata evidence)
        external
        view
        returns (bytes32 claimId)
    {
        bytes32 claimsRequest = _claimsRequest(requestId);
        bytes32[] memory inputRoots = abi.decode(evidence, (bytes32[]));
        Request memory asked = CLAIMS.requests(claimsRequest);
        // INVARIANT: whoever asks, what is said to be final is about the program and the inputs of that request.
        if (
            question.privacy != 0 || asked.programId != question.programId
                || asked.inputsHash != keccak256(abi.encodePacked(inputRoots))
                || _inputsId(inputRoots) != question.inputsId
        ) revert WrongQuestion(requestId);
        bytes32[] memory outputRoots = _registry().rootsOfOutputs(question.programId, outputs);
        if (!CLAIMS.isFinalByRoots(claimsRequest, outputRoots)) revert NotFinal(claimsRequest);
        return ClaimId.ofClaim(question.programId, ClaimId.publicCommitments(inputRoots), outputRoots, 0);
    }

    /// @notice Takes the fee of an unanswered request back, from its deadline on; rule 17. Paid to the sender at once.
    function reclaim(bytes32 requestId) external {
        bytes32 claimsRequest = _claimsRequest(requestId);
        if (opened[requestId].payer != msg.sender) revert NotPayer(msg.sender);
        CLAIMS.withdrawFee(claimsRequest);
        // INVARIANT: all that is credited to this contract is the fee of this request: it is credited here alone, and leaves here.
        if (CLAIMS.balances(address(this)) > 0) CLAIMS.withdraw(payable(msg.sender));
    }

    /// @inheritdoc IWay
    function outputDtype(bytes32 programId, uint8 privacy) external view returns (uint8 dtype) {
        if (privacy != 0) revert HiddenClaim(privacy);
        (, OutputForm[] memory outputs) = _registry().forms(programId);
        return outputs[0].dtype;
    }

    function _claimsRequest(bytes32 requestId) private view returns (bytes32 claimsRequest) {
        claimsRequest = opened[requestId].claimsRequest;
        if (claimsRequest == 0) revert NotOpened(requestId);
    }

    function _inputsId(bytes32[] memory inputRoots) private pure returns (bytes32) {
        return keccak256(ClaimId.publicCommitments(inputRoots));
    }

    function _registry() private view returns (IProgramRegistry) {
        return CLAIMS.REGISTRY();
    }
}
