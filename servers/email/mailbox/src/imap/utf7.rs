//! Folder names on the wire: modified UTF-7 (RFC 3501, 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A name as it goes over the wire.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_plain = |c: char| (' '..='~').contains(&c);
        let end = rest
            .find(|c: char| is_plain(c) != is_plain(first))
            .unwrap_or(rest.len());
        let (run, more) = rest.split_at(end);
        rest = more;
        if is_plain(first) {
            out.push_str(&run.replace('&', "&-"));
        } else {
            let bytes: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&BASE64.encode(bytes));
            out.push('-');
        }
    }
    out
}

/// A name as a person reads it. What is no modified UTF-7 stays as it is.
pub(super) fn decode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let decoded = shifted
            .split_once('-')
            .and_then(|(code, more)| Some((decode_run(code)?, more)));
        let Some((text, more)) = decoded else {
            return name.to_owned();
        };
        out.push_str(&text);
        rest = more;
    }
    out.push_str(rest);
    out
}

fn decode_run(code: &str) -> Option<String> {
    if code.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = BASE64.decode(code).ok()?;
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| odd.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utf7_is_that_of_the_standard() {
        for (text, wire) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("下書き", "&Tgtm+DBN-"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            (
                "INBOX.Éléments envoyés",
                "INBOX.&AMk-l&AOk-ments envoy&AOk-s",
            ),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(text), wire);
            assert_eq!(decode(wire), text);
        }
    }

    #[test]
    fn broken_utf7_stays_as_it_is() {
        for name in ["a&b", "&AP-", "&2D0-", "&!!-"] {
            assert_eq!(decode(name), name);
        }
    }

    proptest! {
        #[test]
        fn utf7_round_trips_any_name(name in "\\PC{0,40}") {
            prop_assert!(encode(&name).bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(decode(&encode(&name)), name);
        }
    }
}
