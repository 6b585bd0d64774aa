//! The device as passes use it: budgeted buffers, dispatches, transfers. Nothing here may panic or abort on a driver's
//! refusal: every failure, also one reported late or from another thread, becomes a `KernelError`.

use super::adapter::{self, Opened};
use super::shader::{Pass, Pipelines};
use super::{BACKEND, Path};
use crate::backend::DeviceOptions;
use crate::error::KernelError;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use wgpu::util::DeviceExt;

/// Budget where the caller gives none; wgpu cannot ask a driver how much memory is free. A larger device is used in
/// full only with a budget, a smaller one refuses allocations, upon which plans shrink. Not measured.
const DEFAULT_BUDGET: u64 = 4 << 30;
/// Bytes per piece of a transfer, so that the staging memory stays small. Not measured.
const PIECE: usize = 32 << 20;

/// What went wrong outside an error scope.
enum Fault {
    /// The device is gone for good.
    Lost(String),
    OutOfMemory,
    Other(String),
}

/// An open device with its pipelines and its memory budget.
pub struct Context {
    opened: Opened,
    pipelines: Pipelines,
    cache: Option<(wgpu::PipelineCache, PathBuf)>,
    fault: Arc<Mutex<Option<Fault>>>,
    budget: u64,
    used: Arc<AtomicU64>,
    /// What a driver really has that promised more.
    #[cfg(test)]
    real: u64,
}

