//! The appliance put together: router, worker thread and relayer task around one shared [`App`].
//! It stops by a future that drains: no request, database write or L1 step is cut in half by a stop.
use crate::acceptor::{Acceptor, Chain, OpenError};
use crate::config::Config;
use crate::controllers::{self, batches};
use crate::error::ApiError;
use crate::genesis;
use crate::progress::{L1Watch, Progress, lock};
use crate::prover::{L1Binding, Prover};
use crate::relayer::{Relayer, RelayerError};
use crate::store::{Identity, Store, StoreError};
use crate::worker::Worker;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use lathe_vm::code::CodeStore;
use lathe_vm::genesis::{Genesis, GenesisError};
use lathe_vm::machine::Limits;
use lathe_vm::programs;
use lathe_vm::state::Tree;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;

/// What controllers, worker and relayer share.
pub struct App {
    /// Durable store.
    pub store: Arc<Store>,
    /// Takes batches.
    pub acceptor: Acceptor,
    /// Prover with its keys.
    pub prover: Arc<dyn Prover>,
    /// The batch being proven.
    pub proving: Progress,
    /// The batch being settled.
    pub settling: Progress,
    /// Health of L1.
    pub l1: L1Watch,
    /// L2 chain id.
    pub chain_id: u64,
    /// Largest request body.
    pub max_body_bytes: usize,
    /// There may be a batch to prove.
    pub wake_worker: Notify,
    /// There may be a batch to settle.
    pub wake_relayer: Notify,
    binding: Mutex<Option<L1Binding>>,
    worker_error: Mutex<Option<String>>,
    settle_error: Mutex<Option<String>>,
    stopping: AtomicBool,
}

impl App {
    /// The L1 contract that proofs are bound to, once known.
    pub fn binding(&self) -> Option<L1Binding> {
        *lock(&self.binding)
    }

    /// Binds all proofs to an L1 contract, durably.
    ///
    /// # Errors
    /// [`StoreError::Identity`] if the store is bound to another one.
    pub fn bind(&self, binding: L1Binding) -> Result<(), StoreError> {
        self.store.bind_l1(&binding)?;
        *lock(&self.binding) = Some(binding);
        self.wake_worker.notify_one();
        Ok(())
    }

    /// Why the worker stands still, if it does.
    pub fn worker_error(&self) -> Option<String> {
        lock(&self.worker_error).clone()
    }

    /// Notes why the worker stands still.
    pub fn set_worker_error(&self, error: Option<String>) {
        *lock(&self.worker_error) = error;
    }

    /// Why L1 does not take the batch in hand, though it answers.
    pub fn settle_error(&self) -> Option<String> {
        lock(&self.settle_error).clone()
    }

    /// Notes why L1 does not take the batch in hand.
    pub fn set_settle_error(&self, error: Option<String>) {
        *lock(&self.settle_error) = error;
    }

    /// Whether a stop was asked for.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.wake_worker.notify_one();
        self.wake_relayer.notify_one();
    }
}

