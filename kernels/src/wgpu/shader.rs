//! Composes WGSL text (limb product, field constants, field, curve coordinates, pass) and compiles it to pipelines,
//! each once, at first use. It must never build a pass whose text depends on anything but path, field and group.

use super::Path;
use super::context::Context;
use crate::error::KernelError;
use ff::PrimeField;
use halo2curves::bn256::{Fq, Fr};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Threads per workgroup of a pass at most; every WebGPU adapter allows as many.
pub const MOST_THREADS: u64 = 256;

/// The compute passes, one WGSL file each; curve passes once per group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// Levels of an FFT in workgroup memory.
    Fft,
    /// The quotient's pointwise step.
    Pointwise,
    /// Scalars to digits, counted and placed by bucket.
    Digits,
    /// Prefix sums.
    Scan,
    /// Sums by key.
    Accumulate(Group),
    /// Window sums over buckets.
    Reduce(Group),
}

/// The group a curve pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Over the base field.
    G1,
    /// Over its quadratic extension.
    G2,
}

impl Pass {
    /// Name for labels and reports.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Fft => "fft",
            Pass::Pointwise => "pointwise",
            Pass::Digits => "digits",
            Pass::Scan => "scan",
            Pass::Accumulate(Group::G1) => "accumulate_g1",
            Pass::Accumulate(Group::G2) => "accumulate_g2",
            Pass::Reduce(Group::G1) => "reduce_g1",
            Pass::Reduce(Group::G2) => "reduce_g2",
        }
    }

    /// Threads per workgroup. Curve passes hold several points per thread in registers, of which small groups waste fewer
    /// at the end of a register file; the others are written for 256. Not measured on a GPU.
    pub fn threads(self) -> u64 {
        match self {
            Pass::Accumulate(_) | Pass::Reduce(_) => 64,
            _ => MOST_THREADS,
        }
    }

    /// The parts of its text after the limb product.
    fn parts(self) -> Vec<String> {
        let scalar = |pass: &str| vec![constants::<Fr>(), FIELD.to_owned(), pass.to_owned()];
        let curve = |group: Group, loads: &[&str], stores: &[&str], pass: &str| {
            let mut parts = vec![constants::<Fq>(), FIELD.to_owned(), group.coordinates().to_owned()];
            parts.push(include_str!("shaders/curve.wgsl").to_owned());
            parts.extend(loads.iter().map(|buffer| group.load(buffer)));
            parts.extend(stores.iter().map(|buffer| group.store(buffer)));
            parts.push(pass.to_owned());
            parts
        };
        match self {
            Pass::Fft => scalar(include_str!("shaders/fft.wgsl")),
            Pass::Pointwise => scalar(include_str!("shaders/pointwise.wgsl")),
            Pass::Digits => scalar(include_str!("shaders/digits.wgsl")),
            Pass::Scan => vec![include_str!("shaders/scan.wgsl").to_owned()],
            Pass::Accumulate(group) => {
                curve(group, &["points"], &["buckets", "partials"], include_str!("shaders/accumulate.wgsl"))
            }
            Pass::Reduce(group) => {
                curve(group, &["buckets"], &["partials"], include_str!("shaders/reduce.wgsl"))
            }
        }
    }

    fn text(self, path: Path) -> String {
        let mac = match path {
            Path::Wide => include_str!("shaders/mac_wide.wgsl"),
            Path::Narrow => include_str!("shaders/mac_narrow.wgsl"),
        };
        format!("const THREADS = {}u;\n{mac}\n{}", self.threads(), self.parts().join("\n"))
    }
}

const FIELD: &str = include_str!("shaders/field.wgsl");

impl Group {
    fn coordinates(self) -> &'static str {
        match self {
            Group::G1 => include_str!("shaders/fq1.wgsl"),
            Group::G2 => include_str!("shaders/fq2.wgsl"),
        }
    }

    /// A function that reads a coordinate from a buffer; WGSL functions cannot take buffers as arguments.
    fn load(self, buffer: &str) -> String {
        let fe = |at: u32| format!("Fe({buffer}[at + {at}u], {buffer}[at + {}u])", at + 1);
        let el = match self {
            Group::G1 => fe(0),
            Group::G2 => format!("El({}, {})", fe(0), fe(2)),
        };
        format!("fn load_{buffer}(at: u32) -> El {{ return {el}; }}")
    }

    /// A function that writes a coordinate to a buffer.
    fn store(self, buffer: &str) -> String {
        let parts: &[&str] = match self {
            Group::G1 => &["lo", "hi"],
            Group::G2 => &["c0.lo", "c0.hi", "c1.lo", "c1.hi"],
        };
        let stores: String =
            (0..).zip(parts).map(|(i, part)| format!(" {buffer}[at + {i}u] = v.{part};")).collect();
        format!("fn store_{buffer}(at: u32, v: El) {{{stores} }}")
    }
}

