contract C {
    function fibonacci(uint256 n) public pure returns (uint256) {
        return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
    }
    function even(uint256 n) public pure returns (bool) { return n == 0 ? true : odd(n - 1); }
    function odd(uint256 n) public pure returns (bool) { return n == 0 ? false : even(n - 1); }
}
// ----
// fibonacci(uint256): 15 -> 610
// even(uint256): 101 -> false
// odd(uint256): 101 -> true
