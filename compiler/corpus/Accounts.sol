// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Accounts that are contracts, in the manner of ERC-4337: operations that anyone may carry to an entry point, which
/// asks the account whether it agrees and is paid for it. Fees are named in the operation, as gas differs by machine.
struct Operation {
    address sender;
    uint256 nonce;
    bytes initCode;
    bytes callData;
    uint256 fee;
    address paymaster;
    bytes signature;
}

interface IAccount {
    function validate(Operation calldata operation, bytes32 hash, uint256 missing) external returns (uint256);
}

interface IPaymaster {
    function sponsor(Operation calldata operation, bytes32 hash) external returns (bytes memory context);
    function afterwards(bool success, bytes calldata context) external;
}

contract EntryPoint {
    mapping(address => uint256) public deposits;
    mapping(address => uint256) public nonces;

    event Handled(bytes32 indexed hash, address indexed sender, address indexed paymaster, bool success, uint256 fee);
    event Failed(bytes32 indexed hash, bytes reason);
    event Deposited(address indexed account, uint256 total);
    event Made(bytes32 indexed hash, address indexed sender);

    error FailedOp(uint256 index, string reason);
    error FailedOpWithRevert(uint256 index, string reason, bytes inner);
    error Reentered();

    bool private transient running;

    receive() external payable {
        depositTo(msg.sender);
    }

    function depositTo(address account) public payable {
        deposits[account] += msg.value;
        emit Deposited(account, deposits[account]);
    }

    function withdrawTo(address payable to, uint256 amount) external {
        deposits[msg.sender] -= amount;
        (bool ok,) = to.call{value: amount}("");
        require(ok, "withdraw failed");
    }

    function hashOf(Operation calldata op) public view returns (bytes32) {
        bytes32 inner = keccak256(
            abi.encode(
                op.sender, op.nonce, keccak256(op.initCode), keccak256(op.callData), op.fee, op.paymaster
            )
        );
        return keccak256(abi.encode(inner, address(this), block.chainid));
    }

    function handle(Operation[] calldata ops, address payable beneficiary) external {
        if (running) revert Reentered();
        running = true;
        bytes[] memory contexts = new bytes[](ops.length);
        for (uint256 i = 0; i < ops.length; ++i) contexts[i] = _validate(i, ops[i]);
        uint256 collected = 0;
        for (uint256 i = 0; i < ops.length; ++i) collected += _execute(ops[i], contexts[i]);
        (bool ok,) = beneficiary.call{value: collected}("");
        require(ok, "beneficiary refuses");
        running = false;
    }

    function _validate(uint256 index, Operation calldata op) private returns (bytes memory context) {
        bytes32 hash = hashOf(op);
        if (op.initCode.length != 0) _make(index, hash, op);
        if (op.sender.code.length == 0) revert FailedOp(index, "no account");
        address payer = op.paymaster == address(0) ? op.sender : op.paymaster;
        uint256 missing = payer == op.sender && deposits[payer] < op.fee ? op.fee - deposits[payer] : 0;
        try IAccount(op.sender).validate(op, hash, missing) returns (uint256 verdict) {
            if (verdict != 0) revert FailedOp(index, "signature");
        } catch (bytes memory reason) {
            revert FailedOpWithRevert(index, "account reverted", reason);
        }
        if (nonces[op.sender]++ != op.nonce) revert FailedOp(index, "nonce");
        if (deposits[payer] < op.fee) revert FailedOp(index, "prefund");
        deposits[payer] -= op.fee;
        if (op.paymaster != address(0)) {
            try IPaymaster(op.paymaster).sponsor(op, hash) returns (bytes memory answer) {
                context = answer;
            } catch (bytes memory reason) {
                revert FailedOpWithRevert(index, "paymaster reverted", reason);
            }
        }
    }

    function _make(uint256 index, bytes32 hash, Operation calldata op) private {
        if (op.sender.code.length != 0) revert FailedOp(index, "already made");
        (bool ok, bytes memory answer) = address(bytes20(op.initCode[:20])).call(op.initCode[20:]);
        if (!ok || answer.length != 32 || abi.decode(answer, (address)) != op.sender) {
            revert FailedOp(index, "factory");
        }
        emit Made(hash, op.sender);
    }

    function _execute(Operation calldata op, bytes memory context) private returns (uint256) {
        bytes32 hash = hashOf(op);
        (bool ok, bytes memory answer) = op.sender.call(op.callData);
        if (!ok) emit Failed(hash, answer);
        if (op.paymaster != address(0)) IPaymaster(op.paymaster).afterwards(ok, context);
        emit Handled(hash, op.sender, op.paymaster, ok, op.fee);
        return op.fee;
    }
}

contract Account is IAccount {
    address public immutable entryPoint;
    address public owner;

    error NotAllowed(address caller);

    constructor(address entryPoint_, address owner_) payable {
        (entryPoint, owner) = (entryPoint_, owner_);
    }

    receive() external payable {}

    function validate(Operation calldata op, bytes32 hash, uint256 missing) external returns (uint256 verdict) {
        if (msg.sender != entryPoint) revert NotAllowed(msg.sender);
        bytes32 digest = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash));
        verdict = _recover(digest, op.signature) == owner ? 0 : 1;
        if (missing != 0) {
            (bool ok,) = msg.sender.call{value: missing}("");
            require(ok, "cannot pay");
        }
    }

    function execute(address to, uint256 value, bytes calldata data) external returns (bytes memory) {
        if (msg.sender != entryPoint && msg.sender != owner) revert NotAllowed(msg.sender);
        (bool ok, bytes memory answer) = to.call{value: value}(data);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    function executeBatch(address[] calldata to, bytes[] calldata data) external {
        if (msg.sender != entryPoint && msg.sender != owner) revert NotAllowed(msg.sender);
        for (uint256 i = 0; i < to.length; ++i) {
            (bool ok, bytes memory answer) = to[i].call(data[i]);
            if (!ok) {
                assembly {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }

    function setOwner(address owner_) external {
        if (msg.sender != address(this) && msg.sender != owner) revert NotAllowed(msg.sender);
        owner = owner_;
    }

    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
    }
}

contract AccountFactory {
    address public immutable entryPoint;

    constructor(address entryPoint_) {
        entryPoint = entryPoint_;
    }

    function make(address owner, uint256 salt) external returns (address) {
        return address(new Account{salt: bytes32(salt)}(entryPoint, owner));
    }
}

/// Pays for whom it has on its list, and counts what became of it.
contract Paymaster is IPaymaster {
    address public immutable entryPoint;
    mapping(address => uint256) public allowance;
    uint256 public succeeded;
    uint256 public failed;

    error NotSponsored(address account);

    constructor(address entryPoint_) payable {
        entryPoint = entryPoint_;
        EntryPoint(payable(entryPoint_)).depositTo{value: msg.value}(address(this));
    }

    function allow(address account, uint256 times) external {
        allowance[account] = times;
    }

    function sponsor(Operation calldata op, bytes32 hash) external returns (bytes memory) {
        require(msg.sender == entryPoint, "entry point only");
        if (allowance[op.sender] == 0) revert NotSponsored(op.sender);
        --allowance[op.sender];
        return abi.encode(op.sender, hash);
    }

    function afterwards(bool success, bytes calldata) external {
        require(msg.sender == entryPoint, "entry point only");
        success ? ++succeeded : ++failed;
    }
}
