//! The L1 contracts as Rust types, and the batch header as `LatheRollup` takes it. Must stay the twin of
//! `contracts/src/LatheRollup.sol`; a test compares the selectors with the compiled artefact.
use super::RelayerError;
use crate::store::BatchRow;
use alloy::primitives::{Address, B256, U256};
use alloy::sol;
use lathe_vm::Word;

sol! {
    /// A batch as posted to L1.
    #[derive(Debug, PartialEq, Eq)]
    struct BatchHeader {
        uint256 number;
        uint256 timestamp;
        bytes32 previousStateRoot;
        bytes32 newStateRoot;
        bytes32 batchDataHash;
        uint256 priorityOps;
        bytes32 priorityOpsHash;
        bytes32 l2ToL1Root;
        uint256 baseFee;
        uint256 gasLimit;
        bytes32 prevrandao;
        uint256 l1GasPrice;
        bytes32 pastBlockHashes;
        address feeRecipient;
    }

    /// The rollup contract.
    #[derive(Debug)]
    #[sol(rpc)]
    contract LatheRollup {
        error NotOperator(address expected, address got);
        error WrongBatchNumber(uint256 expected, uint256 got);
        error BatchNotReady(uint256 last, uint256 number);
        error WrongPreviousStateRoot(bytes32 expected, bytes32 got);
        error TimestampTooEarly(uint256 earliest, uint256 got);
        error TimestampTooLate(uint256 latest, uint256 got);
        error WrongBatchDataHash(bytes32 expected, bytes32 got);
        error WrongPriorityOpsHash(bytes32 expected, bytes32 got);
        error WrongStatement(bytes32 expected, bytes32 got);
        error ProofRejected(uint256 number, bytes32 statement);
        error UnknownLayout(uint256 layoutId);
        error ProofLength(uint256 expected, uint256 got);
        error PartialSumsNotZero(uint256 got);

        function commitBatch(BatchHeader calldata h, bytes calldata batchData) external;
        function proveBatch(BatchHeader calldata h, uint256 layoutId, bytes calldata proof) external;
        function executeBatch(uint256 number) external;
        function totalBatchesCommitted() external view returns (uint64);
        function totalBatchesProven() external view returns (uint64);
        function totalBatchesExecuted() external view returns (uint64);
        function executedStateRoot() external view returns (bytes32);
        function storedStatement(uint256 number) external view returns (bytes32);
        function storedStateRoot(uint256 number) external view returns (bytes32);
        function statementOf(BatchHeader calldata h) external view returns (bytes32);
        function kernelHash() external view returns (bytes32);
        function chainId() external view returns (uint256);
        function protocolVersion() external view returns (uint256);
        function operator() external view returns (address);
        function production() external view returns (bool);
    }
}

/// The header of a stored batch.
///
/// # Errors
/// A statement that does not parse.
pub fn header(row: &BatchRow) -> Result<BatchHeader, RelayerError> {
    let damaged = |what| RelayerError::Batch { number: row.number, what };
    let s = row.statement.parse().map_err(damaged)?;
    let b32 = |w: Word| B256::from(w.to_be_bytes());
    let int = |w: Word| U256::from_be_bytes(w.to_be_bytes());
    Ok(BatchHeader {
        number: int(s.batch_number),
        timestamp: int(s.timestamp),
        previousStateRoot: b32(s.previous_state_root),
        newStateRoot: b32(s.new_state_root),
        batchDataHash: b32(s.batch_data_hash),
        // No kernel runs priority operations yet.
        priorityOps: U256::ZERO,
        priorityOpsHash: b32(s.priority_ops_hash),
        l2ToL1Root: b32(s.l2_to_l1_root),
        baseFee: int(s.base_fee),
        gasLimit: int(s.gas_limit),
        prevrandao: b32(s.prevrandao),
        l1GasPrice: int(s.l1_gas_price),
        pastBlockHashes: b32(s.past_block_hashes),
        feeRecipient: Address::from_slice(&s.fee_recipient.to_be_bytes()[12..]),
    })
}

/// Tells a refusal of the contract, with its typed error, from a node that does not answer.
pub fn call_error(call: &str, error: alloy::contract::Error) -> RelayerError {
    match error {
        alloy::contract::Error::TransportError(e) => rpc_error(call, &e),
        other => RelayerError::Refused { call: call.into(), reason: other.to_string() },
    }
}

/// As [`call_error`], for plain JSON-RPC calls.
pub fn rpc_error(call: &str, error: &alloy::transports::TransportError) -> RelayerError {
    let Some(payload) = error.as_error_resp() else { return RelayerError::Transport(error.to_string()) };
    let reason = match payload.as_decoded_interface_error::<LatheRollup::LatheRollupErrors>() {
        Some(typed) => format!("{typed:?}"),
        None => payload.to_string(),
    };
    RelayerError::Refused { call: call.into(), reason }
}
