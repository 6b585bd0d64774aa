//! The host's side of FFT and quotient on a CUDA device: tables of roots, the order of passes, and which vectors are
//! resident. Written over [`Device`](super::Device); it never assumes that more than one vector fits.
//!
//! The kernels are in `kernels/cuda/fft.cu`; the method is described in `docs/kernels.md`.

mod tables;

use super::device::{Arg, Buffer, SharedDevice, Stream};
use crate::domain::log_size;
use crate::error::KernelError;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tables::{Direction, Scale, Tables};

/// Points of a tile, `TILE` in fft.cuh: the most that one pass transforms.
const LOG_TILE: u32 = 10;
/// Threads of a block, `THREADS` in fft.cuh.
const THREADS: u32 = 256;
/// Bytes of an element.
const ELEMENT: usize = 32;

const _: () =
    assert!(size_of::<Fr>() == ELEMENT && std::mem::offset_of!(Fr, 0) == 0 && align_of::<Fr>() >= 8);

/// The bytes of elements: their limbs in Montgomery form, as the kernels take them.
pub(crate) fn bytes_of(values: &[Fr]) -> &[u8] {
    // SAFETY: by the assertion above an element is its four limbs and nothing else, without padding.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The bytes of elements, to be overwritten with limbs below the modulus.
fn bytes_of_mut(values: &mut [Fr]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; any limbs are a valid value of the type.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// One of the four transforms of [`crate::Backend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transform {
    /// Evaluations to coefficients.
    pub inverse: bool,
    /// On the coset instead of the domain.
    pub coset: bool,
}

/// The passes of a transform, highest index bits first: the lowest bit each transforms and how many. These are at most
/// `most` where that leaves each of several passes half a tile's bits, so that below a pass that does not end at bit 0
/// there are at least as many bits as its tile has columns.
fn passes(log_n: u32, most: u32) -> Vec<(u32, u32)> {
    // A single tile is one pass in any case.
    let count = if log_n <= LOG_TILE { 1 } else { log_n.div_ceil(most).min(log_n / (LOG_TILE / 2)) };
    let mut top = log_n;
    (0..count)
        .map(|pass| {
            let bits = top.div_ceil(count - pass);
            top -= bits;
            (top, bits)
        })
        .collect()
}

/// FFTs on one device. Tables are made at first use of a size and kept on the device.
pub struct Fft {
    device: SharedDevice,
    tables: Mutex<HashMap<u32, Arc<Tables>>>,
    most_bits: u32,
}

/// A vector on the device with what its kernels need.
struct Vector<'a> {
    data: Buffer,
    fft: &'a Fft,
    tables: &'a Tables,
}

impl Fft {
    /// FFTs on this device.
    pub fn new(device: SharedDevice) -> Self {
        Self::with_pass_bits(device, LOG_TILE)
    }

    /// The same with at most this many index bits a pass, from 5 to 10: fewer bits read longer runs of the vector at
    /// once but need more passes. Values outside are brought inside. Which is fastest was not measured on a device.
    pub fn with_pass_bits(device: SharedDevice, bits: u32) -> Self {
        Self { device, tables: Mutex::default(), most_bits: bits.clamp(LOG_TILE / 2, LOG_TILE) }
    }

