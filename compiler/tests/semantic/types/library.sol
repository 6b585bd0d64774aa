==== Source: lib.sol ====
library L {
    function double(uint256 x) internal pure returns (uint256) { return x * 2; }
    function apply_(uint256[] memory list, function(uint256) pure returns (uint256) f) internal pure {
        for (uint256 i; i < list.length; i++) list[i] = f(list[i]);
    }
}
==== Source: main.sol ====
import {L} from "lib.sol";
contract C {
    using L for *;
    function f(uint256[] memory list) external pure returns (uint256[] memory) {
        list.apply_(L.double);
        return list;
    }
}
// ----
// f(uint256[]): 0x20, 3, 1, 2, 3 -> 0x20, 3, 2, 4, 6
