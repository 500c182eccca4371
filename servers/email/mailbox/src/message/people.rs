//! The people of a header with addresses, and the Message-IDs of one with ids, from its bytes as they came.
//!
//! A parser by RFC 5322 finds no address in much of what programs write: an unquoted comma in a name, semicolons
//! between addresses, `mailto:`, doubled brackets, a name without brackets around the address. A person sees the address at
//! once, and so does [`read`]: what stands in angle brackets, else the word with an @.
//! Lives elsewhere: whether an address is one that a mail can go to, `platinum_text`.
//! Invariants: linear in the header; at most [`Limits::PEOPLE`] are kept; every string is one bounded line.

use mail_parser::MessageParser;
use platinum_text::MailAddress;

use super::facts::{Limits, People, Person};
use super::parse::line;
use crate::compose::domain_to_unicode;

/// The bytes of a header that are read for people.
const MAX_HEADER: usize = 256 * 1024;

/// Adds the people of one header.
pub(super) fn read(value: &[u8], people: &mut People) {
    let text = decode_bytes(&value[..value.len().min(MAX_HEADER)]);
    let mut entries = split(&text, Quotes::Kept);
    if entries.unclosed {
        entries = split(&text, Quotes::Ignored);
    }
    // A name with a comma that nobody quoted: `Doe, John <john@…>`.
    let mut names: Vec<String> = Vec::new();
    for entry in entries.list {
        let name = entry.name.trim();
        let Some(address) = entry.address() else {
            if !name.is_empty() {
                names.push(name.to_owned());
            }
            continue;
        };
        let mut full = std::mem::take(&mut names);
        // Only before brackets: elsewhere each was one by itself.
        if entry.bracketed.is_none_or(|inner| inner.trim().is_empty()) {
            add_all(people, full.drain(..));
        }
        let own = match entry.bracketed {
            Some(_) => name.to_owned(),
            None => entry.name_without(&address),
        };
        if !own.is_empty() {
            full.push(own);
        }
        if full.is_empty() && !entry.comment.contains('@') && !entry.comment.is_empty() {
            full.push(entry.comment.clone());
        }
        add(people, &full.join(", "), &address);
    }
    add_all(people, names.into_iter());
}

fn add_all(people: &mut People, names: impl Iterator<Item = String>) {
    names.for_each(|name| add(people, &name, ""));
}

fn add(people: &mut People, name: &str, address: &str) {
    if people.listed.len() == Limits::PEOPLE {
        people.left_out += 1;
        return;
    }
    let address = match MailAddress::parse(address) {
        // A person reads the domain; on the wire it is ASCII again.
        Ok(read) => {
            let (whole, domain) = (read.address(), read.domain());
            let local = &whole[..whole.len() - domain.len()];
            format!("{local}{}", domain_to_unicode(domain))
        }
        Err(_) => line(address, 320),
    };
    let name = line(&decode_words(name), 200);
    let name = Some(name).filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&address));
    if name.is_some() || !address.is_empty() {
        people.listed.push(Person { name, address });
    }
}

/// What stands between two separators.
#[derive(Debug, Default)]
struct Segment<'a> {
    /// What stands outside of brackets and comments; quotes are taken off.
    name: String,
    /// Whether an @ was seen in `name` when it was looked for.
    has_at: bool,
    /// What stands in the last angle brackets.
    bracketed: Option<&'a str>,
    /// The last comment.
    comment: String,
}

impl Segment<'_> {
    /// The address: in the brackets, else the first word with an @.
    fn address(&self) -> Option<String> {
        let of = |text: &str| {
            let address = strip_notation(text);
            address.contains('@').then(|| address.to_owned())
        };
        if let Some(address) = self.bracketed.and_then(of) {
            return Some(address);
        }
        // Quotes around the part before the @ may hold blanks.
        let name = self.name.trim();
        if name.starts_with('"') && MailAddress::parse(name).is_ok() {
            return Some(name.to_owned());
        }
        // Some write the address as a comment.
        let words = self.name.split_whitespace();
        let words = words.chain(self.comment.split_whitespace());
        let inner = |word: &str| strip_notation(word).trim_matches(['"', '\'']).to_owned();
        words.map(inner).find(|word| {
            let (local, domain) = word.split_once('@').unwrap_or_default();
            !local.is_empty() && !domain.is_empty()
        })
    }

    /// The name without the word that is the address.
    fn name_without(&self, address: &str) -> String {
        if self.name.trim() == address {
            return String::new();
        }
        let words = self.name.split_whitespace();
        let rest: Vec<&str> = words.filter(|word| !word.contains(address)).collect();
        rest.join(" ")
    }
}

