//! What the machine code of the CUDA kernels is made of, read from the fatbins that ship: instruction mix, registers,
//! stack; and from the assembler's report on those very fatbins: spills. It judges nothing; `machine_code.rs` does.
#![allow(dead_code)] // The tests and the report of `make gpu-check` use different parts.

use lathe_kernels::cuda::modules::Module;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One kernel assembled for one target.
#[derive(Debug, Clone, Default)]
pub struct KernelCode {
    pub module: &'static str,
    pub kernel: String,
    /// For instance `sm_90`.
    pub target: String,
    /// Instructions by operation; of the modifiers, those that change the cost or the carry are kept (`IMAD.WIDE.X`).
    /// Padding (`NOP`) is left out. Functions that the kernel calls lie in it and are counted once.
    pub mix: BTreeMap<String, u32>,
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes of local memory of a thread that hold arrays, saved registers or spills.
    pub stack: u32,
    /// Bytes that the kernel and the functions it calls write to and read from local memory because registers ran out,
    /// each place counted once.
    pub spill_bytes: u32,
}

impl KernelCode {
    /// All instructions but padding.
    pub fn instructions(&self) -> u32 {
        self.mix.values().sum()
    }
    /// Instructions whose name starts so.
    pub fn count(&self, prefix: &str) -> u32 {
        self.mix.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
    }
}

/// The file `tool` of NVIDIA's tools: named by an environment variable of its name in capitals, in a CUDA install, in
/// PATH, or in `target/cuda-venv`, in this order.
pub fn find_tool(tool: &str) -> Result<PathBuf, String> {
    let mut all: Vec<PathBuf> =
        std::env::var_os(tool.to_uppercase()).map(PathBuf::from).into_iter().collect();
    for name in ["CUDA_HOME", "CUDA_PATH"] {
        all.extend(std::env::var_os(name).map(|home| PathBuf::from(home).join("bin").join(tool)));
    }
    if let Some(path) = std::env::var_os("PATH") {
        all.extend(std::env::split_paths(&path).map(|folder| folder.join(tool)));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = std::env::var_os("CUDA_VENV").map_or_else(|| root.join("../target/cuda-venv"), PathBuf::from);
    let libs = std::fs::read_dir(venv.join("lib")).into_iter().flatten().flatten();
    all.extend(libs.map(|lib| lib.path().join("site-packages/nvidia/cu13/bin").join(tool)));
    all.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        format!("{tool} not found; run `make setup-cuda`, or name it in {}", tool.to_uppercase())
    })
}

