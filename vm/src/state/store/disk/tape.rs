//! The changes that a store makes on disk, as this thread's tape keeps them, and the folders that a crash between any two
//! of them can leave.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One change.
#[derive(Clone, Debug)]
pub(in crate::state::store) enum Change {
    Create(PathBuf),
    Append(PathBuf, Vec<u8>),
    Cut(PathBuf, u64),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(),
}

thread_local! {
    static TAPE: RefCell<Vec<Change>> = const { RefCell::new(Vec::new()) };
}

/// Adds a change.
pub(super) fn record(change: Change) {
    TAPE.with_borrow_mut(|tape| tape.push(change));
}

/// The changes since this was called last.
pub(in crate::state::store) fn take() -> Vec<Change> {
    TAPE.take()
}

/// Files by name.
pub(in crate::state::store) type Files = BTreeMap<String, Vec<u8>>;

fn name(path: &Path) -> String {
    path.file_name().expect("a file of the folder").to_string_lossy().into_owned()
}

/// A file: what is in it, and how much of that has been made durable.
#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

/// A folder as a running system sees it, and the names that would be there if the power failed.
#[derive(Clone, Default)]
pub(in crate::state::store) struct Disk {
    /// Contents by number: a rename moves a name, not a content.
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    /// Names after each change since the folder was synced; the first are those then.
    since: Vec<BTreeMap<String, usize>>,
}

impl Disk {
    /// An empty folder.
    pub(in crate::state::store) fn new() -> Disk {
        Disk { since: vec![BTreeMap::new()], ..Disk::default() }
    }

    /// Makes a change.
    pub(in crate::state::store) fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(path) => {
                // An existing file is emptied, which has the same effect as far as a crash goes: nothing reads it again.
                self.names.insert(name(path), self.contents.len());
                self.contents.push(Content::default());
                self.since.push(self.names.clone());
            }
            Change::Append(path, bytes) => self.content(path).bytes.extend(bytes),
            Change::Cut(path, length) => self.content(path).bytes.truncate(*length as usize),
            Change::Sync(path) => {
                let content = self.content(path);
                content.synced.clone_from(&content.bytes);
            }
            Change::Rename(from, to) => {
                let number = self.names.remove(&name(from)).expect("the file is there");
                self.names.insert(name(to), number);
                self.since.push(self.names.clone());
            }
            Change::Remove(path) => {
                self.names.remove(&name(path));
                self.since.push(self.names.clone());
            }
            Change::SyncDir() => self.since = vec![self.names.clone()],
        }
    }

    fn content(&mut self, path: &Path) -> &mut Content {
        &mut self.contents[self.names[&name(path)]]
    }

    /// What a killed process leaves here.
    pub(in crate::state::store) fn killed(&self) -> Files {
        self.names.iter().map(|(name, i)| (name.clone(), self.contents[*i].bytes.clone())).collect()
    }

    /// What a power failure can leave here: each name as it was after any of the changes that were not synced, and of
    /// bytes that were not synced nothing, a part, all, or zeros in their place.
    pub(in crate::state::store) fn without_power(&self) -> Vec<Files> {
        let torn: [fn(&Content) -> Vec<u8>; 5] = [
            |c| c.synced.clone(),
            |c| c.bytes.clone(),
            |c| part(c, |fresh| fresh / 2),
            |c| part(c, |fresh| fresh - fresh.min(1)),
            |c| {
                let mut bytes = c.bytes.clone();
                bytes.iter_mut().skip(c.synced.len()).for_each(|b| *b = 0);
                bytes
            },
        ];
        let mut out = Vec::new();
        for names in self.names_without_power() {
            for tear in torn {
                out.push(names.iter().map(|(name, i)| (name.clone(), tear(&self.contents[*i]))).collect());
            }
        }
        out
    }

    /// Every choice of a state for each name.
    fn names_without_power(&self) -> Vec<BTreeMap<String, usize>> {
        let all: BTreeSet<&String> = self.since.iter().flat_map(|names| names.keys()).collect();
        let mut out = vec![BTreeMap::new()];
        for name in all {
            let may: BTreeSet<Option<usize>> =
                self.since.iter().map(|names| names.get(name).copied()).collect();
            let with = |names: &BTreeMap<String, usize>, number: &Option<usize>| {
                let mut names = names.clone();
                names.extend(number.map(|number| (name.clone(), number)));
                names
            };
            out = out.iter().flat_map(|names| may.iter().map(move |number| with(names, number))).collect();
        }
        out
    }
}

/// The durable bytes and this many of those after them.
fn part(c: &Content, count: impl Fn(usize) -> usize) -> Vec<u8> {
    let durable = c.synced.len().min(c.bytes.len());
    c.bytes[..durable + count(c.bytes.len() - durable)].to_vec()
}
