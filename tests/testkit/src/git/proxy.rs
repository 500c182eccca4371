//! [`Proxy`]: a line of loopback that leads to a server, with faults.
//!
//! It knows nothing of what it carries: over ssh and https that is encrypted. That a push has
//! landed it learns from a witness, a hook of the repository that runs when the branch has moved
//! and before receive-pack answers: the hook says over which connection the push came, and waits
//! until the proxy has decided. So an answer is lost exactly when it tells the most.
//! Invariants: it ends with its value; without it, the witness waits for no one.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
};

use super::hook;

/// A fault that strikes a connection does so within so many bytes: a handshake of ssh or TLS and a
/// small fetch or push.
const WITHIN: u64 = 10 * 1024;

/// What goes wrong, and how often; shares are from 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LineFaults {
    /// The share of pushes that land and whose answer is lost with the connection.
    pub lost_answers: f64,
    /// The share of connections that are reset after a random number of bytes.
    pub resets: f64,
    /// The share of connections that carry nothing any more after a random number of bytes, and
    /// stay open.
    pub stalls: f64,
    /// How long every piece is held back.
    pub delay: Duration,
}

/// What went wrong so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Connections in all.
    pub connections: usize,
    /// Pushes that landed, as the witness says.
    pub landed: usize,
    /// Answers that were lost.
    pub lost_answers: usize,
    /// Connections that were reset.
    pub resets: usize,
    /// Connections that stalled.
    pub stalls: usize,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    witness: u16,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    faults: Mutex<LineFaults>,
    is_cut: AtomicBool,
    chance: Mutex<StdRng>,
    /// By the port from which the server sees the connection.
    open: Mutex<BTreeMap<u16, Arc<Notify>>>,
    connections: AtomicUsize,
    landed: AtomicUsize,
    lost_answers: AtomicUsize,
    resets: AtomicUsize,
    stalls: AtomicUsize,
}

impl Proxy {
    /// Starts one that leads to this port of loopback, without faults.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(to: u16, seed: u64) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            to: (Ipv4Addr::LOCALHOST, to).into(),
            faults: Mutex::default(),
            is_cut: AtomicBool::new(false),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            open: Mutex::default(),
            connections: AtomicUsize::new(0),
            landed: AtomicUsize::new(0),
            lost_answers: AtomicUsize::new(0),
            resets: AtomicUsize::new(0),
            stalls: AtomicUsize::new(0),
        });
        let [lines, witnesses] = [listen()?, listen()?];
        let (port, witness) = (lines.local_addr()?.port(), witnesses.local_addr()?.port());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serving = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        _ = carry(lines, Arc::clone(&serving)) => {}
                        _ = attend(witnesses, serving) => {}
                    }
                });
            })
            .context("no thread for the proxy")?;
        Ok(Self {
            port,
            witness,
            shared,
            _stop: stop,
        })
    }

    /// Gives the repository the hook that says when a push has landed. It takes the place of a
    /// `reference-transaction` hook; the repository has one proxy.
    ///
    /// # Errors
    /// If the hook cannot be written.
    pub fn watch(&self, repository: &Path) -> anyhow::Result<()> {
        // bash alone can connect; the port is ssh's, or the one http-backend and the daemon tell.
        let script = format!(
            "#!/bin/bash\n[ \"$1\" = committed ] || exit 0\nset -- $SSH_CONNECTION\n\
             from=${{2:-$REMOTE_PORT}}\n[ -n \"$from\" ] || exit 0\n\
             {{ exec 3<>/dev/tcp/127.0.0.1/{}; }} 2>/dev/null || exit 0\n\
             echo \"$from\" >&3\nread -r _ <&3\nexit 0\n",
            self.witness
        );
        hook(repository, "reference-transaction", &script).map(drop)
    }

    /// The port of loopback where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes what goes wrong from now on; connections that are open keep the faults they were
    /// given.
    pub fn set(&self, faults: LineFaults) {
        *lock(&self.shared.faults) = faults;
    }

    /// What went wrong so far.
    pub fn count(&self) -> Count {
        let shared = &self.shared;
        Count {
            connections: shared.connections.load(SeqCst),
            landed: shared.landed.load(SeqCst),
            lost_answers: shared.lost_answers.load(SeqCst),
            resets: shared.resets.load(SeqCst),
            stalls: shared.stalls.load(SeqCst),
        }
    }

    /// From now on nothing passes: what is open breaks, and what is new is reset at once.
    pub fn cut(&self) {
        self.shared.is_cut.store(true, SeqCst);
        self.break_all();
    }

    /// The line is whole again.
    pub fn heal(&self) {
        self.shared.is_cut.store(false, SeqCst);
    }

    /// Breaks every open connection.
    pub fn break_all(&self) {
        for cut in lock(&self.shared.open).values() {
            cut.notify_one();
        }
    }
}

