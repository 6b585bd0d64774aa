contract C {
    event Three(address indexed a, uint256 indexed b, bool indexed c, string d);
    event Text(string indexed a, bytes b);
    event Bare(uint256 a) anonymous;
    function three(uint256 b, string calldata d) external { emit Three(msg.sender, b, true, d); }
    function bare() external { emit Bare(1); emit Bare(2); }
}
// ----
// three(uint256,string): 5, 0x40, 2, "hi" ->
// ~ emit Three(address,uint256,bool,string): #0x1212121212121212121212121212120000000012, #5, #true, 0x20, 2, "hi"
// bare() ->
// ~ emit <anonymous>: 1
// ~ emit <anonymous>: 2
