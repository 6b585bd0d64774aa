contract C {
    function() internal pure returns (uint256) f;
    function one() internal pure returns (uint256) { return 1; }
    function two() internal pure returns (uint256) { return 2; }
    function choose(bool second) external { f = second ? two : one; }
    function call() external view returns (uint256) { return f(); }
}
// ----
// call() -> FAILURE, hex"4e487b71", 0x51
// choose(bool): true ->
// call() -> 2
// choose(bool): false ->
// call() -> 1
