//! One text in each way it can be read, and what it encodes, as texts of their own.

use super::{
    Rules, encoded, keys, numbers,
    packed::{self, Budget},
    text,
};
use crate::{Allowances, Kind, KnownSecrets};

/// How often what was decoded is decoded again.
const MAX_DEPTH: u32 = 3;

/// What bytes are, and so what in them means something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Text,
    /// Decoded, and no text: words and numbers in it mean nothing.
    Noise,
    /// What a text is drawn by: it is looked through as it is meant, too, and only there do its
    /// words stand beside each other as its reader sees them.
    Source,
}

impl Sort {
    fn of(bytes: &[u8]) -> Self {
        match text::is_noise(bytes) {
            true => Sort::Noise,
            false => Sort::Text,
        }
    }
}

/// What does not change while a file is looked through.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) known: &'a KnownSecrets,
    pub(super) allowances: &'a Allowances,
    pub(super) sort: Sort,
    /// What may still come out of what is packed.
    pub(super) budget: &'a Budget,
    /// Packings around it.
    pub(super) nested: u32,
}

impl Case<'_> {
    pub(super) fn counts(&self, kind: Kind) -> bool {
        let of_text = matches!(
            kind,
            Kind::Password | Kind::Connection | Kind::Card | Kind::Iban | Kind::SeedPhrase
        );
        let means = match self.sort {
            Sort::Text => true,
            Sort::Noise => !of_text,
            Sort::Source => !of_text && kind != Kind::Jwt,
        };
        means && !self.allowances.kind(kind)
    }
}

impl Rules {
    /// Looks through bytes in every way they can be read as text, and through what they encode and
    /// what is packed in them. What is packed has no line: it is in line 0.
    pub(super) fn layer(&self, bytes: &[u8], case: Case<'_>, depth: u32) -> Option<(Kind, usize)> {
        let readable = text::readable(bytes);
        if keys::is_key_file(bytes) {
            return Some((Kind::PrivateKey, 1));
        }
        if let Some((kind, at)) = self.reading(&readable, case) {
            return Some((kind, text::line_at(&readable, at)));
        }
        let folded = text::folded(&readable);
        if let Some(folded) = &folded
            && let Some((kind, at)) = self.reading(&folded.bytes, case)
        {
            return Some((kind, folded.line_at(at)));
        }
        let encoded = (depth < MAX_DEPTH)
            .then(|| self.encoded(&readable, folded.as_ref(), case, depth))
            .flatten();
        encoded.or_else(|| self.packed(bytes, case, depth))
    }

    /// Looks through what runs of base64 and hexadecimal encode.
    fn encoded(
        &self,
        readable: &[u8],
        folded: Option<&text::Folded>,
        case: Case<'_>,
        depth: u32,
    ) -> Option<(Kind, usize)> {
        let mut found = None;
        let readings = [Some(readable), folded.map(|f| f.bytes.as_slice())];
        for (n, reading) in readings.into_iter().flatten().enumerate() {
            encoded::each_run(reading, &mut |start, decoded| {
                let inner = Case {
                    sort: Sort::of(decoded),
                    ..case
                };
                found = self.layer(decoded, inner, depth + 1).map(|(kind, _)| {
                    let line = match (n, folded) {
                        (1, Some(folded)) => folded.line_at(start),
                        _ => text::line_at(reading, start),
                    };
                    (kind, line)
                });
                found.is_none()
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Looks through what is compressed.
    fn packed(&self, bytes: &[u8], case: Case<'_>, depth: u32) -> Option<(Kind, usize)> {
        if case.nested >= packed::MAX_NESTED {
            return None;
        }
        let mut found = None;
        packed::each(bytes, case.budget, &mut |inner, is_source| {
            let case = Case {
                sort: match is_source {
                    true => Sort::Source,
                    false => Sort::of(inner),
                },
                nested: case.nested + 1,
                ..case
            };
            found = self
                .layer(inner, case, depth + 1)
                .map(|(kind, _)| (kind, 0));
            found.is_none()
        });
        found
    }

    /// The first secret of one reading, and where it is.
    fn reading(&self, text: &[u8], case: Case<'_>) -> Option<(Kind, usize)> {
        if let Some(at) = case.known.find(text) {
            return Some((Kind::Known, at));
        }
        for word in self.words.find_overlapping_iter(text) {
            let Some(look) = self.looks.get(word.pattern().as_usize()) else {
                continue;
            };
            if let Some(kind) = look(text, word.start(), word.end())
                && case.counts(kind)
            {
                return Some((kind, word.start()));
            }
        }
        if case.counts(Kind::SeedPhrase)
            && let Some(at) = self.seeds.find(text)
        {
            return Some((Kind::SeedPhrase, at));
        }
        numbers::find(text, case)
    }
}
