//! Slots for registers. Copies whose two sides are never alive together vanish by sharing a slot; what is left is
//! placed in the lowest slot that is free throughout its life, and near calls right above what outlives them.
use super::BackendError;
use super::cfg::Cfg;
use super::lir::{Action, BASE, Function, GroupId, Place, Reg, Src};
use super::liveness::{Liveness, Segment, crosses, intersect, union};
use lathe_vm::isa::{FIELD_LIMIT, IMM_LIMIT};

/// The slots of a function.
#[derive(Debug)]
pub struct Slots {
    /// Slot of each register.
    pub of: Vec<u16>,
    /// The callee's frame at each near call: by group, 0 for groups that are none.
    pub frames: Vec<u16>,
    /// A slot that no register has.
    pub spare: u16,
}

/// Registers that share a slot.
struct Class {
    range: Vec<Segment>,
    group: Option<(GroupId, usize)>,
}

struct Allocator<'a> {
    f: &'a Function,
    calls: Vec<(u32, GroupId)>,
    /// Union-find parent of each register.
    parent: Vec<Reg>,
    classes: Vec<Class>,
    /// When each slot is taken.
    taken: Vec<Vec<Segment>>,
    slot: Vec<Option<u16>>,
}

/// Gives each register a slot.
///
/// # Errors
/// If the frame is too large.
pub fn allocate(f: &Function, cfg: &Cfg, coalesce: bool) -> Result<Slots, BackendError> {
    let live = Liveness::new(f, cfg);
    let mut classes: Vec<Class> = live.ranges.into_iter().map(|range| Class { range, group: None }).collect();
    for (g, group) in f.groups.iter().enumerate() {
        for (k, r) in group.regs.iter().enumerate() {
            classes[*r as usize].group = Some((g, k));
        }
    }
    let mut allocator = Allocator {
        f,
        calls: live.calls,
        parent: (0..f.regs).collect(),
        slot: vec![None; classes.len()],
        classes,
        taken: Vec::new(),
    };
    if coalesce {
        allocator.coalesce(cfg);
    }
    allocator.place()
}

