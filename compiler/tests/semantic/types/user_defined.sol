type Metres is uint128;
using {add as +, less as <} for Metres global;
function add(Metres a, Metres b) pure returns (Metres) { return Metres.wrap(Metres.unwrap(a) + Metres.unwrap(b)); }
function less(Metres a, Metres b) pure returns (bool) { return Metres.unwrap(a) < Metres.unwrap(b); }
contract C {
    enum Size { Small, Large }
    function total(Metres a, Metres b) external pure returns (Metres, Size) {
        Metres sum = a + b;
        return (sum, sum < Metres.wrap(100) ? Size.Small : Size.Large);
    }
}
// ----
// total(uint128,uint128): 40, 50 -> 90, 0
// total(uint128,uint128): 60, 50 -> 110, 1
// total(uint128,uint128): 0xffffffffffffffffffffffffffffffff, 1 -> FAILURE, hex"4e487b71", 0x11
