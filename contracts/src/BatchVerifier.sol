// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BN254} from "./BN254.sol";
import {IBatchVerifier} from "./IBatchVerifier.sol";
import {Transcript} from "./Transcript.sol";
import {VerifyingKeys} from "./VerifyingKeys.sol";

/// @title BatchVerifier
/// @notice Checks all circuits of a batch proof, Groth16 over BN254 with a commitment, in one pairing product.
/// Keys and layouts are fixed at deployment; must never read a challenge or a public input that it can compute.
/// @dev With S_v the circuits of shape v, x_k the public inputs of circuit k and rho_k the batching
/// coefficients, the product of
///     e(rho_k A_k, B_k) for every k
///     e(-(sum rho) alpha, beta)
///     e(-sum_v [(sum_{S_v} rho_k) IC_v0 + sum_j (sum_{S_v} rho_k x_kj) IC_vj], gamma)
///     e(-sum_{S_v} rho_k C_k, delta_v) e(-sum_{S_v} rho_k D_k, eta_v) for every v
/// must be one, K + 2 + 2V pairs. Form and security: docs/proof-system.md (MIRAGE, ePrint 2020/278; Hekaton,
/// ePrint 2024/1208).
contract BatchVerifier is IBatchVerifier {
    using BN254 for BN254.G1;

    /*//////////////////////////////////////////////////////////////
                                 TYPES
    //////////////////////////////////////////////////////////////*/

    /// @notice One shape's key, 34 words (see VerifyingKeys), and whether its setup was a development one.
    struct Key {
        uint256[34] words;
        bool development;
    }

    /// @notice A layout: one byte per circuit, the index of its shape. Byte 0, and no other, is 0: the head.
    struct Layout {
        uint32 id;
        bytes shapes;
    }

    /// @dev What the circuits of one shape add up to.
    struct ShapeSum {
        uint256[] key;
        bytes32 vkHash;
        uint256 rho;
        uint256 rhoPosition;
        uint256 rhoPartialSum;
        BN254.G1 c;
        BN254.G1 d;
    }

    /// @dev Public inputs that all circuits of a batch share.
    struct Shared {
        bytes32 statement;
        uint256 layoutId;
        uint256 r;
        uint256 c;
    }

    /*//////////////////////////////////////////////////////////////
                                 ERRORS
    //////////////////////////////////////////////////////////////*/

    /// @notice No layout has this id.
    error UnknownLayout(uint256 layoutId);
    /// @notice A batch proof of this layout has exactly `expected` bytes.
    error ProofLength(uint256 expected, uint256 got);
    /// @notice Word `word` of circuit `circuit` is a coordinate and not below the base field's order.
    error CoordinateTooLarge(uint256 circuit, uint256 word, uint256 value);
    /// @notice The G1 point that starts at word `word` of circuit `circuit` is not on the curve.
    error PointNotOnCurve(uint256 circuit, uint256 word);
    /// @notice The partial sum of `circuit` is not below the scalar field's order.
    error PartialSumTooLarge(uint256 circuit, uint256 value);
    /// @notice The circuits' partial sums add to `got`, not to zero: the bus does not balance.
    error PartialSumsNotZero(uint256 got);

    /// @notice Deployment: a layout without circuits.
    error EmptyLayout(uint256 layoutId);
    /// @notice Deployment: two layouts with one id.
    error DuplicateLayout(uint256 layoutId);
    /// @notice Deployment: the head shape must stand at position 0 and nowhere else.
    error LayoutHead(uint256 layoutId, uint256 position);
    /// @notice Deployment: a layout names a shape that has no key.
    error UnknownShape(uint256 layoutId, uint256 position, uint256 shape);

    /*//////////////////////////////////////////////////////////////
                                STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @notice The contract whose code holds all keys.
    address public immutable keyStore;

    /// @notice Number of shapes, one key each; shape 0 is the head.
    uint256 public immutable shapeCount;

    /// @inheritdoc IBatchVerifier
    bool public immutable development;

    /// @dev Layout id to one byte per circuit; up to 31 circuits take one storage slot.
    mapping(uint256 layoutId => bytes shapes) private _layouts;

    /*//////////////////////////////////////////////////////////////
                              CONSTRUCTOR
    //////////////////////////////////////////////////////////////*/

    constructor(Key[] memory keys, Layout[] memory layouts) {
        uint256[34][] memory words = new uint256[34][](keys.length);
        bool anyDevelopment = false;
        for (uint256 i = 0; i < keys.length; ++i) {
            words[i] = keys[i].words;
            anyDevelopment = anyDevelopment || keys[i].development;
        }
        VerifyingKeys.check(words);
        keyStore = VerifyingKeys.write(words);
        shapeCount = keys.length;
        development = anyDevelopment;
        for (uint256 i = 0; i < layouts.length; ++i) {
            _addLayout(layouts[i], keys.length);
        }
    }

    function _addLayout(Layout memory layout_, uint256 shapes) private {
        if (layout_.shapes.length == 0) revert EmptyLayout(layout_.id);
        if (_layouts[layout_.id].length != 0) revert DuplicateLayout(layout_.id);
        for (uint256 k = 0; k < layout_.shapes.length; ++k) {
            uint256 shape = uint8(layout_.shapes[k]);
            if (shape >= shapes) revert UnknownShape(layout_.id, k, shape);
            if ((shape == 0) != (k == 0)) revert LayoutHead(layout_.id, k);
        }
        _layouts[layout_.id] = layout_.shapes;
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @notice The shapes of a layout, one byte per circuit; empty when there is no such layout.
    function layoutShapes(uint256 layoutId) external view returns (bytes memory) {
        return _layouts[layoutId];
    }

    /// @notice The 34 words of a shape's key.
    function verifyingKey(uint256 shape) public view returns (uint256[] memory) {
        require(shape < shapeCount, UnknownShape(0, 0, shape));
        return VerifyingKeys.read(keyStore, shape);
    }

    /// @notice keccak256 of a shape's key, as absorbed in h1.
    function vkHash(uint256 shape) external view returns (bytes32) {
        return VerifyingKeys.hash(verifyingKey(shape));
    }

    /*//////////////////////////////////////////////////////////////
                                 VERIFY
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IBatchVerifier
    function verify(address rollup, bytes32 statement, uint256 layoutId, bytes calldata proof)
        external
        view
        returns (bool)
    {
        bytes memory shapes = _layouts[layoutId];
        if (shapes.length == 0) revert UnknownLayout(layoutId);
        if (proof.length != shapes.length * Transcript.BYTES) {
            revert ProofLength(shapes.length * Transcript.BYTES, proof.length);
        }
        _checkRanges(proof, shapes.length);

        (ShapeSum[] memory sums, bytes32[] memory vkHashes, uint256 used) = _load(shapes);
        bytes32 h1 = Transcript.commitmentsHash(rollup, statement, layoutId, vkHashes, proof);
        bytes32 h2 = Transcript.proofsHash(proof, shapes.length);
        Shared memory shared =
            Shared(statement, layoutId, Transcript.challenge(h1, 0), Transcript.challenge(h1, 1));

        uint256[] memory pairs = new uint256[](6 * (shapes.length + 2 + 2 * used));
        for (uint256 k = 0; k < shapes.length; ++k) {
            _addCircuit(pairs, sums[uint8(shapes[k])], proof, k, Transcript.batching(h1, h2, k));
        }
        _addShapes(pairs, shapes.length, sums, shared);
        return BN254.pairing(pairs);
    }

    /// @dev Every coordinate below Q, G1 points on the curve (the pairing precompile looks at B, at the price of
    /// all gas if it refuses), every partial sum below P, and the partial sums add to zero modulo P.
    function _checkRanges(bytes calldata proof, uint256 count) private pure {
        uint256 total = 0;
        for (uint256 k = 0; k < count; ++k) {
            for (uint256 w = 0; w < Transcript.PARTIAL_SUM; ++w) {
                uint256 value = Transcript.word(proof, k, w);
                if (value >= BN254.Q) revert CoordinateTooLarge(k, w, value);
            }
            _requireOnCurve(proof, k, Transcript.D);
            _requireOnCurve(proof, k, Transcript.A);
            _requireOnCurve(proof, k, Transcript.C);
            uint256 partialSum = Transcript.word(proof, k, Transcript.PARTIAL_SUM);
            if (partialSum >= BN254.P) revert PartialSumTooLarge(k, partialSum);
            total = addmod(total, partialSum, BN254.P);
        }
        if (total != 0) revert PartialSumsNotZero(total);
    }

    function _requireOnCurve(bytes calldata proof, uint256 k, uint256 w) private pure {
        if (!BN254.isOnCurve(Transcript.word(proof, k, w), Transcript.word(proof, k, w + 1))) {
            revert PointNotOnCurve(k, w);
        }
    }

    /// @dev Keys of the shapes that the layout uses, each read once, and the vkHash of every circuit.
    function _load(bytes memory shapes)
        private
        view
        returns (ShapeSum[] memory sums, bytes32[] memory vkHashes, uint256 used)
    {
        sums = new ShapeSum[](shapeCount);
        vkHashes = new bytes32[](shapes.length);
        for (uint256 k = 0; k < shapes.length; ++k) {
            ShapeSum memory sum = sums[uint8(shapes[k])];
            if (sum.key.length == 0) {
                sum.key = VerifyingKeys.read(keyStore, uint8(shapes[k]));
                sum.vkHash = VerifyingKeys.hash(sum.key);
                ++used;
            }
            vkHashes[k] = sum.vkHash;
        }
    }

    /// @dev Pair k = (rho_k A_k, B_k); C_k, D_k and the inputs that differ by circuit go to the shape's sums.
    function _addCircuit(
        uint256[] memory pairs,
        ShapeSum memory sum,
        bytes calldata proof,
        uint256 k,
        uint256 rho
    ) private view {
        BN254.G1 memory a;
        a.addMul(Transcript.word(proof, k, Transcript.A), Transcript.word(proof, k, Transcript.A + 1), rho);
        pairs[6 * k] = a.x;
        pairs[6 * k + 1] = a.y;
        // Equals: pairs[6 k + 2 + i] = Transcript.word(proof, k, Transcript.B + i) for i in 0..4.
        uint256 b = Transcript.B * 32;
        assembly ("memory-safe") {
            let from := add(add(proof.offset, mul(k, 352)), b)
            calldatacopy(add(pairs, mul(add(mul(6, k), 3), 0x20)), from, 0x80)
        }
        sum.c
            .addMul(Transcript.word(proof, k, Transcript.C), Transcript.word(proof, k, Transcript.C + 1), rho);
        sum.d
            .addMul(Transcript.word(proof, k, Transcript.D), Transcript.word(proof, k, Transcript.D + 1), rho);
        // At most 255 terms below 2^128 and 2^136: no overflow, and far below P.
        sum.rho += rho;
        sum.rhoPosition += rho * k;
        uint256 partialSum = Transcript.word(proof, k, Transcript.PARTIAL_SUM);
        sum.rhoPartialSum = addmod(sum.rhoPartialSum, mulmod(rho, partialSum, BN254.P), BN254.P);
    }

    /// @dev The pairs of beta and gamma at index `k` and `k + 1`, then delta_v and eta_v of every used shape.
    function _addShapes(uint256[] memory pairs, uint256 k, ShapeSum[] memory sums, Shared memory shared)
        private
        view
    {
        BN254.G1 memory ic;
        uint256 rho = 0;
        uint256 next = k + 2;
        for (uint256 v = 0; v < sums.length; ++v) {
            uint256[] memory key = sums[v].key;
            if (key.length == 0) continue;
            rho += sums[v].rho;
            _addInputs(ic, sums[v], shared);
            _putNegated(pairs, next++, sums[v].c, key, VerifyingKeys.DELTA);
            _putNegated(pairs, next++, sums[v].d, key, VerifyingKeys.ETA);
        }
        // alpha, beta and gamma are the same in every key; the head's is always loaded.
        uint256[] memory head = sums[0].key;
        BN254.G1 memory alpha;
        alpha.addMul(head[VerifyingKeys.ALPHA], head[VerifyingKeys.ALPHA + 1], rho);
        _putNegated(pairs, k, alpha, head, VerifyingKeys.BETA);
        _putNegated(pairs, k + 1, ic, head, VerifyingKeys.GAMMA);
    }

    /// @dev Adds (sum rho_k) IC_0 + sum_j (sum_k rho_k x_kj) IC_j of one shape.
    function _addInputs(BN254.G1 memory ic, ShapeSum memory sum, Shared memory shared) private view {
        uint256[8] memory scalars = [
            sum.rho,
            mulmod(sum.rho, uint256(shared.statement) >> 128, BN254.P),
            mulmod(sum.rho, uint128(uint256(shared.statement)), BN254.P),
            sum.rhoPosition,
            mulmod(sum.rho, shared.layoutId, BN254.P),
            mulmod(sum.rho, shared.r, BN254.P),
            mulmod(sum.rho, shared.c, BN254.P),
            sum.rhoPartialSum
        ];
        for (uint256 j = 0; j < 8; ++j) {
            uint256 w = VerifyingKeys.IC + 2 * j;
            ic.addMul(sum.key[w], sum.key[w + 1], scalars[j]);
        }
    }

    /// @dev Pair `index` = (-point, the G2 point of `key` that starts at word `w`).
    function _putNegated(
        uint256[] memory pairs,
        uint256 index,
        BN254.G1 memory point,
        uint256[] memory key,
        uint256 w
    ) private pure {
        pairs[6 * index] = point.x;
        pairs[6 * index + 1] = BN254.negate(point.y);
        // Equals: pairs[6 index + 2 + i] = key[w + i] for i in 0..4.
        assembly ("memory-safe") {
            mcopy(add(pairs, mul(add(mul(6, index), 3), 0x20)), add(key, mul(add(w, 1), 0x20)), 0x80)
        }
    }
}
