// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Contracts that do what their calldata says: programs that call each other, create, fail and catch. A program is a
/// list of instructions `operation, x, y, n` of a byte each, followed by `n` bytes, which may be a program again.
abstract contract Interpreter {
    address private immutable first;
    address private immutable second;
    address private latest;
    mapping(uint256 => uint256) public cells;

    event Did(uint256 indexed operation, uint256 x, uint256 y);
    event Came(bool ok, bytes data);
    event Saw(address self, address sender, uint256 value, uint256 balance, bool code);
    event Paid(address sender, uint256 value);

    error Stopped(address self, bytes data);

    constructor(address first_, address second_, bytes memory program) payable {
        (first, second) = (first_, second_);
        _run(program);
    }

    receive() external payable {
        emit Paid(msg.sender, msg.value);
    }

    function run(bytes calldata program) external payable returns (bytes memory) {
        return _run(program);
    }

    /// A callee that takes all of the little gas it is given, in one of two ways.
    function _tire(address peer, uint256 y) private returns (bool ok, bytes memory result) {
        bytes memory data = y == 0 ? abi.encodeCall(this.burn, ()) : abi.encodeCall(this.halt, ());
        return peer.call{gas: 100_000 + 1000 * y}(data);
    }

    function halt() external pure {
        assembly {
            invalid()
        }
    }

    /// Takes all gas there is.
    function burn() public {
        for (uint256 i = 0;; ++i) cells[i] = i;
    }

    function _make(uint256 value, bytes memory program) internal virtual returns (address);

    function _makeSalted(uint256 value, uint256 salt, bytes memory program) internal virtual returns (address);

    function _first() internal view returns (address) {
        return first;
    }

    function _run(bytes memory program) internal returns (bytes memory result) {
        for (uint256 at = 0; at + 4 <= program.length;) {
            uint256 n = uint8(program[at + 3]);
            if (at + 4 + n > program.length) break;
            bytes memory inner = new bytes(n);
            for (uint256 i = 0; i < n; ++i) inner[i] = program[at + 4 + i];
            result = _one(uint8(program[at]), uint8(program[at + 1]), uint8(program[at + 2]), inner);
            at += 4 + n;
        }
    }

    function _one(uint256 operation, uint256 x, uint256 y, bytes memory inner) private returns (bytes memory result) {
        bytes memory data = abi.encodeCall(this.run, (inner));
        bool ok = true;
        if (operation == 0) cells[x % 4] = cells[x % 4] * 3 + y;
        else if (operation == 1) emit Did(operation, x, y);
        else if (operation == 2) (ok, result) = _peer(x).call{value: y}(data);
        else if (operation == 3) (ok, result) = _peer(x).staticcall(data);
        else if (operation == 4) (ok, result) = _peer(x).delegatecall(data);
        else if (operation == 5) _created(_make(y, inner));
        else if (operation == 6) _created(_makeSalted(y, x % 4, inner));
        else if (operation == 7) revert Stopped(address(this), inner);
        else if (operation == 8) assert(x > 128);
        else if (operation == 9) assembly { invalid() }
        else if (operation == 10) _count(x % 4, y);
        else if (operation == 11) emit Saw(address(this), msg.sender, msg.value, address(this).balance, address(this).code.length != 0);
        else if (operation == 12) (ok, result) = _peer(x).call{value: y}("");
        else if (operation == 13) result = inner;
        else if (operation == 14) ok = _tried(_peer(x), y, inner);
        else if (operation == 15) (ok, result) = _tire(_peer(x), y);
        else if (operation == 16) burn();
        if (operation == 2 || operation == 3 || operation == 4 || operation == 15) emit Came(ok, result);
        if (!ok && x > 128) assembly { revert(add(result, 32), mload(result)) }
    }

    function _tried(address peer, uint256 value, bytes memory inner) private returns (bool) {
        try Interpreter(payable(peer)).run{value: value}(inner) returns (bytes memory result) {
            emit Came(true, result);
        } catch Panic(uint256 code) {
            emit Did(14, code, value);
        } catch (bytes memory reason) {
            emit Came(false, reason);
            return false;
        }
        return true;
    }

    function _created(address child) private {
        if (child != address(0)) latest = child;
        emit Did(5, uint160(child), child.code.length == 0 ? 0 : 1);
    }

    function _count(uint256 slot, uint256 more) private {
        assembly {
            tstore(slot, add(tload(slot), more))
        }
        uint256 now_;
        assembly {
            now_ := tload(slot)
        }
        emit Did(10, slot, now_);
    }

    function _peer(uint256 x) private view returns (address) {
        if (x % 5 == 0) return address(this);
        if (x % 5 == 1) return first;
        if (x % 5 == 2) return second;
        if (x % 5 == 3) return latest;
        return x < 100 ? address(4) : address(uint160(0xabcdef00 + x));
    }
}

/// One that others create.
contract Leaf is Interpreter {
    constructor(address first_, address second_, bytes memory program) payable Interpreter(first_, second_, program) {}

    function _make(uint256, bytes memory) internal pure override returns (address) {
        return address(0);
    }

    function _makeSalted(uint256, uint256, bytes memory) internal pure override returns (address) {
        return address(0);
    }
}

/// One that creates.
contract Nest is Interpreter {
    constructor(address first_, address second_, bytes memory program) payable Interpreter(first_, second_, program) {}

    function _make(uint256 value, bytes memory program) internal override returns (address) {
        return address(new Leaf{value: value}(_first(), address(this), program));
    }

    function _makeSalted(uint256 value, uint256 salt, bytes memory program) internal override returns (address) {
        try new Leaf{value: value, salt: bytes32(salt)}(_first(), address(this), program) returns (Leaf leaf) {
            return address(leaf);
        } catch (bytes memory reason) {
            emit Came(false, reason);
            return address(0);
        }
    }
}
