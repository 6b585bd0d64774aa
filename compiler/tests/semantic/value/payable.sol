contract C {
    uint256 public received;
    receive() external payable { received += msg.value; }
    fallback(bytes calldata x) external payable returns (bytes memory) { return abi.encode(msg.value, x.length); }
    function free() external pure returns (uint256) { return 1; }
    function own() external view returns (uint256) { return address(this).balance; }
}
// ----
// (), 5 wei ->
// received() -> 5
// (), 7 wei: hex"0102" -> 7, 2
// free(), 1 wei -> FAILURE
// own() -> 12
// balance -> 12
// balance: 0x1212121212121212121212121212120000000012 -> 1267650600228229401496703205364