/// An address without what people and programs put around it: doubled brackets, `mailto:`, Exchange's
/// `SMTP:`, a route.
fn strip_notation(text: &str) -> &str {
    let mut text = text.trim().trim_matches(['<', '>']).trim();
    for scheme in ["mailto:", "smtp:"] {
        let start = text.get(..scheme.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(scheme) {
            let rest = &text[scheme.len()..];
            text = rest.split('?').next().unwrap_or_default().trim_start();
        }
    }
    // RFC 5322, 4.4: `@relay,@relay:ann@client.test`.
    match text
        .strip_prefix('@')
        .and_then(|route| route.split_once(':'))
    {
        Some((_, address)) => address.trim(),
        None => text,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Kept,
    Ignored,
}

#[derive(Debug, Default)]
struct Entries<'a> {
    list: Vec<Segment<'a>>,
    /// A quote, bracket or comment has no end.
    unclosed: bool,
}

fn split(text: &str, quotes: Quotes) -> Entries<'_> {
    let mut entries = Entries::default();
    let mut entry = Segment::default();
    let last_end = text.rfind(';');
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quotes == Quotes::Kept => {
                let mut content = String::new();
                let mut is_closed = false;
                while let Some((_, c)) = chars.next() {
                    match c {
                        '"' => {
                            is_closed = true;
                            break;
                        }
                        '\\' => content.extend(chars.next().map(|(_, c)| c)),
                        c => content.push(c),
                    }
                }
                entries.unclosed |= !is_closed;
                // Before an @ it is part of an address.
                match chars.peek() {
                    Some((_, '@')) => entry.name.push_str(&format!("\"{content}\"")),
                    _ => entry.name.push_str(&content),
                }
            }
            '<' => {
                let rest = &text[at + 1..];
                let end = bracket_end(rest);
                entries.unclosed |= end.is_none();
                let end = end.unwrap_or(rest.len());
                let inner = rest[..end].trim_start_matches('<');
                // The last brackets with an @ are the address; others are part of the name.
                match entry.bracketed {
                    Some(before) if !inner.contains('@') => {
                        entry.name.push_str(inner);
                        entry.bracketed = Some(before);
                    }
                    _ => entry.bracketed = Some(inner),
                }
                while chars.next_if(|(place, _)| *place <= at + 1 + end).is_some() {}
                while chars.next_if(|(_, c)| *c == '>').is_some() {}
                entry.name.push(' ');
            }
            '(' => {
                let (mut depth, mut comment, mut is_closed) = (1_usize, String::new(), false);
                while let Some((_, c)) = chars.next() {
                    match c {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        '\\' => comment.extend(chars.next().map(|(_, c)| c)),
                        _ => {}
                    }
                    if depth == 0 {
                        is_closed = true;
                        break;
                    }
                    comment.push(c);
                }
                entries.unclosed |= !is_closed;
                entry.comment = comment;
                entry.name.push(' ');
            }
            // Outlook separates with semicolons; so does the end of a group.
            ',' | ';' => entries.list.push(std::mem::take(&mut entry)),
            // A group's name is nobody's. `mailto:` and a colon in a name are not one's end.
            ':' if last_end.is_some_and(|end| end > at) && is_group_name(&mut entry) => {
                entry = Segment::default();
            }
            c => entry.name.push(c),
        }
    }
    entries.list.push(entry);
    entries
}

/// Whether what was read before a colon names a group, if a `;` follows: words without an @. A name that is none is
/// looked through once, however many colons follow.
fn is_group_name(entry: &mut Segment<'_>) -> bool {
    if entry.bracketed.is_some() || entry.has_at {
        return false;
    }
    entry.has_at = entry.name.contains('@');
    let name = entry.name.trim();
    !entry.has_at && !name.is_empty() && !name.eq_ignore_ascii_case("mailto")
}