fn cuobjdump(option: &str, fatbin: &Path) -> Result<String, String> {
    let tool = find_tool("cuobjdump")?;
    // cuobjdump calls nvdisasm, which lies beside it.
    let mut path = vec![tool.parent().unwrap_or(Path::new(".")).to_path_buf()];
    path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let path = std::env::join_paths(path).map_err(|error| error.to_string())?;
    let output = Command::new(&tool).env("PATH", path).arg(option).arg(fatbin).output();
    let output = output.map_err(|error| format!("{}: {error}", tool.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} {option} failed: {said}", tool.display()));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// The operation of a line of machine code as `cuobjdump -sass` prints it, with the modifiers that are kept.
fn operation(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("/*")?;
    let (address, rest) = rest.split_once("*/")?;
    if address.len() < 4 || address.starts_with("0x") || !address.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut words = rest.split_whitespace();
    let mut word = words.next()?;
    if word.starts_with('@') {
        word = words.next()?;
    }
    let mut parts = word.trim_end_matches(';').split('.');
    let mut name = parts.next()?.to_owned();
    for part in parts.filter(|part| matches!(*part, "WIDE" | "X" | "HI" | "MOV")) {
        name = name + "." + part;
    }
    name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
}

/// Instruction mixes by target and kernel.
fn mixes(sass: &str) -> BTreeMap<(String, String), BTreeMap<String, u32>> {
    let (mut all, mut target, mut key) = (BTreeMap::new(), String::new(), None);
    for line in sass.lines() {
        if let Some(found) = line.trim().strip_prefix("code for ") {
            target = found.trim().to_owned();
            key = None;
        } else if let Some(found) = line.trim().strip_prefix("Function : ") {
            let place = (target.clone(), found.trim().to_owned());
            all.insert(place.clone(), BTreeMap::new());
            key = Some(place);
        } else if let (Some(place), Some(name)) = (&key, operation(line))
            && name != "NOP"
        {
            *all.get_mut(place).expect("inserted above").entry(name).or_insert(0) += 1;
        }
    }
    all
}

/// The number after `label` in a line.
fn number_after(line: &str, label: &str) -> Option<u32> {
    let rest = &line[line.find(label)? + label.len()..];
    let digits = rest.trim_start();
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

/// Registers and stack by target and kernel, from `cuobjdump -res-usage`.
fn resources(text: &str) -> BTreeMap<(String, String), (u32, u32)> {
    let (mut all, mut target, mut kernel) = (BTreeMap::new(), String::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(found) = line.strip_prefix("arch = ") {
            target = found.to_owned();
        } else if let Some(found) = line.strip_prefix("Function ") {
            kernel = found.trim_end_matches(':').to_owned();
        } else if let (Some(registers), Some(stack)) =
            (number_after(line, "REG:"), number_after(line, "STACK:"))
        {
            all.insert((target.clone(), kernel.clone()), (registers, stack));
        }
    }
    all
}

/// Registers and spilled bytes by target and kernel, from the assembler's report. Its lines on the functions that a
/// kernel calls follow those on the kernel.
fn spills(report: &str) -> BTreeMap<(String, String), (u32, u32)> {
    let mut all: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    let mut key = None;
    for line in report.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let mut names = rest.split('\'');
            if let (Some(kernel), _, Some(target)) = (names.next(), names.next(), names.next()) {
                key = Some((target.to_owned(), kernel.to_owned()));
            }
        }
        let Some(place) = &key else { continue };
        let entry = all.entry(place.clone()).or_default();
        if let Some(registers) = number_after(line, "Used ") {
            entry.0 = registers;
        }
        let bytes =
            |what| line.split(", ").find(|part| part.contains(what)).and_then(|part| number_after(part, ""));
        entry.1 += bytes("bytes spill stores").unwrap_or(0) + bytes("bytes spill loads").unwrap_or(0);
    }
    all
}

/// Reads what a module's fatbin holds, sorted by target and kernel.
///
/// # Errors
/// A missing tool, its failure, or machine code and report that do not speak of the same kernels and registers.
pub fn inspect(module: &Module) -> Result<Vec<KernelCode>, String> {
    let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "");
    let path =
        std::env::temp_dir().join(format!("lathe-{}-{}-{thread}.fatbin", module.name, std::process::id()));
    std::fs::write(&path, module.fatbin).map_err(|error| format!("{}: {error}", path.display()))?;
    let dumped = cuobjdump("-sass", &path).and_then(|sass| Ok((sass, cuobjdump("-res-usage", &path)?)));
    std::fs::remove_file(&path).ok();
    let (sass, usage) = dumped?;
    let (usage, spilled) = (resources(&usage), spills(module.report));
    let mut all = Vec::new();
    for (place, mix) in mixes(&sass) {
        let missing = |what| format!("{} has no {what} on {} for {}", module.name, place.1, place.0);
        let &(registers, stack) = usage.get(&place).ok_or_else(|| missing("resource usage"))?;
        let &(reported, spill_bytes) = spilled.get(&place).ok_or_else(|| missing("assembler's report"))?;
        // The linker may round registers up, but does not change them otherwise.
        if registers.abs_diff(reported) > 8 {
            let (target, kernel) = place;
            return Err(format!(
                "{kernel} for {target}: {registers} registers, reported {reported}: another build's report"
            ));
        }
        let (target, kernel) = place;
        all.push(KernelCode { module: module.name, kernel, target, mix, registers, stack, spill_bytes });
    }
    if all.is_empty() {
        return Err(format!("{} holds no machine code", module.name));
    }
    Ok(all)
}

/// Threads of a block and blocks per multiprocessor that a kernel's PTX asks for (`.maxntid`, `.minnctapersm`).
pub fn launch_bounds(ptx: &str, kernel: &str) -> (Option<u32>, Option<u32>) {
    let Some(start) = ptx.find(&format!(".entry {kernel}(")) else { return (None, None) };
    let head = &ptx[start..start + ptx[start..].find('{').unwrap_or(0)];
    (number_after(head, ".maxntid "), number_after(head, ".minnctapersm "))
}
