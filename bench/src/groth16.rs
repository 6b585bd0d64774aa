//! `prover-bench groth16`: a whole proof of a multiplication chain, every wire full-width, with the time of each stage,
//! beside ark-groth16 on the same rows and the same witness. Every proof of either side is verified.

use crate::Failure;
use crate::backends::{self, Engine};
use crate::kernels::{self, pool, processors};
use crate::measure::{Compared, Effort, Stats, Value, Way, interleave, timed};
use crate::progress::Progress;
use crate::results::{self, Results, Row, Stage, Subject};
use crate::rivals;
use crate::workload::Op;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_prover::groth16::{Prover, SystemSecrets, Timings, setup, verify};
use lathe_prover::r1cs::{R1cs, R1csBuilder};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rayon::ThreadPool;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Logarithms of the numbers of constraints.
    #[arg(long, value_delimiter = ',', default_value = "18", value_parser = clap::value_parser!(u32).range(2..=24))]
    pub log_size: Vec<u32>,
    /// Sizes of the thread pool, by default one per processor.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Vec<u16>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub device: backends::Args,
    /// Compare with ark-groth16 (needs a build with feature `rivals`).
    #[arg(long)]
    pub rival: bool,
    /// Proofs of each side; by default 3 to 9, as many as fit in the time of `--seconds`.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: Option<u16>,
    /// Seconds after which no further round starts.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub seconds: u16,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// A circuit and an assignment that satisfies it.
pub struct Instance {
    /// The circuit.
    pub r1cs: Arc<R1cs>,
    /// ONE, the public output, the chain's values.
    pub z: Vec<Fr>,
}

impl Instance {
    /// The chain `w[i] * w[i + 1] = w[i + 2]` whose last value is public. With the two rows that Groth16 adds, one for ONE
    /// and one for the output, its domain is exactly `2^log_size`; `log_size` is at least 2.
    ///
    /// # Errors
    /// The builder's, for sizes beyond 32 bits.
    pub fn chain(log_size: u32) -> Result<Self, Failure> {
        let rows = (1u32 << log_size) - 2;
        let one = Fr::ONE;
        // Columns: 0 ONE, 1 the output, then w[0] to w[rows].
        let column = |i: u32| if i == rows + 1 { 1 } else { 2 + i };
        let mut builder = R1csBuilder::new(1, 0, rows as usize + 1);
        for i in 0..rows {
            builder.push_row(&[(column(i), one)], &[(column(i + 1), one)], &[(column(i + 2), one)]);
        }
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let mut chain = vec![Fr::random(&mut rng), Fr::random(&mut rng)];
        for i in 0..rows as usize {
            chain.push(chain[i] * chain[i + 1]);
        }
        let output = chain.pop().unwrap_or(one);
        let z = [vec![one, output], chain].concat();
        Ok(Instance { r1cs: Arc::new(builder.finish()?), z })
    }
}

