contract C {
    uint256 public immutable number;
    string public text;
    bytes32 immutable tag;
    constructor(uint256 number_, string memory text_) payable {
        number = number_ * 2;
        text = text_;
        tag = keccak256(bytes(text_));
    }
    function same(string calldata other) external view returns (bool) { return keccak256(bytes(other)) == tag; }
}
// ----
// constructor(), 3 wei: 21, 0x40, 3, "abc" ->
// number() -> 42
// text() -> 0x20, 3, "abc"
// same(string): 0x20, 3, "abc" -> true
// same(string): 0x20, 3, "abd" -> false
// balance -> 3
