//! [`ScanContext`]: what a scan of one file carries along, and which kinds count in which text.

use crate::content::{archive::Budget, text};
use crate::{Allowances, Kind, KnownSecrets};

/// What bytes are, and so what in them means something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::content) enum TextKind {
    Text,
    /// Decoded, and no text: words and numbers in it mean nothing.
    Noise,
    /// What a text is drawn by: it is scanned as it is displayed, too, and only there do its
    /// words stand beside each other as its reader sees them.
    Source,
}

impl TextKind {
    pub(in crate::content) fn of(bytes: &[u8]) -> Self {
        match text::is_noise(bytes) {
            true => TextKind::Noise,
            false => TextKind::Text,
        }
    }
}

/// What does not change while a file is scanned.
#[derive(Clone, Copy)]
pub(in crate::content) struct ScanContext<'a> {
    pub(in crate::content) known: &'a KnownSecrets,
    pub(in crate::content) allowances: &'a Allowances,
    pub(in crate::content) text_kind: TextKind,
    /// What may still come out of archives.
    pub(in crate::content) budget: &'a Budget,
    /// Archives around it.
    pub(in crate::content) nested: u32,
}

impl ScanContext<'_> {
    pub(in crate::content) fn counts(&self, kind: Kind) -> bool {
        let of_text = matches!(
            kind,
            Kind::Password | Kind::Connection | Kind::Card | Kind::Iban | Kind::SeedPhrase
        );
        let means = match self.text_kind {
            TextKind::Text => true,
            TextKind::Noise => !of_text,
            TextKind::Source => !of_text && kind != Kind::Jwt,
        };
        means && !self.allowances.kind(kind)
    }
}
