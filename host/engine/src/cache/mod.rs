//! [`CompiledCache`]: compiled skills on disk, so that a start does not compile them again.
//!
//! Lives here: what a file is named after, what is checked before its code is trusted.
//! Lives elsewhere: opening and judging the folder and its files is in [`folder`].
//!
//! Compiled code runs outside the sandbox, so a file is used only if all of this holds: it is a plain
//! file of ours that no other user may read or write, in a folder of which the same is true; its name
//! is bound to the component's hash, the target, wasmtime's version and every setting of the engine;
//! and its bytes, together with that name, carry the code of a key that only this folder holds.
//! Anything else is compiled again and rewritten.

mod folder;

use std::{hash::Hasher, io, path::Path};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use folder::{FILE_END, Folder, MAX_FILES, UNUSED};

/// The file that holds the folder's key.
const KEY_NAME: &str = "key";
/// What a cache file starts with, before its code.
const MAGIC: &[u8; 17] = b"platinum-cwasm-1\n";
const CODE_BYTES: usize = 32;
/// A file that is larger is not read.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    /// The folder or a file in it is not private.
    #[error("{path} is not private: {reason}")]
    NotPrivate {
        /// Which one.
        path: String,
        /// In what way.
        reason: &'static str,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// What was opened.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// The key file does not hold a key.
    #[error("{path} does not hold a key; delete it to make a new one")]
    NoKey {
        /// Which one.
        path: String,
    },
}

/// A private folder of compiled skills.
pub(crate) struct CompiledCache {
    folder: Folder,
    key: [u8; 32],
    engine_hash: String,
}

impl CompiledCache {
    /// Opens the folder, making it if it is missing.
    pub(crate) fn open(path: &Path, engine: &Engine) -> Result<Self, CacheError> {
        let folder = Folder::open(path)?;
        folder.prune(UNUSED, MAX_FILES);
        let key = folder_key(&folder)?;
        Ok(Self {
            folder,
            key,
            engine_hash: engine_hash(engine),
        })
    }

    /// The compiled form of these bytes, if the cache has one that can be trusted.
    pub(crate) fn get(&self, engine: &Engine, skill: &str, component: &[u8]) -> Option<Component> {
        let name = self.name(component);
        let file = match self.folder.read(&name, MAX_FILE_BYTES) {
            Ok(file) => file?,
            Err(error) => {
                tracing::warn!(
                    skill,
                    "its compiled form is not used and made anew: {error}"
                );
                return None;
            }
        };
        let Some(compiled) = self.checked(&name, &file) else {
            tracing::warn!(
                skill,
                "its compiled form {name} was changed since it was written; it is not used and \
                 made anew"
            );
            return None;
        };
        // SAFETY: `checked` proved that these very bytes were written by `put` under this folder's
        // key and under this name, which stands for this component and this engine's settings; they
        // are in our memory, so they do not change between the check and here.
        #[expect(
            unsafe_code,
            reason = "the code of the file's bytes was checked just above"
        )]
        let component = unsafe { Component::deserialize(engine, compiled) };
        component
            .inspect_err(|error| {
                tracing::warn!(
                    skill,
                    "its compiled form is not used and made anew: {error:#}"
                );
            })
            .ok()
    }

    /// Keeps a compiled skill. A cache that cannot be written costs time only, so it says so and
    /// goes on.
    pub(crate) fn put(&self, component: &[u8], compiled: &Component) {
        let name = self.name(component);
        let written = compiled
            .serialize()
            .map_err(|error| CacheError::Io {
                path: name.clone(),
                source: io::Error::other(format!("{error:#}")),
            })
            .and_then(|compiled| {
                let mut file = Vec::with_capacity(MAGIC.len() + CODE_BYTES + compiled.len());
                file.extend_from_slice(MAGIC);
                file.extend_from_slice(&self.code(&name, &compiled));
                file.extend_from_slice(&compiled);
                self.folder.replace(&name, &file)
            });
        if let Err(error) = written {
            tracing::warn!("a compiled skill is not kept: {error}");
        }
    }

    fn name(&self, component: &[u8]) -> String {
        format!(
            "{}-{}{FILE_END}",
            hex::encode(Sha256::digest(component)),
            self.engine_hash
        )
    }

    /// The compiled code in a file, if the file is what `put` wrote under that name.
    fn checked<'a>(&self, name: &str, file: &'a [u8]) -> Option<&'a [u8]> {
        let (code, compiled) = file.strip_prefix(MAGIC)?.split_at_checked(CODE_BYTES)?;
        (self.code(name, compiled)[..] == *code).then_some(compiled)
    }

    /// The keyed code of a file: the outer hash hides the inner one's state, so that knowing one
    /// code does not help to extend it.
    fn code(&self, name: &str, compiled: &[u8]) -> [u8; CODE_BYTES] {
        let inner = Sha256::new()
            .chain_update(self.key)
            .chain_update((name.len() as u64).to_le_bytes())
            .chain_update(name)
            .chain_update(compiled)
            .finalize();
        Sha256::new()
            .chain_update(self.key)
            .chain_update(inner)
            .finalize()
            .into()
    }
}

fn folder_key(folder: &Folder) -> Result<[u8; 32], CacheError> {
    if let Some(key) = folder.read(KEY_NAME, 33)? {
        return key.try_into().map_err(|_| CacheError::NoKey {
            path: folder.path_of(KEY_NAME),
        });
    }
    // Two hosts may start at once: the first key to arrive is the key.
    folder.create(KEY_NAME, &rand::random::<[u8; 32]>())?;
    folder
        .read(KEY_NAME, 33)?
        .and_then(|key| key.try_into().ok())
        .ok_or_else(|| CacheError::NoKey {
            path: folder.path_of(KEY_NAME),
        })
}

/// One word for wasmtime's version, the target and every setting that shapes compiled code.
fn engine_hash(engine: &Engine) -> String {
    struct Words(Sha256);
    impl Hasher for Words {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0 // unused: the whole digest is taken below
        }
    }
    let mut words = Words(Sha256::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut words);
    words.write(std::env::consts::ARCH.as_bytes());
    words.write(std::env::consts::OS.as_bytes());
    hex::encode(&words.0.finalize()[..16])
}
