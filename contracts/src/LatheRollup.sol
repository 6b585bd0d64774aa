// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBatchVerifier} from "./IBatchVerifier.sol";
import {PriorityQueue} from "./PriorityQueue.sol";
import {Statement} from "./Statement.sol";

/// @title LatheRollup
/// @notice L1 record of an L2: batches are committed, proven and executed, in this order and without gaps. Must
/// never execute a state root whose statement the verifier did not accept.
/// @dev What is not covered in protocolVersion 0: the block environment and the senders of transactions are
/// posted by the operator and taken as posted.
contract LatheRollup is PriorityQueue {
    using Statement for Statement.BatchHeader;

    /*//////////////////////////////////////////////////////////////
                                 TYPES
    //////////////////////////////////////////////////////////////*/

    /// @dev What later steps need of a committed batch. Batch 0 is genesis: its root, and zeros.
    struct StoredBatch {
        bytes32 statement;
        bytes32 newStateRoot;
        uint64 timestamp;
        uint64 priorityEnd;
    }

    /*//////////////////////////////////////////////////////////////
                                 EVENTS
    //////////////////////////////////////////////////////////////*/

    event BatchCommitted(uint256 indexed number, bytes32 indexed statement, bytes32 newStateRoot);
    event BatchProven(uint256 indexed number, bytes32 indexed statement);
    event BatchExecuted(uint256 indexed number, bytes32 newStateRoot);
    event BatchesReverted(uint256 committed, uint256 proven);

    /*//////////////////////////////////////////////////////////////
                                 ERRORS
    //////////////////////////////////////////////////////////////*/

    error NotOperator(address expected, address got);

    /// @notice The next batch of this step has number `expected`.
    error WrongBatchNumber(uint256 expected, uint256 got);
    /// @notice Batch `number` is not committed (prove) or not proven (execute); `last` is the last one that is.
    error BatchNotReady(uint256 last, uint256 number);
    /// @notice The batch does not start where the batch before it ended.
    error WrongPreviousStateRoot(bytes32 expected, bytes32 got);
    /// @notice Timestamps never fall.
    error TimestampTooEarly(uint256 earliest, uint256 got);
    /// @notice Timestamps may run ahead of L1 by MAX_TIMESTAMP_AHEAD at most.
    error TimestampTooLate(uint256 latest, uint256 got);
    /// @notice The header's batchDataHash is not the hash of the posted bytes.
    error WrongBatchDataHash(bytes32 expected, bytes32 got);
    /// @notice The header's priorityOpsHash is not the chain over L1's own queue.
    error WrongPriorityOpsHash(bytes32 expected, bytes32 got);
    /// @notice The header is not the one committed under this number.
    error WrongStatement(bytes32 expected, bytes32 got);
    /// @notice The proof is well formed and does not prove the statement.
    error ProofRejected(uint256 number, bytes32 statement);
    /// @notice Batches are kept up to `number`, which must lie in [executed, committed).
    error CannotRevertTo(uint256 executed, uint256 committed, uint256 number);

    /// @notice Deployment: the verifier's address holds no code.
    error NoVerifier(address verifier);
    /// @notice Deployment: no operator.
    error NoOperator();
    /// @notice Production deployment: protocolVersion 0 does not prove transaction signatures.
    error ProductionNeedsProtocolVersion();
    /// @notice Production deployment: the verifier holds a key whose trapdoor is public.
    error ProductionNeedsCeremonyKeys(address verifier);

    /*//////////////////////////////////////////////////////////////
                                STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @notice Seconds that a batch's timestamp may lie ahead of the L1 block that commits it.
    uint256 public constant MAX_TIMESTAMP_AHEAD = 15 minutes;

    IBatchVerifier public immutable verifier;
    bytes32 public immutable kernelHash;
    /// @notice Chain id of the L2.
    uint256 public immutable chainId;
    uint256 public immutable protocolVersion;
    address public immutable operator;
    bool public immutable production;

    /// @notice Number of the last batch that passed each step; all start at 0, the genesis.
    uint64 public totalBatchesCommitted;
    uint64 public totalBatchesProven;
    uint64 public totalBatchesExecuted;

    mapping(uint256 number => StoredBatch) private _batches;

    /*//////////////////////////////////////////////////////////////
                              CONSTRUCTOR
    //////////////////////////////////////////////////////////////*/

    constructor(
        bytes32 genesisStateRoot,
        IBatchVerifier verifier_,
        bytes32 kernelHash_,
        uint256 chainId_,
        uint256 protocolVersion_,
        address operator_,
        bool production_
    ) {
        if (address(verifier_).code.length == 0) revert NoVerifier(address(verifier_));
        if (operator_ == address(0)) revert NoOperator();
        if (production_) {
            if (protocolVersion_ == 0) revert ProductionNeedsProtocolVersion();
            if (verifier_.development()) revert ProductionNeedsCeremonyKeys(address(verifier_));
        }
        verifier = verifier_;
        kernelHash = kernelHash_;
        chainId = chainId_;
        protocolVersion = protocolVersion_;
        operator = operator_;
        production = production_;
        _batches[0].newStateRoot = genesisStateRoot;
    }

    modifier onlyOperator() {
        if (msg.sender != operator) revert NotOperator(operator, msg.sender);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                                 STEPS
    //////////////////////////////////////////////////////////////*/

    /// @notice Records batch `h.number`, the next one, and with it the statement that its proof must meet.
    /// @param batchData The posted bytes of the batch; from these anybody can rebuild the L2 state.
    function commitBatch(Statement.BatchHeader calldata h, bytes calldata batchData) external onlyOperator {
        uint64 number = totalBatchesCommitted + 1;
        if (h.number != number) revert WrongBatchNumber(number, h.number);
        StoredBatch storage previous = _batches[number - 1];
        if (h.previousStateRoot != previous.newStateRoot) {
            revert WrongPreviousStateRoot(previous.newStateRoot, h.previousStateRoot);
        }
        if (h.timestamp < previous.timestamp) revert TimestampTooEarly(previous.timestamp, h.timestamp);
        uint256 latest = block.timestamp + MAX_TIMESTAMP_AHEAD;
        if (h.timestamp > latest) revert TimestampTooLate(latest, h.timestamp);

        bytes32 dataHash = keccak256(batchData);
        if (h.batchDataHash != dataHash) revert WrongBatchDataHash(dataHash, h.batchDataHash);
        uint64 start = previous.priorityEnd;
        bytes32 chain = _priorityOpsHash(start, h.priorityOps);
        if (h.priorityOpsHash != chain) revert WrongPriorityOpsHash(chain, h.priorityOpsHash);

        bytes32 statement = statementOf(h);
        // The time is at most `latest`, the queue's end at most its length: neither cast drops bits.
        _batches[number] =
            StoredBatch(statement, h.newStateRoot, uint64(h.timestamp), start + uint64(h.priorityOps));
        totalBatchesCommitted = number;
        emit BatchCommitted(number, statement, h.newStateRoot);
    }

    /// @notice Accepts a proof of batch `h.number`, the next unproven one. Anybody may call.
    /// @param h The header as committed.
    /// @param layoutId The layout that the proof was made for, one of the verifier's.
    function proveBatch(Statement.BatchHeader calldata h, uint256 layoutId, bytes calldata proof) external {
        uint64 number = totalBatchesProven + 1;
        if (h.number != number) revert WrongBatchNumber(number, h.number);
        if (number > totalBatchesCommitted) revert BatchNotReady(totalBatchesCommitted, number);
        bytes32 expected = _batches[number].statement;
        bytes32 statement = statementOf(h);
        if (statement != expected) revert WrongStatement(expected, statement);
        if (!verifier.verify(address(this), statement, layoutId, proof)) {
            revert ProofRejected(number, statement);
        }
        totalBatchesProven = number;
        emit BatchProven(number, statement);
    }

    /// @notice Makes the state root of the proven batch `number`, the next unexecuted one, final on L1. Anybody
    /// may call.
    function executeBatch(uint256 number) external {
        uint64 expected = totalBatchesExecuted + 1;
        if (number != expected) revert WrongBatchNumber(expected, number);
        if (expected > totalBatchesProven) revert BatchNotReady(totalBatchesProven, expected);
        totalBatchesExecuted = expected;
        emit BatchExecuted(expected, _batches[expected].newStateRoot);
    }

    /// @notice Drops every batch after `number` that is not executed; its number may then be committed anew.
    function revertBatches(uint64 number) external onlyOperator {
        uint64 committed = totalBatchesCommitted;
        if (number < totalBatchesExecuted || number >= committed) {
            revert CannotRevertTo(totalBatchesExecuted, committed, number);
        }
        for (uint64 n = number + 1; n <= committed; ++n) {
            delete _batches[n];
        }
        totalBatchesCommitted = number;
        if (totalBatchesProven > number) totalBatchesProven = number;
        emit BatchesReverted(number, totalBatchesProven);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @notice State root of the last executed batch, or the genesis root.
    function executedStateRoot() external view returns (bytes32) {
        return _batches[totalBatchesExecuted].newStateRoot;
    }

    /// @notice The statement committed under `number`; zero when there is none.
    function storedStatement(uint256 number) external view returns (bytes32) {
        return _batches[number].statement;
    }

    /// @notice The new state root committed under `number`; zero when there is none, genesis at 0.
    function storedStateRoot(uint256 number) external view returns (bytes32) {
        return _batches[number].newStateRoot;
    }

    /// @notice Number of queued operations taken by committed batches.
    function priorityOpsCommitted() external view returns (uint256) {
        return _batches[totalBatchesCommitted].priorityEnd;
    }

    /// @notice The statement of a batch with header `h` on this rollup.
    function statementOf(Statement.BatchHeader calldata h) public view returns (bytes32) {
        return h.hash(protocolVersion, chainId, kernelHash);
    }
}
