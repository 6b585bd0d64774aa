contract C {
    uint256 public trail;
    modifier before(uint256 x) { trail = trail * 10 + x; _; }
    modifier after_(uint256 x) { _; trail = trail * 10 + x; }
    modifier twice() { _; _; }
    modifier never() { if (trail > 1000000) _; }
    function run() external before(1) twice after_(2) returns (uint256) { trail = trail * 10 + 3; return trail; }
    function not_run() external never returns (uint256) { return 5; }
}
// ----
// run() -> 1323
// trail() -> 13232
// not_run() -> 0
