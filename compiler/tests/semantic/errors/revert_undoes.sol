contract C {
    uint256 public x = 1;
    event E(uint256);
    function set(uint256 y) external {
        x = y;
        emit E(y);
        require(y < 10, "large");
    }
}
// ----
// set(uint256): 5 ->
// ~ emit E(uint256): 5
// set(uint256): 50 -> FAILURE, hex"08c379a0", 0x20, 5, "large"
// x() -> 5
