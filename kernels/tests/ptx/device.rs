//! The interpreter as a [`Device`]: plans run on it as on a GPU, one launch after the other, and a broken rule is the
//! error of the launch that broke it. It never reports success for a launch of which a thread did not end.

use super::block::{Block, BlockFault};
use super::code::{Program, WINDOW_BITS};
use super::decode::decode;
use super::execute::World;
use super::memory::{GlobalMemory, Operation, Refusal};
use super::parse::PtxError;
use super::shared::SharedMemory;
use super::streams::Streams;
use lathe_kernels::KernelError;
use lathe_kernels::cuda::{Arg, Buffer, Device, Stream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

/// A PTX text that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PTX text {text}: {error}; the line reads `{source_line}`")]
pub struct LoadError {
    /// Which of the texts, from zero.
    pub text: usize,
    /// What is wrong.
    pub error: PtxError,
    /// The line concerned.
    pub source_line: String,
}

/// Memory if none is given: enough for every test, small enough to notice waste.
const DEFAULT_MEMORY: u64 = 2 << 30;
/// Shared memory of a block on the smallest of our targets, sm_120; beyond 48 KiB only as dynamic memory.
const MOST_SHARED: u32 = 99 << 10;
const MOST_STATIC_SHARED: u32 = 48 << 10;
/// Threads of a block, on all targets.
const MOST_THREADS: u32 = 1024;

struct Memory {
    global: RwLock<GlobalMemory>,
    used: AtomicU64,
}

/// Executes PTX on the CPU, with every access checked. See the module for what it does not model.
pub struct Interpreter {
    program: Program,
    memory: Arc<Memory>,
    budget: u64,
    workers: u32,
    streams: Mutex<Streams>,
    executed: AtomicU64,
}

fn failure(what: String, reason: String) -> KernelError {
    KernelError::Device { backend: "cuda", what, reason }
}

impl Interpreter {
    /// Loads PTX texts; the names of their kernels must differ.
    ///
    /// # Errors
    /// [`LoadError`] with the line of the first thing this interpreter does not know.
    pub fn new(ptx: &[&str]) -> Result<Self, LoadError> {
        let program = decode(ptx).map_err(|(text, error)| {
            let source_line =
                ptx[text].lines().nth(error.line as usize - 1).unwrap_or_default().trim().into();
            LoadError { text, error, source_line }
        })?;
        let mut global = GlobalMemory::default();
        for variable in &program.variables {
            let address = global.alloc(variable.bytes.len(), variable.constant);
            assert_eq!(address, variable.address, "windows are given out in order");
            global.write(address, &variable.bytes, Operation::default()).expect("just allocated");
        }
        let workers = std::thread::available_parallelism().map_or(1, |n| n.get().min(2) as u32);
        Ok(Self {
            program,
            memory: Arc::new(Memory { global: RwLock::new(global), used: AtomicU64::new(0) }),
            budget: DEFAULT_MEMORY,
            workers,
            streams: Mutex::default(),
            executed: AtomicU64::new(0),
        })
    }

    /// Sets the bytes that all buffers together may take.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.budget = bytes;
        self
    }

    /// Sets how many blocks run at once. With one, runs repeat exactly.
    #[must_use]
    pub fn with_workers(mut self, workers: u32) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Names of the kernels loaded, sorted.
    pub fn kernels(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.program.kernels.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// PTX instructions executed so far by all threads.
    pub fn executed(&self) -> u64 {
        self.executed.load(Ordering::Relaxed)
    }

    /// Bytes of buffers allocated now.
    pub fn memory_used(&self) -> u64 {
        self.memory.used.load(Ordering::Relaxed)
    }

    fn checked(what: &str, result: Result<(), Refusal>) -> Result<(), KernelError> {
        result.map_err(|refusal| failure(what.into(), *refusal))
    }

    /// Kernel parameters from arguments, checked one by one.
    fn arguments(&self, kernel: usize, args: &[Arg<'_>]) -> Result<Vec<u64>, String> {
        let params = &self.program.functions[kernel].params;
        if params.len() != args.len() {
            return Err(format!(
                "{} arguments given, the kernel has {} parameters",
                args.len(),
                params.len()
            ));
        }
        let pairs = params.iter().zip(args).enumerate();
        pairs
            .map(|(at, (&(_, bytes), arg))| {
                let (value, width) = match *arg {
                    Arg::Buffer(buffer) => (buffer.address(), 8),
                    Arg::At(buffer, offset) if offset <= buffer.bytes() => {
                        (buffer.address() + offset as u64, 8)
                    }
                    Arg::At(buffer, offset) => {
                        return Err(format!(
                            "argument {at}: offset {offset} in a buffer of {} bytes",
                            buffer.bytes()
                        ));
                    }
                    Arg::U32(value) => (u64::from(value), 4),
                    Arg::U64(value) => (value, 8),
                };
                if width != bytes {
                    return Err(format!("argument {at} has {width} bytes, the parameter {bytes}"));
                }
                Ok(value)
            })
            .collect()
    }

    /// Checks a launch's shape as the driver would; returns the static shared memory, up to where dynamic begins.
    fn shape(&self, kernel: usize, grid: u32, block: u32, dynamic: u32) -> Result<u32, String> {
        let function = &self.program.functions[kernel];
        let most = function.max_threads.unwrap_or(MOST_THREADS).min(MOST_THREADS);
        if grid == 0 || grid > i32::MAX as u32 || block == 0 || block > most {
            return Err(format!(
                "{grid} blocks of {block} threads; blocks of 1 to {most} threads are possible"
            ));
        }
        if function.shared > MOST_STATIC_SHARED || function.shared + dynamic > MOST_SHARED {
            let own = function.shared;
            return Err(format!(
                "{own} bytes of static and {dynamic} of dynamic shared memory; at most {MOST_STATIC_SHARED} and \
                 {MOST_SHARED} in all"
            ));
        }
        Ok(function.shared.next_multiple_of(16))
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().expect("nobody panics with it")
    }

    /// The next operation of a stream.
    fn begin(&self, stream: Stream) -> Operation {
        self.streams().begin(stream, || self.memory.global.read().expect("no launch panics").forget())
    }

    fn run(
        &self,
        operation: Operation,
        kernel: usize,
        shape: [u32; 4],
        arguments: &[u64],
    ) -> Result<(), (u32, BlockFault)> {
        let [grid, block, static_shared, dynamic_shared] = shape;
        let global = self.memory.global.read().expect("no launch panics");
        let (next, failed) = (AtomicU32::new(0), AtomicBool::new(false));
        let worker = || -> Result<(), (u32, BlockFault)> {
            let (mut threads, mut shared) = (Block::default(), SharedMemory::default());
            while !failed.load(Ordering::Relaxed) {
                let block_index = next.fetch_add(1, Ordering::Relaxed);
                if block_index >= grid {
                    break;
                }
                let mut world = World {
                    program: &self.program,
                    global: &global,
                    shared: &mut shared,
                    grid,
                    block,
                    block_index,
                    operation,
                    epoch: 1,
                    static_shared,
                    dynamic_shared,
                    fenced: false,
                };
                match threads.run(&mut world, kernel, arguments) {
                    Ok(executed) => self.executed.fetch_add(executed, Ordering::Relaxed),
                    Err(fault) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err((block_index, fault));
                    }
                };
            }
            Ok(())
        };
        let workers = self.workers.min(grid);
        if workers == 1 {
            return worker();
        }
        let results: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
            running.into_iter().map(|thread| thread.join().expect("workers return their faults")).collect()
        });
        results.into_iter().filter_map(Result::err).min_by_key(|fault| fault.0).map_or(Ok(()), Err)
    }
}

