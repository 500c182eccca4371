//! What of a mail's parts is its text, and what is attached.
//!
//! By structure (RFC 2046): of the parts of a `multipart/alternative` one is shown, the plain one if it says
//! anything; all other texts are shown in their order; a text with a file name is a file, unless the mail begins
//! with it or has no other text; a mail inside the mail is shown below as forwarded, and is a file, too.
//!
//! Invariants: at most [`Limits::PARTS`] parts are read, no deeper than [`Limits::DEPTH`]; the text is bounded after
//! it was cleaned, so that what is left out of it costs it nothing.

use std::borrow::Cow;

use platinum_text::{bounded, is_hidden};

use super::calendar::{Event, Method};
use super::facts::{Attachment, File, Kind, Limits, Parsed, Protection};
use super::html;
use super::mime::{Part, normal_lines};
use super::parse::{fill_headers, line, text_lines};
use super::transfer::{Armour, without_armour};

/// How deep mails inside mails are shown.
const MAX_FORWARDS: usize = 3;
/// A plain text of an alternative that is no longer than this and speaks of HTML only says that it is none.
const MAX_EXCUSE: usize = 300;
/// How such a text speaks of it.
const EXCUSES: &[&str] = &[
    "html",
    "mail program",
    "mail client",
    "email client",
    "in your browser",
    "view this email online",
    "mailprogramm",
    "im browser",
    "votre navigateur",
    "su navegador",
    "nel browser",
    "in je browser",
    "in uw browser",
    "seu navegador",
];

/// The name of a part that is the whole of an encrypted mail (RFC 8551, 3.2.1).
const SMIME_NAME: &str = "smime.p7m";

/// Text types that are files to a person who reads a mail, not its words.
const TEXT_FILES: &[&str] = &[
    "text/calendar",
    "text/css",
    "text/csv",
    "text/directory",
    "text/rfc822-headers",
    "text/rtf",
    "text/tab-separated-values",
    "text/vcard",
    "text/watch-html",
    "text/x-amp-html",
    "text/x-vcard",
    "text/xml",
];

/// Reads the text and the attachments of a mail whose headers are read; and the files, with their content up to so
/// many bytes each if it is wanted.
pub(super) fn read(mail: &Part<'_>, parsed: &mut Parsed, most_content: Option<u64>) -> Vec<File> {
    let mut reader = Reader::new(most_content);
    let mut texts = reader.texts(mail, Place::default());
    if !texts.iter().any(|text| is_visible(&text.text)) {
        texts.extend(reader.other.take());
    }
    parsed.from_html = texts.iter().any(|text| text.from_html);
    let cut = texts.iter().any(|text| text.cut);
    let forwarded = std::mem::take(&mut reader.forwarded);
    let (text, over) = joined(texts.into_iter().map(|text| text.text).chain(forwarded));
    parsed.text = text;
    parsed.text_cut = cut || over;
    let files = reader.files;
    parsed.attachments = files.iter().map(|file| file.about.clone()).collect();
    parsed.attachments_left_out = reader.files_left_out;
    parsed.kind = reader.kind;
    parsed.event = reader.event;
    parsed.protection = reader.protection;
    parsed.cut |= !reader.whole;
    files
}

/// Texts one after the other with an empty line between, within the bound; and whether something was left out.
fn joined(texts: impl Iterator<Item = String>) -> (String, bool) {
    let mut all = String::new();
    let mut cut = false;
    for text in texts.filter(|text| is_visible(text)) {
        if !all.is_empty() {
            all.push_str(if all.ends_with('\n') { "\n" } else { "\n\n" });
        }
        let kept = bounded(&text, Limits::TEXT_BYTES.saturating_sub(all.len()));
        cut |= kept.len() < text.len();
        all.push_str(kept);
    }
    (all, cut)
}

/// Whether a person sees anything of it. A picture's place in a text is no text.
fn is_visible(text: &str) -> bool {
    text.chars()
        .any(|c| !c.is_whitespace() && !is_hidden(c) && !matches!(c, '\u{fffc}' | '\u{2800}'))
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    depth: usize,
    in_digest: bool,
    /// Inside a bounce or a receipt, whose mail is not forwarded but returned.
    in_report: bool,
    /// Inside this many mails.
    forwards: usize,
    /// Whether it is not the whole of a mail, but one of several parts.
    is_piece: bool,
}

/// One text of the mail.
struct Text {
    text: String,
    from_html: bool,
    cut: bool,
}

struct Reader {
    /// Parts that may still be read.
    parts: usize,
    /// Whether no part but multiparts was read yet.
    is_first: bool,
    /// Whether all parts were read.
    whole: bool,
    files: Vec<File>,
    files_left_out: usize,
    kind: Kind,
    event: Option<Event>,
    protection: Option<Protection>,
    /// The first text that is a file, for a mail without any other.
    other: Option<Text>,
    forwarded: Vec<String>,
    /// If the content of files is wanted, the longest.
    most_content: Option<u64>,
}

