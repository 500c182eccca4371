//! What a component asks for, shown to people: [`imports_of`] and [`ImportsReport`].

use std::fmt;

use platinum_core::Role;

use crate::{LoadError, engine::Scan};

/// The interfaces a component imports, in its own order. It is its permission request.
///
/// # Errors
/// If the bytes are not a component, or not well formed.
pub fn imports_of(component: &[u8]) -> Result<Vec<String>, LoadError> {
    Ok(Scan::read("to inspect", component)?.imports)
}

/// What a host does about one import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Granted and offered.
    Linked,
    /// Records only: it gives nothing.
    Types,
    /// WASI, against an empty context.
    EmptyWasi,
    /// The role does not grant it, or no such interface exists.
    NotGranted,
    /// The role grants it; this program has none.
    NotOffered,
}

/// One import and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// The interface with its version.
    pub import: String,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What a component would get from a host, without running it.
#[derive(Debug)]
pub struct ImportsReport {
    /// The host's role.
    pub role: Role,
    /// Every import.
    pub imports: Vec<ImportLine>,
    /// Whether it exports the contract's handler.
    pub has_handler: bool,
    /// Why the host does not admit it; none if it does.
    pub refusal: Option<LoadError>,
}

impl ImportsReport {
    /// Whether the host admits it.
    pub fn is_admitted(&self) -> bool {
        self.refusal.is_none()
    }
}

impl fmt::Display for ImportsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ImportLine { import, verdict } in &self.imports {
            let role = self.role;
            match verdict {
                Verdict::Linked => writeln!(f, "linked       {import}")?,
                Verdict::Types => writeln!(f, "records      {import}")?,
                Verdict::EmptyWasi => writeln!(f, "empty        {import}")?,
                Verdict::NotGranted => {
                    writeln!(f, "REFUSED      {import}: role {role} does not grant it")?;
                }
                Verdict::NotOffered => {
                    writeln!(f, "NOT OFFERED  {import}: this host has no such interface")?;
                }
            }
        }
        match &self.refusal {
            None => write!(f, "role {}: links", self.role),
            Some(refusal) => write!(f, "role {}: {refusal}", self.role),
        }
    }
}
