//! What a server sends as the HTML of a text, as a text.
//!
//! Paragraphs and breaks are line ends, all other tags are left out, and entities are their characters. The text is from
//! outside, and stays so.

/// The text of this HTML, at most so many characters of it.
#[must_use]
pub fn text_of_html(html: &str, max_chars: usize) -> String {
    let mut text = String::new();
    let mut count = 0;
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if count >= max_chars {
            break;
        }
        let (piece, used) = match c {
            '<' => tag(rest),
            '&' => entity(rest),
            c => (Some(c.to_string()), c.len_utf8()),
        };
        if let Some(piece) = piece {
            count += piece.chars().count();
            text.push_str(&piece);
        }
        rest = &rest[used..];
    }
    text.trim().to_owned()
}

/// What a tag is as text, and how long it is.
fn tag(rest: &str) -> (Option<String>, usize) {
    let Some(end) = rest.find('>') else {
        // No tag: the sign itself.
        return (Some("<".to_owned()), 1);
    };
    let inside = rest[1..end].trim_end_matches('/').trim();
    let name = inside
        .split(|c: char| c.is_whitespace())
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let text = match name.as_str() {
        "br" => Some("\n"),
        "/p" => Some("\n\n"),
        "/li" | "/div" | "/blockquote" => Some("\n"),
        _ => None,
    };
    (text.map(str::to_owned), end + 1)
}

/// The character of an entity, and how long its name is.
fn entity(rest: &str) -> (Option<String>, usize) {
    let plain = (Some("&".to_owned()), 1);
    // The longest is that of a code point.
    let Some(end) = rest.bytes().take(12).position(|byte| byte == b';') else {
        return plain;
    };
    let Some(name) = rest.get(1..end) else {
        return plain;
    };
    let c = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        name => name
            .strip_prefix('#')
            .and_then(|number| match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            })
            .and_then(char::from_u32),
    };
    match c {
        Some(c) => (Some(c.to_string()), end + 1),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_of_servers_is_their_text() {
        for (html, text) in [
            (
                "<p>Hi <span class=\"h-card\"><a href=\"https://m.example/@ada\">@<span>ada</span></a></span></p>",
                "Hi @ada",
            ),
            ("<p>one<br />two</p><p>three</p>", "one\ntwo\n\nthree"),
            (
                "<a href=\"x\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">example.com/lo</span><span \
                 class=\"invisible\">ng</span></a>",
                "https://example.com/long",
            ),
            (
                "a &amp; b &lt;c&gt; &#39;&#x1F469;&quot; &nope; &",
                "a & b <c> '👩\" &nope; &",
            ),
            ("1 < 2", "1 < 2"),
            ("", ""),
        ] {
            assert_eq!(text_of_html(html, 1000), text);
        }
    }

    #[test]
    fn text_of_html_is_bounded() {
        let html = "<b>x".repeat(10_000);
        assert_eq!(text_of_html(&html, 7), "xxxxxxx");
        assert_eq!(text_of_html(&"&".repeat(99), 5), "&&&&&");
        assert_eq!(
            text_of_html("&#99999999;&#xD800;", 30),
            "&#99999999;&#xD800;"
        );
    }
}
