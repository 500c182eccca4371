//! [`Scan`]: what a component's bytes say of themselves, read before any of them is compiled.
//!
//! Lives elsewhere: whether the imports are granted is `policy`'s; whether the code is valid is the
//! compiler's to say.
//! Invariants: linear in the bytes, recurses nowhere, and keeps only names; a component that is
//! refused for what it says here has cost no compiling.

use wasmparser::{Parser, Payload};

use crate::{
    LoadError,
    error::{MAX_FOREIGN_BYTES, one_line},
    host::HANDLER,
};

/// A component that imports more, or by a longer name, is not a skill.
const MAX_IMPORTS: usize = 256;
const MAX_IMPORT_NAME_BYTES: usize = 256;

/// What a component imports, and whether it is a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The names of its imports, in its own order.
    pub(crate) imports: Vec<String>,
    /// Whether it exports the contract's handler.
    pub(crate) has_handler: bool,
}

impl Scan {
    /// Reads the outermost level of a component.
    ///
    /// # Errors
    /// If the bytes are something else, or are not well formed, or import too much.
    pub(crate) fn read(skill: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        check_header(skill, bytes)?;
        let mut scan = Self {
            imports: Vec::new(),
            has_handler: false,
        };
        let is_fitting = scan.fill(bytes).map_err(|error| LoadError::Compile {
            skill: skill.to_owned(),
            reason: one_line(&error.to_string(), MAX_FOREIGN_BYTES),
        })?;
        match is_fitting {
            true => Ok(scan),
            false => Err(LoadError::Mismatch {
                skill: skill.to_owned(),
                reason: format!(
                    "it imports more than {MAX_IMPORTS} interfaces, or one by a name of more than \
                     {MAX_IMPORT_NAME_BYTES} bytes"
                ),
            }),
        }
    }

    /// Whether the imports are few and have short names.
    fn fill(&mut self, bytes: &[u8]) -> Result<bool, wasmparser::BinaryReaderError> {
        // What is nested has imports of its own, which the component around it satisfies.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let name = import?.name.name;
                        let is_odd =
                            name.len() > MAX_IMPORT_NAME_BYTES || name.contains(char::is_control);
                        if is_odd || self.imports.len() == MAX_IMPORTS {
                            return Ok(false);
                        }
                        self.imports.push(name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        self.has_handler |= export?.name.name == HANDLER;
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    }
}

/// Says what the bytes are if they are not a component, before a parser says it in its own words.
fn check_header(skill: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let reason = match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([_, _, 1, 0])) => return Ok(()),
        (Some(b"\0asm"), Some([_, _, 0, 0])) => {
            "it is a core module; make a component of it with `wasm-tools component new`"
        }
        // What wasmtime makes of a component, bare and as the cache keeps it.
        (Some(b"\x7fELF" | b"plat"), _) => {
            "it is compiled code, which is taken from nobody; install the component it was made from"
        }
        _ => "it does not start like WebAssembly",
    };
    Err(LoadError::NotAComponent {
        skill: skill.to_owned(),
        reason: reason.to_owned(),
    })
}
