//! Proving keys on disk: a hashed header, then points in the form kernels read, used in place through
//! a memory map. A damaged, truncated or foreign file is an error that names it, never a panic, and
//! no length in a file is believed before it was compared with the file's own size.

use super::keys::{KeyError, KeyInfo, ProvingKey, Section, VerifyingKey};
use halo2curves::bn256::{G1Affine, G2Affine};
use lathe_kernels::{CurvePoint, RawG1, RawG2};
use memmap2::Mmap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(target_endian = "big")]
compile_error!("key files hold little-endian limbs that are used in place");

const MAGIC: &[u8; 8] = b"LATHEKEY";
const VERSION: u32 = 1;
const HEADER: usize = 512;
const ALIGN: usize = 64;
const SECTIONS: usize = 9;
const FLAG_DEVELOPMENT: u32 = 1;

// Byte positions in the header; all integers little-endian.
const AT_FLAGS: usize = 12;
const AT_DIGEST: usize = 16;
const AT_NAME: usize = 48;
const AT_COUNTS: usize = 112;
const AT_TABLE: usize = 128;
const AT_BODY_HASH: usize = AT_TABLE + 16 * SECTIONS;
const AT_HEADER_HASH: usize = AT_BODY_HASH + 32;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system refused.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Some other kind of file.
    #[error("{path} is not a proving key (bad magic bytes); delete it and run setup again")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("key file {path} has format version {got}, this program reads {expected}; run setup again")]
    Version {
        /// The file.
        path: PathBuf,
        /// Version read by this program.
        expected: u32,
        /// The file's.
        got: u32,
    },
    /// Shorter or longer than its header says.
    #[error(
        "key file {path} has {got} bytes, expected {expected}; it was cut off or extended: run setup again"
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        got: u64,
    },
    /// A hash does not match.
    #[error("key file {path} is damaged: its {part} does not match its hash; delete it and run setup again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// `header` or `body`.
        part: &'static str,
    },
    /// The contents are whole but break a rule.
    #[error("key file {path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// The rule.
        source: KeyError,
    },
}

fn read_u32(header: &[u8], at: usize) -> u32 {
    header[at..at + 4].iter().rev().fold(0, |acc, byte| acc << 8 | u32::from(*byte))
}

fn read_u64(header: &[u8], at: usize) -> u64 {
    u64::from(read_u32(header, at)) | u64::from(read_u32(header, at + 4)) << 32
}

fn read_hash(header: &[u8], at: usize) -> [u8; 32] {
    std::array::from_fn(|i| header[at + i])
}

/// The verifying key's points and the prover's two extra ones, in file order.
fn key_points(key: &ProvingKey) -> Vec<u64> {
    let vk = &key.vk;
    let g2 = [&vk.beta_g2, &vk.gamma_g2, &vk.delta_g2, &vk.eta_g2];
    let g1 = [&vk.alpha_g1, &key.beta_g1, &key.delta_g1].into_iter().chain(&vk.ic);
    g2.iter().flat_map(|p| p.to_raw()).chain(g1.flat_map(|p| p.to_raw())).collect()
}

fn header_of(key: &ProvingKey, table: &[Range<u64>; SECTIONS], body_hash: &[u8; 32]) -> [u8; HEADER] {
    let info = &key.vk.info;
    let mut header = [0; HEADER];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, MAGIC);
    put(8, &VERSION.to_le_bytes());
    put(AT_FLAGS, &(u32::from(info.development) * FLAG_DEVELOPMENT).to_le_bytes());
    put(AT_DIGEST, &info.circuit_digest);
    put(AT_NAME, &info.name.as_bytes()[..info.name.len().min(64)]);
    for (i, n) in [info.num_public, info.num_committed, info.num_rest, info.num_rows].into_iter().enumerate()
    {
        put(AT_COUNTS + 4 * i, &n.to_le_bytes());
    }
    for (i, range) in table.iter().enumerate() {
        put(AT_TABLE + 16 * i, &range.start.to_le_bytes());
        put(AT_TABLE + 16 * i + 8, &(range.end - range.start).to_le_bytes());
    }
    put(AT_BODY_HASH, body_hash);
    let hash = blake3::hash(&header[..AT_HEADER_HASH]);
    header[AT_HEADER_HASH..AT_HEADER_HASH + 32].copy_from_slice(hash.as_bytes());
    header
}

/// Writes sections to a file, padded and hashed.
struct BodyWriter<'a> {
    out: BufWriter<&'a mut File>,
    hasher: blake3::Hasher,
    at: u64,
}

