contract C {
    function collatz(uint256 x) external pure returns (uint256 n) {
        while (x != 1) {
            n++;
            if (x % 2 == 0) { x /= 2; continue; }
            x = 3 * x + 1;
        }
    }
    function search(uint256 x) external pure returns (uint256) {
        for (uint256 i = 0; i < 10; i++) {
            for (uint256 j = 0; j < 10; j++) {
                if (i * j > x) return i * 10 + j;
                if (j > i) break;
            }
        }
        return 999;
    }
    function digits(uint256 x) external pure returns (uint256 n) {
        do { n++; x /= 10; } while (x > 0);
    }
}
// ----
// collatz(uint256): 27 -> 111
// collatz(uint256): 1 -> 0
// search(uint256): 10 -> 34
// search(uint256): 100 -> 999
// digits(uint256): 0 -> 1
// digits(uint256): 1000 -> 4
