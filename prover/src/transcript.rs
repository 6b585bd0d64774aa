//! The batch transcript: Keccak-256 over 32-byte big-endian words, word for word what the contracts'
//! `Transcript` recomputes. Challenges come only from here; none is ever read from a proof.

use crate::groth16::encode::{Word, g1_words, g2_words, reduce_scalar, scalar_word};
use crate::groth16::{Proof, VerifyingKey};
use halo2curves::bn256::{Fr, G1Affine};
use sha3::{Digest, Keccak256};

/// Number of public inputs of every circuit of a batch, ONE not counted.
pub const PUBLIC_INPUTS: usize = 7;

/// Name and version of the protocol, left-aligned as Solidity's bytes32 literal.
const DOMAIN: &[u8; 8] = b"lathe-v1";

/// What a batch proof is bound to besides its circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Chain id of the L1.
    pub l1_chain_id: u64,
    /// Address of the rollup contract.
    pub contract: [u8; 20],
    /// The statement's hash (DESIGN: `keccak256(abi.encode(protocolVersion, ..))`).
    pub statement: Word,
    /// The layout's id.
    pub layout_id: u32,
}

fn number(value: u64) -> Word {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

fn keccak(words: &[Word]) -> Word {
    Keccak256::digest(words.as_flattened()).into()
}

impl Context {
    /// The statement as two public inputs: its high and its low 128 bits.
    pub fn statement_halves(&self) -> [Fr; 2] {
        [&self.statement[..16], &self.statement[16..]].map(|half| {
            let mut word = [0; 32];
            word[16..].copy_from_slice(half);
            // Below 2^128, so nothing is reduced.
            reduce_scalar(&word)
        })
    }
}

/// The challenges, drawn after every commitment and before the second phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenges {
    /// Hash of the statement and all commitments.
    pub h1: Word,
    /// The bus evaluation point, full width.
    pub r: Fr,
    /// The tuple compression coefficient, full width.
    pub c: Fr,
}

impl Challenges {
    /// Draws the challenges from the keys and commitments of all circuits, in layout order. Reducing
    /// 256 bits modulo p biases each residue by at most 6 / 2^256.
    pub fn draw(context: &Context, circuits: &[(Word, G1Affine)]) -> Self {
        let mut domain = [0; 32];
        domain[..8].copy_from_slice(DOMAIN);
        let mut contract = [0; 32];
        contract[12..].copy_from_slice(&context.contract);
        let mut words = vec![
            domain,
            number(context.l1_chain_id),
            contract,
            context.statement,
            number(context.layout_id.into()),
            number(circuits.len() as u64),
        ];
        for (vk_hash, commitment) in circuits {
            words.push(*vk_hash);
            words.extend(g1_words(commitment));
        }
        let h1 = keccak(&words);
        let draw = |index| reduce_scalar(&keccak(&[h1, number(index)]));
        Self { h1, r: draw(0), c: draw(1) }
    }

    /// As [`Challenges::draw`], hashing the verifying keys.
    pub fn for_keys(context: &Context, circuits: &[(&VerifyingKey, G1Affine)]) -> Self {
        let hashed: Vec<_> = circuits.iter().map(|(vk, d)| (vk.evm_hash(), *d)).collect();
        Self::draw(context, &hashed)
    }

    /// The public inputs of the circuit at `position`:
    /// `(statementHi, statementLo, position, layoutId, r, c, partialSum)`.
    pub fn public_inputs(&self, context: &Context, position: usize, partial_sum: Fr) -> [Fr; PUBLIC_INPUTS] {
        let [hi, lo] = context.statement_halves();
        let (position, layout) = (Fr::from(position as u64), Fr::from(u64::from(context.layout_id)));
        [hi, lo, position, layout, self.r, self.c, partial_sum]
    }

    /// h2: the hash of all proofs and partial sums, in layout order.
    pub fn proofs_hash(proofs: &[(&Proof, Fr)]) -> Word {
        let mut words = Vec::with_capacity(9 * proofs.len());
        for (proof, partial_sum) in proofs {
            words.extend(g1_words(&proof.a));
            words.extend(g2_words(&proof.b));
            words.extend(g1_words(&proof.c));
            words.push(scalar_word(partial_sum));
        }
        keccak(&words)
    }

    /// The coefficients that batch the pairing equations: 1, then 128-bit values drawn after
    /// everything they weigh, so that errors cancel with probability at most 2^-128.
    pub fn batching(&self, h2: &Word, count: usize) -> Vec<Fr> {
        (0..count)
            .map(|k| {
                if k == 0 {
                    return Fr::from(1);
                }
                let mut word = keccak(&[self.h1, *h2, number(k as u64)]);
                word[..16].fill(0);
                reduce_scalar(&word)
            })
            .collect()
    }
}
