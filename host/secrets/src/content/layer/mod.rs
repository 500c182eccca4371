//! One text in each way it can be read, and what it encodes, as texts of their own.

pub(super) mod context;

use std::borrow::Cow;

use super::{Rules, account_numbers, archive, encoded, keys, text};
use crate::Kind;
use context::{ScanContext, TextKind};

/// How often what was decoded is decoded again.
const MAX_DEPTH: u32 = 3;

impl Rules {
    /// Scans bytes in every way they can be read as text, and what they encode, and the archives in
    /// them. What is in an archive has no line: it is in line 0.
    pub(in crate::content) fn layer(
        &self,
        bytes: &[u8],
        context: ScanContext<'_>,
        depth: u32,
    ) -> Option<(Kind, usize)> {
        let readable = text::readable(bytes);
        if keys::is_key_file(bytes) {
            return Some((Kind::PrivateKey, 1));
        }
        if let Some((kind, at)) = self.reading(&readable, context) {
            return Some((kind, text::line_at(&readable, at)));
        }
        // What only looks like UTF-16, or is it in part, has its own bytes as well.
        if matches!(readable, Cow::Owned(_))
            && let Some(at) = context.known.find(bytes)
        {
            return Some((Kind::Known, text::line_at(bytes, at)));
        }
        let folded = text::folded(&readable);
        if let Some(folded) = &folded
            && let Some((kind, at)) = self.reading(&folded.bytes, context)
        {
            return Some((kind, folded.line_at(at)));
        }
        let encoded = (depth < MAX_DEPTH)
            .then(|| self.encoded(&readable, folded.as_ref(), context, depth))
            .flatten();
        encoded.or_else(|| self.archives(bytes, context, depth))
    }

    /// Scans what runs of base64 and hexadecimal encode.
    fn encoded(
        &self,
        readable: &[u8],
        folded: Option<&text::Folded>,
        context: ScanContext<'_>,
        depth: u32,
    ) -> Option<(Kind, usize)> {
        let mut found = None;
        let readings = [Some(readable), folded.map(|f| f.bytes.as_slice())];
        for (n, reading) in readings.into_iter().flatten().enumerate() {
            encoded::each_run(reading, &mut |start, decoded| {
                let inner = ScanContext {
                    text_kind: TextKind::of(decoded),
                    ..context
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

    /// Scans what is compressed.
    fn archives(
        &self,
        bytes: &[u8],
        context: ScanContext<'_>,
        depth: u32,
    ) -> Option<(Kind, usize)> {
        if context.nested >= archive::MAX_NESTED {
            return None;
        }
        let mut found = None;
        archive::each(bytes, context.budget, &mut |inner, is_source| {
            let context = ScanContext {
                text_kind: match is_source {
                    true => TextKind::Source,
                    false => TextKind::of(inner),
                },
                nested: context.nested + 1,
                ..context
            };
            found = self
                .layer(inner, context, depth + 1)
                .map(|(kind, _)| (kind, 0));
            found.is_none()
        });
        found
    }

    /// The first secret of one reading, and where it is.
    fn reading(&self, text: &[u8], context: ScanContext<'_>) -> Option<(Kind, usize)> {
        if let Some(at) = context.known.find(text) {
            return Some((Kind::Known, at));
        }
        for word in self.words.find_overlapping_iter(text) {
            let Some(matcher) = self.matchers.get(word.pattern().as_usize()) else {
                continue;
            };
            if let Some(kind) = matcher(text, word.start(), word.end())
                && context.counts(kind)
            {
                return Some((kind, word.start()));
            }
        }
        if context.counts(Kind::SeedPhrase)
            && let Some(at) = self.seeds.find(text)
        {
            return Some((Kind::SeedPhrase, at));
        }
        account_numbers::find(text, context)
    }
}
