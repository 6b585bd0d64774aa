// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// A wallet of several owners: one proposes any call, enough of them confirm, anyone of them executes.
contract Multisig {
    struct Proposal {
        address to;
        uint256 value;
        bytes data;
        bool executed;
        uint256 confirmations;
    }

    address[] public owners;
    mapping(address => bool) public isOwner;
    uint256 public required;
    Proposal[] public proposals;
    mapping(uint256 => mapping(address => bool)) public confirmed;

    event Deposit(address indexed from, uint256 value);
    event Submitted(uint256 indexed id, address indexed by, address to, uint256 value, bytes data);
    event Confirmed(uint256 indexed id, address indexed by);
    event Revoked(uint256 indexed id, address indexed by);
    event Executed(uint256 indexed id, bytes result);

    error NotOwner(address caller);
    error BadOwners();
    error Unknown(uint256 id);
    error AlreadyExecuted(uint256 id);
    error AlreadyConfirmed(uint256 id);
    error NotConfirmed(uint256 id);
    error TooFew(uint256 confirmations, uint256 required);
    error CallFailed(bytes result);
    error OnlySelf();

    modifier onlyOwner() {
        if (!isOwner[msg.sender]) revert NotOwner(msg.sender);
        _;
    }

    modifier open(uint256 id) {
        if (id >= proposals.length) revert Unknown(id);
        if (proposals[id].executed) revert AlreadyExecuted(id);
        _;
    }

    constructor(address[] memory owners_, uint256 required_) payable {
        if (required_ == 0 || required_ > owners_.length) revert BadOwners();
        for (uint256 i = 0; i < owners_.length; ++i) {
            if (owners_[i] == address(0) || isOwner[owners_[i]]) revert BadOwners();
            isOwner[owners_[i]] = true;
            owners.push(owners_[i]);
        }
        required = required_;
    }

    receive() external payable {
        emit Deposit(msg.sender, msg.value);
    }

    function submit(address to, uint256 value, bytes calldata data) external onlyOwner returns (uint256 id) {
        id = proposals.length;
        proposals.push(Proposal(to, value, data, false, 0));
        emit Submitted(id, msg.sender, to, value, data);
    }

    function confirm(uint256 id) external onlyOwner open(id) {
        if (confirmed[id][msg.sender]) revert AlreadyConfirmed(id);
        confirmed[id][msg.sender] = true;
        ++proposals[id].confirmations;
        emit Confirmed(id, msg.sender);
    }

    function revoke(uint256 id) external onlyOwner open(id) {
        if (!confirmed[id][msg.sender]) revert NotConfirmed(id);
        confirmed[id][msg.sender] = false;
        --proposals[id].confirmations;
        emit Revoked(id, msg.sender);
    }

    function execute(uint256 id) external onlyOwner open(id) returns (bytes memory) {
        Proposal storage proposal = proposals[id];
        if (proposal.confirmations < required) revert TooFew(proposal.confirmations, required);
        proposal.executed = true;
        (bool ok, bytes memory result) = proposal.to.call{value: proposal.value}(proposal.data);
        if (!ok) revert CallFailed(result);
        emit Executed(id, result);
        return result;
    }

    function changeRequired(uint256 required_) external {
        if (msg.sender != address(this)) revert OnlySelf();
        if (required_ == 0 || required_ > owners.length) revert BadOwners();
        required = required_;
    }
}
