//! What must never be synced: secrets by the name of their file, by their form, and by their value.
//!
//! Lives here: [`Scanner`], which checks a name, a file's bytes or a commit's message and answers
//! with a [`Finding`]; [`KnownSecrets`], the hashes of what this machine really holds;
//! [`Allowances`], what the owner lets pass; [`AllowedPlaces`], where.
//! Lives elsewhere: when to scan is decided above (at the snapshot, before a push, on the server);
//! which folders and types are synced at all is `policy`'s.
//! To add a service's token: a line in `content/tokens.rs` and a line in its test.
//! Not read, and so let pass: what is encrypted; what is compressed in another way than
//! deflate; pictures, and letters that a PDF only draws; archives nested more than twice, or with
//! more content than the bounds in `content/archive`. The rules stop accidents: a person who wants to
//! carry a secret out finds an encoding that no rule knows.
//! Invariants: pure, no I/O; never panics on any bytes; the time grows with the length alone; a
//! finding says what was found, where and what to do, and never repeats it; no secret that is
//! known is kept in plain.

mod accounting_note;
mod allow_list;
mod allowed_places;
mod content;
mod finding;
mod known_secrets;
mod name;

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

pub use allow_list::{AllowError, Allowances};
pub use allowed_places::{AllowedPlace, AllowedPlaces, PlaceError};
pub use finding::{Finding, Kind, Place};
pub use known_secrets::{KnownSecrets, MIN_SECRET_BYTES};

use content::Rules;

/// Checks names, contents and messages. One for a whole daemon; every gate asks the same.
pub struct Scanner {
    rules: Rules,
    allowances: Allowances,
    /// In a name, words beside words mean nothing.
    for_names: Allowances,
    /// In a note of accounting, the number of an account is where a bill is paid to.
    for_accounting: Allowances,
    /// In what is allowed at its place, these alone are still looked for.
    for_places: Allowances,
    places: RwLock<AllowedPlaces>,
    known: RwLock<KnownSecrets>,
    /// How often what is known was replaced.
    generation: AtomicU64,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner")
            .field("allowances", &self.allowances)
            .finish_non_exhaustive()
    }
}

impl Scanner {
    /// A scanner for these secrets, and for what has the form of one.
    pub fn new(known: KnownSecrets, allowances: Allowances) -> Self {
        Self {
            rules: Rules::new(),
            for_names: allowances.and(Kind::Password.as_str()),
            for_accounting: allowances.and(Kind::Iban.as_str()),
            for_places: Kind::ALLOWABLE
                .into_iter()
                .fold(Allowances::default(), |all, kind| all.and(kind)),
            places: RwLock::new(allowances.places().clone()),
            allowances,
            known: RwLock::new(known),
            generation: AtomicU64::new(0),
        }
    }

    /// Takes the place of what is known: the files that hold it have changed.
    pub fn know(&self, known: KnownSecrets) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Of which generation the rules are: what nothing was found in since this was asked has nothing
    /// in it as long as the answer stays the same.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Lets these places pass, beside those of the allowances and in place of others.
    pub fn allow_places(&self, more: &AllowedPlaces) {
        let mut places = self.allowances.places().clone();
        places.extend(more);
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// Checks a path, or any text that a tree has in the place of one.
    pub fn name(&self, path: &str) -> Option<Finding> {
        if let Some((what, is_own)) = name::denied(path) {
            return Some(Finding {
                kind: Kind::Name(what),
                place: if is_own { Place::Name } else { Place::Folder },
            });
        }
        // A secret may stand in a name too.
        let found = self.first(path.as_bytes(), &self.for_names)?;
        Some(Finding {
            place: Place::Name,
            ..found
        })
    }

    /// Checks the bytes of a file. The number of a bank account is no secret in a task of accounting and its drafts.
    pub fn content(&self, bytes: &[u8]) -> Option<Finding> {
        let allowances = match accounting_note::is_accounting_note(bytes) {
            true => &self.for_accounting,
            false => &self.allowances,
        };
        self.first(bytes, allowances)
    }

    /// Checks a commit's message with its trailers.
    pub fn message(&self, message: &str) -> Option<Finding> {
        let found = self.first(message.as_bytes(), &self.allowances)?;
        Some(Finding {
            place: Place::Message,
            ..found
        })
    }

    fn first(&self, bytes: &[u8], allowances: &Allowances) -> Option<Finding> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        self.rules.find(bytes, &known, allowances)
    }
}

impl Default for Scanner {
    /// Knows the forms alone, and allows nothing.
    fn default() -> Self {
        Self::new(KnownSecrets::default(), Allowances::default())
    }
}
