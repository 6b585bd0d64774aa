contract Logic {
    uint256 public x;
    address public who;
    uint256 immutable unit = 3;
    function set(uint256 y) external payable returns (uint256) { x = y * unit; who = msg.sender; return msg.value; }
}
contract C {
    uint256 public x;
    address public who;
    Logic logic = new Logic();
    function set(uint256 y) external payable returns (uint256) {
        (bool ok, bytes memory data) = address(logic).delegatecall(abi.encodeCall(Logic.set, (y)));
        require(ok);
        return abi.decode(data, (uint256));
    }
    function mine() external view returns (bool) { return who == msg.sender; }
    function theirs() external view returns (uint256) { return logic.x(); }
}
// ----
// set(uint256), 8 wei: 5 -> 8
// x() -> 15
// mine() -> true
// theirs() -> 0
// balance -> 8
