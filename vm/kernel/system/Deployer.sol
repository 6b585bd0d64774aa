// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Deployer (0x8003)
/// @notice Creates contracts at addresses that depend on who asks, a salt and the creation code, but on no
/// nonce. Must never let anyone take an address that belongs to another sender. The constructor sees this
/// address as its caller.
contract Deployer {
    /// @notice `deployed` was created.
    event Deployed(address indexed sender, bytes32 indexed salt, address indexed deployed);

    /// @notice Nothing was created and the constructor said nothing: the address is taken, a page is not
    /// known (`KnownCode.publish`), or the constructor halted.
    error DeploymentFailed(address wanted);

    /// @notice Creates a contract with the wei sent along.
    /// @param creationCode The hash of the deploy page, and the constructor's arguments.
    function deploy(bytes32 salt, bytes calldata creationCode) external payable returns (address deployed) {
        bytes memory code = creationCode;
        bytes32 own = _salt(msg.sender, salt);
        assembly ("memory-safe") {
            deployed := create2(callvalue(), add(code, 32), mload(code), own)
            // What a constructor reverts with goes on.
            if and(iszero(deployed), gt(returndatasize(), 0)) {
                let free := mload(64)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
        if (deployed == address(0)) revert DeploymentFailed(addressOf(msg.sender, salt, creationCode));
        emit Deployed(msg.sender, salt, deployed);
    }

    /// @notice Where `deploy` by `sender` puts the contract.
    function addressOf(address sender, bytes32 salt, bytes calldata creationCode)
        public
        view
        returns (address)
    {
        bytes32 code = keccak256(creationCode);
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), address(this), _salt(sender, salt), code));
        return address(uint160(uint256(hash)));
    }

    /// @dev Senders have salts of their own.
    function _salt(address sender, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(sender, salt));
    }
}
