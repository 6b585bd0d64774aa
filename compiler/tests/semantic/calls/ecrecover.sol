contract C {
    function f() external pure returns (address) { return ecrecover(bytes32(uint256(1)), 27, bytes32(uint256(2)), bytes32(uint256(3))); }
}
// ----
// f() -> 0