/// Where brackets end: a `>` in quotes is part of what they hold.
fn bracket_end(rest: &str) -> Option<usize> {
    let mut in_quotes = false;
    for (at, c) in rest.char_indices() {
        match c {
            '"' => in_quotes = !in_quotes,
            '>' if !in_quotes => return Some(at),
            _ => {}
        }
    }
    rest.find('>')
}

/// UTF-8, or what Latin letters most likely are if it is not.
fn decode_bytes(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    // A folded line is one line.
    text.replace(['\r', '\n'], " ").trim().to_owned()
}

/// Encoded words (RFC 2047) as text.
fn decode_words(text: &str) -> String {
    if !text.contains("=?") {
        return text.to_owned();
    }
    let header = format!("Subject: {text}\n\n");
    let read = MessageParser::new()
        .default_header_text()
        .parse_headers(header.as_bytes());
    let subject = read.and_then(|message| message.subject().map(str::to_owned));
    subject.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(value: &str) -> Vec<String> {
        let mut people = People::default();
        read(value.as_bytes(), &mut people);
        people.listed.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn read_names_the_address_of_every_form() {
        for (value, people) in [
            ("Ann <ann@c.test>", &["Ann <ann@c.test>"] as &[&str]),
            ("ann@c.test", &["ann@c.test"]),
            ("ann@c.test (Ann C)", &["Ann C <ann@c.test>"]),
            ("ann@c.test <ann@c.test>", &["ann@c.test"]),
            ("Doe, John <john@c.test>", &["Doe, John <john@c.test>"]),
            ("\"Doe, John\" <john@c.test>", &["Doe, John <john@c.test>"]),
            (
                "=?utf-8?Q?Doe=2C_J=C3=B6rg?= <joerg@c.test>",
                &["Doe, Jörg <joerg@c.test>"],
            ),
            ("Jörg <jörg@bücher.test>", &["Jörg <jörg@bücher.test>"]),
            (
                "Books <info@xn--bcher-kva.test>",
                &["Books <info@bücher.test>"],
            ),
            (
                "Ann @ Client Ltd. <ann@c.test>",
                &["Ann @ Client Ltd. <ann@c.test>"],
            ),
            (
                "\"Ann \"The Boss\" C\" <ann@c.test>",
                &["Ann The Boss C <ann@c.test>"],
            ),
            ("\"Ann <ann@c.test>", &["\"Ann <ann@c.test>"]),
            ("Ann <mailto:ann@c.test>", &["Ann <ann@c.test>"]),
            ("mailto:ann@c.test", &["ann@c.test"]),
            ("Ann <SMTP:ann@c.test>", &["Ann <ann@c.test>"]),
            ("Ann ann@c.test", &["Ann <ann@c.test>"]),
            ("Ann (ann@c.test)", &["Ann <ann@c.test>"]),
            ("<<ann@c.test>>", &["ann@c.test"]),
            ("<@relay.test,@b.test:ann@c.test>", &["ann@c.test"]),
            ("@relay.test:ann@c.test", &["ann@c.test"]),
            ("Ann <ann@c.test", &["Ann <ann@c.test>"]),
            ("Ann <ann@c.test.>", &["Ann <ann@c.test>"]),
            (
                "John <\"john doe\"@c.test>",
                &["John <\"john doe\"@c.test>"],
            ),
            ("\"john doe\"@c.test", &["\"john doe\"@c.test"]),
            ("Ken <ken..sato.@p.test>", &["Ken <\"ken..sato.\"@p.test>"]),
            ("a@c.test; b@c.test", &["a@c.test", "b@c.test"]),
            ("a@c.test, ,b@c.test,", &["a@c.test", "b@c.test"]),
            (
                "Team: a@c.test, B <b@c.test>;, c@c.test",
                &["a@c.test", "B <b@c.test>", "c@c.test"],
            ),
            ("undisclosed-recipients:;", &[]),
            ("Ann Example", &["Ann Example"]),
            ("", &[]),
            ("'ann@c.test' <ann@c.test>", &["'ann@c.test' <ann@c.test>"]),
        ] {
            assert_eq!(listed(value), people, "{value}");
        }
    }

    #[test]
    fn read_bytes_without_a_charset_are_read() {
        let mut people = People::default();
        read(b"J\xf6rg <j@c.test>", &mut people);
        assert_eq!(people.listed[0].to_string(), "Jörg <j@c.test>");
    }
}