    /// Runs an allocation; where memory is short, drops the tables of other sizes and runs it again.
    fn alloc<T>(
        &self,
        cache: &mut HashMap<u32, Arc<Tables>>,
        log_n: u32,
        run: impl Fn() -> Result<T, KernelError>,
    ) -> Result<T, KernelError> {
        let others = cache.len() - usize::from(cache.contains_key(&log_n));
        match run() {
            Err(KernelError::OutOfDeviceMemory { .. }) if others > 0 => {
                cache.retain(|&size, _| size == log_n);
                run()
            }
            result => result,
        }
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<u32, Arc<Tables>>> {
        // A poisoned lock only means another caller panicked while inserting; the map itself is sound.
        self.tables.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Gives up the memory of all tables, which come back when needed; says whether there were any.
    pub fn drop_tables(&self) -> bool {
        let mut cache = self.cache();
        let any = !cache.is_empty();
        cache.clear();
        any
    }

    fn tables(&self, log_n: u32) -> Result<Arc<Tables>, KernelError> {
        let mut cache = self.cache();
        if let Some(tables) = cache.get(&log_n) {
            return Ok(tables.clone());
        }
        let tables = Arc::new(self.alloc(&mut cache, log_n, || Tables::new(&self.device, log_n))?);
        cache.insert(log_n, tables.clone());
        Ok(tables)
    }

    fn vector<'a>(&'a self, tables: &'a Tables) -> Result<Vector<'a>, KernelError> {
        let bytes = ELEMENT << tables.log_n;
        let data = self.alloc(&mut self.cache(), tables.log_n, || self.device.alloc(bytes))?;
        Ok(Vector { data, fft: self, tables })
    }

    /// Transforms values in place, natural order on entry and exit.
    ///
    /// # Errors
    /// Sizes that are no domain's, [`KernelError::OutOfDeviceMemory`] if one vector does not fit, and what the device
    /// reports.
    pub fn transform(&self, values: &mut [Fr], transform: Transform) -> Result<(), KernelError> {
        let log_n = log_size(values.len())?;
        let tables = self.tables(log_n)?;
        let vector = self.vector(&tables)?;
        vector.upload(Stream::Compute, values)?;
        let (direction, before, after) = match transform {
            Transform { inverse: false, coset: false } => (Direction::Forward, None, None),
            Transform { inverse: false, coset: true } => (Direction::Forward, Some(tables.coset()), None),
            Transform { inverse: true, coset: false } => {
                (Direction::Inverse, None, Some(tables.size_inverse()))
            }
            Transform { inverse: true, coset: true } => {
                (Direction::Inverse, None, Some(tables.coset_inverse()))
            }
        };
        vector.frequency(direction, before, None)?;
        vector.finish(after, None)?;
        vector.download(values)
    }

    /// See [`crate::Backend::quotient`]; the three vectors have one length.
    ///
    /// With `A B = C + h Z` and deg C < n: on the coset Z is the constant `z = g^n - 1`, so the interpolation of A B
    /// there is `C + z h`, and C's own coefficients come from the domain: six transforms instead of seven. Between
    /// transforms nothing is permuted: decimation in frequency leaves the order that decimation in time takes.
    ///
    /// # Errors
    /// As [`Fft::transform`]; it needs the memory of one vector, and keeps up to three resident.
    pub fn quotient(&self, mut a: Vec<Fr>, mut b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        let tables = self.tables(log_size(a.len())?)?;
        let first = self.vector(&tables)?;
        let Some(second) = within_memory(self.vector(&tables))? else {
            quotient_by_one(&first, &mut a, &mut b, c)?;
            return Ok(a);
        };
        let third = within_memory(self.vector(&tables))?;
        let wait = |later, earlier| self.device.wait(later, earlier);
        first.upload(Stream::Copy, &a)?;
        wait(Stream::Compute, Stream::Copy)?;
        first.to_coset()?;
        second.upload(Stream::Copy, &b)?;
        wait(Stream::Compute, Stream::Copy)?;
        // With three vectors the third travels while the first two are transformed.
        if let Some(third) = &third {
            third.upload(Stream::Copy, &c)?;
        }
        second.to_coset()?;
        first.frequency(Direction::Inverse, None, Some(&second))?;
        let third = match third {
            Some(third) => third,
            None => {
                wait(Stream::Copy, Stream::Compute)?;
                second.upload(Stream::Copy, &c)?;
                second
            }
        };
        wait(Stream::Compute, Stream::Copy)?;
        third.frequency(Direction::Inverse, None, None)?;
        first.finish(Some(tables.coset_inverse_over_z()), Some(&third))?;
        first.download(&mut a)?;
        Ok(a)
    }
}

/// None where memory does not suffice, so that the caller takes its smaller plan.
fn within_memory<T>(result: Result<T, KernelError>) -> Result<Option<T>, KernelError> {
    match result {
        Err(KernelError::OutOfDeviceMemory { .. }) => Ok(None),
        result => result.map(Some),
    }
}

/// The quotient where only one vector fits: each in turn goes through the device, and the host does what joins them.
fn quotient_by_one(
    vector: &Vector<'_>,
    a: &mut [Fr],
    b: &mut [Fr],
    mut c: Vec<Fr>,
) -> Result<(), KernelError> {
    for values in [&mut *a, b] {
        vector.upload(Stream::Compute, values)?;
        vector.to_coset()?;
        vector.download(values)?;
    }
    a.par_iter_mut().zip(&*b).for_each(|(a, b)| *a *= b);
    for (values, scale) in [
        (&mut *a, vector.tables.coset_inverse_over_z()),
        (&mut c[..], vector.tables.constant(vector.tables.size_and_z_inverse())),
    ] {
        vector.upload(Stream::Compute, values)?;
        vector.frequency(Direction::Inverse, None, None)?;
        vector.finish(Some(scale), None)?;
        vector.download(values)?;
    }
    a.par_iter_mut().zip(&c).for_each(|(a, c)| *a -= c);
    Ok(())
}

impl Vector<'_> {
    fn upload(&self, stream: Stream, values: &[Fr]) -> Result<(), KernelError> {
        self.fft.device.upload(stream, &self.data, 0, bytes_of(values))
    }

    fn download(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.fft.device.download(Stream::Compute, &self.data, 0, bytes_of_mut(values))
    }

    /// Evaluations on the domain to evaluations on the coset, natural order on entry and exit.
    fn to_coset(&self) -> Result<(), KernelError> {
        self.frequency(Direction::Inverse, None, None)?;
        let passes = passes(self.tables.log_n, self.fft.most_bits);
        for (at, &pass) in passes.iter().rev().enumerate() {
            let scale = (at == 0).then(|| self.tables.coset_over_size());
            self.pass("fft_time", Direction::Forward, pass, scale, None)?;
        }
        Ok(())
    }

    /// Natural to bit-reversed order, unscaled, after multiplying by `scale` and pointwise by `times`.
    fn frequency(
        &self,
        direction: Direction,
        scale: Option<Scale<'_>>,
        times: Option<&Vector<'_>>,
    ) -> Result<(), KernelError> {
        for (at, pass) in passes(self.tables.log_n, self.fft.most_bits).into_iter().enumerate() {
            let (scale, times) = if at == 0 { (scale, times) } else { (None, None) };
            self.pass("fft_frequency", direction, pass, scale, times)?;
        }
        Ok(())
    }

    fn pass(
        &self,
        kernel: &str,
        direction: Direction,
        (shift, bits): (u32, u32),
        scale: Option<Scale<'_>>,
        times: Option<&Vector<'_>>,
    ) -> Result<(), KernelError> {
        let tables = self.tables;
        let [roots, low, high] = tables.roots(direction);
        let [scale_low, scale_high] = scale.map_or([Arg::U64(0); 2], Scale::args);
        let args = [
            Arg::Buffer(&self.data),
            roots,
            low,
            high,
            scale_low,
            scale_high,
            times.map_or(Arg::U64(0), |times| Arg::Buffer(&times.data)),
            Arg::U32(tables.split),
            Arg::U32(tables.log_n),
            Arg::U32(shift),
            Arg::U32(bits),
        ];
        let tiles = 1 << tables.log_n.saturating_sub(LOG_TILE);
        self.fft.device.launch(Stream::Compute, kernel, tiles, THREADS, 0, &args)
    }

    /// Bit-reversed to natural order, multiplied by `scale`, less `minus` (in bit-reversed order) times the inverses
    /// of the size and of z.
    fn finish(&self, scale: Option<Scale<'_>>, minus: Option<&Vector<'_>>) -> Result<(), KernelError> {
        let tables = self.tables;
        let [scale_low, scale_high] = scale.map_or([Arg::U64(0); 2], Scale::args);
        let args = [
            Arg::Buffer(&self.data),
            scale_low,
            scale_high,
            minus.map_or(Arg::U64(0), |minus| Arg::Buffer(&minus.data)),
            tables.size_and_z_inverse(),
            Arg::U32(tables.split),
            Arg::U32(tables.log_n),
        ];
        let blocks = (1u32 << tables.log_n).div_ceil(THREADS);
        self.fft.device.launch(Stream::Compute, "fft_finish", blocks, THREADS, 0, &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_cover_every_bit_and_leave_room_for_their_columns() {
        for (log_n, most) in
            (0..=28).flat_map(|log_n| (LOG_TILE / 2..=LOG_TILE).map(move |most| (log_n, most)))
        {
            let passes = passes(log_n, most);
            let mut top = log_n;
            for &(shift, bits) in &passes {
                assert_eq!(shift + bits, top, "2^{log_n}");
                assert!(bits <= most.max(7) || log_n <= LOG_TILE, "2^{log_n}, {most} bits");
                assert!(shift == 0 || shift >= LOG_TILE - bits, "2^{log_n}, {most} bits");
                top = shift;
            }
            assert_eq!(top, 0, "2^{log_n}");
        }
        assert_eq!([10, 11, 20, 21, 28].map(|log_n| passes(log_n, LOG_TILE).len()), [1, 2, 2, 3, 3]);
    }
}
