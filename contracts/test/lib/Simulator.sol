// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TestKeys} from "./TestKeys.sol";

/// @title Simulator
/// @notice Groth16's zero-knowledge simulator for keys whose trapdoor is known: a proof of any statement, made
/// from scalars alone. It shares no code with the contracts under test, so that each checks the other; it says
/// nothing about circuits (real proofs: test/fixtures).
/// @dev A = a G, B = b H, D = d G are free; C = (a b - alpha beta - gamma ic - eta d) / delta.
library Simulator {
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    bytes32 internal constant DOMAIN = "lathe-v1";

    /// @notice What a proof is made for.
    struct Job {
        uint256 chainId;
        address rollup;
        bytes32 statement;
        uint256 layoutId;
        bytes shapes;
        uint256[] partialSums;
        uint256 seed;
    }

    struct Challenges {
        bytes32 h1;
        uint256 r;
        uint256 c;
    }

    /*//////////////////////////////////////////////////////////////
                                  KEYS
    //////////////////////////////////////////////////////////////*/

    function alpha() internal pure returns (uint256) {
        return secret("alpha", 0, 0);
    }

    /// @notice The 34 words of shape `v`'s key.
    function key(uint256 v) internal view returns (uint256[34] memory words) {
        (words[0], words[1]) = times(alpha());
        put(words, 2, TestKeys.point(TestKeys.BETA));
        put(words, 6, TestKeys.point(TestKeys.GAMMA));
        put(words, 10, TestKeys.point(TestKeys.delta(v)));
        put(words, 14, TestKeys.point(TestKeys.eta(v)));
        for (uint256 j = 0; j < 8; ++j) {
            (words[18 + 2 * j], words[19 + 2 * j]) = times(secret("ic", v, j));
        }
    }

    function put(uint256[34] memory words, uint256 start, uint256[4] memory point) internal pure {
        for (uint256 i = 0; i < 4; ++i) {
            words[start + i] = point[i];
        }
    }

    /*//////////////////////////////////////////////////////////////
                                 PROOFS
    //////////////////////////////////////////////////////////////*/

    /// @notice Partial sums that add to zero.
    function balanced(uint256 count, uint256 seed) internal pure returns (uint256[] memory sums) {
        sums = new uint256[](count);
        for (uint256 k = 0; k + 1 < count; ++k) {
            sums[k] = secret("sum", seed, k);
            sums[count - 1] = addmod(sums[count - 1], P - sums[k], P);
        }
    }

    /// @notice One row of 11 words per circuit: D, A, B, C, partialSum.
    function prove(Job memory job) internal view returns (uint256[11][] memory rows) {
        rows = new uint256[11][](job.shapes.length);
        for (uint256 k = 0; k < rows.length; ++k) {
            (rows[k][0], rows[k][1]) = times(secret("d", job.seed, k));
        }
        Challenges memory challenges = transcript(job, rows);
        for (uint256 k = 0; k < rows.length; ++k) {
            (rows[k][2], rows[k][3]) = times(secret("a", job.seed, k));
            uint256[4] memory b = TestKeys.point(TestKeys.b(k));
            (rows[k][4], rows[k][5], rows[k][6], rows[k][7]) = (b[0], b[1], b[2], b[3]);
            (rows[k][8], rows[k][9]) = times(cScalar(job, challenges, k));
            rows[k][10] = job.partialSums[k];
        }
    }

    function transcript(Job memory job, uint256[11][] memory rows)
        internal
        view
        returns (Challenges memory ch)
    {
        bytes memory text = abi.encodePacked(
            DOMAIN, job.chainId, uint256(uint160(job.rollup)), job.statement, job.layoutId, job.shapes.length
        );
        for (uint256 k = 0; k < rows.length; ++k) {
            bytes32 vkHash = keccak256(abi.encodePacked(key(uint8(job.shapes[k]))));
            text = abi.encodePacked(text, vkHash, rows[k][0], rows[k][1]);
        }
        ch.h1 = keccak256(text);
        ch.r = uint256(keccak256(abi.encodePacked(ch.h1, uint256(0)))) % P;
        ch.c = uint256(keccak256(abi.encodePacked(ch.h1, uint256(1)))) % P;
    }

    /// @notice Batching coefficient of circuit `k`.
    function rho(bytes32 h1, uint256[11][] memory rows, uint256 k) internal pure returns (uint256) {
        if (k == 0) return 1;
        bytes memory text;
        for (uint256 i = 0; i < rows.length; ++i) {
            for (uint256 w = 2; w < 11; ++w) {
                text = abi.encodePacked(text, rows[i][w]);
            }
        }
        return uint256(keccak256(abi.encodePacked(h1, keccak256(text), k))) & (2 ** 128 - 1);
    }

    function cScalar(Job memory job, Challenges memory ch, uint256 k) internal view returns (uint256 c) {
        uint256 v = uint8(job.shapes[k]);
        uint256 ic = inputs(job, ch, v, k);
        c = mulmod(secret("a", job.seed, k), TestKeys.scalar(TestKeys.b(k)), P);
        c = sub(c, mulmod(alpha(), TestKeys.scalar(TestKeys.BETA), P));
        c = sub(c, mulmod(TestKeys.scalar(TestKeys.GAMMA), ic, P));
        c = sub(c, mulmod(TestKeys.scalar(TestKeys.eta(v)), secret("d", job.seed, k), P));
        c = mulmod(c, inverse(TestKeys.scalar(TestKeys.delta(v))), P);
    }

    function inputs(Job memory job, Challenges memory ch, uint256 v, uint256 k)
        internal
        pure
        returns (uint256 ic)
    {
        uint256[8] memory x = [
            1,
            uint256(job.statement) / 2 ** 128,
            uint256(job.statement) % 2 ** 128,
            k,
            job.layoutId,
            ch.r,
            ch.c,
            job.partialSums[k]
        ];
        for (uint256 j = 0; j < 8; ++j) {
            ic = addmod(ic, mulmod(x[j], secret("ic", v, j), P), P);
        }
    }

    /// @notice The rows as calldata bytes.
    function encode(uint256[11][] memory rows) internal pure returns (bytes memory proof) {
        for (uint256 k = 0; k < rows.length; ++k) {
            proof = abi.encodePacked(proof, rows[k]);
        }
    }

    /*//////////////////////////////////////////////////////////////
                               ARITHMETIC
    //////////////////////////////////////////////////////////////*/

    function secret(string memory what, uint256 i, uint256 j) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("lathe test", what, i, j))) % P;
    }

    function sub(uint256 x, uint256 y) internal pure returns (uint256) {
        return addmod(x, P - y, P);
    }

    /// @notice 1 / x by Fermat, with the modular exponentiation precompile.
    function inverse(uint256 x) internal view returns (uint256) {
        (bool ok, bytes memory out) =
            address(5).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), x, P - 2, P));
        require(ok, "modexp");
        return abi.decode(out, (uint256));
    }

    /// @notice scalar times the G1 generator (1, 2).
    function times(uint256 scalar) internal view returns (uint256 x, uint256 y) {
        return mul(1, 2, scalar);
    }

    function mul(uint256 x, uint256 y, uint256 scalar) internal view returns (uint256, uint256) {
        (bool ok, bytes memory out) = address(7).staticcall(abi.encode(x, y, scalar));
        require(ok, "ecMul");
        return abi.decode(out, (uint256, uint256));
    }

    function add(uint256 x1, uint256 y1, uint256 x2, uint256 y2) internal view returns (uint256, uint256) {
        (bool ok, bytes memory out) = address(6).staticcall(abi.encode(x1, y1, x2, y2));
        require(ok, "ecAdd");
        return abi.decode(out, (uint256, uint256));
    }
}