impl BodyWriter<'_> {
    fn section(&mut self, bytes: &[u8]) -> io::Result<Range<u64>> {
        let start = self.at;
        let padding = vec![0; bytes.len().next_multiple_of(ALIGN) - bytes.len()];
        for part in [bytes, &padding] {
            self.out.write_all(part)?;
            self.hasher.update_rayon(part);
            self.at += part.len() as u64;
        }
        Ok(start..start + bytes.len() as u64)
    }
}

fn write_file(file: &mut File, key: &ProvingKey) -> io::Result<()> {
    let points = key_points(key);
    file.write_all(&[0; HEADER])?;
    let mut body = BodyWriter {
        out: BufWriter::with_capacity(1 << 20, file),
        hasher: blake3::Hasher::new(),
        at: HEADER as u64,
    };
    let mut table: [Range<u64>; SECTIONS] = std::array::from_fn(|_| 0..0);
    let sections: [&[u8]; SECTIONS] = [
        bytemuck::cast_slice(&points),
        bytemuck::cast_slice((*key.h).as_ref()),
        bytemuck::cast_slice((*key.l).as_ref()),
        bytemuck::cast_slice((*key.ck).as_ref()),
        bytemuck::cast_slice((*key.a_columns).as_ref()),
        bytemuck::cast_slice((*key.a).as_ref()),
        bytemuck::cast_slice((*key.b_columns).as_ref()),
        bytemuck::cast_slice((*key.b_g1).as_ref()),
        bytemuck::cast_slice((*key.b_g2).as_ref()),
    ];
    for (range, bytes) in table.iter_mut().zip(sections) {
        *range = body.section(bytes)?;
    }
    let hash: [u8; 32] = body.hasher.finalize().into();
    let file = body.out.into_inner()?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header_of(key, &table, &hash))?;
    file.sync_all()
}

impl ProvingKey {
    /// Writes the key to `path`, replacing an older one in a single step: a reader or a crash sees
    /// the old file or the new one, never a part.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_path_buf(), source };
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let written = File::create(&temporary).and_then(|mut file| write_file(&mut file, self));
        let renamed = written.and_then(|()| fs::rename(&temporary, path));
        if let Err(source) = renamed {
            // Best effort: the error being reported is the one that matters.
            let _ = fs::remove_file(&temporary);
            return Err(io(source));
        }
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|d| d.sync_all()).map_err(io)
    }

    /// Maps and checks a key: both hashes, every length, the verifying key's points and rules, and that all other
    /// points are on their curves; for a key that somebody else made see [`ProvingKey::check_points`] too.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        let got = file.metadata().map_err(io)?.len();
        if got < HEADER as u64 {
            return Err(KeyFileError::Length { path: path.to_path_buf(), expected: HEADER as u64, got });
        }
        // SAFETY: the map is only read, as plain integers for which every bit pattern is valid. Key
        // files are written under another name and renamed, never changed in place by this program;
        // whoever truncates one under a running prover kills it, as with a program's own binary.
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(io)?);
        let info = parse_header(path, &map[..HEADER])?;
        let table = parse_table(path, &map)?;
        if blake3::Hasher::new().update_rayon(&map[HEADER..]).finalize() != read_hash(&map, AT_BODY_HASH) {
            return Err(KeyFileError::Damaged { path: path.to_path_buf(), part: "body" });
        }
        let key = decode(&map, &table, info);
        key.and_then(|key| key.check().and_then(|()| key.check_curves()).map(|()| key))
            .map_err(|source| KeyFileError::Key { path: path.to_path_buf(), source })
    }

    /// Reads only a key file's header, to see which circuit it belongs to. Its body is not checked.
    pub fn read_info(path: &Path) -> Result<KeyInfo, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_path_buf(), source };
        let mut file = File::open(path).map_err(io)?;
        let got = file.metadata().map_err(io)?.len();
        if got < HEADER as u64 {
            return Err(KeyFileError::Length { path: path.to_path_buf(), expected: HEADER as u64, got });
        }
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(io)?;
        parse_header(path, &header)
    }
}