/// Device memory counted against the budget as long as it lives.
pub struct Buffer {
    raw: wgpu::Buffer,
    bytes: u64,
    used: Arc<AtomicU64>,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Context {
    /// Opens a device; `path` forces one of the two limb products.
    pub fn new(options: &DeviceOptions, path: Option<Path>) -> Result<Self, KernelError> {
        let opened = adapter::open(options, path)?;
        let fault: Arc<Mutex<Option<Fault>>> = Arc::default();
        let (uncaptured, lost) = (fault.clone(), fault.clone());
        // The default handler panics.
        opened.device.on_uncaptured_error(Arc::new(move |error| {
            let found = match error {
                wgpu::Error::OutOfMemory { .. } => Fault::OutOfMemory,
                other => Fault::Other(other.to_string()),
            };
            // The first fault is the cause; later ones are its consequences.
            uncaptured.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(found);
        }));
        opened.device.set_device_lost_callback(move |reason, message| {
            let mut fault = lost.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *fault = Some(Fault::Lost(format!("the device was lost ({reason:?}): {message}")));
        });
        let cache = open_pipeline_cache(&opened);
        let budget = options.memory.unwrap_or(DEFAULT_BUDGET);
        Ok(Self {
            opened,
            pipelines: Pipelines::default(),
            cache,
            fault,
            budget,
            used: Arc::default(),
            #[cfg(test)]
            real: u64::MAX,
        })
    }

    pub fn device(&self) -> &wgpu::Device {
        &self.opened.device
    }

    pub fn info(&self) -> &wgpu::AdapterInfo {
        &self.opened.info
    }

    pub fn path(&self) -> Path {
        self.opened.path
    }

    pub fn pipelines(&self) -> &Pipelines {
        &self.pipelines
    }

    pub fn pipeline_cache(&self) -> Option<&wgpu::PipelineCache> {
        self.cache.as_ref().map(|(cache, _)| cache)
    }

    /// Bytes of the budget not yet in use.
    pub fn available(&self) -> u64 {
        self.budget.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// As an adapter with lower limits would be.
    #[cfg(test)]
    pub fn limited(mut self, largest_buffer: u64, workgroups: u32) -> Self {
        self.opened.limits.max_storage_buffer_binding_size = largest_buffer;
        self.opened.limits.max_compute_workgroups_per_dimension = workgroups;
        self
    }

    /// As a driver would be that has fewer bytes than the budget promises.
    #[cfg(test)]
    pub fn with_real_memory(mut self, bytes: u64) -> Self {
        self.real = bytes;
        self
    }

    /// Bytes of the largest buffer a pass can bind.
    pub fn largest_buffer(&self) -> u64 {
        self.opened.limits.max_storage_buffer_binding_size.min(self.opened.limits.max_buffer_size)
    }

    fn device_error(what: &str, reason: String) -> KernelError {
        KernelError::Device { backend: BACKEND, what: what.to_owned(), reason }
    }

    /// Reports a fault that no error scope caught. A lost device stays lost, other faults are reported once.
    pub fn check(&self, what: &str) -> Result<(), KernelError> {
        let mut fault = self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match fault.take() {
            None => Ok(()),
            Some(Fault::Lost(reason)) => {
                *fault = Some(Fault::Lost(reason.clone()));
                Err(Self::device_error(what, reason))
            }
            Some(Fault::OutOfMemory) => Err(KernelError::OutOfDeviceMemory {
                backend: BACKEND,
                needed: self.used.load(Ordering::Relaxed),
                available: 0,
            }),
            Some(Fault::Other(reason)) => Err(Self::device_error(what, reason)),
        }
    }

    /// Runs `action` and returns what it made, unless the driver refused it.
    pub fn guarded<T>(&self, what: &str, action: impl FnOnce() -> T) -> Result<T, KernelError> {
        let device = &self.opened.device;
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let made = action();
        // Scopes are popped in the reverse order of their creation.
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        self.check(what)?;
        if memory.is_some() {
            return Err(KernelError::OutOfDeviceMemory {
                backend: BACKEND,
                needed: self.used.load(Ordering::Relaxed),
                available: 0,
            });
        }
        match internal.or(validation) {
            Some(error) => Err(Self::device_error(what, error.to_string())),
            None => Ok(made),
        }
    }

    fn alloc_with(&self, bytes: u64, usage: wgpu::BufferUsages) -> Result<Buffer, KernelError> {
        let bytes = bytes.max(16).next_multiple_of(16);
        let available = self.available().min(self.largest_buffer());
        if bytes > available {
            return Err(KernelError::OutOfDeviceMemory { backend: BACKEND, needed: bytes, available });
        }
        #[cfg(test)]
        if self.used.load(Ordering::Relaxed) + bytes > self.real {
            return Err(KernelError::OutOfDeviceMemory { backend: BACKEND, needed: bytes, available: 0 });
        }
        self.used.fetch_add(bytes, Ordering::Relaxed);
        let made = self.guarded("allocating device memory", || {
            self.opened.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        });
        match made {
            Ok(raw) => Ok(Buffer { raw, bytes, used: self.used.clone() }),
            Err(error) => {
                self.used.fetch_sub(bytes, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// A zeroed buffer that passes can read and write.
    pub fn alloc(&self, bytes: u64) -> Result<Buffer, KernelError> {
        use wgpu::BufferUsages as Usage;
        self.alloc_with(bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// Copies `data` to the start of `to`; its length is a multiple of 4.
    pub fn upload(&self, to: &Buffer, data: &[u8]) -> Result<(), KernelError> {
        for (index, piece) in data.chunks(PIECE).enumerate() {
            self.opened.queue.write_buffer(&to.raw, (index * PIECE) as u64, piece);
            if data.len() > PIECE {
                self.opened.queue.submit([]);
            }
        }
        self.check("copying to the device")
    }

    /// A buffer that holds `data`.
    pub fn uploaded(&self, data: &[u8]) -> Result<Buffer, KernelError> {
        let buffer = self.alloc(data.len() as u64)?;
        self.upload(&buffer, data)?;
        Ok(buffer)
    }

    /// Waits for all work so far and hands the first `bytes` of `from` to `take`, in pieces of 32 MiB with their offsets.
    pub fn download(
        &self,
        from: &Buffer,
        bytes: usize,
        mut take: impl FnMut(usize, &[u8]),
    ) -> Result<(), KernelError> {
        const WHAT: &str = "copying from the device";
        use wgpu::BufferUsages as Usage;
        let staging = self.alloc_with(bytes.min(PIECE) as u64, Usage::MAP_READ | Usage::COPY_DST)?;
        for offset in (0..bytes).step_by(PIECE) {
            let len = PIECE.min(bytes - offset) as u64;
            let mut encoder = self.opened.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(&from.raw, offset as u64, &staging.raw, 0, len);
            self.opened.queue.submit([encoder.finish()]);
            let (send, receive) = mpsc::channel();
            staging.raw.map_async(wgpu::MapMode::Read, 0..len, move |result| {
                // The receiver is gone only if this function returned early, and then nobody wants the result.
                let _ = send.send(result);
            });
            let waited = self.opened.device.poll(wgpu::PollType::wait_indefinitely());
            self.check(WHAT)?;
            waited.map_err(|error| Self::device_error(WHAT, error.to_string()))?;
            match receive.try_recv() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Self::device_error(WHAT, error.to_string())),
                Err(error) => return Err(Self::device_error(WHAT, error.to_string())),
            }
            let view = staging
                .raw
                .get_mapped_range(0..len)
                .map_err(|error| Self::device_error(WHAT, error.to_string()))?;
            take(offset, &view);
            drop(view);
            staging.raw.unmap();
        }
        self.check(WHAT)
    }

    /// Starts to record work.
    pub fn batch(&self) -> Batch<'_> {
        Batch { context: self, encoder: self.opened.device.create_command_encoder(&Default::default()) }
    }

    /// Keeps what the driver compiled for the next process. Failing to is no error: the next start is slower.
    pub fn store_pipeline_cache(&self) {
        let Some((cache, file)) = &self.cache else { return };
        let Some(data) = cache.get_data() else { return };
        // Renamed into place, so that a process starting meanwhile reads the old file or the new one, never a part.
        let part = file.with_extension(format!("{}.part", std::process::id()));
        if std::fs::write(&part, data).and_then(|()| std::fs::rename(&part, file)).is_err() {
            let _ = std::fs::remove_file(&part);
        }
    }
}

/// The user's cache folder, by the rules of the platform.
fn cache_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("lathe"))
}

/// The driver's pipeline cache, where wgpu supports it (Vulkan) and there is a folder for it.
fn open_pipeline_cache(opened: &Opened) -> Option<(wgpu::PipelineCache, PathBuf)> {
    if !opened.device.features().contains(wgpu::Features::PIPELINE_CACHE) {
        return None;
    }
    let key = wgpu::util::pipeline_cache_key(&opened.info)?;
    let folder = cache_folder()?;
    std::fs::create_dir_all(&folder).ok()?;
    let file = folder.join(key);
    let data = std::fs::read(&file).ok();
    // SAFETY: the file is only ever written by `store_pipeline_cache` with `get_data` of the same key, whole or not at
    // all, in the user's own folder; wgpu and the driver check its header and discard data of another driver.
    let cache = unsafe {
        opened.device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
            label: Some("lathe"),
            data: data.as_deref(),
            fallback: true,
        })
    };
    Some((cache, file))
}

/// Work recorded in order; each dispatch sees what earlier ones wrote.
pub struct Batch<'a> {
    context: &'a Context,
    encoder: wgpu::CommandEncoder,
}

