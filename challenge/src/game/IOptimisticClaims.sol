// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Run} from "../step/ISteps.sol";
import {Assertion, AssertionStatus, Demand, Request, RequestStatus, Subject, Terms, Trace} from "./ClaimState.sol";
import {Described, Leaf, Reason, Side} from "./GameState.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";

/// @title Requests, assertions, bonds and finality: rules 9 to 19, 33, 43 and 50 to 54 of docs/protocol.md.
/// @notice Somebody asks what a program says about an input. Anybody answers with a bond, and anybody who has run it to another
/// end challenges. An answer is final when it is the only commitment left, and its time to be challenged has passed.
/// @dev Safety: one honest account that watches, with the bond of one assertion or of one challenge for each wrong one. Nobody has
/// to be trusted. What accounts are owed they pull; nobody's refusal to be paid stops anybody.
interface IOptimisticClaims {
    /// @notice A question was asked. `inputs` are the bytes, or none if they were given by roots.
    event Requested(
        bytes32 indexed requestId,
        bytes32 indexed programId,
        address indexed requester,
        uint64 nonce,
        Terms terms,
        uint128 price,
        bytes32[] inputRoots,
        bytes[] inputs
    );
    /// @notice An answer was given. `outputs` are the bytes, or none if they are too long.
    event Asserted(
        bytes32 indexed assertionId,
        bytes32 indexed requestId,
        address indexed proposer,
        uint32 epoch,
        bytes32 traceRoot,
        bytes32[] outputRoots,
        bytes[] outputs
    );
    /// @notice This trace is not the program's, or is not shown: rule 18. `winner` is paid.
    event Rejected(bytes32 indexed assertionId, bytes32 indexed requestId, Reason reason, address winner);
    /// @notice Every assertion of a request is dead: posting is open again.
    event EpochBegun(bytes32 indexed requestId, uint32 epoch);
    /// @notice The answer is final.
    event Finalised(bytes32 indexed requestId, bytes32 indexed assertionId, address indexed proposer);
    /// @notice The input leaves its declared interval, so nobody can be right.
    event Voided(bytes32 indexed requestId, uint256 input, uint256 element, int256 value);
    /// @notice The requester has taken its fee back; `closed` says whether nobody can answer any more.
    event FeeWithdrawn(bytes32 indexed requestId, uint256 fee, bool closed);
    /// @notice A living assertion of a closed request has its bond back.
    event BondReturned(bytes32 indexed assertionId, address indexed proposer);
    /// @notice Some leaves of a tensor are demanded.
    event Demanded(bytes32 indexed demandId, bytes32 indexed assertionId, Demand demand);
    /// @notice They were shown; the assertion can be challenged until `end`.
    event Served(bytes32 indexed demandId, bytes32 indexed assertionId, bytes data, uint40 end);
    /// @notice They were not shown in time, or the demand has become moot.
    event DemandClosed(bytes32 indexed demandId, bytes32 indexed assertionId, bool rejected);
    /// @notice An account can withdraw so much more.
    event Credited(address indexed account, uint256 amount);
    /// @notice An account was paid.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice Only the game says who has won it.
    error NotGame(address sender);
    /// @notice Only the requester withdraws its fee.
    error NotRequester(address sender);
    /// @notice Rule 53: a program can be asked for from `from` on.
    error ProgramTooYoung(uint256 from);
    /// @notice Rule 54: what is hidden cannot be disputed.
    error HiddenWeights(bytes32 programId);
    /// @notice There are not so many inputs or outputs.
    error WrongCount(uint256 wanted, uint256 given);
    /// @notice Rules 11 and 12: bytes that long are given by their roots.
    error TooLong(uint256 most, uint256 given);
    /// @notice Rule 12: bytes that short have to be given.
    error BytesWanted(uint256 most);
    /// @notice The integer that was shown lies in the declared interval.
    error InsideInterval(int256 value);
    /// @notice This account has not opened the first game of the request.
    error NotFirstChallenger(address account);
    /// @notice The value sent does not pay for what is asked.
    error WrongValue(uint256 wanted, uint256 given);
    /// @notice The request is closed, or was never made.
    error RequestNotOpen(bytes32 requestId, RequestStatus status);
    /// @notice The assertion is not living.
    error NotLiving(bytes32 assertionId, AssertionStatus status);
    /// @notice Rule 13: posting has ended.
    error PostingClosed(uint256 end);
    /// @notice Rule 14: this account has asserted this commitment in this epoch.
    error AlreadyAsserted(bytes32 assertionId);
    /// @notice Other roots than those that the request or the assertion was made with.
    error WrongRoots();
    /// @notice Rule 20: the challenger's own trace root is the asserted one.
    error SameTrace(bytes32 traceRoot);
    /// @notice Rule 16: its window has ended, and no rival lives.
    error WindowClosed(uint256 end);
    /// @notice Rule 15: it cannot be final yet.
    error NotFinal(string rule);
    /// @notice The fee can be withdrawn from the deadline on.
    error TooEarly(uint256 deadline);
    /// @notice There is nothing to take.
    error NothingOwed();
    /// @notice Rule 51: there are no such leaves, or more than 32.
    error BadDemand(uint256 first, uint256 count);
    /// @notice There is no such demand, or it is over.
    error UnknownDemand(bytes32 demandId);
    /// @notice The demand is too old to be served: from the deadline on it can only be closed.
    error DemandExpired(uint256 deadline);
    /// @notice The demand can still be served.
    error DemandRuns(uint256 deadline);
    /// @notice The game goes on: its assertion lives.
    error NotMoot(bytes32 assertionId);
    /// @notice What was sent does not hash up to the tensor's root.
    error NotUnderRoot(bytes32 root);
    /// @notice The account refuses the money.
    error TransferFailed(address account);