impl Allocator<'_> {
    fn find(&mut self, mut r: Reg) -> Reg {
        while self.parent[r as usize] != r {
            let up = self.parent[self.parent[r as usize] as usize];
            self.parent[r as usize] = up;
            r = up;
        }
        r
    }

    /// Merges the two sides of copies, the most frequent first.
    fn coalesce(&mut self, cfg: &Cfg) {
        let mut copies: Vec<(f64, Reg, Reg)> = Vec::new();
        for &b in &cfg.order {
            for inst in &self.f.blocks[b].insts {
                if let Action::Copy(moves) = &inst.action {
                    let of = moves.iter().filter_map(|(d, s)| match s {
                        Src::Reg(s) => Some((cfg.frequency[b], *d, *s)),
                        Src::Const(_) => None,
                    });
                    copies.extend(of);
                }
            }
        }
        copies.sort_by(|x, y| y.0.total_cmp(&x.0));
        for (_, d, s) in copies {
            let (d, s) = (self.find(d), self.find(s));
            if d != s && d != BASE && s != BASE && self.compatible(d, s) {
                let range = union(&self.classes[d as usize].range, &self.classes[s as usize].range);
                let group = self.classes[d as usize].group.or(self.classes[s as usize].group);
                self.parent[s as usize] = d;
                self.classes[d as usize] = Class { range, group };
                self.classes[s as usize].range.clear();
            }
        }
    }

    fn compatible(&self, d: Reg, s: Reg) -> bool {
        let (d, s) = (&self.classes[d as usize], &self.classes[s as usize]);
        let group = match (d.group, s.group) {
            (Some(_), Some(_)) => return false,
            (group, None) | (None, group) => group,
        };
        let other = if d.group.is_some() { s } else { d };
        let is_call = group.is_some_and(|(g, _)| self.f.groups[g].place == Place::Call);
        // What waits for a call in its new frame must not have to survive another.
        (!is_call || !self.calls.iter().any(|(at, _)| crosses(&other.range, *at)))
            && !intersect(&d.range, &s.range)
    }

    fn place(mut self) -> Result<Slots, BackendError> {
        self.taken = vec![vec![(0, u32::MAX)]];
        self.slot[BASE as usize] = Some(0);
        for g in self.groups_of(Place::Fixed) {
            self.put_group(g, 1)?;
        }
        for g in self.groups_of(Place::Anywhere) {
            let base = self.lowest(g, 1);
            self.put_group(g, base)?;
        }
        self.place_singles()?;
        let mut frames = vec![0; self.f.groups.len()];
        let mut top = 1;
        for (at, g) in self.calls.clone().into_iter().rev() {
            let outlives = self.taken.iter().rposition(|range| crosses(range, at)).unwrap_or(0);
            let base = self.lowest(g, outlives + 2);
            self.put_group(g, base)?;
            frames[g] = u16::try_from(base - 1)
                .ok()
                .filter(|frame| u64::from(*frame) < IMM_LIMIT)
                .ok_or_else(|| self.too_large())?;
            top = top.max(base + self.f.groups[g].regs.len());
        }
        let of = (0..self.f.regs).map(|r| {
            let class = self.find(r);
            self.slot[class as usize].unwrap_or(0)
        });
        let of = of.collect();
        let spare = self.field(top.max(self.taken.len()))?;
        Ok(Slots { of, frames, spare })
    }

    fn groups_of(&self, place: Place) -> Vec<GroupId> {
        (0..self.f.groups.len()).filter(|g| self.f.groups[*g].place == place).collect()
    }

    fn place_singles(&mut self) -> Result<(), BackendError> {
        let single = |c: &Class| c.group.is_none() && !c.range.is_empty();
        let mut singles: Vec<Reg> =
            (0..self.f.regs).filter(|r| *r != BASE && single(&self.classes[*r as usize])).collect();
        singles.sort_by_key(|r| self.classes[*r as usize].range[0].0);
        for r in singles {
            let range = &self.classes[r as usize].range;
            let slot = (1..self.taken.len()).find(|s| !intersect(range, &self.taken[*s]));
            self.put(r, slot.unwrap_or(self.taken.len()))?;
        }
        Ok(())
    }

    /// The lowest place for a group from slot `from` on.
    fn lowest(&mut self, g: GroupId, from: usize) -> usize {
        let f = self.f;
        let classes: Vec<Reg> = f.groups[g].regs.iter().map(|r| self.find(*r)).collect();
        let free = |base: &usize| {
            classes.iter().enumerate().all(|(k, class)| {
                let taken = self.taken.get(base + k);
                taken.is_none_or(|taken| !intersect(&self.classes[*class as usize].range, taken))
            })
        };
        (from..).find(free).unwrap_or(from)
    }

    fn put_group(&mut self, g: GroupId, base: usize) -> Result<(), BackendError> {
        let f = self.f;
        for (k, r) in f.groups[g].regs.iter().enumerate() {
            let class = self.find(*r);
            self.put(class, base + k)?;
        }
        Ok(())
    }

    fn put(&mut self, class: Reg, slot: usize) -> Result<(), BackendError> {
        self.slot[class as usize] = Some(self.field(slot)?);
        if slot >= self.taken.len() {
            self.taken.resize(slot + 1, Vec::new());
        }
        let taken = &mut self.taken[slot];
        taken.extend(&self.classes[class as usize].range);
        taken.sort_unstable();
        Ok(())
    }

    fn field(&self, slot: usize) -> Result<u16, BackendError> {
        u16::try_from(slot).ok().filter(|s| u64::from(*s) < FIELD_LIMIT).ok_or_else(|| self.too_large())
    }

    fn too_large(&self) -> BackendError {
        BackendError::FrameTooLarge { function: self.f.name.clone() }
    }
}
