// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title TestKeys
/// @notice Scalars and their multiples of the G2 generator, since the EVM cannot multiply in G2. For tests
/// alone: the trapdoor is public.
/// @dev Computed with py_ecc's bn128: scalar = sha512("lathe test trapdoor " + name), big-endian, modulo the
/// group order. Words of a point: x.c1, x.c0, y.c1, y.c0.
library TestKeys {
    uint256 internal constant BETA = 0;
    uint256 internal constant GAMMA = 1;

    /// @notice Number of shapes, and of B points, that `point` knows.
    uint256 internal constant SHAPES = 3;
    uint256 internal constant BS = 4;

    function delta(uint256 shape) internal pure returns (uint256) {
        return 2 + 2 * shape;
    }

    function eta(uint256 shape) internal pure returns (uint256) {
        return 3 + 2 * shape;
    }

    function b(uint256 k) internal pure returns (uint256) {
        return 8 + k % BS;
    }

    /// @notice Scalar number `i`.
    function scalar(uint256 i) internal pure returns (uint256) {
        return [ /* beta */
            0x08ef9470110f74452702e642dcfc8a02744a2c38babce3bef901d7f3b01bd131, /* gamma */
            0x019133a104d91b7d437fa2d0f82e9b51066e352ed98383a900d5834987023af5, /* delta0 */
            0x1ca92c9c6f1f78f3ab16c37cae751ba8ec823663b5398d72e03057d30663573b, /* eta0 */
            0x0188e06a5203445381b88ab228b4b7a131845f78707f1c101dae52b737b87b03, /* delta1 */
            0x1c049a145a08526f15caeedb954a8adcd571e276eec41b81ba63b038675d645c, /* eta1 */
            0x1f68a725df82ddd25210b7a8ef605e72c0015eaae5302f775ff83701abe14fce, /* delta2 */
            0x25e1eaed4fed8d95535fb70e7cda715bf14fedfbab73f77622727e1db0fc553e, /* eta2 */
            0x11bb39681501e23c085c36220000c0a4e884ab122a78e56598caaa234b336107, /* b0 */
            0x108326dc75b6d199336e847ccdff31a2005e911c6cd962c75a24a0c60c12abf6, /* b1 */
            0x301c5b107e69c3a9f7d4e42190f6316d5ce7652464b14a563163e4645815c12a, /* b2 */
            0x2ab54e39cd77172e34328ced8e73df2be7f18c0df184d3295f2c8cee06ecb449, /* b3 */
            0x0c1a7bd1698191365a3853dc633686c94d91a65db95a58c295c3b3b479e34261
        ][i];
    }

    /// @notice Scalar number `i` times the G2 generator.
    function point(uint256 i) internal pure returns (uint256[4] memory) {
        // beta
        if (i == 0) {
            return [
                0x20d3da1a72227b380d746f04ff0464f00c56c48b339dcdf2ae9fac1531f5d54c,
                0x09e90806a18359e54b07a152ffd23f58e84335288a6a1a63c3ac16caa08f60f0,
                0x2bbacc9db250b50ee5df21e7537891c418125df4800e466028dfb22b4acc1798,
                0x16ab23cfee854df0e4496808391b5f6fb92a718a35e16cd89b8a2ad00cf436a6
            ];
        }
        // gamma
        if (i == 1) {
            return [
                0x1a4b4dcaece496899ad95a2af8a476102f2b0a577dfd0d1bd32cf8b231274e1b,
                0x20122f30423dc287471f1191b00f6f6a1cd58a9c8926c5ada056425773c9df42,
                0x03ae69f3f7ee5f57358637ea10d8547ee834d2fbda034a4abfcd47f44ce0529f,
                0x0b05772dea9a15dbdd016ef9f7ddc7bb0fe8cdd423f3a8f10d1f15ccc7612c5b
            ];
        }
        // delta0
        if (i == 2) {
            return [
                0x01c4f9139001a799b83d757c4d41e8cab19796e4ccbce9d20d90b8f5d4abe1d0,
                0x1698234286aa535fd3f88d8e5095a4811f2a7b7d057f2c298bfdb0b6d30b20a9,
                0x2e1d62d64b791ad0327455ff2bb7610c61dd825fa55a397747b36355835fefa6,
                0x03cdfd8daa783fba6dee7bd4b13b764138d6a41f8398a0fcae70e7ece16448e2
            ];
        }
        // eta0
        if (i == 3) {
            return [
                0x1b844f6f2d7d18c7a54d0e5bd290b7da11f857a11950a6164178f01fd7a1f6af,
                0x1bab755095df10b6d5d157cccd0dae27814f5b9cabc01ac6c91416991aab16f2,
                0x14a844f0bebaf31fbc194b064795d48f0e233600bb99b6eee4a192e10faffcee,
                0x1791f119f2698c5c2f5c011fd68a7866e07c696dbc5e76f5ea69bcf9c5216e1f
            ];
        }
        // delta1
        if (i == 4) {
            return [
                0x2d534e440f3236fd536545379a3373f1218dd1b287fa7e52c2551eb26756bc63,
                0x22c23eee19d1b1cfecb600705cdfe64fc9ceb9c55b804e0b8035eb6ed0a59cb9,
                0x258a569b348586d85d2ae3180da6a20deaa7325e3e40902d58f2186a3137f2fe,
                0x2e41ad1962b8852bcf83512e03d30d686473877b9377f813fdc4d48df1ebfc9d
            ];
        }
        // eta1
        if (i == 5) {
            return [
                0x11805649014775ba3ba65edd09adf9d8c2f92ee00fcd1b56d0a900b5a8cdb5e5,
                0x0269b9eecbb4a0470e3abe4ed3d5ba401822bfcb9582d2619dd87c41ac908c6d,
                0x26d8bd8d3a5dcdde10a799a57c1e2b2d74b969b604ec9fc61f3afafe21e3adc5,
                0x0d8718dfbbfc7c63cd9d701c41b442bedb7193d811ec1adabc004ed9dd633728
            ];
        }
        // delta2
        if (i == 6) {
            return [
                0x2492263d0d93c4b0ea7e1e4c0b9e113476df7f67ac6f23293eec3bcb7a1ba56f,
                0x21c89c18da5d3a1cf5b1b2b4f5d7c46ac4b602a57e0ed10a9548ba36763c4620,
                0x1fc612268fe9f6975023d969551766c4e69e0d990932d8d6c6a254eb688778d2,
                0x0d3365b7a2b0c83352d703e7360f4a050f9f008681f5ea4186fbad79c0ac10ff
            ];
        }
        // eta2
        if (i == 7) {
            return [
                0x168cdb76d4d9c69e84c97c80496618b828fb11a5e64b2e52e7005d424d088f95,
                0x16e528cf6d775e01df87d595b27debaf399956b6d1fcef4aa2877193acec1f4f,
                0x29f4702157c8c368aa4ac8eba8f5852bc97915e24d6f6164d1ef3154a88a6b5b,
                0x13337e862778556c07799d98c77f4ae082896f093c80c940a4b3cc76ff25b5de
            ];
        }
        // b0
        if (i == 8) {
            return [
                0x1036a1e3136e959d583fc4c34dccfdae108f60254293ca0d788d38f322b8d03f,
                0x24f9e88420458c9134fa5c4922d295905fff2b3de4ada285f97265b83232a8a5,
                0x0efa3a2dc097b8c3156f2dffca62c8219723d6f1b445194f7c69bbff1240cf9e,
                0x20c97b7250af16171f102c262821ff4a1b5a3711fbac7942de6c584403b7ed7c
            ];
        }
        // b1
        if (i == 9) {
            return [
                0x05dcee07a7b0f5513d177378b8c1dfa4d97e0cf49e7215c91d884e3e08cdf91b,
                0x278b7d40ff297c9f258d575285d83f8ed0659aae2ef77a7351a95bcc95b72e9d,
                0x1b35cfb98cd472d7a538d5de0d6b02c1b36b0e09d6734df4429ab0653f6958d2,
                0x2e32fefabcc720b61493af6d38899efed3f26a90784b169acd152ac843a96285
            ];
        }
        // b2
        if (i == 10) {
            return [
                0x1214775a0c6c7d801b67424177edc783f1735c636dcfc401a239ee05426a3a32,
                0x211094264848615e1afa82267ae32923acdc850c2499a72a8add20864bce231d,
                0x0e3fc9accd4ebe9ead447603cabcd8b9f206cc28f08d016ce55c27b8fa026ab0,
                0x2b63b76d1f3b85085984cf0f4aacbbaaa0814a10bcd4a8536dcb200ea43aab3c
            ];
        }
        // b3
        if (i == 11) {
            return [
                0x281a275582a9011b0d8ece9c0d172442a1c334583899642337c2fba81a9117cd,
                0x2225cc6623fd6567e1ce4fb6f9c1517324a68eb63e069a6dd5da91f079739324,
                0x2a8951f813a817863b398491be1c9f0336ce9df55ec86d4ba2d983ee9250e36f,
                0x04f4cdb7a574f7383c8b7105045439b0f06911d50f08a5256e2fe9630be14f03
            ];
        }
        revert("no such point");
    }

    /// @notice A point of the twist that is not in the subgroup (x = 1).
    function outsideSubgroup() internal pure returns (uint256[4] memory) {
        return [
            uint256(0),
            1,
            0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        ];
    }
}
