//! Proving and verifying keys, the rules they must satisfy, and the verifying key's EVM and JSON forms.
//! A `VerifyingKey` that passed [`VerifyingKey::check`] is safe to verify with; decoders call it.

use super::encode::{DecodeError, Word, check_g1, check_g2, g1_words, g2_words, parse_g1, parse_g2};
use halo2curves::bn256::{Fq2, G1Affine, G2Affine};
use lathe_kernels::{KernelError, RawG1, RawG2};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use std::ops::Range;
use std::sync::Arc;

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A point is malformed.
    #[error(transparent)]
    Point(#[from] DecodeError),
    /// A point of the key is infinity, so that its pairing would bind nothing.
    #[error("key point {what} is infinity")]
    Infinity {
        /// Which point.
        what: String,
    },
    /// Two denominators are equal up to sign: commitment and proof could be traded for one another.
    #[error("key points {left} and {right} are equal up to sign; they must be independent")]
    Equal {
        /// One point.
        left: &'static str,
        /// The other.
        right: &'static str,
    },
    /// A denominator has a known discrete logarithm: phase 2 of the setup never happened.
    #[error("key point {what} is the generator of G2 up to sign; run a real setup")]
    Generator {
        /// Which point.
        what: &'static str,
    },
    /// The number of IC points does not fit the circuit.
    #[error("key has {got} IC points, expected {expected}")]
    IcLength {
        /// Number expected.
        expected: usize,
        /// Number found.
        got: usize,
    },
    /// A key whose secrets everybody can derive.
    #[error(
        "key `{name}` comes from a development setup and proves nothing; run a setup with real randomness"
    )]
    Development {
        /// Name of the circuit.
        name: String,
    },
    /// A textual form that is not a key.
    #[error("not a verifying key: {0}")]
    Format(String),
    /// A point of a proving key is not of its group.
    #[error("proving key section `{section}`: {source}")]
    SectionPoint {
        /// Which section.
        section: &'static str,
        /// What is wrong, with the point's index.
        source: KernelError,
    },
    /// A part of a proving key has a length or an index that does not fit its circuit.
    #[error("proving key section `{section}` does not fit the circuit: {detail}")]
    Section {
        /// Which section.
        section: &'static str,
        /// What does not fit.
        detail: String,
    },
}

/// What a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// Name of the circuit, at most 64 bytes.
    pub name: String,
    /// [`crate::r1cs::R1cs::digest`] of the circuit.
    #[serde(with = "hex")]
    pub circuit_digest: [u8; 32],
    /// The setup's secrets came from a known seed; a production deployment refuses such keys.
    pub development: bool,
    /// Public inputs, ONE not counted.
    pub num_public: u32,
    /// Committed wires.
    pub num_committed: u32,
    /// Remaining wires.
    pub num_rest: u32,
    /// Rows of the circuit, implied input rows not counted.
    pub num_rows: u32,
}

/// What a verifier needs.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyingKey {
    /// alpha in G1.
    pub alpha_g1: G1Affine,
    /// beta in G2.
    pub beta_g2: G2Affine,
    /// Denominator of the public bases, in G2.
    pub gamma_g2: G2Affine,
    /// Denominator of the remaining bases, in G2.
    pub delta_g2: G2Affine,
    /// Denominator of the committed bases, in G2.
    pub eta_g2: G2Affine,
    /// `f_i / gamma` in G1 for ONE and each public input.
    pub ic: Vec<G1Affine>,
    /// Origin of the key.
    pub info: KeyInfo,
}

fn same_up_to_sign(p: &G2Affine, q: &G2Affine) -> bool {
    p.x == q.x
}

