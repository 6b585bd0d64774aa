contract C {
    function sum(uint256[] calldata list) external pure returns (uint256 total) {
        for (uint256 i; i < list.length; ++i) total += list[i];
    }
    function at(uint8[3] calldata list, uint256 i) external pure returns (uint8) { return list[i]; }
    function slice(bytes calldata data, uint256 from, uint256 to) external pure returns (bytes memory) {
        return data[from:to];
    }
    function nested(uint256[][] calldata rows) external pure returns (uint256, uint256) {
        return (rows.length, rows[1][0]);
    }
}
// ----
// sum(uint256[]): 0x20, 3, 1, 2, 3 -> 6
// sum(uint256[]): 0x20, 0 -> 0
// sum(uint256[]): 0x20, 3, 1, 2 -> FAILURE
// sum(uint256[]): 0x20, 0x10000000000000000 -> FAILURE
// at(uint8[3],uint256): 7, 8, 9, 2 -> 9
// at(uint8[3],uint256): 7, 8, 9, 3 -> FAILURE, hex"4e487b71", 0x32
// at(uint8[3],uint256): 7, 256, 9, 1 -> FAILURE
// slice(bytes,uint256,uint256): 0x60, 1, 4, 5, "abcde" -> 0x20, 3, "bcd"
// slice(bytes,uint256,uint256): 0x60, 4, 1, 5, "abcde" -> FAILURE
// nested(uint256[][]): 0x20, 2, 0x40, 0x80, 1, 5, 2, 6, 7 -> 2, 6
