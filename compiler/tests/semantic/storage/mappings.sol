contract C {
    mapping(address => mapping(uint256 => uint256)) public m;
    mapping(string => uint256) named;
    function set(uint256 key, uint256 value) external { m[msg.sender][key] = value; }
    function name(string calldata key, uint256 value) external returns (uint256 old) { old = named[key]; named[key] = value; }
}
// ----
// set(uint256,uint256): 5, 6 ->
// m(address,uint256): 0x1212121212121212121212121212120000000012, 5 -> 6
// account: 1 -> 0x1212121212121212121212121212120000001012
// set(uint256,uint256): 5, 7 ->
// m(address,uint256): 0x1212121212121212121212121212120000000012, 5 -> 6
// m(address,uint256): 0x1212121212121212121212121212120000001012, 5 -> 7
// name(string,uint256): 0x40, 9, 1, "k" -> 0
// name(string,uint256): 0x40, 8, 1, "k" -> 9