    /// @notice Asks what a program says about these bytes; rule 11. The value pays the fee; what is more is credited.
    /// @param inputs The bytes of each input, at most 24 KiB in all, checked against their declared intervals.
    /// @return requestId Rule 9.
    function request(bytes32 programId, Terms calldata terms, bytes[] calldata inputs)
        external
        payable
        returns (bytes32 requestId);

    /// @notice Asks about an input that is known by its roots. The value pays the fee and a deposit of one challenge bond, which
    /// returns unless the input leaves its intervals; what is more is credited.
    /// @param inputRoots Rule 2, of each input.
    /// @return requestId Rule 9.
    function requestByRoots(bytes32 programId, Terms calldata terms, bytes32[] calldata inputRoots)
        external
        payable
        returns (bytes32 requestId);

    /// @notice Answers a request; rules 12 to 14. The value is the exact bond.
    /// @param outputs The bytes of each output, at most 4 KiB in all.
    /// @return assertionId Rule 9.
    function assertOutputs(bytes32 requestId, Trace calldata trace, bytes[] calldata outputs)
        external
        payable
        returns (bytes32 assertionId);

    /// @notice Answers a request whose outputs exceed 4 KiB, by their roots; rule 12. Anybody can demand their bytes; rule 51.
    /// @param outputRoots Rule 2, of each output.
    /// @return assertionId Rule 9.
    function assertRoots(bytes32 requestId, Trace calldata trace, bytes32[] calldata outputRoots)
        external
        payable
        returns (bytes32 assertionId);

    /// @notice Opens a game against an assertion; rules 16 and 20. The value is the exact bond.
    /// @param ownRoot The trace root that the sender has come to.
    /// @return gameId Rule 9.
    function challenge(bytes32 assertionId, bytes32 ownRoot) external payable returns (bytes32 gameId);

    /// @notice Rule 15: the answer is final, once. By anybody.
    function finalise(bytes32 assertionId) external;

    /// @notice The bond of a living assertion of a closed request. By anybody, to its proposer.
    function returnBond(bytes32 assertionId) external;

    /// @notice Rule 17: the fee, from the deadline on. If no assertion lives, the request is closed and its deposit returns.
    function withdrawFee(bytes32 requestId) external;