impl Reader {
    fn new(most_content: Option<u64>) -> Self {
        Self {
            parts: Limits::PARTS,
            is_first: true,
            whole: true,
            files: Vec::new(),
            files_left_out: 0,
            kind: Kind::Plain,
            event: None,
            protection: None,
            other: None,
            forwarded: Vec::new(),
            most_content,
        }
    }

    /// A file with dates is a file; an invitation, or the answer to one, is what the mail is for.
    fn read_event(&mut self, part: &Part<'_>) {
        let event = Event::read(&part.text(), part.parameter("method"));
        if event.method != Method::Publish {
            self.kind = Kind::Calendar;
            self.event.get_or_insert(event);
        }
    }

    /// The texts of a part, in order. What is none is attached.
    fn texts(&mut self, part: &Part<'_>, place: Place) -> Vec<Text> {
        self.whole &= part.whole;
        self.parts = self.parts.saturating_sub(1);
        let kind = part.media_type.as_str();
        if place.forwards == 0 {
            match kind {
                "text/calendar" | "application/ics" => self.read_event(part),
                // Inside of a person's mail it is something that the person sends on.
                "multipart/report" if place.depth == 0 => self.kind = Kind::Report,
                _ => {}
            }
        }
        if kind.starts_with("multipart/") {
            return self.of_multipart(part, place);
        }
        let is_first = std::mem::take(&mut self.is_first);
        if matches!(kind, "message/rfc822" | "message/global") {
            self.attach(part, place);
            self.forward(part, place);
            return Vec::new();
        }
        self.note_smime(part, place);
        let is_text = kind.starts_with("text/") && !TEXT_FILES.contains(&kind);
        if !is_text {
            self.attach(part, place);
            return Vec::new();
        }
        if part.is_attached() && place.is_piece {
            self.attach(part, place);
            if is_first && !part.is_attachment() {
                return vec![self.text(part, place)];
            }
            if self.other.is_none() && place.forwards == 0 {
                self.other = Some(self.text(part, place)).filter(|text| is_visible(&text.text));
            }
            return Vec::new();
        }
        vec![self.text(part, place)]
    }

    fn text(&mut self, part: &Part<'_>, place: Place) -> Text {
        let raw = part.text();
        let start = raw
            .trim_start()
            .get(..14)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_html = start == "<!doctype html" || start.starts_with("<html");
        let from_html = part.media_type == "text/html" || is_html;
        let (text, cut) = match from_html {
            true => html::to_text(&raw, Limits::TEXT_BYTES),
            false => (raw, false),
        };
        let text = text_lines(&text);
        let (text, armour) = without_armour(&text);
        match armour {
            Armour::None => {}
            Armour::Signed => self.protect(Protection::SignedOpenPgp, place),
            Armour::Encrypted => self.protect(Protection::EncryptedOpenPgp, place),
        }
        let kept = bounded(&text, Limits::TEXT_BYTES);
        Text {
            cut: cut || kept.len() < text.len(),
            text: kept.to_owned(),
            from_html,
        }
    }

    fn of_multipart(&mut self, part: &Part<'_>, place: Place) -> Vec<Text> {
        let (children, whole) = part.children(self.parts);
        self.whole &= whole;
        if place.depth >= Limits::DEPTH || self.parts == 0 {
            self.whole = false;
            return Vec::new();
        }
        if children.is_empty() {
            // It claims to have parts and has none: what is there is read as text.
            let text = text_lines(&String::from_utf8_lossy(part.body));
            let kept = bounded(&text, Limits::TEXT_BYTES).to_owned();
            return vec![Text {
                cut: kept.len() < text.len(),
                text: kept,
                from_html: false,
            }];
        }
        let kind = part.media_type.as_str();
        match kind {
            "multipart/encrypted" => self.protect(Protection::EncryptedOpenPgp, place),
            "multipart/signed" => {
                let protocol = part.parameter("protocol").unwrap_or_default();
                let is_pgp = protocol.to_ascii_lowercase().contains("pgp");
                let protection = match is_pgp {
                    true => Protection::SignedOpenPgp,
                    false => Protection::SignedSmime,
                };
                self.protect(protection, place);
            }
            _ => {}
        }
        let inside = Place {
            depth: place.depth + 1,
            in_digest: kind == "multipart/digest",
            in_report: place.in_report || kind == "multipart/report",
            is_piece: true,
            ..place
        };
        let mut each = Vec::with_capacity(children.len());
        for child in children {
            if self.parts == 0 {
                self.whole = false;
                break;
            }
            let child = Part::of_multipart(child, inside.in_digest);
            each.push((child.media_type.clone(), self.texts(&child, inside)));
        }
        match kind {
            "multipart/alternative" => chosen(each),
            _ => each.into_iter().flat_map(|(_, texts)| texts).collect(),
        }
    }

