abstract contract A {
    uint256 public order;
    constructor(uint256 x) { order = order * 10 + x; }
}
abstract contract B is A {
    constructor() { order = order * 10 + 2; }
}
abstract contract D is A {
    constructor() { order = order * 10 + 3; }
}
contract C is B, D {
    uint256 public start = 7;
    constructor() A(1) { order = order * 10 + start; }
}
// ----
// order() -> 1237
