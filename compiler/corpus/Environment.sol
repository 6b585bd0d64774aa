// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// What a contract can ask about block, transaction and itself.
contract Environment {
    function blockValues() external view returns (uint256, uint256, uint256, uint256, uint256, address, uint256) {
        return (
            block.number,
            block.timestamp,
            block.basefee,
            block.gaslimit,
            block.prevrandao,
            block.coinbase,
            block.chainid
        );
    }

    function transaction() external payable returns (address, address, uint256, uint256, bytes4, uint256) {
        return (msg.sender, tx.origin, tx.gasprice, msg.value, msg.sig, msg.data.length);
    }

    function self() external view returns (address, uint256) {
        return (address(this), address(this).balance);
    }

    function oldBlocks(uint256 number) external view returns (bytes32, bytes32, bytes32) {
        return (blockhash(block.number), blockhash(block.number + 1), blobhash(number));
    }

    function hasGas() external view returns (bool) {
        return gasleft() > 100;
    }

    function codeOf(address who) external view returns (bool, bool) {
        return (who.code.length != 0, address(this).code.length != 0);
    }

    function data() external pure returns (bytes memory) {
        return msg.data;
    }
}