fn listen() -> anyhow::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes connections and carries each to the server.
async fn carry(listener: std::net::TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        // A connection that breaks is what this is for.
        tokio::spawn(async move { one(client, &shared).await.ok() });
    }
}

/// What one connection will suffer.
struct Fate {
    delay: Duration,
    carried: AtomicU64,
    reset_after: Option<u64>,
    stall_after: Option<u64>,
}

async fn one(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let seen_as = server.local_addr()?.port();
    shared.connections.fetch_add(1, SeqCst);
    let fate = shared.fate();
    let cut = Arc::new(Notify::new());
    lock(&shared.open).insert(seen_as, Arc::clone(&cut));
    // Looked at when it can be broken: it is one or the other.
    if shared.is_cut.load(SeqCst) {
        cut.notify_one();
    }
    let is_cut = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            biased;
            () = cut.notified() => true,
            both = async { tokio::try_join!(
                pump(&mut from_client, &mut to_server, &fate, shared),
                pump(&mut from_server, &mut to_client, &fate, shared),
            ) } => both.is_err(),
        }
    };
    lock(&shared.open).remove(&seen_as);
    if is_cut {
        // The other side is told nothing, not even that it is over.
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    fate: &Fate,
    shared: &Shared,
) -> io::Result<()> {
    let mut piece = vec![0_u8; 16 * 1024];
    loop {
        let count = from.read(&mut piece).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        let so_far = fate.carried.fetch_add(count as u64, SeqCst);
        let strikes = |after: Option<u64>| after.is_some_and(|after| so_far + count as u64 > after);
        if strikes(fate.reset_after) {
            shared.resets.fetch_add(1, SeqCst);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if strikes(fate.stall_after) {
            if fate.stall_after.is_some_and(|after| so_far <= after) {
                shared.stalls.fetch_add(1, SeqCst);
            }
            continue;
        }
        if !fate.delay.is_zero() {
            tokio::time::sleep(fate.delay).await;
        }
        to.write_all(&piece[..count]).await?;
    }
}

/// Hears the witnesses: a line with a port each, and nothing goes on before the answer.
async fn attend(listener: std::net::TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            if let Ok(port) = line.trim().parse() {
                shared.landed(port).await;
            }
            stream.write_all(b"go on\n").await
        });
    }
}

impl Shared {
    fn chance(&self, share: f64) -> bool {
        share > 0.0 && lock(&self.chance).random_bool(share.min(1.0))
    }

    fn fate(&self) -> Fate {
        let faults = *lock(&self.faults);
        let within = |strikes: bool| strikes.then(|| lock(&self.chance).random_range(0..WITHIN));
        Fate {
            delay: faults.delay,
            carried: AtomicU64::new(0),
            reset_after: within(self.chance(faults.resets)),
            stall_after: within(self.chance(faults.stalls)),
        }
    }

    /// A push that came over this connection has landed; its answer may be lost.
    async fn landed(&self, port: u16) {
        let Some(cut) = lock(&self.open).get(&port).map(Arc::clone) else {
            return;
        };
        self.landed.fetch_add(1, SeqCst);
        let share = lock(&self.faults).lost_answers;
        if !self.chance(share) {
            return;
        }
        self.lost_answers.fetch_add(1, SeqCst);
        cut.notify_one();
        // It is gone when it is no longer in the list; only then may receive-pack answer.
        while lock(&self.open).contains_key(&port) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
