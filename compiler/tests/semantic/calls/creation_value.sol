contract D {
    uint256 public immutable x;
    constructor(uint256 x_) payable { require(x_ != 13); x = x_; }
}
contract C {
    constructor() payable {}
    function paid(uint256 x) external returns (uint256, uint256) {
        D d = new D{value: 5}(x);
        return (d.x(), address(d).balance);
    }
}
// ----
// constructor(), 10 wei ->
// paid(uint256): 9 -> 9, 5
// paid(uint256): 13 -> FAILURE
// balance -> 5
// paid(uint256): 4 -> 4, 5
// paid(uint256): 4 -> FAILURE