    /// Shows a mail inside the mail as Gmail writes a forwarded one, which every reader knows.
    fn forward(&mut self, part: &Part<'_>, place: Place) {
        if place.in_report
            || place.forwards >= MAX_FORWARDS
            || place.depth >= Limits::DEPTH
            || self.parts == 0
        {
            return;
        }
        // What was encoded has its line ends still.
        let bytes = match part.decoded() {
            Cow::Owned(decoded) => Cow::Owned(normal_lines(&decoded)),
            plain => plain,
        };
        let mail = Part::of_mail(&bytes);
        let mut heads = Parsed::default();
        if let Some(headers) = &mail.headers {
            fill_headers(&mut heads, headers);
        }
        let mut text = "---------- Forwarded message ---------\n".to_owned();
        let from = heads.from.map(|from| from.to_string());
        let date = heads.date.map(|date| date.to_string());
        let to: Vec<String> = heads
            .to
            .listed
            .iter()
            .take(10)
            .map(ToString::to_string)
            .collect();
        for (label, value) in [
            ("From", from),
            ("Date", date),
            ("Subject", Some(heads.subject)),
            ("To", Some(to.join(", "))),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                text.push_str(&format!("{label}: {value}\n"));
            }
        }
        let slot = self.forwarded.len();
        self.forwarded.push(text);
        let inside = Place {
            depth: place.depth + 1,
            forwards: place.forwards + 1,
            is_piece: false,
            ..place
        };
        let texts = self.texts(&mail, inside);
        let (body, _) = joined(texts.into_iter().map(|text| text.text));
        if let Some(text) = self.forwarded.get_mut(slot) {
            text.push('\n');
            text.push_str(&body);
        }
    }

    /// Notes what S/MIME did to the mail, if this part says so.
    fn note_smime(&mut self, part: &Part<'_>, place: Place) {
        let is_smime = match part.media_type.as_str() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                // A signed file, such as an invoice, has a name of its own.
                let is_named_so = |name: &str| name.eq_ignore_ascii_case(SMIME_NAME);
                !place.is_piece || part.name().is_none_or(is_named_so)
            }
            // Some programs know the type by its name alone.
            "application/octet-stream" => {
                let name = part.name().unwrap_or_default();
                name.eq_ignore_ascii_case(SMIME_NAME)
            }
            _ => false,
        };
        if !is_smime {
            return;
        }
        let kind = part.parameter("smime-type").unwrap_or_default();
        let protection = match kind.to_ascii_lowercase().as_str() {
            "signed-data" => Protection::SealedSmime,
            "certs-only" => return,
            _ => Protection::EncryptedSmime,
        };
        self.protect(protection, place);
    }

    /// Notes how this mail is protected, not one inside it. What cannot be read tells more than what can.
    fn protect(&mut self, protection: Protection, place: Place) {
        let says_more = self.protection.is_none_or(|known| !known.is_unreadable());
        if place.forwards == 0 && says_more {
            self.protection = Some(protection);
        }
    }

    fn attach(&mut self, part: &Part<'_>, place: Place) {
        if place.forwards > 0 {
            return;
        }
        if self.files.len() == Limits::ATTACHMENTS {
            self.files_left_out += 1;
            return;
        }
        let size = part.size();
        let is_wanted = self.most_content.is_some_and(|most| size <= most);
        let about = Attachment {
            name: part
                .name()
                .map(|name| line(name, Limits::NAME_BYTES))
                .filter(|name| !name.is_empty()),
            media_type: line(&part.media_type, 100),
            size,
        };
        self.files.push(File {
            about,
            content: is_wanted.then(|| part.decoded().into_owned()),
        });
    }
}

/// The one of several ways to say the same that is shown: the plain text, unless it says nothing; else the last,
/// which is the richest.
fn chosen(each: Vec<(String, Vec<Text>)>) -> Vec<Text> {
    let says = |texts: &[Text]| texts.iter().any(|text| is_visible(&text.text));
    let length = |texts: &[Text]| texts.iter().map(|text| text.text.len()).sum::<usize>();
    let rich = each.iter().rposition(|(_, texts)| says(texts));
    let plain = each.iter().position(|(kind, texts)| {
        let is_excuse = |rich: usize| {
            let found = length(texts);
            let excuses = texts.iter().any(|text| {
                let text = text.text.to_ascii_lowercase();
                EXCUSES.iter().any(|excuse| text.contains(excuse))
            });
            found <= MAX_EXCUSE && excuses && length(&each[rich].1) > 2 * found
        };
        kind == "text/plain" && says(texts) && !rich.is_some_and(is_excuse)
    });
    let mut each = each;
    match plain.or(rich) {
        Some(at) => each.swap_remove(at).1,
        None => Vec::new(),
    }
}