impl Batch<'_> {
    /// Records `pass` with at least as many threads: binding 0 holds `params`, bindings 1.. the buffers.
    pub fn dispatch(
        &mut self,
        pass: Pass,
        params: &[u32],
        buffers: &[&Buffer],
        threads: u64,
    ) -> Result<(), KernelError> {
        let context = self.context;
        let groups = threads.div_ceil(pass.threads());
        let pipeline = context.pipelines.get(context, pass)?;
        let most = u64::from(context.opened.limits.max_compute_workgroups_per_dimension);
        // Two dimensions, as even as possible; passes ignore the groups beyond the last one they need.
        let rows = groups.div_ceil(most).max(1);
        let columns = groups.div_ceil(rows);
        if rows > most {
            let reason = format!("{groups} workgroups, more than {most} squared");
            return Err(Context::device_error(pass.name(), reason));
        }
        let mut padded = params.to_vec();
        padded.resize(params.len().next_multiple_of(4), 0);
        let uniform = context.opened.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: bytemuck::cast_slice(&padded),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let entries: Vec<_> = std::iter::once(&uniform)
            .chain(buffers.iter().map(|buffer| &buffer.raw))
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = context.opened.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(pass.name()),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let mut compute = self.encoder.begin_compute_pass(&Default::default());
        compute.set_pipeline(&pipeline.raw);
        compute.set_bind_group(0, &group, &[]);
        compute.dispatch_workgroups(columns as u32, rows as u32, 1);
        drop(compute);
        context.check(pass.name())
    }

    /// Records that `buffer` be filled with zeros.
    pub fn clear(&mut self, buffer: &Buffer) {
        self.encoder.clear_buffer(&buffer.raw, 0, None);
    }

    /// Hands the work to the device, which may still be at it on return.
    pub fn submit(self) -> Result<(), KernelError> {
        self.context.opened.queue.submit([self.encoder.finish()]);
        self.context.check("submitting work")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context::new(&DeviceOptions { memory: Some(64 << 20), software: true }, None).unwrap_or_else(
            |error| {
                panic!(
                    "{error}\nThis test needs a Vulkan adapter. Install Mesa's software one: \
                 apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1"
                )
            },
        )
    }

    #[test]
    fn a_lost_device_gives_no_result_and_stays_lost() {
        let context = context();
        let buffer = context.alloc(1024).unwrap();
        context.device().destroy();
        // WebGPU lets calls on a lost device pass in silence; what must fail is every way to a result.
        let _ = context.batch().submit();
        for _ in 0..2 {
            let result = context.download(&buffer, 64, |_, _| panic!("a lost device has no bytes to give"));
            assert!(matches!(result, Err(KernelError::Device { backend: BACKEND, .. })), "{result:?}");
        }
        for result in
            [context.alloc(64).map(drop), context.upload(&buffer, &[0; 64]), context.batch().submit()]
        {
            assert!(matches!(result, Err(KernelError::Device { backend: BACKEND, .. })), "{result:?}");
        }
    }

    #[test]
    fn a_refused_call_is_reported_once() {
        let context = context();
        let buffer = context.alloc(64).unwrap();
        let refused = context.upload(&buffer, &[0; 128]);
        assert!(matches!(refused, Err(KernelError::Device { backend: BACKEND, .. })), "{refused:?}");
        context.upload(&buffer, &[0; 64]).unwrap();
    }

    #[test]
    fn memory_is_counted_against_the_budget_and_given_back() {
        let context = context();
        let half = context.alloc(40 << 20).unwrap();
        let more = context.alloc(40 << 20).map(drop);
        let (needed, available) = (40 << 20, 24 << 20);
        assert_eq!(more, Err(KernelError::OutOfDeviceMemory { backend: BACKEND, needed, available }));
        drop(half);
        context.alloc(40 << 20).unwrap();
    }
}
