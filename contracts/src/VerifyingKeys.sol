// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "./BN254.sol";

/// @title VerifyingKeys
/// @notice The rules a list of Groth16-with-commitment keys must pass at deployment, and their storage as the
/// code of one data contract. Must never store a key that `check` did not see.
/// @dev A key is 34 words: alpha (2), beta (4), gamma (4), delta (4), eta (4), then 8 IC points (2 each) for
/// ONE and the 7 public inputs. vkHash is keccak256 over exactly these words.
library VerifyingKeys {
    /*//////////////////////////////////////////////////////////////
                                 ERRORS
    //////////////////////////////////////////////////////////////*/

    /// @notice No key at all, or more than one data contract can hold.
    error KeyCount(uint256 max, uint256 got);
    /// @notice A coordinate is not below the base field's order.
    error KeyCoordinate(uint256 key, uint256 word, uint256 value);
    /// @notice The point that starts at `word` is infinity: its pairing would bind nothing.
    error KeyPointAtInfinity(uint256 key, uint256 word);
    /// @notice The point that starts at `word` is not on its curve or not in its subgroup.
    error KeyPointInvalid(uint256 key, uint256 word);
    /// @notice alpha, beta and gamma must be the same words in every key; word `word` of key `key` differs.
    error KeyNotShared(uint256 key, uint256 word, uint256 expected, uint256 got);
    /// @notice gamma, every delta and every eta must differ, also up to sign.
    error KeyPointsEqual(uint256 key, uint256 word, uint256 otherKey, uint256 otherWord);
    /// @notice A delta or eta is the G2 generator or its negative: its discrete logarithm is known.
    error KeyPointIsGenerator(uint256 key, uint256 word);

    /*//////////////////////////////////////////////////////////////
                               CONSTANTS
    //////////////////////////////////////////////////////////////*/

    uint256 internal constant WORDS = 34;
    uint256 internal constant BYTES = 1088;

    /// @dev Word at which each part of a key starts.
    uint256 internal constant ALPHA = 0;
    uint256 internal constant BETA = 2;
    uint256 internal constant GAMMA = 6;
    uint256 internal constant DELTA = 10;
    uint256 internal constant ETA = 14;
    uint256 internal constant IC = 18;

    /// @dev EIP-170 allows 24,576 bytes of code, one of which is the leading STOP.
    uint256 internal constant MAX_KEYS = (24_576 - 1) / BYTES;

    /*//////////////////////////////////////////////////////////////
                                 RULES
    //////////////////////////////////////////////////////////////*/

    /// @notice Reverts with the rule that `keys` break, if they break one.
    function check(uint256[WORDS][] memory keys) internal view {
        if (keys.length == 0 || keys.length > MAX_KEYS) revert KeyCount(MAX_KEYS, keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            for (uint256 w = 0; w < WORDS; ++w) {
                if (keys[i][w] >= BN254.Q) revert KeyCoordinate(i, w, keys[i][w]);
            }
            checkShared(keys, i);
            checkG1(keys[i], i, ALPHA);
            for (uint256 w = IC; w < WORDS; w += 2) {
                checkG1(keys[i], i, w);
            }
            for (uint256 w = BETA; w < IC; w += 4) {
                // beta and gamma equal those of key 0, which were checked there.
                if (i == 0 || w >= DELTA) checkG2(keys[i], i, w);
            }
            checkDenominators(keys, i);
        }
    }

    /// @dev alpha, beta and gamma of key `i` are those of key 0: the product pairs them once for all circuits.
    function checkShared(uint256[WORDS][] memory keys, uint256 i) private pure {
        for (uint256 w = ALPHA; w < DELTA; ++w) {
            if (keys[i][w] != keys[0][w]) revert KeyNotShared(i, w, keys[0][w], keys[i][w]);
        }
    }

    /// @dev Finite and on the curve.
    function checkG1(uint256[WORDS] memory key, uint256 i, uint256 w) private pure {
        if (key[w] == 0 && key[w + 1] == 0) revert KeyPointAtInfinity(i, w);
        if (!BN254.isOnCurve(key[w], key[w + 1])) revert KeyPointInvalid(i, w);
    }

    /// @dev Finite, on the twist and in the subgroup: the pairing precompile checks all of its input, also
    /// where the G1 side is infinity.
    function checkG2(uint256[WORDS] memory key, uint256 i, uint256 w) private view {
        if (key[w] | key[w + 1] | key[w + 2] | key[w + 3] == 0) revert KeyPointAtInfinity(i, w);
        bool ok;
        // Equals: (ok, ) = address(8).staticcall(abi.encode(0, 0, key[w], key[w + 1], key[w + 2], key[w + 3])).
        assembly ("memory-safe") {
            let words := mload(0x40)
            let point := add(key, mul(w, 0x20))
            mstore(words, 0)
            mstore(add(words, 0x20), 0)
            mcopy(add(words, 0x40), point, 0x80)
            ok := staticcall(gas(), 0x08, words, 0xc0, words, 0x20)
        }
        if (!ok) revert KeyPointInvalid(i, w);
    }

    /// @dev delta_i and eta_i differ from the generator, from gamma, from each other and from every earlier
    /// delta and eta. Equal x means equal up to sign, and a known sign is as bad as equality.
    function checkDenominators(uint256[WORDS][] memory keys, uint256 i) private pure {
        for (uint256 w = DELTA; w <= ETA; w += 4) {
            if (keys[i][w] == BN254.G2_X_C1 && keys[i][w + 1] == BN254.G2_X_C0) {
                revert KeyPointIsGenerator(i, w);
            }
            requireDistinct(keys, i, w, i, GAMMA);
            for (uint256 j = 0; j < i; ++j) {
                requireDistinct(keys, i, w, j, DELTA);
                requireDistinct(keys, i, w, j, ETA);
            }
        }
        requireDistinct(keys, i, ETA, i, DELTA);
    }

    function requireDistinct(uint256[WORDS][] memory keys, uint256 i, uint256 w, uint256 j, uint256 v)
        private
        pure
    {
        if (keys[i][w] == keys[j][v] && keys[i][w + 1] == keys[j][v + 1]) {
            revert KeyPointsEqual(i, w, j, v);
        }
    }

    /*//////////////////////////////////////////////////////////////
                                STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @notice Deploys a contract whose code is STOP followed by the keys' words in order; the STOP makes a
    /// call to it do nothing. (Storage as code: the idea of 0xsequence's SSTORE2.)
    function write(uint256[WORDS][] memory keys) internal returns (address store) {
        bytes memory code = hex"00";
        for (uint256 i = 0; i < keys.length; ++i) {
            code = bytes.concat(code, abi.encode(keys[i]));
        }
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows these 10 bytes.
        bytes memory init = bytes.concat(hex"61", bytes2(uint16(code.length)), hex"80600a5f395ff3", code);
        // Equals: store = address(new Data()), where Data's creation code is `init`.
        assembly ("memory-safe") {
            store := create(0, add(init, 0x20), mload(init))
        }
        require(store.code.length == code.length, KeyCount(MAX_KEYS, keys.length));
    }

    /// @notice The 34 words of key `index`, as `write` stored them.
    function read(address store, uint256 index) internal view returns (uint256[] memory key) {
        key = new uint256[](WORDS);
        uint256 offset = 1 + index * BYTES;
        // Equals: key = abi.decode(store.code[offset : offset + BYTES], (uint256[34])).
        assembly ("memory-safe") {
            extcodecopy(store, add(key, 0x20), offset, BYTES)
        }
    }

    /// @notice keccak256 of the key's words.
    function hash(uint256[] memory key) internal pure returns (bytes32 digest) {
        // Equals: digest = keccak256(abi.encodePacked(key)).
        assembly ("memory-safe") {
            digest := keccak256(add(key, 0x20), BYTES)
        }
    }
}
