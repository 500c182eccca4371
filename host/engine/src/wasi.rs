//! WASI as ordinary toolchains import it unasked: linked, and empty but for the folders that the
//! skill was granted.
//!
//! Invariants: no environment, no arguments, no address or name may be used; standard input is at
//! its end and standard output goes nowhere. A folder is open only if it was granted, and for reading
//! only unless writing was. What is left is clocks and random numbers.

use std::os::fd::AsRawFd as _;

use wasmtime::component::Linker;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::{GrantedFolder, SkillState};

/// The most random bytes a skill gets in one call.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Adds WASI 0.2 to a linker.
pub(crate) fn link(linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

fn context(folders: &[GrantedFolder]) -> WasiCtx {
    // A new builder has no environment, arguments, streams or folders, and denies every address.
    let mut builder = WasiCtxBuilder::new();
    for folder in folders {
        if let Err(error) = preopen(&mut builder, folder) {
            tracing::warn!(
                folder = folder.name,
                "cannot open a granted folder: {error}"
            );
        }
    }
    builder
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .allow_blocking_current_thread(false)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

fn preopen(builder: &mut WasiCtxBuilder, folder: &GrantedFolder) -> wasmtime::Result<()> {
    let open = (folder.open)()?;
    // By the handle that was opened without following a link, not by a path, which may lead
    // elsewhere by now.
    let handles = match cfg!(target_os = "linux") {
        true => "/proc/self/fd",
        false => "/dev/fd",
    };
    let permissions = match folder.is_writable {
        true => FsPerms::ReadWrite,
        false => FsPerms::ReadOnly,
    };
    let path = format!("{handles}/{}", open.as_raw_fd());
    builder.preopened_dir(path, &folder.name, permissions)?;
    Ok(())
}

impl WasiView for SkillState {
    /// The context is made when it is first used: most skills import no WASI at all.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(|| context(&self.folders)),
            table: &mut self.table,
        }
    }
}
