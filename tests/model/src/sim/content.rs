//! What files hold, by a number for each content: what object ids are in the real thing.

use std::collections::{BTreeMap, HashMap};

use platinum_core::VaultPath;
use platinum_protocol::ClaimRecord;

/// Names a content; equal contents have one.
pub(super) type Blob = u32;
/// The files of a tree.
pub(super) type Files = BTreeMap<VaultPath, Blob>;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Content {
    /// What an editor wrote, once in the whole run.
    Text(u32),
    /// The first half of it, while it is being written.
    Half(u32),
    /// A task's note.
    Task {
        task: usize,
        claim: Option<ClaimRecord>,
        /// The highest epoch that was given back.
        last_epoch: u64,
    },
}

/// Every content there ever was.
#[derive(Debug, Default)]
pub(super) struct Contents {
    all: Vec<Content>,
    known: HashMap<Content, Blob>,
    texts: u32,
}

impl Contents {
    pub(super) fn blob(&mut self, content: Content) -> Blob {
        if let Some(&blob) = self.known.get(&content) {
            return blob;
        }
        let blob = Blob::try_from(self.all.len()).unwrap_or(Blob::MAX);
        self.all.push(content.clone());
        self.known.insert(content, blob);
        blob
    }

    pub(super) fn of(&self, blob: Blob) -> &Content {
        &self.all[blob as usize]
    }

    /// A text that was never written before.
    pub(super) fn new_text(&mut self) -> Blob {
        self.texts += 1;
        self.blob(Content::Text(self.texts))
    }

    /// The half-written state of a text.
    pub(super) fn half_of(&mut self, whole: Blob) -> Blob {
        self.blob(Content::Half(whole))
    }
}

/// As an object id is written.
pub(super) fn hex(blob: Blob) -> String {
    format!("{blob:08x}")
}

pub(super) fn unhex(hex: &str) -> Blob {
    Blob::from_str_radix(hex, 16).unwrap_or(Blob::MAX)
}