fn parse_header(path: &Path, header: &[u8]) -> Result<KeyInfo, KeyFileError> {
    let path_buf = || path.to_path_buf();
    if &header[..8] != MAGIC {
        return Err(KeyFileError::NotAKey { path: path_buf() });
    }
    let got = read_u32(header, 8);
    if got != VERSION {
        return Err(KeyFileError::Version { path: path_buf(), expected: VERSION, got });
    }
    let damaged = || KeyFileError::Damaged { path: path_buf(), part: "header" };
    let tail_is_zero = header[AT_HEADER_HASH + 32..HEADER].iter().all(|b| *b == 0);
    if blake3::hash(&header[..AT_HEADER_HASH]) != read_hash(header, AT_HEADER_HASH) || !tail_is_zero {
        return Err(damaged());
    }
    let name = &header[AT_NAME..AT_COUNTS];
    let name_len = name.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let name = std::str::from_utf8(&name[..name_len]).map_err(|_| damaged())?.to_string();
    let count = |i: usize| read_u32(header, AT_COUNTS + 4 * i);
    Ok(KeyInfo {
        name,
        circuit_digest: read_hash(header, AT_DIGEST),
        development: read_u32(header, AT_FLAGS) & FLAG_DEVELOPMENT != 0,
        num_public: count(0),
        num_committed: count(1),
        num_rest: count(2),
        num_rows: count(3),
    })
}

/// The sections' byte ranges: consecutive, aligned, and ending where the file ends.
fn parse_table(path: &Path, map: &[u8]) -> Result<[Range<usize>; SECTIONS], KeyFileError> {
    let damaged = || KeyFileError::Damaged { path: path.to_path_buf(), part: "header" };
    let mut table: [Range<usize>; SECTIONS] = std::array::from_fn(|_| 0..0);
    let mut at = HEADER as u64;
    for (i, range) in table.iter_mut().enumerate() {
        let (start, len) = (read_u64(map, AT_TABLE + 16 * i), read_u64(map, AT_TABLE + 16 * i + 8));
        if start != at {
            return Err(damaged());
        }
        let end = start.checked_add(len).ok_or_else(damaged)?;
        at = end.checked_next_multiple_of(ALIGN as u64).ok_or_else(damaged)?;
        let bound = |v: u64| usize::try_from(v).map_err(|_| damaged());
        *range = bound(start)?..bound(end)?;
    }
    if at != map.len() as u64 {
        return Err(KeyFileError::Length { path: path.to_path_buf(), expected: at, got: map.len() as u64 });
    }
    Ok(table)
}

fn mapped<T: bytemuck::Pod>(
    map: &Arc<Mmap>,
    range: &Range<usize>,
    section: &'static str,
) -> Result<Arc<Section<T>>, KeyError> {
    if !range.len().is_multiple_of(size_of::<T>()) {
        let detail = format!("{} bytes are not a whole number of elements", range.len());
        return Err(KeyError::Section { section, detail });
    }
    Ok(Arc::new(Section::Mapped(map.clone(), range.clone(), PhantomData)))
}

fn decode(map: &Arc<Mmap>, table: &[Range<usize>; SECTIONS], info: KeyInfo) -> Result<ProvingKey, KeyError> {
    let ic_len = info.num_public as usize + 1;
    let expected = 4 * size_of::<RawG2>() + (3 + ic_len) * size_of::<RawG1>();
    if table[0].len() != expected {
        let detail = format!("{} bytes, expected {expected}", table[0].len());
        return Err(KeyError::Section { section: "points", detail });
    }
    let (g2, g1) = map[table[0].clone()].split_at(4 * size_of::<RawG2>());
    let g2: Vec<G2Affine> = bytemuck::cast_slice::<u8, RawG2>(g2).iter().map(G2Affine::from_raw).collect();
    let g1: Vec<G1Affine> = bytemuck::cast_slice::<u8, RawG1>(g1).iter().map(G1Affine::from_raw).collect();
    let vk = VerifyingKey {
        alpha_g1: g1[0],
        beta_g2: g2[0],
        gamma_g2: g2[1],
        delta_g2: g2[2],
        eta_g2: g2[3],
        ic: g1[3..].to_vec(),
        info,
    };
    Ok(ProvingKey {
        vk,
        beta_g1: g1[1],
        delta_g1: g1[2],
        h: mapped(map, &table[1], "h")?,
        l: mapped(map, &table[2], "l")?,
        ck: mapped(map, &table[3], "ck")?,
        a_columns: mapped(map, &table[4], "a_columns")?,
        a: mapped(map, &table[5], "a")?,
        b_columns: mapped(map, &table[6], "b_columns")?,
        b_g1: mapped(map, &table[7], "b_g1")?,
        b_g2: mapped(map, &table[8], "b_g2")?,
    })
}