impl Device for Interpreter {
    fn name(&self) -> String {
        "PTX interpreter".into()
    }

    fn memory(&self) -> u64 {
        self.budget
    }

    /// Few, so that plans make small grids.
    fn multiprocessors(&self) -> u32 {
        2
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, KernelError> {
        let used = self.memory.used.load(Ordering::Relaxed);
        let available = self.budget.saturating_sub(used);
        if bytes as u64 > available || bytes >= 1 << (WINDOW_BITS - 1) {
            return Err(KernelError::OutOfDeviceMemory { backend: "cuda", needed: bytes as u64, available });
        }
        self.memory.used.fetch_add(bytes as u64, Ordering::Relaxed);
        let address = self.memory.global.write().expect("no launch panics").alloc(bytes, false);
        let memory = self.memory.clone();
        Ok(Buffer::new(address, bytes, move |address| {
            let freed = memory.global.write().expect("no launch panics").free(address);
            memory.used.fetch_sub(freed.unwrap_or(0) as u64, Ordering::Relaxed);
        }))
    }

    fn upload(&self, stream: Stream, to: &Buffer, offset: usize, from: &[u8]) -> Result<(), KernelError> {
        let operation = self.begin(stream);
        let global = self.memory.global.read().expect("no launch panics");
        Self::checked("an upload", global.write(to.address() + offset as u64, from, operation))
    }

    fn download(
        &self,
        stream: Stream,
        from: &Buffer,
        offset: usize,
        to: &mut [u8],
    ) -> Result<(), KernelError> {
        let operation = self.begin(stream);
        let global = self.memory.global.read().expect("no launch panics");
        Self::checked("a download", global.read(from.address() + offset as u64, to, operation))?;
        self.streams().sync(stream);
        Ok(())
    }

    fn zero(&self, stream: Stream, buffer: &Buffer, offset: usize, bytes: usize) -> Result<(), KernelError> {
        let operation = self.begin(stream);
        let global = self.memory.global.read().expect("no launch panics");
        Self::checked(
            "a fill with zeros",
            global.write(buffer.address() + offset as u64, &vec![0; bytes], operation),
        )
    }

    fn launch(
        &self,
        stream: Stream,
        kernel: &str,
        grid: u32,
        block: u32,
        shared: u32,
        args: &[Arg<'_>],
    ) -> Result<(), KernelError> {
        let refused = |reason| failure(format!("the launch of kernel {kernel}"), reason);
        let Some(&index) = self.program.kernels.get(kernel) else {
            return Err(refused(format!("no such kernel is loaded; there are {:?}", self.kernels())));
        };
        let arguments = self.arguments(index, args).map_err(refused)?;
        let static_shared = self.shape(index, grid, block, shared).map_err(refused)?;
        let operation = self.begin(stream);
        self.run(operation, index, [grid, block, static_shared, shared], &arguments).map_err(
            |(block, fault)| {
                let (text, line) = self.program.lines[fault.pc as usize];
                let source = &self.program.sources[text as usize][line as usize - 1];
                let what =
                    format!("kernel {kernel}, block {block}, thread {}, PTX line {line}", fault.thread);
                failure(what, format!("{} at `{}`", fault.what, source.trim()))
            },
        )
    }

    fn wait(&self, later: Stream, earlier: Stream) -> Result<(), KernelError> {
        self.streams().wait(later, earlier);
        Ok(())
    }

    fn sync(&self, stream: Stream) -> Result<(), KernelError> {
        self.streams().sync(stream);
        Ok(())
    }
}
