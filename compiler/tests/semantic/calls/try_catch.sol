contract Callee {
    error Odd(uint256 x);
    function f(uint256 x) external pure returns (uint256) {
        if (x == 1) revert Odd(x);
        require(x != 2, "two");
        assert(x != 3);
        return 100 / (x - 4);
    }
}
contract C {
    Callee callee = new Callee();
    function f(uint256 x) external view returns (uint256 way, uint256 value, bytes memory data) {
        try callee.f(x) returns (uint256 y) { return (0, y, ""); }
        catch Error(string memory reason) { return (1, 0, bytes(reason)); }
        catch Panic(uint256 code) { return (2, code, ""); }
        catch (bytes memory raw) { return (3, 0, raw); }
    }
}
// ----
// f(uint256): 6 -> 0, 50, 0x60, 0
// f(uint256): 2 -> 1, 0, 0x60, 3, "two"
// f(uint256): 3 -> 2, 1, 0x60, 0
// f(uint256): 4 -> 2, 0x12, 0x60, 0
