//! Everything the store changes on disk, one call per change, so that tests can stop it between any two of them.
//! Nothing else in the store may write, rename or remove.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
pub(super) mod tape;

/// Tells the tape, which only tests have, of a change that has been made.
macro_rules! changed {
    ($kind:ident $(, $about:expr)*) => {
        #[cfg(test)]
        tape::record(tape::Change::$kind($($about.into()),*));
        #[cfg(not(test))]
        {
            $(let _ = $about;)*
        }
    };
}

/// Makes the folder and those above it, and their names durable.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|d| !d.as_os_str().is_empty() && !d.exists()).collect();
    std::fs::create_dir_all(dir)?;
    for new in missing.into_iter().rev() {
        // A relative path of one part lies in the working directory.
        let above = new.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_dir(above)?;
    }
    Ok(())
}

/// Makes an empty file, in place of one that is there.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    changed!(Create, path);
    Ok(file)
}

/// Writes behind what the file at `path` holds.
pub(super) fn append(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    changed!(Append, path, bytes);
    Ok(())
}

/// Cuts the file at `path`.
pub(super) fn cut(file: &File, path: &Path, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    changed!(Cut, path, length);
    Ok(())
}

/// Makes the content of the file at `path` durable.
pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    changed!(Sync, path);
    Ok(())
}

/// Puts the file `from` in place of `to`.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    changed!(Rename, from, to);
    Ok(())
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)?;
    changed!(Remove, path);
    Ok(())
}

/// Makes names in the folder durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    changed!(SyncDir);
    Ok(())
}
