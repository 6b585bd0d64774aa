// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// The ABI coder, both ways, and calldata slices.
contract Codec {
    struct Inner {
        bytes data;
        uint8[2] pair;
    }

    struct Outer {
        uint256 head;
        Inner[] inners;
        string text;
    }

    function encode(uint256 a, string calldata b, int16[] calldata c) external pure returns (bytes memory) {
        return abi.encode(a, b, c);
    }

    function packed(uint8 a, string calldata b, int16[] calldata c, bool d, bytes3 e) external pure returns (bytes memory) {
        return abi.encodePacked(a, b, c, d, e);
    }

    function selected(bytes4 selector, address a, bytes memory b) external pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    function call(uint256 a, string calldata b) external view returns (bytes memory, bytes memory) {
        return (abi.encodeCall(this.echo, (a, b)), abi.encodeWithSignature("echo(uint256,string)", a, b));
    }

    function echo(uint256 a, string calldata b) external pure returns (uint256, string memory) {
        return (a, b);
    }

    function decode(bytes calldata data) external pure returns (uint256 a, address b, string memory c) {
        return abi.decode(data, (uint256, address, string));
    }

    function decodeMemory(bytes memory data) external pure returns (uint8 a, int32[] memory b, bool c) {
        return abi.decode(data, (uint8, int32[], bool));
    }

    function decodeOuter(bytes memory data) external pure returns (Outer memory) {
        return abi.decode(data, (Outer));
    }

    function roundTrip(Outer memory outer) external pure returns (Outer memory, bytes memory) {
        bytes memory raw = abi.encode(outer);
        return (abi.decode(raw, (Outer)), raw);
    }

    function outerParts(Outer calldata outer, uint256 at) external pure returns (bytes calldata, uint8, string calldata) {
        Inner calldata inner = outer.inners[at % 4];
        return (inner.data, inner.pair[1], outer.text);
    }

    function head(bytes calldata data) external pure returns (bytes4, uint256) {
        return (bytes4(data[:4]), uint256(bytes32(data[4:])));
    }

    function tail(bytes calldata data, uint8 skip) external pure returns (bytes32, bytes calldata) {
        bytes calldata rest = data[skip:];
        return (keccak256(rest), rest);
    }

    function lists(uint256[] calldata a, uint256 from) external pure returns (uint256 sum, uint256 length) {
        uint256[] calldata rest = a[from % 3:];
        for (uint256 i; i < rest.length; ++i) {
            unchecked {
                sum += rest[i];
            }
        }
        length = rest.length;
    }

    function everything(
        bool a,
        uint8 b,
        int256 c,
        address d,
        bytes32 e,
        bytes1 f,
        bytes calldata g,
        string[] calldata h,
        int8[3][] calldata i
    ) external pure returns (bytes32, uint256) {
        return (keccak256(abi.encode(a, b, c, d, e, f, g, h, i)), h.length + i.length);
    }
}
