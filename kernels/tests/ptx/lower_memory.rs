//! Loads, stores, atomics, barriers and warp exchanges to our instructions.
//! An order or cache modifier is never dropped silently: each is known to be harmless here, or changes the access.

use super::code::*;
use super::decode::Decoder;
use super::lower::Lowered;
use super::parse::Operand;

/// Space, order and vector length of an access, taken from its modifiers; what is not known is returned.
struct Modifiers<'m> {
    space: Space,
    order: Order,
    count: u32,
    left: Vec<&'m str>,
}

fn modifiers<'m>(mods: &[&'m str]) -> Modifiers<'m> {
    let mut out = Modifiers { space: Space::Generic, order: Order::Plain, count: 1, left: Vec::new() };
    for &name in mods {
        match name {
            "global" => out.space = Space::Global,
            "const" => out.space = Space::Const,
            "shared" | "shared::cta" => out.space = Space::Shared,
            "local" => out.space = Space::Local,
            "param" | "param::entry" | "param::func" => out.space = Space::Param,
            "v2" => out.count = 2,
            "v4" => out.count = 4,
            "nc" => out.order = Order::Constant,
            "volatile" | "relaxed" | "acquire" | "release" | "acq_rel" | "mmio" => out.order = Order::Strong,
            // Scopes of strong accesses: all threads here see one memory.
            "weak" | "cta" | "cluster" | "gpu" | "sys" => {}
            // Cache hints.
            "ca" | "cg" | "cs" | "lu" | "cv" | "wb" | "wt" => {}
            _ if name.starts_with("L1::") || name.starts_with("L2::") => {}
            _ => out.left.push(name),
        }
    }
    out
}