impl VerifyingKey {
    /// Checks membership of every point and that gamma, delta and eta are independent of each other
    /// and, for delta and eta, of the generator.
    pub fn check(&self) -> Result<(), KeyError> {
        let expected = self.info.num_public as usize + 1;
        if self.ic.len() != expected {
            return Err(KeyError::IcLength { expected, got: self.ic.len() });
        }
        let g1 = std::iter::once(("alpha".to_string(), &self.alpha_g1))
            .chain(self.ic.iter().enumerate().map(|(i, p)| (format!("IC[{i}]"), p)));
        for (what, p) in g1 {
            check_g1(&what, p)?;
            if *p == G1Affine::default() {
                return Err(KeyError::Infinity { what });
            }
        }
        let (gamma, delta, eta) = (&self.gamma_g2, &self.delta_g2, &self.eta_g2);
        for (what, p) in [("beta", &self.beta_g2), ("gamma", gamma), ("delta", delta), ("eta", eta)] {
            check_g2(what, p)?;
            if p.x == Fq2::zero() && p.y == Fq2::zero() {
                return Err(KeyError::Infinity { what: what.into() });
            }
        }
        for (left, right, p, q) in
            [("gamma", "delta", gamma, delta), ("gamma", "eta", gamma, eta), ("delta", "eta", delta, eta)]
        {
            if same_up_to_sign(p, q) {
                return Err(KeyError::Equal { left, right });
            }
        }
        for (what, p) in [("delta", delta), ("eta", eta)] {
            if same_up_to_sign(p, &G2Affine::generator()) {
                return Err(KeyError::Generator { what });
            }
        }
        Ok(())
    }

    /// Refuses a development key; a production deployment calls this on every key it loads.
    pub fn require_production(&self) -> Result<(), KeyError> {
        match self.info.development {
            true => Err(KeyError::Development { name: self.info.name.clone() }),
            false => Ok(()),
        }
    }

    /// The words `alpha | beta | gamma | delta | eta | ic..` that a contract stores.
    pub fn evm_words(&self) -> Vec<Word> {
        let mut words = g1_words(&self.alpha_g1).to_vec();
        for p in [&self.beta_g2, &self.gamma_g2, &self.delta_g2, &self.eta_g2] {
            words.extend(g2_words(p));
        }
        self.ic.iter().for_each(|p| words.extend(g1_words(p)));
        words
    }

    /// Keccak-256 of [`VerifyingKey::evm_words`], as the transcript absorbs it.
    pub fn evm_hash(&self) -> Word {
        Keccak256::digest(self.evm_words().concat()).into()
    }

    /// Decodes and checks a key from its EVM words.
    pub fn from_evm_words(words: &[Word], info: KeyInfo) -> Result<Self, KeyError> {
        let ic_len = info.num_public as usize + 1;
        if words.len() != 18 + 2 * ic_len {
            let (expected, got) = (32 * (18 + 2 * ic_len), 32 * words.len());
            return Err(DecodeError::Length { what: "verifying key".into(), expected, got }.into());
        }
        let g1 = |what: &str, at: usize| parse_g1(what, &[words[at], words[at + 1]]);
        let g2 =
            |what: &str, at: usize| parse_g2(what, &[words[at], words[at + 1], words[at + 2], words[at + 3]]);
        let key = Self {
            alpha_g1: g1("alpha", 0)?,
            beta_g2: g2("beta", 2)?,
            gamma_g2: g2("gamma", 6)?,
            delta_g2: g2("delta", 10)?,
            eta_g2: g2("eta", 14)?,
            ic: (0..ic_len).map(|i| g1(&format!("IC[{i}]"), 18 + 2 * i)).collect::<Result<_, _>>()?,
            info,
        };
        key.check()?;
        Ok(key)
    }

    /// The key as JSON: its origin and its EVM words.
    pub fn to_json(&self) -> String {
        let words = self.evm_words().iter().map(|w| format!("0x{}", hex::encode(w))).collect();
        let json = KeyJson { format: KEY_JSON_FORMAT.into(), info: self.info.clone(), words };
        // Strings, numbers and flags only: serialisation cannot fail.
        serde_json::to_string_pretty(&json).unwrap_or_default()
    }

    /// Decodes and checks a key from [`VerifyingKey::to_json`]'s form.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        let json: KeyJson = serde_json::from_str(text).map_err(|e| KeyError::Format(e.to_string()))?;
        if json.format != KEY_JSON_FORMAT {
            let text = format!("format is {:?}, expected {KEY_JSON_FORMAT:?}", json.format);
            return Err(KeyError::Format(text));
        }
        let parse = |text: &String| -> Result<Word, KeyError> {
            let mut word = [0; 32];
            hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut word)
                .map_err(|e| KeyError::Format(format!("word {text:?}: {e}")))?;
            Ok(word)
        };
        let words = json.words.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        Self::from_evm_words(&words, json.info)
    }
}

