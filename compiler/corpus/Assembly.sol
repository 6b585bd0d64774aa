// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Inline assembly: what Solidity alone does not write.
contract Assembly {
    function collatz(uint32 n) external pure returns (uint256 steps) {
        assembly ("memory-safe") {
            for { let x := n } gt(x, 1) { steps := add(steps, 1) } {
                switch and(x, 1)
                case 0 { x := shr(1, x) }
                default { x := add(mul(3, x), 1) }
                if gt(steps, 300) { break }
            }
        }
    }

    function fibonacci(uint8 n) external pure returns (uint256 result) {
        assembly ("memory-safe") {
            function fib(k) -> a, b {
                if iszero(k) {
                    b := 1
                    leave
                }
                let c, d := fib(shr(1, k))
                a := mul(c, sub(shl(1, d), c))
                b := add(mul(c, c), mul(d, d))
                if and(k, 1) {
                    let t := a
                    a := b
                    b := add(t, b)
                }
            }
            result, n := fib(n)
        }
    }

    function signedOps(int256 a, int256 b) external pure returns (int256 q, int256 r, bool less, bool greater) {
        assembly ("memory-safe") {
            q := sdiv(a, b)
            r := smod(a, b)
            less := slt(a, b)
            greater := sgt(a, b)
        }
    }

    function extend(uint256 at, uint256 value) external pure returns (uint256 extended, uint256 single) {
        assembly ("memory-safe") {
            extended := signextend(at, value)
            single := byte(at, value)
        }
    }

    function shift(uint256 by, uint256 value) external pure returns (uint256 a, uint256 b, uint256 c) {
        assembly ("memory-safe") {
            a := shl(by, value)
            b := shr(by, value)
            c := sar(by, value)
        }
    }

    function overlap(uint256 a, uint256 b, uint8 by) external pure returns (uint256 x, uint256 y, uint256 z) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, a)
            mstore(add(p, 32), b)
            x := mload(add(p, and(by, 31)))
            mstore8(add(p, and(by, 31)), by)
            y := mload(p)
            mcopy(add(p, and(by, 15)), p, 48)
            z := xor(mload(p), mload(add(p, 32)))
        }
    }

    function calldataTricks(uint256 at, uint256 length) external pure returns (uint256 word, bytes32 hashed, uint256 size) {
        assembly ("memory-safe") {
            word := calldataload(at)
            size := calldatasize()
            length := and(length, 0xff)
            let p := mload(0x40)
            calldatacopy(p, at, length)
            hashed := keccak256(p, length)
        }
    }

    function slots(uint256 slot, uint256 value) external returns (uint256 before) {
        assembly {
            before := sload(slot)
            sstore(slot, value)
        }
    }

    function returnRaw(bytes calldata data) external pure {
        assembly {
            let p := mload(0x40)
            calldatacopy(p, data.offset, data.length)
            return(p, data.length)
        }
    }

    function revertRaw(bytes calldata data) external pure {
        assembly {
            let p := mload(0x40)
            calldatacopy(p, data.offset, data.length)
            revert(p, data.length)
        }
    }

    function logRaw(uint8 topics, bytes calldata data) external {
        assembly {
            let p := mload(0x40)
            calldatacopy(p, data.offset, data.length)
            switch mod(topics, 5)
            case 0 { log0(p, data.length) }
            case 1 { log1(p, data.length, 1) }
            case 2 { log2(p, data.length, 1, topics) }
            case 3 { log3(p, data.length, 1, topics, caller()) }
            case 4 { log4(p, data.length, 1, topics, caller(), not(0)) }
        }
    }

    function halt(uint8 how) external pure {
        assembly {
            switch and(how, 3)
            case 0 { stop() }
            case 1 { invalid() }
            case 2 { revert(0, 0) }
        }
    }

    function leadingZeros(uint256 x) external pure returns (uint256 n) {
        assembly ("memory-safe") {
            n := shl(7, lt(0xffffffffffffffffffffffffffffffff, x))
            n := or(n, shl(6, lt(0xffffffffffffffff, shr(n, x))))
            n := or(n, shl(5, lt(0xffffffff, shr(n, x))))
            n := or(n, shl(4, lt(0xffff, shr(n, x))))
            n := or(n, shl(3, lt(0xff, shr(n, x))))
            for {} shr(add(n, 1), x) {} { n := add(n, 1) }
            n := sub(255, n)
            if iszero(x) { n := 256 }
        }
    }
}
