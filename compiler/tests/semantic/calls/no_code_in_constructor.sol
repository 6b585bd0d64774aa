contract Asked {
    function sizes() external view returns (uint256) { return msg.sender.code.length; }
}
contract Asker {
    uint256 public during;
    constructor(Asked asked) { during = asked.sizes(); }
    function after_(Asked asked) external view returns (bool) { return asked.sizes() > 0; }
}
contract C {
    function f() external returns (uint256, bool) {
        Asked asked = new Asked();
        Asker asker = new Asker(asked);
        return (asker.during(), asker.after_(asked));
    }
}
// ----
// f() -> 0, true
