//! [`Compiler`]: turns a component into machine code in a process of its own, which can be stopped.
//!
//! How long a compiler takes, and how much memory, depends on what it is given, in ways that no
//! count of functions or locals bounds, and a thread cannot be stopped. So a program starts itself
//! once more for each component that is not in the cache ([`compile_if_asked`]): the child limits
//! its own memory, and is killed when its time is over. The component reaches it on standard input
//! and the code comes back on standard output; it has no environment.
//!
//! Lives elsewhere: what is refused before it is compiled is in [`scan`](super::scan).
//! Invariants: a program whose `main` does not begin with [`compile_if_asked`] compiles in its own
//! process, without limits: a test of an interface, never a daemon.

use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use wasmtime::component::Component;

use super::{Allocation, allocation};
use crate::{
    LoadError,
    error::{MAX_FOREIGN_BYTES, one_line},
};

/// The first argument of a program that is started to compile.
const ARGUMENT: &str = "compile-component";
/// What comes back is no larger.
const MAX_CODE_BYTES: u64 = 1 << 30;
/// Of what the child complains of, this much is read.
const MAX_COMPLAINT_BYTES: u64 = 4096;

/// This program, if its `main` compiles when it is asked to.
static THIS_PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// What compiling one component may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// From start to end.
    pub time: Duration,
    /// Bytes of the child's own memory.
    pub memory_bytes: u64,
}

impl CompileLimits {
    /// 60 s and 1 GiB: an interpreter of 18 MB needs a fraction of either, and a small server has
    /// little more.
    pub const STANDARD: Self = Self {
        time: Duration::from_secs(60),
        memory_bytes: 1 << 30,
    };
}

/// A program that compiles in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// A program whose `main` begins with [`compile_if_asked`].
    pub program: PathBuf,
    /// What it may use.
    pub limits: CompileLimits,
}

/// Compiles a component for an engine with this allocation: by `compiler`, or in this process.
pub(super) fn compile(
    compiler: Option<&Compiler>,
    engine: &wasmtime::Engine,
    allocation: Allocation,
    skill: &str,
    bytes: &[u8],
) -> Result<Component, LoadError> {
    let failed = |reason: String| LoadError::Compile {
        skill: skill.to_owned(),
        reason: one_line(&reason, MAX_FOREIGN_BYTES),
    };
    let words = |error: wasmtime::Error| failed(format!("{error:#}"));
    let Some(compiler) = compiler else {
        return Component::from_binary(engine, bytes).map_err(words);
    };
    let code = compiler
        .compile(allocation, bytes)
        .map_err(|error| match error {
            CompileError::Failed(reason) => failed(reason),
            CompileError::Time(_) | CompileError::Memory(_) => LoadError::CompileLimit {
                skill: skill.to_owned(),
                limit: error.to_string(),
            },
        })?;
    // SAFETY: the code was made by this very program, in a child that it started and whose output
    // nobody else holds; wasmtime refuses code of another version or other settings.
    #[expect(unsafe_code, reason = "the code is this program's own")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(words)
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
enum CompileError {
    #[error("{0:?}")]
    Time(Duration),
    #[error("{} MiB of memory", .0 >> 20)]
    Memory(u64),
    /// The component is not valid, or the child failed.
    #[error("{0}")]
    Failed(String),
}

/// Compiles a component and ends the process, if the program was started for that. Every program
/// that runs skills calls this first; from then on its engines compile in children of it.
pub fn compile_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ARGUMENT) {
        // Right also when the file was replaced since.
        THIS_PROGRAM.set(PathBuf::from("/proc/self/exe")).ok();
        return;
    }
    let status = match serve(arguments.next().as_deref(), arguments.next().as_deref()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    std::process::exit(status);
}

fn failed(error: impl Into<io::Error>) -> String {
    error.into().to_string()
}

/// The child: limits itself, compiles what it reads, and writes the code.
fn serve(allocation: Option<&str>, memory_bytes: Option<&str>) -> Result<(), String> {
    let memory_bytes: u64 = memory_bytes
        .and_then(|text| text.parse().ok())
        .ok_or("this program is started by the engine alone")?;
    let limit = |bytes| Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)?;
    setrlimit(Resource::Core, limit(0)).map_err(failed)?;
    // Not the address space: an engine reserves far more of it than it uses.
    setrlimit(Resource::Data, limit(memory_bytes)).map_err(failed)?;
    let wanted = match allocation {
        Some("pooled") => Allocation::Pooled,
        _ => Allocation::OnDemand,
    };
    let engine = allocation::compiling(wanted).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    let words = |error: wasmtime::Error| one_line(&format!("{error:#}"), MAX_FOREIGN_BYTES);
    let component = Component::from_binary(&engine, &bytes).map_err(words)?;
    let code = component.serialize().map_err(words)?;
    let mut out = io::stdout().lock();
    out.write_all(&code)
        .and_then(|()| out.flush())
        .map_err(failed)
}

