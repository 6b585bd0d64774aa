//! Two small circuits on one bus: the head sends `(x, x^2)` for its committed x, the body receives
//! the same tuples in another order. Small enough for every test, real enough for the contracts.

use ff::{BatchInvert, Field};
use halo2curves::bn256::Fr;
use lathe_kernels::CpuBackend;
use lathe_prover::batch_verify::{BatchProof, CircuitProof, Layout};
use lathe_prover::groth16::{Prover, ProvingKey, SystemSecrets, VerifyingKey, setup};
use lathe_prover::r1cs::{R1cs, R1csBuilder, Stride, Template};
use lathe_prover::transcript::{Challenges, Context, PUBLIC_INPUTS};
use rand_core::SeedableRng;
use std::sync::Arc;

/// Tuples each circuit puts on the bus.
pub const TUPLES: u32 = 8;

// Columns of the public inputs.
const STATEMENT_HI: u32 = 1;
const POSITION: u32 = 3;
const R: u32 = 5;
const C: u32 = 6;
const PARTIAL_SUM: u32 = 7;
// Columns of the committed wires: the tuples' parts and the high half of the statement.
const X: u32 = 1 + PUBLIC_INPUTS as u32;
const Y: u32 = X + TUPLES;
const STATEMENT: u32 = Y + TUPLES;
// Columns of the remaining wires: c y, then the fractions.
const T: u32 = STATEMENT + 1;
const FRACTION: u32 = T + TUPLES;
const COLUMNS: u32 = FRACTION + TUPLES;

/// Which of the two circuits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends, and checks that y is the square of x.
    Head,
    /// Receives what was sent.
    Body,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Head => "toy-head",
            Role::Body => "toy-body",
        }
    }

    /// The circuit's constraint system.
    pub fn r1cs(self) -> R1cs {
        let one = Fr::ONE;
        let mut template = Template::new();
        // Local variables: 0 ONE, 1 r, 2 c, 3 x, 4 y, 5 t, 6 fraction.
        template.push_row(&[(2, one)], &[(4, one)], &[(5, one)]);
        let multiplicity = if self == Role::Head { one } else { -one };
        template.push_row(&[(6, one)], &[(1, one), (3, -one), (5, -one)], &[(0, multiplicity)]);
        if self == Role::Head {
            template.push_row(&[(3, one)], &[(3, one)], &[(4, one)]);
        }
        let each = |base| Stride { base, stride: 1 };
        let columns = [
            Stride::shared(0),
            Stride::shared(R),
            Stride::shared(C),
            each(X),
            each(Y),
            each(T),
            each(FRACTION),
        ];
        let rest = (COLUMNS - T) as usize;
        let mut builder = R1csBuilder::new(PUBLIC_INPUTS, 2 * TUPLES as usize + 1, rest);
        builder.append_copies(&template, &columns, TUPLES as usize).expect("columns exist");
        let sum: Vec<_> = (0..TUPLES).map(|i| (FRACTION + i, one)).collect();
        builder.push_row(&sum, &[(0, one)], &[(PARTIAL_SUM, one)]);
        builder.push_row(&[(STATEMENT, one)], &[(0, one)], &[(STATEMENT_HI, one)]);
        let position = if self == Role::Head { Fr::ZERO } else { one };
        builder.push_row(&[(POSITION, one)], &[(0, one)], &[(0, position)]);
        builder.finish().expect("columns exist")
    }

    /// The committed wires.
    pub fn committed(self, context: &Context) -> Vec<Fr> {
        let mut x: Vec<Fr> = (0..u64::from(TUPLES)).map(|i| Fr::from(3 + 1000 * i)).collect();
        if self == Role::Body {
            x.reverse();
        }
        let y: Vec<Fr> = x.iter().map(Field::square).collect();
        [x, y, vec![context.statement_halves()[0]]].concat()
    }

    /// The whole assignment and the partial sum.
    pub fn assign(self, context: &Context, challenges: &Challenges) -> (Vec<Fr>, Fr) {
        let committed = self.committed(context);
        let (x, y) = committed.split_at(TUPLES as usize);
        let t: Vec<Fr> = y[..TUPLES as usize].iter().map(|y| challenges.c * y).collect();
        let mut fractions: Vec<Fr> = x.iter().zip(&t).map(|(x, t)| challenges.r - x - t).collect();
        fractions.iter_mut().batch_invert();
        if self == Role::Body {
            fractions.iter_mut().for_each(|f| *f = -*f);
        }
        let partial_sum = fractions.iter().sum();
        let public = challenges.public_inputs(context, usize::from(self == Role::Body), partial_sum);
        ([&[Fr::ONE][..], &public, &committed, &t, &fractions].concat(), partial_sum)
    }
}

/// The two circuits with their keys.
pub struct Toy {
    /// Head and body, in layout order.
    pub provers: Vec<(Role, Prover)>,
    /// Their verifying keys.
    pub keys: Vec<VerifyingKey>,
    /// Head at position 0, body at position 1.
    pub layout: Layout,
}

impl Toy {
    /// Runs a development setup from `seed`.
    pub fn new(seed: &[u8]) -> Self {
        let backend = Arc::new(CpuBackend::new());
        let secrets = SystemSecrets::development(seed);
        let provers: Vec<_> = [Role::Head, Role::Body]
            .into_iter()
            .map(|role| {
                let r1cs = role.r1cs();
                let key: ProvingKey = setup(&*backend, &r1cs, role.name(), &secrets).expect("setup succeeds");
                let prover = Prover::new(backend.clone(), Arc::new(key), Arc::new(r1cs));
                (role, prover.expect("key fits its circuit"))
            })
            .collect();
        let keys = provers.iter().map(|(_, prover)| prover.key().vk.clone()).collect();
        Self { provers, keys, layout: Layout { id: 1, shapes: vec![0, 1] } }
    }

    /// Proves the batch. The same `seed` gives the same bytes.
    pub fn prove(&self, context: &Context, seed: u64) -> BatchProof {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let committed: Vec<_> = self
            .provers
            .iter()
            .map(|(role, prover)| prover.commit(&role.committed(context)).expect("lengths fit"))
            .collect();
        let commitments: Vec<_> =
            self.keys.iter().zip(&committed).map(|(vk, c)| (vk, c.commitment())).collect();
        let challenges = Challenges::for_keys(context, &commitments);
        let circuits = self
            .provers
            .iter()
            .zip(committed)
            .map(|((role, prover), committed)| {
                let (z, partial_sum) = role.assign(context, &challenges);
                let d = committed.commitment();
                let proven = prover
                    .prove(committed, &z, Fr::random(&mut rng), Fr::random(&mut rng))
                    .expect("the assignment is satisfied");
                CircuitProof { d, proof: proven.proof, partial_sum }
            })
            .collect();
        BatchProof { layout_id: self.layout.id, circuits }
    }
}
