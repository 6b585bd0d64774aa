contract C {
    struct Inner { uint8 a; string b; }
    struct Outer { Inner[] list; int16 c; }
    function echo(Outer memory x) external pure returns (Outer memory) { return x; }
    function shared() external pure returns (uint256) {
        Inner memory x = Inner(1, "x");
        Inner memory y = x;
        y.a = 9;
        return x.a;
    }
}
// ----
// echo(((uint8,string)[],int16)): 0x20, 0x40, -5, 1, 0x20, 7, 0x40, 2, "hi" -> 0x20, 0x40, -5, 1, 0x20, 7, 0x40, 2, "hi"
// echo(((uint8,string)[],int16)): 0x20, 0x40, 0x8000, 0 -> FAILURE
// shared() -> 9
