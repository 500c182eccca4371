//! [`GrantedFolder`]: a folder that a skill may open through WASI.
//!
//! Lives elsewhere: which folders a skill is granted is decided above; keeping a path inside its
//! folder is wasmtime's sandbox, which follows no link out of it.

use std::{fmt, fs::File, io, sync::Arc};

/// A folder as a skill finds it open when it starts.
#[derive(Clone)]
pub struct GrantedFolder {
    /// The name under which the skill finds it.
    pub name: String,
    /// Whether it may change what is in it.
    pub is_writable: bool,
    /// Opens it, anew for every run.
    pub open: Arc<dyn Fn() -> io::Result<File> + Send + Sync>,
}

impl fmt::Debug for GrantedFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantedFolder")
            .field("name", &self.name)
            .field("is_writable", &self.is_writable)
            .finish_non_exhaustive()
    }
}
