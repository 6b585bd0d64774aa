contract C {
    uint256 transient t;
    uint256 public p;
    function bump() external returns (uint256) { t += 1; t += 1; p += t; return t; }
    function peek() external view returns (uint256) { return t; }
}
// ====
// EVMVersion: >=cancun
// ----
// bump() -> 2
// peek() -> 0
// bump() -> 2
// p() -> 4
