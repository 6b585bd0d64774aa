contract D {
    uint256 public immutable x;
    constructor(uint256 x_) { x = x_; }
}
contract C {
    function made(bytes32 salt) external returns (bool) {
        bytes memory code = abi.encodePacked(type(D).creationCode, uint256(7));
        address at = address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), this, salt, keccak256(code))))));
        return at == address(new D{salt: salt}(7));
    }
    function raw() external returns (uint256) {
        bytes memory code = abi.encodePacked(type(D).creationCode, uint256(41));
        D d;
        assembly { d := create(0, add(code, 32), mload(code)) }
        return d.x();
    }
    function length() external pure returns (uint256) { return type(D).creationCode.length; }
}
// ----
// made(bytes32): 1 -> true
// made(bytes32): 1 -> FAILURE
// raw() -> 41
// length() -> 32
