//! Web addresses in a text: `http://` or `https://`, a host with a dot, a path, a query.
//!
//! The grammar is Mastodon's (its `twitter_regex.rb`), without its list of top-level domains: any of two letters or more
//! is one. Where that list has changed, a server may count an address whole that counts as a short one here; it then
//! refuses the post, and says so.

use std::ops::Range;

use super::{char_before, is_punctuation};

/// The addresses of a text.
#[must_use]
pub fn find_links(text: &str) -> Vec<Range<usize>> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("://")) {
        let after = from + found + 3;
        from = after;
        let Some(start) = scheme_start(text, after - 3) else {
            continue;
        };
        if links
            .last()
            .is_some_and(|last: &Range<usize>| last.end > start)
        {
            continue;
        }
        if let Some(length) = rest_length(&text[after..]) {
            links.push(start..after + length);
            from = after + length;
        }
    }
    links
}

/// What begins like an address and is none, such as `https://intranet`; each a run of characters without white space.
#[must_use]
pub fn malformed_links(text: &str) -> Vec<&str> {
    let mut links = find_links(text).into_iter().peekable();
    let mut all = Vec::new();
    for (at, _) in text.match_indices("://") {
        let Some(start) = scheme_start(text, at) else {
            continue;
        };
        while links.next_if(|link| link.end <= start).is_some() {}
        if links.peek().is_some_and(|link| link.start <= start) {
            continue;
        }
        let rest = &text[start..];
        all.push(
            rest.split(char::is_whitespace)
                .next()
                .unwrap_or_default()
                .trim_end_matches(is_punctuation),
        );
    }
    all
}

/// Where the scheme begins whose `://` is at this place; none if it is another one, or inside of a word.
fn scheme_start(text: &str, colon: usize) -> Option<usize> {
    let before = &text[..colon];
    let ends = |scheme: &str| {
        let start = before.len().checked_sub(scheme.len())?;
        let found = before.get(start..)?;
        found.eq_ignore_ascii_case(scheme).then_some(start)
    };
    let start = ends("https").or_else(|| ends("http"))?;
    match char_before(text, start) {
        Some(c) if c.is_ascii_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃') => {
            None
        }
        _ => Some(start),
    }
}

/// How long the host, port, path and query are that a text begins with.
fn rest_length(rest: &str) -> Option<usize> {
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let host = rest.find(|c: char| !is_host(c)).unwrap_or(rest.len());
    let host = host_length(&rest[..host])?;
    let mut end = host;
    if let Some(port) = rest[end..].strip_prefix(':') {
        let digits = port
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(port.len());
        if (1..=5).contains(&digits) {
            end += 1 + digits;
        }
    }
    if rest[end..].starts_with('/') {
        end += path_length(&rest[end..]);
    }
    if let Some(query) = rest[end..].strip_prefix('?') {
        let is_query = |c: char| {
            c.is_ascii_alphanumeric()
                || "!?*'();:&=+$/%#[]-_.,~|@^".contains(c)
                || !c.is_ascii() && !c.is_whitespace()
        };
        let run = query.find(|c: char| !is_query(c)).unwrap_or(query.len());
        let is_end = |c: char| c.is_ascii_alphanumeric() || "_&=#/-".contains(c) || !c.is_ascii();
        let kept = query[..run].trim_end_matches(|c: char| !is_end(c)).len();
        if kept > 0 {
            end += 1 + kept;
        }
    }
    Some(end)
}

/// How much of these characters is a host: labels with dots between them, whose last one is no number.
fn host_length(run: &str) -> Option<usize> {
    let mut run = run.trim_end_matches(['.', '-', '_']);
    loop {
        let (before, last) = run.rsplit_once('.')?;
        // `example.comです` is a domain, and a word behind it.
        let ascii = last.find(|c: char| !c.is_ascii()).unwrap_or(last.len());
        let last = if ascii >= 2 { &last[..ascii] } else { last };
        let is_domain = last.starts_with("xn--") && last.len() > 4
            || last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
        let is_label = |label: &str| {
            !label.is_empty() && !label.starts_with(['-', '_']) && !label.ends_with(['-', '_'])
        };
        if is_domain && before.split('.').all(is_label) {
            return Some(before.len() + 1 + last.len());
        }
        // `example.com.123` names `example.com`, and is followed by something else.
        run = before.trim_end_matches(['.', '-', '_']);
    }
}

/// How long the path is that a text begins with: brackets count if they are closed again, and punctuation at its end
/// belongs to the sentence.
fn path_length(rest: &str) -> usize {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '?');
    let rest = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    let last_closed = rest.rfind(')').unwrap_or_default();
    let mut depth = 0_usize;
    let mut end = 0;
    let mut kept = 0;
    for c in rest.chars() {
        match c {
            '(' if last_closed > end => depth += 1,
            '(' => break,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            _ => {}
        }
        end += c.len_utf8();
        let is_end = !"!*\"'「」;:=,.$%[]~&|@(".contains(c);
        if depth == 0 && is_end {
            kept = end;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        find_links(text)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        for (text, link) in [
            ("see https://example.com.", "https://example.com"),
            ("(https://example.com/a)", "https://example.com/a"),
            (
                "https://en.wikipedia.org/wiki/Foo_(bar), and",
                "https://en.wikipedia.org/wiki/Foo_(bar)",
            ),
            ("HTTPS://Example.COM/x!", "HTTPS://Example.COM/x"),
            (
                "https://example.com/a?b=c&d=%20#e.",
                "https://example.com/a?b=c&d=%20#e",
            ),
            ("https://example.com?", "https://example.com"),
            ("https://example.com:8080/x", "https://example.com:8080/x"),
            ("„https://example.com/ü“", "https://example.com/ü“"),
            ("見てhttps://例え.テスト/道、", "https://例え.テスト/道、"),
            ("https://example.comです", "https://example.com"),
            (
                "https://xn--r8jz45g.xn--zckzah/",
                "https://xn--r8jz45g.xn--zckzah/",
            ),
            ("שלום https://example.co.il/א", "https://example.co.il/א"),
            ("https://example.com/@ada/1", "https://example.com/@ada/1"),
            ("http://example.com/<b>", "http://example.com/"),
        ] {
            assert_eq!(links(text), [link], "{text}");
        }
    }

    #[test]
    fn links_need_a_host_with_a_dot_and_a_free_beginning() {
        for text in [
            "https://",
            "https://localhost/x",
            "http://192.0.2.1/",
            "xhttps://example.com",
            "@https://example.com",
            "ftp://example.com",
            "https://-example.com",
            "https://example.c",
            "https://exa mple.com",
            "://",
        ] {
            assert_eq!(links(text), [""; 0], "{text}");
        }
        assert_eq!(
            links("https://a.example https://b.example"),
            ["https://a.example", "https://b.example"]
        );
        // One inside of another is its path.
        assert_eq!(
            links("https://a.example/https://b.example/"),
            ["https://a.example/https://b.example/"]
        );
    }

    #[test]
    fn malformed_links_are_named() {
        assert_eq!(
            malformed_links("see https://intranet/x, http:// and https://example.com"),
            ["https://intranet/x", "http"]
        );
        assert!(malformed_links("https://example.com xhttps://y").is_empty());
    }
}
