contract C {
    constructor(uint256 x) { require(x != 0, "zero"); }
}
// ----
// constructor(): 0 -> FAILURE, hex"08c379a0", 0x20, 4, "zero"