    /// @notice Rule 33: one leaf that breaks a declared interval makes the request void. By anybody.
    /// @param inputRoots As the request has them.
    /// @param input Which one.
    /// @param element Its index, C order.
    /// @param leaf That holds it, and its siblings up to the root of the tensor's tree.
    /// @param challenger Of the request's first game; anybody, if there was none.
    function showBadInput(
        bytes32 requestId,
        bytes32[] calldata inputRoots,
        uint256 input,
        uint256 element,
        Leaf calldata leaf,
        address challenger
    ) external;

    /// @notice Demands leaves of an input; rule 51. The value is the exact pay.
    function demandInput(bytes32 assertionId, bytes32[] calldata inputRoots, uint256 input, uint32 first, uint8 count)
        external
        payable
        returns (bytes32 demandId);

    /// @notice Demands leaves of an output; rule 51. The value is the exact pay.
    /// @param outputRoots As the assertion has them.
    function demandOutput(
        bytes32 assertionId,
        bytes32[] calldata outputRoots,
        uint256 output,
        uint32 first,
        uint8 count
    ) external payable returns (bytes32 demandId);

    /// @notice Demands leaves of a constant; rule 51. The value is the exact pay.
    /// @param operator Index of an operator that reads it, from 0.
    /// @param descriptor Of that operator, opened.
    /// @param operand Which of its operands, from 0.
    function demandConstant(
        bytes32 assertionId,
        uint32 operator,
        Described calldata descriptor,
        uint8 operand,
        uint32 first,
        uint8 count
    ) external payable returns (bytes32 demandId);

    /// @notice Shows what was demanded, before the deadline. By anybody; the proposer is paid.
    /// @param run The leaves, rule 37.
    function serve(Demand calldata demand, Run calldata run) external;

    /// @notice From the deadline on: rejects an assertion whose proposer did not serve. At any time: ends a demand that is moot,
    /// since its assertion is dead or its request closed. By anybody; the payer gets its pay back.
    function closeDemand(Demand calldata demand) external;

    /// @notice Pays what the sender is owed.
    function withdraw(address payable to) external;

    /// @notice By the game: one side has lost it. Reverts if the assertion is dead or the request closed.
    function settle(uint64 serial, address challenger, Side loser, Reason reason) external;

    /// @notice By the game: it is moot. Reverts if it is not.
    /// @return returned Whether the challenger's bond returns; it is lost against an assertion that was right.
    function release(uint64 serial, address challenger) external returns (bool returned);

    /// @notice Where the games are played, and who says who has won.
    function GAMES() external view returns (IDisputeGame);

    /// @notice What is known of programs.
    function REGISTRY() external view returns (IProgramRegistry);

    /// @notice What a consumer reads: whether the request's final outputs are these bytes. False as long as nothing is final;
    /// reverts on bytes that are as long as no outputs of the program.
    function isFinal(bytes32 requestId, bytes[] calldata outputs) external view returns (bool);

    /// @notice Whether the tensor roots of the request's final outputs are these.
    function isFinalByRoots(bytes32 requestId, bytes32[] memory outputRoots) external view returns (bool);

    /// @notice What is stored of a request.
    function requests(bytes32 requestId) external view returns (Request memory);

    /// @notice What is stored of an assertion.
    function assertions(bytes32 assertionId) external view returns (Assertion memory);

    /// @notice How many assertions of one commitment live.
    function living(bytes32 requestId, bytes32 traceRoot) external view returns (uint256);

    /// @notice What a game has to know of its assertion.
    function subject(uint64 serial) external view returns (Subject memory);

    /// @notice Whether the games against an assertion are moot.
    function isMoot(uint64 serial) external view returns (bool);

    /// @notice What a proposer and a challenger have to send.
    function bonds(bytes32 requestId) external view returns (uint256 proposerBond, uint256 challengeBond);

    /// @notice The nonce of an account's next request.
    function nonces(address requester) external view returns (uint64);

    /// @notice What an account can withdraw, in wei.
    function balances(address account) external view returns (uint256);

    /// @notice What nobody can withdraw any more, in wei: it stays here for ever.
    function burnt() external view returns (uint256);

    /// @notice Whether a demand waits to be served.
    function isDemanded(bytes32 demandId) external view returns (bool);
}