/// Why the server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A genesis file.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// State folders.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// L1 settings.
    #[error(transparent)]
    Relayer(#[from] RelayerError),
    /// The listening socket.
    #[error("cannot listen on {address}: {source}; is another server running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The server's own loop.
    #[error("serving failed: {0}")]
    Http(std::io::Error),
    /// A thread could not be started.
    #[error("the worker's thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// Loads a genesis file, or the embedded development genesis.
///
/// # Errors
/// Those of the genesis file.
pub fn load_genesis_file(file: Option<&Path>) -> Result<(Tree, CodeStore), GenesisError> {
    match file {
        Some(file) => Genesis::load(file),
        None => genesis::development().build(Path::new(".")),
    }
}

/// A server that listens and has not begun to answer.
pub struct Server {
    app: Arc<App>,
    config: Config,
    listener: TcpListener,
    worker: Worker,
    relayer: Option<Relayer>,
}

impl Server {
    /// Opens store and states, checks the settings and binds the socket.
    ///
    /// # Errors
    /// See [`ServeError`]; nothing runs then.
    pub async fn open(config: Config, prover: Arc<dyn Prover>) -> Result<Server, ServeError> {
        let (tree, codes) = load_genesis_file(config.genesis.as_deref())?;
        let relayer = Relayer::from_config(&config.l1)?;
        let limits = Limits { max_steps: config.max_steps, ..Limits::default() };
        let chain = Arc::new(Chain { chain_id: config.chain_id, codes, limits });
        let root = lathe_vm::code::word_of(tree.root()).to_string();
        let identity = Identity::new(config.chain_id, root, programs::kernel().hash_word().to_string());
        let store = Arc::new(Store::open(config.data_dir(), &identity)?);
        let acceptor =
            Acceptor::open(config.data_dir(), tree.clone(), chain.clone(), store.clone(), prover.clone())?;
        let app = Arc::new(App {
            binding: Mutex::new(store.l1_binding()?),
            store,
            acceptor,
            prover,
            proving: Progress::default(),
            settling: Progress::default(),
            l1: L1Watch::new(relayer.is_some()),
            chain_id: config.chain_id,
            max_body_bytes: config.max_body_bytes,
            wake_worker: Notify::new(),
            wake_relayer: Notify::new(),
            worker_error: Mutex::new(None),
            settle_error: Mutex::new(None),
            stopping: AtomicBool::new(false),
        });
        match &relayer {
            None => app.bind(L1Binding::NONE)?,
            Some(relayer) => relayer.check_binding(&app)?,
        }
        let worker = Worker::open(config.data_dir(), tree, chain, app.clone())?;
        let address = config.listen;
        let listener =
            TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        Ok(Server { app, config, listener, worker, relayer })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it shares with its parts.
    pub fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    /// Serves until `shutdown` resolves, then drains: open requests end, the relayer ends its step, and the
    /// worker gets the configured time to finish its proof.
    ///
    /// # Errors
    /// [`ServeError::Http`], [`ServeError::Thread`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let (done, worker_done) = oneshot::channel();
        let (app, worker, handle) = (self.app.clone(), self.worker, Handle::current());
        let wait = move || handle.block_on(app.wake_worker.notified());
        let body = move || {
            worker.run(wait);
            // The receiver is gone when the drain time is over; nobody waits then.
            let _ = done.send(());
        };
        std::thread::Builder::new().name("worker".into()).spawn(body).map_err(ServeError::Thread)?;
        let relayer = self.relayer.map(|r| tokio::spawn(r.run(self.app.clone())));

        let app = self.app.clone();
        let stop = async move {
            shutdown.await;
            tracing::info!("stopping");
            app.stop();
        };
        let router = router(self.app.clone());
        axum::serve(self.listener, router).with_graceful_shutdown(stop).await.map_err(ServeError::Http)?;
        self.app.stop();
        if let Some(relayer) = relayer {
            let _ = tokio::time::timeout(self.config.drain(), relayer).await;
        }
        if tokio::time::timeout(self.config.drain(), worker_done).await.is_err() {
            tracing::warn!("the proof in work is cut off; it will be made again after the next start");
        }
        Ok(())
    }
}

/// The routes.
pub fn router(app: Arc<App>) -> Router {
    let limit = app.max_body_bytes;
    Router::new()
        .route("/v1/batches", post(batches::create::create))
        .route("/v1/batches/{number}", get(batches::show::show))
        .route("/v1/batches/{number}/proof", get(batches::proof::show))
        .route("/healthz", get(controllers::health::health))
        .route("/metrics", get(controllers::metrics::metrics))
        .fallback(controllers::not_found)
        .method_not_allowed_fallback(controllers::method_not_allowed)
        .layer(DefaultBodyLimit::max(limit))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal("a controller panicked").into_response()))
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}