/// What a proof's measurement gives.
pub struct Measured {
    /// The proof's row, with and without rival, and the setups'.
    pub rows: Vec<Row>,
    /// Our stages.
    pub stages: Vec<Stage>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Our prover with a key of its own.
fn prover(engine: &Engine, pool: &ThreadPool, instance: &Instance) -> Result<(Duration, Prover), Failure> {
    let backend = &engine.backend;
    let secrets = SystemSecrets::development(b"prover-bench");
    let (time, key) = timed(pool, || setup(&**backend, &instance.r1cs, "chain", &secrets));
    let (backend, key, r1cs) = (backend.clone(), Arc::new(key?), instance.r1cs.clone());
    Ok((time, pool.install(|| Prover::new(backend, key, r1cs))?))
}

/// Measures one size on one backend.
///
/// # Errors
/// A proof that fails or does not verify.
pub fn measure(
    log_size: u32,
    threads: usize,
    engine: &Engine,
    rival: bool,
    effort: Effort,
    progress: &Progress,
) -> Result<Measured, Failure> {
    let what = format!("Groth16 2^{log_size}, {threads} threads");
    let pool = &pool(threads)?;
    progress.say(format!("{what}: circuit and key"));
    let instance = Instance::chain(log_size)?;
    let (setup_time, prover) = prover(engine, pool, &instance)?;
    let mut split: Vec<(Duration, Timings)> = Vec::new();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let ours = Way::new("ours", |pool: &ThreadPool| {
        let (r, s) = (Fr::random(&mut rng), Fr::random(&mut rng));
        let (time, proven) = timed(pool, || {
            let committed = prover.commit(&[])?;
            prover.prove(committed, &instance.z, r, s)
        });
        let proven = proven?;
        verify(&prover.key().vk, &instance.z[1..2], &Default::default(), &proven.proof)?;
        split.push((time, proven.timings));
        Ok((time, Value::Checked))
    });
    let subject = |op: Op| Subject {
        op: op.name().into(),
        log_size,
        scalars: Some("full".into()),
        threads,
        backend: engine.name.into(),
        device: pool.install(|| engine.backend.device()),
    };
    let rival = match rival {
        true => {
            progress.say(format!("{what}: key of ark-groth16"));
            Some(rivals::groth16_prover(pool, &instance.r1cs, &instance.z)?)
        }
        false => None,
    };
    let notes = rival.iter().map(|r| {
        format!(
            "Groth16 2^{log_size}: both sides start from matrices and assignment; ark-groth16's own `prove` would add {:.2} s of synthesis to each proof.",
            r.synthesis().as_secs_f64()
        )
    });
    let ways = rival.iter().map(|rival| rival.way()).collect();
    progress.say(what.clone());
    let compared = interleave(&what, pool, effort, ours, ways, &|| progress.tick())?;
    let rival_setups = rival
        .iter()
        .map(|r| (rivals::ARK_GROTH16.to_string(), Stats::of(vec![r.setup().as_secs_f64()])))
        .collect();
    let mut rows = subject(Op::Groth16).rows(&compared);
    let setups = Compared { ours: Stats::of(vec![setup_time.as_secs_f64()]), rivals: rival_setups };
    rows.extend(subject(Op::Groth16Setup).rows(&setups));
    // The first, untimed proof is not among the figures.
    let (split, of) = (&split[1..], format!("{what}, {}", engine.name));
    let timings: Vec<Timings> = split.iter().map(|(_, t)| *t).collect();
    let mut stages = stages_of(&of, &timings);
    stages.push(other(&of, split));
    Ok(Measured { rows, stages, notes: notes.collect() })
}

type Part = (&'static str, fn(&Timings) -> Duration);

/// The prover's own split of a proof.
const PARTS: [Part; 7] = [
    ("rows", |t| t.rows),
    ("quotient", |t| t.fft),
    ("MSM h", |t| t.msm_h),
    ("MSM l", |t| t.msm_l),
    ("MSM a", |t| t.msm_a),
    ("MSM b G1", |t| t.msm_b_g1),
    ("MSM b G2", |t| t.msm_b_g2),
];

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Medians of the prover's own split over these runs.
pub fn stages_of(of: &str, runs: &[Timings]) -> Vec<Stage> {
    let stage = |(name, part): &Part| Stage::new(of, name, runs.iter().map(|t| ms(part(t))).collect());
    PARTS.iter().map(stage).collect()
}

/// What the split does not name: the time of the whole less the parts, never below zero.
fn other(of: &str, runs: &[(Duration, Timings)]) -> Stage {
    let named = |t: &Timings| PARTS.iter().map(|(_, part)| ms(part(t))).sum::<f64>();
    Stage::new(of, "other", runs.iter().map(|(all, t)| (ms(*all) - named(t)).max(0.0)).collect())
}

/// Measures and prints.
///
/// # Errors
/// A backend that is not there, a proof that fails, a file that cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let engines = backends::open(&args.device)?;
    let threads = match args.threads.is_empty() {
        true => vec![processors()],
        false => args.threads.iter().map(|n| usize::from(*n)).collect(),
    };
    let effort = match args.runs {
        Some(runs) => Effort::exactly(runs.into()),
        None => Effort { min_rounds: 3, max_rounds: 9, budget: Duration::from_secs(args.seconds.into()) },
    };
    let mut results = Results::new("groth16");
    println!("{}", results.machine.line());
    let progress = Progress::new((args.log_size.len() * threads.len() * engines.len()) as u64);
    progress.line(&kernels::header());
    for &log_size in &args.log_size {
        for (&threads, engine) in threads.iter().flat_map(|t| engines.iter().map(move |e| (t, e))) {
            let measured = measure(log_size, threads, engine, args.rival, effort, &progress)?;
            measured.rows.iter().for_each(|row| progress.line(&kernels::line(row)));
            progress.line(&stage_lines(&measured.stages));
            results.rows.extend(measured.rows);
            results.stages.extend(measured.stages);
            results.notes.extend(measured.notes);
            progress.step();
        }
    }
    results.notes.iter().for_each(|note| progress.line(note));
    if let Some(file) = &args.json {
        results::write(file, &results)?;
    }
    Ok(())
}

/// Stages as lines of a table with their share.
pub fn stage_lines(stages: &[Stage]) -> String {
    let total: f64 = stages.iter().map(|stage| stage.ms).sum();
    let line =
        |s: &Stage| format!("  {:<10} {:>10.1} ms {:>5.1}%\n", s.name, s.ms, 100.0 * s.ms / total.max(1e-9));
    stages.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_fills_its_domain_exactly_and_holds() {
        for log in [2, 3, 8] {
            let instance = Instance::chain(log).unwrap();
            assert_eq!(instance.r1cs.domain_size(), 1 << log);
            assert_eq!(instance.r1cs.first_unsatisfied(&instance.z), Ok(None));
            let wide = instance.z.iter().filter(|v| v.to_bytes()[24..] != [0; 8]).count();
            assert_eq!(wide, instance.z.len() - 1, "all but ONE are full-width");
        }
    }

    #[test]
    fn proofs_verify_and_the_stages_add_up_to_the_proof() {
        let engine = &backends::open(&backends::Args::default()).unwrap()[0];
        let rival = cfg!(feature = "rivals");
        let measured = measure(8, 2, engine, rival, Effort::exactly(2), &Progress::new(1)).unwrap();
        let proof = &measured.rows[0];
        assert_eq!((proof.op.as_str(), proof.log_size, proof.stats.runs.len()), ("groth16", 8, 2));
        assert_eq!(proof.rival.as_deref(), rival.then_some("ark-groth16"));
        assert_eq!(measured.rows[1].op, "groth16Setup");
        for run in 0..2 {
            let sum: f64 = measured.stages.iter().map(|s| s.runs_ms[run]).sum();
            assert!(sum >= proof.stats.runs[run] * 999.0, "{sum} ms of {:?} s", proof.stats.runs);
        }
    }
}
