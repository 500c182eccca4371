//! [`Engine`]: wasmtime as Platinum configures it, its clock and its compiled cache.
//!
//! Lives here: turning bytes into compiled code. How wasmtime is set up is in `allocation`, what is
//! read before compiling in `scan`, the process that compiles in `compiler`.
//! Lives elsewhere: what a skill is linked with is in [`host`](crate::SkillHost); the files of the
//! cache are in [`cache`](crate::cache).
//! Invariants: every piece of code the engine compiles stops at the clock's tick; what compiling
//! may cost is bounded wherever a compiler is given.

mod allocation;
mod compiler;
mod scan;
mod ticker;

pub use allocation::Allocation;
pub use compiler::{CompileLimits, Compiler, compile_if_asked};
pub(crate) use scan::Scan;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use tokio::sync::Semaphore;
use wasmtime::component::Component;

use crate::{LoadError, cache::CompiledCache};

/// How an engine is made.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// The private folder for compiled skills; it is made if it is missing. None: compile each time.
    pub cache_dir: Option<PathBuf>,
    /// How many calls can run at a time; others wait.
    pub concurrent_calls: u32,
    /// The largest component taken, in bytes.
    pub component_bytes: usize,
    /// Where components are compiled; none: in this process, without limits.
    pub compiler: Option<Compiler>,
}

impl Default for EngineOptions {
    /// No cache, 64 calls at a time, components of up to 64 MiB, compiled in a child of this program
    /// if it can be one.
    fn default() -> Self {
        Self {
            cache_dir: None,
            concurrent_calls: 64,
            component_bytes: 64 << 20,
            compiler: Compiler::this_program(),
        }
    }
}

/// No engine can be made here.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Wasmtime refused its configuration.
    #[error("WebAssembly cannot run on this machine: {0}")]
    Wasmtime(String),
    /// The clock's thread could not be started.
    #[error("the engine's clock cannot be started: {0}")]
    Clock(#[source] io::Error),
}

/// Compiles skills and keeps their clock. Cloning shares it.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    wasmtime: wasmtime::Engine,
    allocation: Allocation,
    component_bytes: usize,
    compiler: Option<Compiler>,
    cache: Option<CompiledCache>,
    permits: Semaphore,
    ticker: ticker::Ticker,
}

impl Engine {
    /// Makes an engine. Where the pool's address space cannot be reserved it says so in the log and
    /// goes on without a pool; where the cache folder is not private, without a cache.
    ///
    /// # Errors
    /// If wasmtime does not run on this machine or the clock's thread cannot be started.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let (wasmtime, allocation) = allocation::allocate(options.concurrent_calls)?;
        let ticker = ticker::Ticker::start(&wasmtime).map_err(EngineError::Clock)?;
        let cache = options.cache_dir.and_then(|folder| {
            CompiledCache::open(&folder, &wasmtime)
                .inspect_err(|error| tracing::warn!("skills are compiled at every start: {error}"))
                .ok()
        });
        Ok(Self {
            inner: Arc::new(Inner {
                wasmtime,
                allocation,
                component_bytes: options.component_bytes,
                compiler: options.compiler,
                cache,
                permits: Semaphore::new(options.concurrent_calls as usize),
                ticker,
            }),
        })
    }

    /// Where instances get their memory from.
    pub fn allocation(&self) -> Allocation {
        self.inner.allocation
    }

    /// Whether compiled skills are kept on disk.
    pub fn has_cache(&self) -> bool {
        self.inner.cache.is_some()
    }

    /// The interfaces a component imports, in its own order. Nothing is compiled.
    ///
    /// # Errors
    /// If the bytes are not a component, too large, or not well formed.
    pub fn imports_of(&self, name: &str, component: &[u8]) -> Result<Vec<String>, LoadError> {
        Ok(self.scan(name, component)?.imports)
    }

    /// What a component says of itself. Nothing is compiled.
    pub(crate) fn scan(&self, name: &str, bytes: &[u8]) -> Result<Scan, LoadError> {
        if bytes.len() > self.inner.component_bytes {
            return Err(LoadError::TooLarge {
                skill: name.to_owned(),
                bytes: bytes.len(),
                limit: self.inner.component_bytes,
            });
        }
        Scan::read(name, bytes)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.wasmtime
    }

    pub(crate) fn clock(&self) -> &Arc<AtomicU64> {
        &self.inner.ticker.count
    }

    /// Keeps the clock going for as long as the value lives: without it no time limit strikes.
    pub(crate) fn running(&self) -> ticker::Running {
        self.inner.ticker.run()
    }

    pub(crate) fn permits(&self) -> &Semaphore {
        &self.inner.permits
    }

    /// Turns bytes that were scanned into code, from the cache if it holds them. The flag says
    /// whether it did.
    pub(crate) fn compile(&self, name: &str, bytes: &[u8]) -> Result<(Component, bool), LoadError> {
        if let Some(cache) = &self.inner.cache
            && let Some(component) = cache.get(&self.inner.wasmtime, name, bytes)
        {
            return Ok((component, true));
        }
        let Inner {
            compiler,
            wasmtime,
            allocation,
            ..
        } = &*self.inner;
        let component = compiler::compile(compiler.as_ref(), wasmtime, *allocation, name, bytes)?;
        if let Some(cache) = &self.inner.cache {
            cache.put(bytes, &component);
        }
        Ok((component, false))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("allocation", &self.inner.allocation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine has a pool where the address space allows.
    #[test]
    fn engine_by_default_allocates_from_a_pool() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        assert_eq!(engine.allocation(), Allocation::Pooled);
    }

    /// An engine goes without a pool that is too large for the address space.
    #[test]
    fn engine_pool_too_large_allocates_on_demand() {
        let options = EngineOptions {
            concurrent_calls: 1 << 20,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).unwrap();
        assert_eq!(engine.allocation(), Allocation::OnDemand);
    }

    /// Bytes that are not a component are named for what they are.
    #[test]
    fn compile_other_bytes_are_named() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let core = engine
            .imports_of("a", b"\0asm\x01\0\0\0")
            .unwrap_err()
            .to_string();
        assert!(core.starts_with("skill a is not a WebAssembly component: it is a core module"));
        for not_wasm in [&b""[..], b"\0as", b"\0asm", b"#!/bin/sh\n"] {
            let error = engine.imports_of("a", not_wasm).unwrap_err();
            assert!(matches!(error, LoadError::NotAComponent { .. }), "{error}");
        }
        let broken = engine
            .imports_of("a", b"\0asm\x0d\0\x01\0garbage")
            .unwrap_err();
        assert!(matches!(broken, LoadError::Compile { .. }), "{broken}");
    }

    /// A component that is too large is not even looked at.
    #[test]
    fn compile_component_too_large_is_refused() {
        let options = EngineOptions {
            component_bytes: 4,
            ..EngineOptions::default()
        };
        let error = Engine::new(options)
            .unwrap()
            .imports_of("big", b"\0asm\x0d")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "skill big is too large: 5 bytes, and 4 are allowed"
        );
    }
}
