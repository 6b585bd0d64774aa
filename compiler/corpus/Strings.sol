// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Bytes and strings: short and long storage forms, concatenation, slices, hashing.
contract Strings {
    string public text;
    bytes public data;
    bytes32[] private words;

    function setText(string calldata value) external {
        text = value;
    }

    function setData(bytes memory value) external returns (uint256) {
        data = value;
        return data.length;
    }

    function pushByte(bytes1 value) external returns (bytes memory) {
        data.push(value);
        return data;
    }

    function popByte() external {
        data.pop();
    }

    function setByte(uint256 at, bytes1 value) external {
        data[at] = value;
    }

    function byteAt(uint256 at) external view returns (bytes1) {
        return data[at];
    }

    function swap() external {
        bytes memory copy = data;
        data = bytes(text);
        text = string(copy);
    }

    function erase() external {
        delete text;
        data = "";
    }

    function concatenate(string calldata a, string calldata b) external pure returns (string memory) {
        return string.concat(a, "-", b);
    }

    function concatenateBytes(bytes calldata a, bytes4 b, bytes memory c) external pure returns (bytes memory) {
        return bytes.concat(a, b, c);
    }

    function hash(bytes calldata value) external pure returns (bytes32) {
        return keccak256(value);
    }

    function hashMemory(bytes memory value, uint8 skip) external pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let length := mload(value)
            let start := mod(skip, add(length, 1))
            result := keccak256(add(add(value, 32), start), sub(length, start))
        }
    }

    function equal(string memory a, string memory b) external pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function reverse(bytes calldata value) external pure returns (bytes memory out) {
        out = new bytes(value.length);
        for (uint256 i; i < value.length; ++i) out[i] = value[value.length - 1 - i];
    }

    function slice(bytes calldata value, uint256 from, uint256 to) external pure returns (bytes memory) {
        return value[from:to];
    }

    function decimal(uint256 value) external pure returns (string memory) {
        if (value == 0) return "0";
        uint256 digits;
        for (uint256 rest = value; rest != 0; rest /= 10) ++digits;
        bytes memory out = new bytes(digits);
        for (; value != 0; value /= 10) out[--digits] = bytes1(uint8(48 + value % 10));
        return string(out);
    }

    function upper(string memory value) external pure returns (string memory) {
        bytes memory raw = bytes(value);
        for (uint256 i; i < raw.length; ++i) {
            if (raw[i] >= "a" && raw[i] <= "z") raw[i] = bytes1(uint8(raw[i]) - 32);
        }
        return value;
    }

    function pushWord(bytes32 word) external returns (bytes32[] memory) {
        words.push(word);
        return words;
    }

    function parts(bytes32 word) external pure returns (bytes16, bytes16, bytes1) {
        return (bytes16(word), bytes16(word << 128), word[31]);
    }

    function literals() external pure returns (string memory, bytes memory) {
        return ("a literal longer than one word of thirty-two bytes: \u00e4\u00f6\u00fc", hex"00010203ff");
    }
}