/// A field whose elements are four 64-bit Montgomery limbs, R = 2^256.
pub trait Limbs: PrimeField {
    /// The Montgomery limbs, lowest first.
    fn limbs(&self) -> [u64; 4];
}

impl Limbs for Fq {
    fn limbs(&self) -> [u64; 4] {
        self.0
    }
}

impl Limbs for Fr {
    fn limbs(&self) -> [u64; 4] {
        self.0
    }
}

/// 32-bit halves of 64-bit limbs, lowest first.
pub fn words(limbs: [u64; 4]) -> [u32; 8] {
    std::array::from_fn(|i| (limbs[i / 2] >> (32 * (i % 2))) as u32)
}

/// The constants `field.wgsl` needs: the modulus, `-p^-1 mod 2^32` and R mod p.
fn constants<F: Limbs>() -> String {
    // -1 has the canonical form p - 1, and p is odd.
    let mut modulus = (-F::ONE).to_repr().as_ref().to_vec();
    modulus[0] += 1;
    let p: [u32; 8] = std::array::from_fn(|i| {
        u32::from_le_bytes([modulus[4 * i], modulus[4 * i + 1], modulus[4 * i + 2], modulus[4 * i + 3]])
    });
    // Newton's iteration doubles the number of correct low bits; an odd number is its own inverse modulo 8.
    let inverse = (0..4).fold(p[0], |x, _| x.wrapping_mul(2u32.wrapping_sub(p[0].wrapping_mul(x))));
    let one = words(F::ONE.limbs());
    let vector = |w: &[u32]| format!("vec4<u32>({:#x}u, {:#x}u, {:#x}u, {:#x}u)", w[0], w[1], w[2], w[3]);
    format!(
        "const P_LO = {};\nconst P_HI = {};\nconst P_INV = {:#x}u;\nconst ONE_LO = {};\nconst ONE_HI = {};\n",
        vector(&p[..4]),
        vector(&p[4..]),
        inverse.wrapping_neg(),
        vector(&one[..4]),
        vector(&one[4..]),
    )
}

/// A compiled pass and what compiling it cost.
pub struct Pipeline {
    /// The pipeline.
    pub raw: wgpu::ComputePipeline,
    /// The layout of its only bind group.
    pub layout: wgpu::BindGroupLayout,
    /// Time to parse, validate and compile it; drivers may put part of the work off to the first dispatch.
    pub compiled_in: Duration,
}

/// The pipelines compiled so far.
#[derive(Default)]
pub struct Pipelines(Mutex<HashMap<Pass, Arc<Pipeline>>>);

impl Pipelines {
    /// The pipeline of `pass`, compiled if this is its first use.
    pub fn get(&self, context: &Context, pass: Pass) -> Result<Arc<Pipeline>, KernelError> {
        // A poisoned lock only means another caller panicked while inserting; the map itself is sound.
        let mut pipelines = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(pipeline) = pipelines.get(&pass) {
            return Ok(pipeline.clone());
        }
        let pipeline = Arc::new(compile(context, pass)?);
        pipelines.insert(pass, pipeline.clone());
        Ok(pipeline)
    }

    /// Names of the passes compiled so far and what each cost.
    pub fn compiled(&self) -> Vec<(&'static str, Duration)> {
        let pipelines = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut list: Vec<_> = pipelines.iter().map(|(pass, p)| (pass.name(), p.compiled_in)).collect();
        list.sort_unstable();
        list
    }
}

fn compile(context: &Context, pass: Pass) -> Result<Pipeline, KernelError> {
    let start = Instant::now();
    let what = format!("compiling the {} shader", pass.name());
    let device = context.device();
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(pass.name()),
        source: wgpu::ShaderSource::Wgsl(pass.text(context.path()).into()),
    };
    let raw = context.guarded(&what, || {
        let checks =
            wgpu::ShaderRuntimeChecks { force_loop_bounding: false, ..wgpu::ShaderRuntimeChecks::checked() };
        // SAFETY: the text is ours alone, composed from files of this crate, and each of its loops counts a variable
        // that the body does not change up to a bound fixed before it, so all end. Every other check stays on.
        let module = unsafe { device.create_shader_module_trusted(descriptor, checks) };
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(pass.name()),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // The FFT writes each word of its tile before reading it, or does not store what came of it.
                zero_initialize_workgroup_memory: false,
            },
            cache: context.pipeline_cache(),
        })
    })?;
    let layout = context.guarded(&what, || raw.get_bind_group_layout(0))?;
    context.store_pipeline_cache();
    Ok(Pipeline { raw, layout, compiled_in: start.elapsed() })
}
