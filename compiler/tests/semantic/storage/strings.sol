contract C {
    string public text;
    bytes data;
    function set(string calldata x) external { text = x; }
    function push(bytes1 x) external returns (uint256) { data.push(x); return data.length; }
    function get() external view returns (bytes memory) { return data; }
    function erase() external { text = ""; delete data; }
}
// ----
// set(string): 0x20, 31, "abcdefghijklmnopqrstuvwxyz01234" ->
// text() -> 0x20, 31, "abcdefghijklmnopqrstuvwxyz01234"
// set(string): 0x20, 32, "abcdefghijklmnopqrstuvwxyz012345" ->
// text() -> 0x20, 32, "abcdefghijklmnopqrstuvwxyz012345"
// set(string): 0x20, 1, "x" ->
// text() -> 0x20, 1, "x"
// push(bytes1): "a" -> 1
// push(bytes1): "b" -> 2
// get() -> 0x20, 2, "ab"
// erase() ->
// storageEmpty -> 1
