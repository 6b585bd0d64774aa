//! How often each entry of the fixed tables was looked up, gathered while rows are assigned.
use super::bus::Tag;

/// Lookup counts by table tag and entry.
#[derive(Default, Clone)]
pub struct Counts {
    tables: Vec<Vec<u32>>,
}

impl Counts {
    /// Records one lookup of entry `index` of table `tag`.
    pub fn bump(&mut self, tag: Tag, index: usize) {
        let t = tag as usize;
        if self.tables.len() <= t {
            self.tables.resize(t + 1, Vec::new());
        }
        let table = &mut self.tables[t];
        if table.len() <= index {
            table.resize(index + 1, 0);
        }
        table[index] += 1;
    }

    /// How often entry `index` of `tag` was looked up.
    pub fn get(&self, tag: Tag, index: usize) -> u32 {
        self.tables.get(tag as usize).and_then(|t| t.get(index)).copied().unwrap_or(0)
    }

    /// Adds the counts of another collector.
    pub fn merge(&mut self, other: &Counts) {
        if self.tables.len() < other.tables.len() {
            self.tables.resize(other.tables.len(), Vec::new());
        }
        for (mine, theirs) in self.tables.iter_mut().zip(&other.tables) {
            if mine.len() < theirs.len() {
                mine.resize(theirs.len(), 0);
            }
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        }
    }
}
