contract C {
    function sender() external view returns (address) { return msg.sender; }
    function self() external view returns (address) { return address(this); }
    function chain() external view returns (uint256, uint256, address) { return (block.chainid, block.basefee, block.coinbase); }
    function time() external view returns (uint256, uint256) { return (block.number, block.timestamp); }
    function signature(uint256) external pure returns (bytes4, uint256) { return (msg.sig, msg.data.length); }
}
// ----
// sender() -> 0x1212121212121212121212121212120000000012
// account: 2 -> 0x1212121212121212121212121212120000002012
// sender() -> 0x1212121212121212121212121212120000002012
// self() -> 0xc06afe3a8444fc0004668591e8306bfb9968e79e
// chain() -> 1, 7, 0x7878787878787878787878787878787878787878
// time() -> 6, 90
// signature(uint256): 1 -> left(0x70629548), 36
