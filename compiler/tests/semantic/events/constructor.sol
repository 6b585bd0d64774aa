contract C {
    event Born(address indexed by, uint256 value);
    constructor() payable { emit Born(msg.sender, msg.value); }
}
// ----
// constructor(), 1 ether ->
// ~ emit Born(address,uint256): #0x1212121212121212121212121212120000000012, 1000000000000000000
// balance -> 1000000000000000000
