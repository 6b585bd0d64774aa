contract C {
    function straddle(uint256 a, uint256 b) external pure returns (uint256 r) {
        assembly {
            mstore(0, a)
            mstore(32, b)
            r := mload(16)
        }
    }
    function size() external pure returns (uint256 r) {
        assembly {
            mstore8(0x1ff, 1)
            r := msize()
        }
    }
    function copy(uint256 a) external pure returns (uint256 x, uint256 y) {
        assembly {
            mstore(0, a)
            mcopy(8, 0, 24)
            x := mload(0)
            mcopy(0, 8, 24)
            y := mload(0)
        }
    }
}
// ----
// straddle(uint256,uint256): 1, left(0x22) -> 0x0000000000000000000000000000000122000000000000000000000000000000
// size() -> 0x200
// copy(uint256): left(0x0102030405060708090a) -> left(0x01020304050607080102030405060708090a), left(0x0102030405060708090a)