impl Compiler {
    /// This program in a process of its own, if its `main` began with [`compile_if_asked`].
    pub fn this_program() -> Option<Self> {
        THIS_PROGRAM.get().map(|program| Self {
            program: program.clone(),
            limits: CompileLimits::STANDARD,
        })
    }

    /// The code of a component, as [`Component::serialize`] writes it.
    fn compile(&self, allocation: Allocation, bytes: &[u8]) -> Result<Vec<u8>, CompileError> {
        let failed = |error: io::Error| {
            CompileError::Failed(format!("the compiler does not start: {error}"))
        };
        let allocation = match allocation {
            Allocation::Pooled => "pooled",
            Allocation::OnDemand => "on-demand",
        };
        let mut child = start(&self.program, allocation, self.limits.memory_bytes)
            .map(CompileProcess)
            .map_err(failed)?;
        let begun = Instant::now();
        let (ended, code, complaint) = child
            .exchange(bytes, begun + self.limits.time)?
            .ok_or(CompileError::Time(self.limits.time))?;
        if ended.success() {
            return Ok(code);
        }
        let is_out_of_memory = [
            "memory allocation of",
            "annot allocate memory",
            "out of memory",
        ]
        .iter()
        .any(|words| complaint.contains(words));
        Err(match (is_out_of_memory, complaint.is_empty()) {
            (true, _) => CompileError::Memory(self.limits.memory_bytes),
            (false, false) => CompileError::Failed(one_line(&complaint, MAX_FOREIGN_BYTES)),
            (false, true) => CompileError::Failed(format!("the compiler broke: {ended}")),
        })
    }
}

fn start(program: &Path, allocation: &str, memory_bytes: u64) -> io::Result<Child> {
    Command::new(program)
        .args([ARGUMENT, allocation, &memory_bytes.to_string()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// A child that is killed when it is let go of.
struct CompileProcess(Child);

impl CompileProcess {
    /// Gives the child the component and waits for how it ended, its code and its complaint; none
    /// if the time was over first.
    fn exchange(
        &mut self,
        bytes: &[u8],
        deadline: Instant,
    ) -> Result<Option<(ExitStatus, Vec<u8>, String)>, CompileError> {
        let missing = || CompileError::Failed("the compiler has no pipes".to_owned());
        let mut input = self.0.stdin.take().ok_or_else(missing)?;
        let output = self.0.stdout.take().ok_or_else(missing)?;
        let errors = self.0.stderr.take().ok_or_else(missing)?;
        let (sender, outputs) = mpsc::channel();
        std::thread::scope(|scope| {
            // A child that ended early does not take the rest; why, it says itself.
            scope.spawn(move || input.write_all(bytes).ok());
            let complaint = scope.spawn(move || read_up_to(errors, MAX_COMPLAINT_BYTES));
            scope.spawn(move || sender.send(read_up_to(output, MAX_CODE_BYTES)).ok());
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(code) = outputs.recv_timeout(left) else {
                // Its pipes close with it, and the threads end.
                self.stop();
                return Ok(None);
            };
            if code.len() as u64 >= MAX_CODE_BYTES {
                self.stop();
                return Err(CompileError::Failed(
                    "its code is larger than 1 GiB".to_owned(),
                ));
            }
            // It closed its output, so it is about to end.
            let ended = self.0.wait().map_err(|error| {
                CompileError::Failed(format!("the compiler cannot be waited for: {error}"))
            })?;
            let complaint = complaint.join().unwrap_or_default();
            Ok(Some((
                ended,
                code,
                String::from_utf8_lossy(&complaint).into_owned(),
            )))
        })
    }

    fn stop(&mut self) {
        // One that has ended already needs no killing.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for CompileProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

fn read_up_to(from: impl io::Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What could be read counts: a child that broke off is told from one that ended by its status.
    from.take(most).read_to_end(&mut bytes).ok();
    bytes
}
