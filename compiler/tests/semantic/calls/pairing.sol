contract C {
    function f() external view returns (bool done, bytes memory one) { (done, one) = address(8).staticcall(""); }
}
// ----
// f() -> true, 0x40, 0x20, 1