impl Decoder<'_> {
    fn access(&mut self, access: Access) -> u32 {
        self.program.accesses.push(access);
        self.program.accesses.len() as u32 - 1
    }

    pub fn memory(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        match base {
            "membar" | "fence" => {
                let wide = match mods {
                    ["cta"] | ["acq_rel" | "sc", "cta"] => 0,
                    ["gl" | "sys"] | ["acq_rel" | "sc", "gpu" | "sys"] => 1,
                    _ => return Err("form is not supported".into()),
                };
                self.emit(Op::Fence, 0, 0, 0, wide);
                Ok(())
            }
            // A hint without effect on values.
            "prefetch" => Ok(()),
            "atom" | "red" => self.atomic(base, mods, operands),
            _ => self.load_store(base, mods, operands),
        }
    }

    fn load_store(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let found = modifiers(rest);
        if !found.left.is_empty() || !matches!(ty.bits, 8 | 16 | 32 | 64) {
            return Err(format!("modifiers {:?} or type are not supported", found.left));
        }
        let [first, second] = operands else { return Err("two operands expected".into()) };
        let (values, place) = if base == "st" { (second, first) } else { (first, second) };
        let values = match values {
            Operand::Vector(all) => all.as_slice(),
            single => std::slice::from_ref(single),
        };
        if values.len() != found.count as usize {
            return Err(format!("{} elements expected, {} found", found.count, values.len()));
        }
        let (mut slots, mut sign) = ([SINK; 4], 0);
        for (slot, value) in slots.iter_mut().zip(values) {
            if base == "st" {
                *slot = self.source(value, ty.bits)?;
            } else {
                let (target, register) = self.target(value)?;
                *slot = target;
                sign = if ty.signed && register > ty.bits { register } else { 0 };
            }
        }
        let order = if base == "ldu" { Order::Constant } else { found.order };
        let (address, offset) = self.address(place)?;
        let access = Access {
            space: found.space,
            order,
            width: ty.bits / 8,
            count: found.count,
            sign,
            slots,
            atomic: AtomicOp::None,
        };
        let index = self.access(access);
        match (address, found.space, base) {
            (None, Space::Param, "st") => self.emit(Op::StoreParam, 0, 0, offset, index),
            (None, Space::Param, _) => self.emit(Op::LoadParam, 0, 0, offset, index),
            (Some(slot), space, _) if space != Space::Param => {
                self.emit(if base == "st" { Op::Store } else { Op::Load }, 0, slot, offset, index);
            }
            _ => return Err("a parameter must be named, not pointed to".into()),
        }
        Ok(())
    }

    fn atomic(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let found = modifiers(rest);
        let [name] = found.left[..] else {
            return Err(format!("operation {:?} is not supported", found.left));
        };
        let atomic = match (name, ty.signed) {
            ("add", _) => AtomicOp::Add,
            ("inc", _) => AtomicOp::Inc,
            ("dec", _) => AtomicOp::Dec,
            ("and", _) => AtomicOp::And,
            ("or", _) => AtomicOp::Or,
            ("xor", _) => AtomicOp::Xor,
            ("exch", _) => AtomicOp::Exchange,
            ("cas", _) => AtomicOp::Compare,
            ("min", false) => AtomicOp::MinU,
            ("max", false) => AtomicOp::MaxU,
            ("min", true) => AtomicOp::MinS,
            ("max", true) => AtomicOp::MaxS,
            _ => return Err(format!("operation `{name}` is not supported")),
        };
        if !matches!(ty.bits, 32 | 64) || found.count != 1 {
            return Err("type or vector is not supported".into());
        }
        let (d, operands) = if base == "atom" {
            (self.target(operands.first().ok_or("operands are missing")?)?.0, &operands[1..])
        } else {
            (SINK, operands)
        };
        let expected = if atomic == AtomicOp::Compare { 3 } else { 2 };
        if operands.len() != expected {
            return Err(format!("{expected} source operands expected"));
        }
        let (Some(address), offset) = self.address(&operands[0])? else {
            return Err("a parameter is no place".into());
        };
        let value = self.source(&operands[expected - 1], ty.bits)?;
        let compared = self.source(&operands[1], ty.bits)?;
        let access = Access {
            space: found.space,
            order: Order::Strong,
            width: ty.bits / 8,
            count: 1,
            sign: 0,
            slots: [value, compared, SINK, SINK],
            atomic,
        };
        let index = self.access(access);
        self.emit(Op::Atomic, d, address, offset, index);
        Ok(())
    }

    /// Barriers and exchanges within a warp.
    pub fn exchange(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        match (base, mods) {
            ("bar", ["warp", "sync"]) => {
                let [mask] = operands else { return Err("one operand expected".into()) };
                let mask = self.source(mask, 32)?;
                self.warp(WarpAccess { op: WarpOp::Sync, d: SINK, p: SINK, a: SINK, b: SINK, c: SINK, mask })
            }
            (
                "bar" | "barrier",
                ["sync"] | ["cta", "sync"] | ["sync", "aligned"] | ["cta", "sync", "aligned"],
            ) => {
                let [Operand::Number(id)] = operands else {
                    return Err("only a literal barrier for all threads of the block is supported".into());
                };
                self.emit(Op::Barrier, 0, 0, *id as u32, 0);
                Ok(())
            }
            ("bar" | "barrier", _) if mods.contains(&"red") => self.barrier_reduce(mods, operands),
            ("activemask", ["b32"]) => {
                let [d] = operands else { return Err("one operand expected".into()) };
                let (d, _) = self.target(d)?;
                let which = SPECIALS.iter().position(|name| *name == "%activemask").expect("listed");
                self.emit(Op::Special, d, 0, which as u32, 0);
                Ok(())
            }
            ("shfl", ["sync", mode, "b32"]) => {
                let op = match *mode {
                    "idx" => WarpOp::ShuffleIdx,
                    "up" => WarpOp::ShuffleUp,
                    "down" => WarpOp::ShuffleDown,
                    "bfly" => WarpOp::ShuffleXor,
                    _ => return Err("mode is not supported".into()),
                };
                let [target, a, b, c, mask] = operands else { return Err("five operands expected".into()) };
                let (d, p) = self.result_and_predicate(target)?;
                let [a, b] = [self.source(a, 32)?, self.source(b, 32)?];
                let [c, mask] = [self.source(c, 32)?, self.source(mask, 32)?];
                self.warp(WarpAccess { op, d, p, a, b, c, mask })
            }
            ("vote", ["sync", mode, _]) => {
                let op = match *mode {
                    "all" => WarpOp::VoteAll,
                    "any" => WarpOp::VoteAny,
                    "uni" => WarpOp::VoteUniform,
                    "ballot" => WarpOp::Ballot,
                    _ => return Err("mode is not supported".into()),
                };
                self.simple_warp(op, 1, operands)
            }
            ("match", [mode @ ("any" | "all"), "sync", ty]) => {
                let bits = if *ty == "b64" { 64 } else { 32 };
                self.simple_warp(
                    if *mode == "any" { WarpOp::MatchAny } else { WarpOp::MatchAll },
                    bits,
                    operands,
                )
            }
            ("redux", ["sync", name, ty]) => {
                let op = match (*name, *ty) {
                    ("add", _) => WarpOp::ReduceAdd,
                    ("min", "s32") => WarpOp::ReduceMinS,
                    ("max", "s32") => WarpOp::ReduceMaxS,
                    ("min", _) => WarpOp::ReduceMinU,
                    ("max", _) => WarpOp::ReduceMaxU,
                    ("and", _) => WarpOp::ReduceAnd,
                    ("or", _) => WarpOp::ReduceOr,
                    ("xor", _) => WarpOp::ReduceXor,
                    _ => return Err("operation is not supported".into()),
                };
                self.simple_warp(op, 32, operands)
            }
            _ => Err("form is not supported".into()),
        }
    }

    fn barrier_reduce(&mut self, mods: &[&str], operands: &[Operand]) -> Lowered {
        let kind = match mods.iter().find(|name| matches!(**name, "popc" | "and" | "or")) {
            Some(&"popc") => 0,
            Some(&"and") => 1,
            Some(&"or") => 2,
            _ => return Err("reduction is not supported".into()),
        };
        let [target, Operand::Number(id), predicate] = operands else {
            return Err("only a literal barrier for all threads of the block is supported".into());
        };
        let (d, _) = self.target(target)?;
        let a = self.source(predicate, 1)?;
        self.emit(Op::BarrierReduce, d, a, *id as u32, kind);
        Ok(())
    }

    fn result_and_predicate(&mut self, target: &Operand) -> Result<(u32, u32), String> {
        match target {
            Operand::Pair(d, p) => Ok((self.target(d)?.0, self.target(p)?.0)),
            single => Ok((self.target(single)?.0, SINK)),
        }
    }

    /// `d, a, mask`.
    fn simple_warp(&mut self, op: WarpOp, bits: u32, operands: &[Operand]) -> Lowered {
        let [target, a, mask] = operands else { return Err("three operands expected".into()) };
        let (d, p) = self.result_and_predicate(target)?;
        let (a, mask) = (self.source(a, bits)?, self.source(mask, 32)?);
        self.warp(WarpAccess { op, d, p, a, b: SINK, c: SINK, mask })
    }

    fn warp(&mut self, access: WarpAccess) -> Lowered {
        let index = self.program.warps.len() as u32;
        self.program.warps.push(access);
        self.emit(Op::Warp, 0, 0, index, 0);
        Ok(())
    }
}
