contract C {
    function concatenate(bytes memory a, string calldata b) external pure returns (bytes memory) {
        return bytes.concat(a, "-", bytes(b));
    }
    function reverse(bytes memory a) external pure returns (bytes memory b) {
        b = new bytes(a.length);
        for (uint256 i; i < a.length; i++) b[i] = a[a.length - 1 - i];
    }
    function hash(bytes calldata a) external pure returns (bytes32) { return keccak256(a); }
    function packed(uint8 a, int16 b, string calldata c) external pure returns (bytes memory) {
        return abi.encodePacked(a, b, c);
    }
}
// ----
// concatenate(bytes,string): 0x40, 0x80, 2, "ab", 3, "cde" -> 0x20, 6, "ab-cde"
// reverse(bytes): 0x20, 34, "abcdefghijklmnopqrstuvwxyzabcdef", "gh" -> 0x20, 34, "hgfedcbazyxwvutsrqponmlkjihgfedc", "ba"
// hash(bytes): 0x20, 0 -> 0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470
// packed(uint8,int16,string): 1, -2, 0x60, 3, "abc" -> 0x20, 6, left(0x01fffe616263)
