library L {
    function double(uint256 x) external pure returns (uint256) { return x * 2; }
}
contract C {
    function f(uint256 x) external pure returns (uint256) { return L.double(x); }
    function g(uint256 x) external pure returns (uint256) { return x; }
}
// ----
// library: L
// g(uint256): 5 -> 5
// f(uint256): 5 -> 10
