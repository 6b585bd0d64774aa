// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "./BN254.sol";

/// @title Transcript
/// @notice The challenges of a batch proof, recomputed with Keccak-256 from the statement and the proof. Must
/// never take a challenge, or anything it depends on, from the caller's claim.
/// @dev Proof words per circuit: D.x D.y | A.x A.y | B.x.c1 B.x.c0 B.y.c1 B.y.c0 | C.x C.y | partialSum. The
/// Rust twin is the transcript of `lathe-prover`; docs/proof-system.md states it once for both.
library Transcript {
    /*//////////////////////////////////////////////////////////////
                               CONSTANTS
    //////////////////////////////////////////////////////////////*/

    bytes32 internal constant DOMAIN = "lathe-v1";

    /// @dev Words and bytes of one circuit in the proof.
    uint256 internal constant WORDS = 11;
    uint256 internal constant BYTES = 352;

    /// @dev Word at which each part of a circuit's proof starts.
    uint256 internal constant D = 0;
    uint256 internal constant A = 2;
    uint256 internal constant B = 4;
    uint256 internal constant C = 8;
    uint256 internal constant PARTIAL_SUM = 10;

    /*//////////////////////////////////////////////////////////////
                                 WORDS
    //////////////////////////////////////////////////////////////*/

    /// @notice Word `w` of circuit `k`. The caller has checked that the proof is long enough.
    function word(bytes calldata proof, uint256 k, uint256 w) internal pure returns (uint256 value) {
        // Equals: value = uint256(bytes32(proof[352 * k + 32 * w:][:32])).
        assembly ("memory-safe") {
            value := calldataload(add(proof.offset, add(mul(k, BYTES), mul(w, 0x20))))
        }
    }

    /*//////////////////////////////////////////////////////////////
                                HASHES
    //////////////////////////////////////////////////////////////*/

    /// @notice h1 = keccak256(DOMAIN | L1 chain id | rollup | statement | layoutId | K | (vkHash_k, D_k)...).
    function commitmentsHash(
        address rollup,
        bytes32 statement,
        uint256 layoutId,
        bytes32[] memory vkHashes,
        bytes calldata proof
    ) internal view returns (bytes32) {
        uint256 count = vkHashes.length;
        bytes memory tail = new bytes(count * 96);
        for (uint256 k = 0; k < count; ++k) {
            bytes32 vkHash = vkHashes[k];
            // Equals: tail[96 k : 96 k + 96] = abi.encode(vkHash, D_k.x, D_k.y), read from the proof.
            assembly ("memory-safe") {
                let to := add(add(tail, 0x20), mul(k, 96))
                mstore(to, vkHash)
                calldatacopy(add(to, 0x20), add(proof.offset, mul(k, BYTES)), 0x40)
            }
        }
        bytes memory head =
            abi.encode(DOMAIN, block.chainid, uint256(uint160(rollup)), statement, layoutId, count);
        return keccak256(bytes.concat(head, tail));
    }

    /// @notice r (index 0) and c (index 1): keccak256(h1 | index) mod P. P is below 2^254, so each residue has
    /// probability at most 6 / 2^256.
    function challenge(bytes32 h1, uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(h1, index))) % BN254.P;
    }

    /// @notice h2 = keccak256 over A_k, B_k, C_k and partialSum_k of every circuit, in order.
    function proofsHash(bytes calldata proof, uint256 count) internal pure returns (bytes32) {
        bytes memory words = new bytes(count * 288);
        // Equals: for each k: words[288 k : 288 k + 288] = proof[352 k + 64 : 352 k + 352].
        assembly ("memory-safe") {
            for { let k := 0 } lt(k, count) { k := add(k, 1) } {
                let from := add(add(proof.offset, mul(k, BYTES)), 0x40)
                calldatacopy(add(add(words, 0x20), mul(k, 288)), from, 288)
            }
        }
        return keccak256(words);
    }

    /// @notice rho_0 = 1; rho_k = low 128 bits of keccak256(h1 | h2 | k). Drawn after everything it weighs, so
    /// errors of two circuits cancel with probability at most 2^-128.
    function batching(bytes32 h1, bytes32 h2, uint256 k) internal pure returns (uint256) {
        return k == 0 ? 1 : uint128(uint256(keccak256(abi.encode(h1, h2, k))));
    }
}
