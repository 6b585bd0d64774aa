//! The book of device memory: what is in use, what lies idle for reuse, and what the budget still allows.
//! It decides, the driver acts; it never lets use and idle blocks together exceed the budget.

/// A piece of device memory with whatever its owner keeps beside the address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block<T> {
    pub(super) bytes: u64,
    pub(super) extra: T,
}

/// Blocks of one device.
#[derive(Debug)]
pub(super) struct Pool<T> {
    budget: u64,
    in_use: u64,
    idle: Vec<Block<T>>,
}

/// The size that is really allocated for a request: few different ones, so that blocks are found again. The driver
/// hands out memory in units of 2 MiB, within which small blocks share.
pub(super) fn rounded(bytes: u64) -> u64 {
    const SMALL: u64 = 1 << 20;
    if bytes <= SMALL { bytes.max(512).next_power_of_two() } else { bytes.next_multiple_of(2 << 20) }
}

impl<T> Pool<T> {
    pub(super) fn new(budget: u64) -> Self {
        Self { budget, in_use: 0, idle: Vec::new() }
    }

    /// An idle block for a rounded size, at most an eighth larger: now in use.
    pub(super) fn reuse(&mut self, bytes: u64) -> Option<Block<T>> {
        let fits = |block: &Block<T>| (bytes..=bytes + bytes / 8).contains(&block.bytes);
        let (at, _) = self.idle.iter().enumerate().filter(|(_, b)| fits(b)).min_by_key(|(_, b)| b.bytes)?;
        let block = self.idle.swap_remove(at);
        self.in_use += block.bytes;
        Some(block)
    }

    /// Books `bytes` of fresh memory as in use. If idle blocks stand in the way they are handed out, to be freed.
    ///
    /// # Errors
    /// The bytes still available, where even without idle blocks the budget does not allow it.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<Vec<Block<T>>, u64> {
        let available = self.budget.saturating_sub(self.in_use);
        if bytes > available {
            return Err(available);
        }
        let idle: u64 = self.idle.iter().map(|block| block.bytes).sum();
        self.in_use += bytes;
        Ok(if bytes + idle > available { self.drain() } else { Vec::new() })
    }

    /// Takes back a booking whose memory the driver did not give.
    pub(super) fn cancel(&mut self, bytes: u64) {
        self.in_use -= bytes;
    }

    /// A block is no longer in use.
    pub(super) fn put(&mut self, block: Block<T>) {
        self.in_use -= block.bytes;
        self.idle.push(block);
    }

    /// All idle blocks, to be freed.
    pub(super) fn drain(&mut self) -> Vec<Block<T>> {
        std::mem::take(&mut self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(pool: &mut Pool<u32>, bytes: u64, extra: u32) -> Block<u32> {
        assert_eq!(pool.reserve(bytes), Ok(vec![]));
        Block { bytes, extra }
    }

    #[test]
    fn a_block_is_reused_for_its_size_and_not_for_much_less() {
        let mut pool = Pool::new(100 << 20);
        let block = fresh(&mut pool, 16 << 20, 1);
        pool.put(block);
        assert_eq!(pool.reuse(8 << 20), None);
        assert_eq!(pool.reuse(18 << 20), None);
        assert_eq!(pool.reuse(15 << 20), Some(Block { bytes: 16 << 20, extra: 1 }));
        assert_eq!(pool.reuse(15 << 20), None);
    }

    #[test]
    fn idle_blocks_give_way_before_the_budget_is_said_to_be_spent() {
        let mut pool = Pool::new(100);
        let (kept, freed) = (fresh(&mut pool, 40, 1), fresh(&mut pool, 50, 2));
        pool.put(freed);
        assert_eq!(pool.reserve(61), Err(60));
        assert_eq!(pool.reserve(60), Ok(vec![Block { bytes: 50, extra: 2 }]));
        assert_eq!(pool.reserve(1), Err(0));
        pool.cancel(60);
        pool.put(kept);
        assert_eq!(pool.reserve(100), Ok(vec![Block { bytes: 40, extra: 1 }]));
    }

    #[test]
    fn sizes_are_rounded_up_and_few() {
        for bytes in [0, 1, 511, 512, 513, 1 << 20, (1 << 20) + 1, 32 << 20, (32 << 20) + 1] {
            assert!(rounded(bytes) >= bytes && rounded(rounded(bytes)) == rounded(bytes), "{bytes}");
        }
        assert_eq!(rounded(32 << 20), 32 << 20);
        assert_eq!(rounded((32 << 20) + 1), 34 << 20);
    }
}