const KEY_JSON_FORMAT: &str = "lathe-verifying-key-1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    format: String,
    info: KeyInfo,
    words: Vec<String>,
}

/// A part of a proving key: in memory after setup, or inside a mapped file.
pub enum Section<T> {
    /// In memory.
    Owned(Vec<T>),
    /// Bytes of a mapped file whose length and alignment were checked.
    Mapped(Arc<Mmap>, Range<usize>, std::marker::PhantomData<T>),
}

impl<T: bytemuck::Pod> AsRef<[T]> for Section<T> {
    fn as_ref(&self) -> &[T] {
        match self {
            Section::Owned(values) => values,
            Section::Mapped(map, range, _) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }
}

/// What the prover needs for one circuit.
pub struct ProvingKey {
    /// The matching verifying key.
    pub vk: VerifyingKey,
    /// beta in G1.
    pub beta_g1: G1Affine,
    /// delta in G1.
    pub delta_g1: G1Affine,
    /// `tau^i Z(tau) / delta` for i below the domain size minus one.
    pub h: Arc<Section<RawG1>>,
    /// `f_i / delta` of the remaining wires.
    pub l: Arc<Section<RawG1>>,
    /// `f_i / eta` of the committed wires.
    pub ck: Arc<Section<RawG1>>,
    /// Columns with a nonzero left polynomial, increasing.
    pub a_columns: Arc<Section<u32>>,
    /// `u_i(tau)` of those columns.
    pub a: Arc<Section<RawG1>>,
    /// Columns with a nonzero right polynomial, increasing.
    pub b_columns: Arc<Section<u32>>,
    /// `v_i(tau)` of those columns in G1.
    pub b_g1: Arc<Section<RawG1>>,
    /// `v_i(tau)` of those columns in G2.
    pub b_g2: Arc<Section<RawG2>>,
}

impl ProvingKey {
    /// Size of the evaluation domain.
    pub fn domain_size(&self) -> usize {
        (self.vk.info.num_rows as usize + 1 + self.vk.info.num_public as usize).next_power_of_two()
    }

    /// Checks the verifying key, the prover's extra points, and that every section fits the circuit.
    pub fn check(&self) -> Result<(), KeyError> {
        self.vk.check()?;
        for (what, p) in [("beta in G1", &self.beta_g1), ("delta in G1", &self.delta_g1)] {
            check_g1(what, p)?;
            if *p == G1Affine::default() {
                return Err(KeyError::Infinity { what: what.into() });
            }
        }
        let info = &self.vk.info;
        let columns = 1 + info.num_public as u64 + info.num_committed as u64 + info.num_rest as u64;
        let length = |section, got: usize, expected: usize| match got == expected {
            true => Ok(()),
            false => Err(KeyError::Section { section, detail: format!("{got} points, expected {expected}") }),
        };
        length("h", (*self.h).as_ref().len(), self.domain_size() - 1)?;
        length("l", (*self.l).as_ref().len(), info.num_rest as usize)?;
        length("ck", (*self.ck).as_ref().len(), info.num_committed as usize)?;
        for (section, list) in [("a_columns", &self.a_columns), ("b_columns", &self.b_columns)] {
            let list: &[u32] = (**list).as_ref();
            let increasing = list.windows(2).all(|w| w[0] < w[1]);
            if !increasing || list.last().is_some_and(|&last| last as u64 >= columns) {
                let detail = format!("columns must increase and stay below {columns}");
                return Err(KeyError::Section { section, detail });
            }
        }
        length("a", (*self.a).as_ref().len(), (*self.a_columns).as_ref().len())?;
        length("b_g1", (*self.b_g1).as_ref().len(), (*self.b_columns).as_ref().len())?;
        length("b_g2", (*self.b_g2).as_ref().len(), (*self.b_columns).as_ref().len())
    }
}
