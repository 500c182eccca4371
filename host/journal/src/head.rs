//! The end of the log, signed: [`HeadSigner`] and [`HeadVerifier`], which a host implements with its
//! key, and what a connection needs of them.
//!
//! Signing happens inside SQLite, as a function of the connection: so it is part of the transaction
//! that adds the entry, and no code that writes can leave it out.
//! Invariant: only the newest signature is kept. One of an earlier end would let the log be cut there.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, functions::FunctionFlags};

/// Checks signatures of the log's end.
pub trait HeadVerifier: Send + Sync {
    /// Whether a key of this machine made this signature of this text.
    ///
    /// # Errors
    /// Why it does not count, in a few words.
    fn check(&self, head: &str, signature: &str) -> Result<(), String>;
}

/// Signs the log's end.
pub trait HeadSigner: HeadVerifier {
    /// The signature of this text with the machine's key.
    ///
    /// # Errors
    /// Why it cannot be made: then the entry is not written either.
    fn sign(&self, head: &str) -> Result<String, String>;
}

/// What is signed of an end.
pub(crate) fn signed_text(seq: i64, hash: &str) -> String {
    format!("platinum-journal-head-1\n{seq}\n{hash}\n")
}

/// Who signs on a connection, and whether it may.
#[derive(Clone, Default)]
pub(crate) struct HeadKeeper {
    signer: Option<Arc<dyn HeadSigner>>,
    distrust: Arc<Mutex<Option<String>>>,
}

impl HeadKeeper {
    pub(crate) fn new(signer: Arc<dyn HeadSigner>) -> Self {
        Self {
            signer: Some(signer),
            distrust: Arc::default(),
        }
    }

    pub(crate) fn set_distrust(&self, reason: String) {
        *self.distrust.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(crate) fn distrust(&self) -> Option<String> {
        let reason = self.distrust.lock().unwrap_or_else(PoisonError::into_inner);
        reason.clone()
    }

    /// Gives a connection `head_signature(seq, hash)` and `head_trouble(seq, hash, signature)`.
    pub(crate) fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        let keeper = self.clone();
        connection.create_scalar_function("head_signature", 2, flags, move |context| {
            let (seq, hash): (i64, String) = (context.get(0)?, context.get(1)?);
            let Some(signer) = &keeper.signer else {
                return Ok(None);
            };
            let signed = signer.sign(&signed_text(seq, &hash));
            signed.map(Some).map_err(user_error)
        })?;
        let keeper = self.clone();
        connection.create_scalar_function("head_trouble", 3, flags, move |context| {
            let (seq, hash): (i64, String) = (context.get(0)?, context.get(1)?);
            let signature: Option<String> = context.get(2)?;
            Ok(keeper.trouble(seq, &hash, signature.as_deref()))
        })
    }

    /// Why nothing may be added after this end.
    fn trouble(&self, seq: i64, hash: &str, signature: Option<&str>) -> Option<String> {
        if let Some(reason) = self.distrust() {
            return Some(reason);
        }
        match (&self.signer, signature) {
            (_, None) => None,
            (None, Some(_)) => {
                Some("it is signed, and was opened without the machine's key".to_owned())
            }
            (Some(signer), Some(signature)) => signer
                .check(&signed_text(seq, hash), signature)
                .err()
                .map(|why| format!("its end, entry {seq}, is not signed by this machine ({why})")),
        }
    }
}

fn user_error(why: String) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(why.into())
}

impl fmt::Debug for HeadKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadKeeper")
            .field("signs", &self.signer.is_some())
            .field("distrust", &self.distrust())
            .finish()
    }
}
