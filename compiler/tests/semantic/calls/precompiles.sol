contract C {
    function sha(bytes calldata data) external pure returns (bytes32) { return sha256(data); }
    function ripemd(bytes calldata data) external pure returns (bytes20) { return ripemd160(data); }
    function power(uint256 base, uint256 exponent, uint256 modulus) external view returns (bool done, bytes memory result) {
        (done, result) = address(5).staticcall(abi.encode(32, 32, 32, base, exponent, modulus));
    }
    function add(uint256 x, uint256 y) external view returns (bool done, bytes memory result) {
        (done, result) = address(6).staticcall(abi.encode(x, y));
    }
}
// ----
// sha(bytes): 0x20, 3, "abc" -> 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
// ripemd(bytes): 0x20, 3, "abc" -> 0x8eb208f7e05d987a9b044a8e98c6b087f15a0bfc000000000000000000000000
// power(uint256,uint256,uint256): 3, 5, 100 -> true, 0x40, 0x20, 43
// add(uint256,uint256): 1, 2 -> true, 0x40, 0x40, 1, 2
// add(uint256,uint256): 1, 1 -> false, 0x40, 0
