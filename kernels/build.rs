//! Builds kernels/cuda/*.cu when the feature `cuda` is on: each unit to portable PTX that every CUDA 12 driver takes,
//! and that very PTX to a fatbin of machine code. Otherwise it does nothing; it never needs a GPU or a driver.
//! The choices are explained in docs/decisions/0009-cuda-build.md.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cuda")]
    if let Err(reason) = cuda::build() {
        println!("cargo::error={}", reason.replace('\n', "\ncargo::error="));
        std::process::exit(1);
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::collections::BTreeSet;
    use std::hash::{Hash, Hasher};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::{env, fs, thread};

    type Result<T> = std::result::Result<T, String>;

    /// The targets whose machine code ships: A100, H100, B200 and the RTX 50 series. Any other GPU from compute
    /// capability 8.0 on gets its code from the driver, out of the PTX.
    const ARCHS: &str = "80,90,100,120";
    /// The oldest target, for which the PTX is made.
    const PTX_ARCH: &str = "compute_80";
    /// The language version the PTX is declared in, that of CUDA 12.0. nvcc declares its own newest, which older
    /// drivers refuse; the assembler rejects any instruction that is newer than the version declared.
    const PTX_VERSION: &str = "8.0";
    const HINT: &str = "run `make setup-cuda`, which puts NVIDIA's compilers into target/cuda-venv, or build without the feature `cuda`";

    /// The compilers in use.
    struct Tools {
        nvcc: PathBuf,
        /// An assembler of CUDA 12, if the packages have one: whether it takes the PTX is then checked.
        oldest: Option<PathBuf>,
        /// What the compilers say of themselves: part of the key under which outputs are kept.
        version: String,
        archs: Vec<String>,
    }

    pub fn build() -> Result<()> {
        let root = PathBuf::from(var("CARGO_MANIFEST_DIR")?);
        let out = PathBuf::from(var("OUT_DIR")?);
        let sources = root.join("cuda");
        println!("cargo::rerun-if-changed={}", sources.display());
        let tools = Tools::find(&root)?;
        let mut units: Vec<PathBuf> = entries(&sources)?;
        units.retain(|path| path.extension().is_some_and(|e| e == "cu"));
        units.sort();
        // Outputs are kept by content beside the profiles, so that another set of features finds them again:
        // OUT_DIR is target/PROFILE/build/PACKAGE/out.
        let kept = out.ancestors().nth(4).unwrap_or(&out).join("cuda-units");
        fs::create_dir_all(&kept).map_err(|e| format!("{}: {e}", kept.display()))?;
        let built: Vec<Result<PathBuf>> = thread::scope(|scope| {
            let threads: Vec<_> =
                units.iter().map(|unit| scope.spawn(|| compile(&tools, &sources, unit, &kept))).collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap_or_else(|_| Err("a build thread panicked".into())))
                .collect()
        });
        let mut table = String::from("&[\n");
        for (unit, built) in units.iter().zip(built) {
            let (name, built) = (stem(unit), built?);
            // Copied, so that what was kept may be deleted at any time.
            let copy = |extension| {
                let (from, to) = (built.with_extension(extension), out.join(&name).with_extension(extension));
                fs::copy(&from, &to).map_err(|e| format!("{}: {e}", to.display())).map(|_| to)
            };
            table += &format!(
                "Module {{ name: {name:?}, ptx: include_str!({:?}), fatbin: include_bytes!({:?}), report: include_str!({:?}) }},\n",
                copy("ptx")?,
                copy("fatbin")?,
                copy("txt")?,
            );
        }
        let path = out.join("modules.rs");
        fs::write(&path, table + "]\n").map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Builds one unit unless its outputs are there; returns their path without an extension.
    fn compile(tools: &Tools, sources: &Path, unit: &Path, kept: &Path) -> Result<PathBuf> {
        let name = stem(unit);
        let mut seen = BTreeSet::new();
        let mut key = std::hash::DefaultHasher::new();
        hash_with_includes(sources, unit, &mut seen, &mut key)?;
        (&tools.version, &tools.archs, PTX_ARCH, include_str!("build.rs")).hash(&mut key);
        let built = kept.join(format!("{name}-{:016x}", key.finish()));
        let (ptx, fatbin) = (built.with_extension("ptx"), built.with_extension("fatbin"));
        if ptx.is_file() && fatbin.is_file() {
            return Ok(built);
        }
        // Finished files appear under their names at once, so that a build that was killed leaves nothing to trust.
        let draft = kept.join(format!("{name}-{}", std::process::id()));
        let (draft_ptx, draft_fatbin) = (draft.with_extension("ptx"), draft.with_extension("fatbin"));
        let mut command = Command::new(&tools.nvcc);
        command.args(["--ptx", &format!("-arch={PTX_ARCH}"), "-std=c++17", "-I"]).arg(sources);
        run(command.arg(unit).arg("-o").arg(&draft_ptx))?;
        declare_version(&draft_ptx)?;
        if let Some(ptxas) = &tools.oldest {
            let draft = draft.with_extension("cubin");
            run(Command::new(ptxas).arg("-arch=sm_80").arg(&draft_ptx).arg("-o").arg(&draft))?;
            fs::remove_file(&draft).map_err(|e| format!("{}: {e}", draft.display()))?;
        }
        let targets = tools.archs.iter().map(|a| format!("-gencode=arch={PTX_ARCH},code=sm_{a}"));
        let mut command = Command::new(&tools.nvcc);
        command.args(["--fatbin", "--threads=0", "-Xptxas=-v"]).args(targets).arg(&draft_ptx);
        let report = run(command.arg("-o").arg(&draft_fatbin))?;
        let log = built.with_extension("txt");
        fs::write(&log, report).map_err(|e| format!("{}: {e}", log.display()))?;
        for (from, to) in [(&draft_fatbin, &fatbin), (&draft_ptx, &ptx)] {
            fs::rename(from, to).map_err(|e| format!("{}: {e}", to.display()))?;
        }
        Ok(built)
    }

    /// Rewrites the `.version` line of a PTX file to [`PTX_VERSION`], and drops the hints of nvcc 13 on which bytes of a
    /// vector load are used: the language of 8.3 introduced them, and no result depends on them.
    fn declare_version(ptx: &Path) -> Result<()> {
        let text = fs::read_to_string(ptx).map_err(|e| format!("{}: {e}", ptx.display()))?;
        let line = text
            .lines()
            .find(|line| line.starts_with(".version "))
            .ok_or("nvcc's PTX declares no version")?;
        let text = text.replacen(line, &format!(".version {PTX_VERSION}"), 1);
        let hint = |line: &&str| !line.trim_start().starts_with(".pragma \"used_bytes_mask");
        let text: String = text.split_inclusive('\n').filter(hint).collect();
        fs::write(ptx, text).map_err(|e| format!("{}: {e}", ptx.display()))
    }

    impl Tools {
        fn find(root: &Path) -> Result<Self> {
            for name in ["NVCC", "CUDA_HOME", "CUDA_PATH", "CUDA_VENV", "LATHE_CUDA_ARCHS", "PATH"] {
                println!("cargo::rerun-if-env-changed={name}");
            }
            let venv =
                env::var_os("CUDA_VENV").map_or_else(|| root.join("../target/cuda-venv"), PathBuf::from);
            println!("cargo::rerun-if-changed={}", venv.join("lathe-cuda-packages").display());
            let packages = site_packages(&venv);
            let archs = env::var("LATHE_CUDA_ARCHS").unwrap_or_else(|_| ARCHS.into());
            let archs: Vec<String> = archs.split(',').map(|a| a.trim().to_owned()).collect();
            if let Some(bad) = archs.iter().find(|a| a.parse::<u32>().map_or(true, |a| a < 80)) {
                return Err(format!(
                    "LATHE_CUDA_ARCHS: `{bad}` is not a target from 80 on; give for example 80,90"
                ));
            }
            let mut passed_over = String::new();
            for nvcc in nvcc_candidates(packages.as_deref()) {
                match usable(&nvcc, &archs) {
                    Err(reason) => passed_over += &format!("\n  {} {reason}", nvcc.display()),
                    Ok(version) => {
                        let oldest =
                            packages.map(|p| p.join("cuda_nvcc/bin/ptxas")).filter(|path| path.is_file());
                        return Ok(Self { nvcc, oldest, version: version + &packages_key(&venv), archs });
                    }
                }
            }
            let passed_over = if passed_over.is_empty() { "\n  none found".into() } else { passed_over };
            Err(format!("no nvcc that can build the CUDA kernels:{passed_over}\n{HINT}"))
        }
    }

    /// In the order of preference: named by the user, a CUDA install, PATH, the packages of `make setup-cuda`.
    fn nvcc_candidates(packages: Option<&Path>) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = env::var_os("NVCC").map(PathBuf::from).into_iter().collect();
        all.extend(
            ["CUDA_HOME", "CUDA_PATH"]
                .iter()
                .filter_map(env::var_os)
                .map(|p| PathBuf::from(p).join("bin/nvcc")),
        );
        if let Some(path) = env::var_os("PATH") {
            all.extend(env::split_paths(&path).map(|dir| dir.join("nvcc")));
        }
        all.extend(packages.map(|p| p.join("cu13/bin/nvcc")));
        all.retain(|path| path.is_file());
        all
    }

    /// The version text of an nvcc, if it can make code for all targets.
    fn usable(nvcc: &Path, archs: &[String]) -> Result<String> {
        let version = run(Command::new(nvcc).arg("--version"))?;
        let major = version.split("release ").nth(1).and_then(|v| v.split('.').next()?.parse().ok());
        let major: u32 = major.ok_or("its version cannot be read")?;
        if major < 12 {
            return Err(format!("is of CUDA {major}, older than 12"));
        }
        let known = run(Command::new(nvcc).arg("--list-gpu-code"))?;
        match archs.iter().find(|a| !known.split_whitespace().any(|k| k == format!("sm_{a}"))) {
            Some(a) => Err(format!("knows no sm_{a} (LATHE_CUDA_ARCHS may narrow the targets)")),
            None => Ok(version),
        }
    }

    fn site_packages(venv: &Path) -> Option<PathBuf> {
        let libs = entries(&venv.join("lib")).ok()?;
        libs.into_iter().map(|lib| lib.join("site-packages/nvidia")).find(|path| path.is_dir())
    }

    fn packages_key(venv: &Path) -> String {
        fs::read_to_string(venv.join("lathe-cuda-packages")).unwrap_or_default()
    }

    /// Hashes a file and, by and by, every file of the same folder that it includes by `#include "NAME"`.
    fn hash_with_includes(
        folder: &Path,
        file: &Path,
        seen: &mut BTreeSet<PathBuf>,
        key: &mut impl Hasher,
    ) -> Result<()> {
        if !seen.insert(file.to_owned()) {
            return Ok(());
        }
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        (stem(file), &text).hash(key);
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("#include") else { continue };
            if let Some(name) = rest.trim().strip_prefix('"').and_then(|r| r.split('"').next()) {
                hash_with_includes(folder, &folder.join(name), seen, key)?;
            }
        }
        Ok(())
    }

    /// Runs a tool; returns all it printed, or that as the error.
    fn run(command: &mut Command) -> Result<String> {
        let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        let text = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
        if output.status.success() { Ok(text) } else { Err(format!("{command:?} failed:\n{text}")) }
    }

    fn var(name: &str) -> Result<String> {
        env::var(name).map_err(|e| format!("{name}: {e}"))
    }

    fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
        let list = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(list.flatten().map(|entry| entry.path()).collect())
    }

    fn stem(path: &Path) -> String {
        path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}
