//! `prove_rights`: that Odoo refuses the key of this server what a key that can only draft must not do.
//!
//! # Layout
//! - here: the verdict and how long it counts;
//! - [`ways`]: what is tried; [`trial`]: the draft that it is about, each try, what came of it.
//!
//! Invariants: a try counts as refused only where Odoo says that a right is missing; any other error says that the
//! rights would have let it through. Where Odoo is away there is no verdict. What a try may leave where it is not
//! refused is said; nothing is posted, paid or sent by it. The draft of the proof stays in Odoo, is found again, and is
//! the only one: the proofs of one configuration come one after the other, also those of several processes.

mod trial;
mod ways;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::service::{OdooService, ServiceError};

/// The fewest ways that are a proof.
const FEWEST: usize = 10;
/// How long a proof may take: some thirty calls of milliseconds each.
const AT_MOST: Duration = Duration::from_secs(90);
/// How long a key that can do more is believed to do so: that long a draft is refused without another proof.
const PAUSE: Duration = Duration::from_secs(60);

/// Nothing is asked for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofArguments {}

/// What came of the tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProofAnswer {
    /// Whether each of them was refused.
    pub can_only_draft: bool,
    /// That in a sentence, with what to do.
    pub text: String,
    /// Each try.
    pub ways: Vec<TriedWay>,
    /// The number of the empty draft that they were about. It stays in Odoo for the next proof.
    pub draft: i64,
    /// Where a person sees it.
    pub link: String,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriedWay {
    /// What it would do.
    pub way: String,
    /// Whether Odoo refused it because a right is missing.
    pub refused: bool,
    /// Odoo's words; of what was not refused, what happened and what is left of it.
    pub answer: String,
}

/// How long a proof waits between two looks at whether that of another process is over.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the key of a server was proven to be one that can only draft: in this life of the server.
#[derive(Debug, Default)]
pub struct Proven {
    /// Whether nothing is drafted without a proof.
    pub(crate) is_required: bool,
    /// The file that every process locks which proves the same key.
    pub(crate) lock: Option<PathBuf>,
    /// Held over a proof.
    verdict: Mutex<Option<Verdict>>,
}

#[derive(Debug)]
enum Verdict {
    CanOnlyDraft,
    CanAct { text: String, at: Instant },
}

/// Tries what a key that can only draft must not do.
///
/// # Errors
/// If Odoo is away, or the key cannot even save a draft: then it is not known what it can do.
pub async fn prove_rights(service: &OdooService) -> Result<ProofAnswer, ServiceError> {
    decide(service, &mut *service.proven.verdict.lock().await).await
}

/// Whether a draft may be saved: where that is asked for, only with a key that is proven to be able to do nothing
/// else. It is proven by the first call that gets an answer.
pub(crate) async fn require_proof(service: &OdooService) -> Result<(), ServiceError> {
    if !service.proven.is_required {
        return Ok(());
    }
    let mut verdict = service.proven.verdict.lock().await;
    match &*verdict {
        Some(Verdict::CanOnlyDraft) => return Ok(()),
        Some(Verdict::CanAct { text, at }) if at.elapsed() < PAUSE => {
            return Err(ServiceError::CanAct(text.clone()));
        }
        _ => {}
    }
    let proof = decide(service, &mut verdict).await;
    match proof {
        Ok(proof) if proof.can_only_draft => Ok(()),
        Ok(proof) => Err(ServiceError::CanAct(proof.text)),
        Err(error) => Err(ServiceError::Unproven(Box::new(error))),
    }
}

/// Proves, and keeps the verdict.
async fn decide(
    service: &OdooService,
    verdict: &mut Option<Verdict>,
) -> Result<ProofAnswer, ServiceError> {
    // An earlier verdict does not outlive a proof that was begun.
    *verdict = None;
    let proof = async {
        let _lock = match &service.proven.lock {
            Some(path) => Some(lock(path).await?),
            None => None,
        };
        trial::try_all(service).await
    };
    let proof = match tokio::time::timeout(AT_MOST, proof).await {
        Ok(proof) => proof?,
        Err(_) => {
            let late = format!("it took more than {} s", AT_MOST.as_secs());
            return Err(ServiceError::NoProof(late));
        }
    };
    *verdict = Some(match proof.can_only_draft {
        true => Verdict::CanOnlyDraft,
        false => Verdict::CanAct {
            text: proof.text.clone(),
            at: Instant::now(),
        },
    });
    Ok(proof)
}

/// Waits until no other process proves, and keeps it so while the file is open.
async fn lock(path: &Path) -> Result<File, ServiceError> {
    let no_proof = |error: std::io::Error| {
        ServiceError::NoProof(format!("{} cannot be locked: {error}", path.display()))
    };
    let file = File::open(path).map_err(no_proof)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
            Err(TryLockError::Error(error)) => return Err(no_proof(error)),
        }
    }
}
