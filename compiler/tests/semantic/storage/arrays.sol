contract C {
    uint16[] list;
    uint256[2][] pairs;
    function push(uint16 x) external { list.push(x); }
    function pop() external { list.pop(); }
    function set(uint16[] calldata x) external { list = x; }
    function get() external view returns (uint16[] memory) { return list; }
    function pair(uint256 a, uint256 b) external returns (uint256) { pairs.push([a, b]); return pairs[pairs.length - 1][1]; }
    function clear() external { delete list; delete pairs; }
}
// ----
// storageEmpty -> 1
// push(uint16): 1 ->
// push(uint16): 2 ->
// get() -> 0x20, 2, 1, 2
// pop() ->
// get() -> 0x20, 1, 1
// set(uint16[]): 0x20, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 ->
// get() -> 0x20, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
// pair(uint256,uint256): 3, 4 -> 4
// storageEmpty -> 0
// clear() ->
// storageEmpty -> 1
