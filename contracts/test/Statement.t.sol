// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Statement} from "../src/Statement.sol";
import {Test} from "./lib/Test.sol";

/// @notice The statement is keccak256 over 16 words in their fixed order, and each of them counts.
contract StatementTest is Test {
    function hash(Statement.BatchHeader calldata h, uint256 version, uint256 chainId, bytes32 kernelHash)
        external
        pure
        returns (bytes32)
    {
        return Statement.hash(h, version, chainId, kernelHash);
    }

    /// @dev Word i of the preimage is 100 + i, built here byte by byte.
    function test_hashes_sixteen_words_in_order() public view {
        bytes memory preimage;
        for (uint256 i = 0; i < 16; ++i) {
            preimage = bytes.concat(preimage, bytes32(100 + i));
        }
        assertEq(preimage.length, 512, "bytes");
        assertEq(this.hash(header(), 100, 101, bytes32(uint256(109))), keccak256(preimage), "statement");
    }

    function test_every_word_counts_except_the_number_of_priority_operations() public view {
        bytes32 original = this.hash(header(), 100, 101, bytes32(uint256(109)));
        for (uint256 i = 0; i < 14; ++i) {
            Statement.BatchHeader memory h = header();
            // Equals: the i-th field of h, xor 1. A memory struct is its fields, one word each.
            assembly ("memory-safe") {
                let field := add(h, mul(i, 0x20))
                mstore(field, xor(mload(field), 1))
            }
            bytes32 other = this.hash(h, 100, 101, bytes32(uint256(109)));
            // Field 5 is the count, bound through the chain that L1 computes from it.
            assertTrue((other == original) == (i == 5), "changed field");
        }
        assertTrue(this.hash(header(), 99, 101, bytes32(uint256(109))) != original, "protocolVersion");
        assertTrue(this.hash(header(), 100, 99, bytes32(uint256(109))) != original, "chainId");
        assertTrue(this.hash(header(), 100, 101, bytes32(uint256(99))) != original, "kernelHash");
    }

    function header() internal pure returns (Statement.BatchHeader memory) {
        return Statement.BatchHeader({
            number: 102,
            timestamp: 103,
            previousStateRoot: bytes32(uint256(104)),
            newStateRoot: bytes32(uint256(105)),
            batchDataHash: bytes32(uint256(106)),
            priorityOps: 7,
            priorityOpsHash: bytes32(uint256(107)),
            l2ToL1Root: bytes32(uint256(108)),
            baseFee: 110,
            gasLimit: 111,
            prevrandao: bytes32(uint256(112)),
            l1GasPrice: 113,
            pastBlockHashes: bytes32(uint256(114)),
            feeRecipient: address(115)
        });
    }
}
