//! [`safe_file_name`]: a file's name made of what a stranger calls it.
//!
//! Invariants: pure; the result is empty, or one component of a [`VaultPath`](crate::VaultPath) that does not begin
//! with a dot, and that a link in a note can name.

use platinum_text::is_hidden;
use unicode_normalization::UnicodeNormalization as _;

use super::vault_path::{is_device, is_refused};

/// The last part of what may be a path, without what any system or a link refuses, hides or changes, of at most so
/// many bytes; of a long name the end stays, where its type is. Empty if nothing of it is left.
pub fn safe_file_name(text: &str, max_bytes: usize) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let visible = last.chars().filter(|c| !is_hidden(*c) || c.is_control());
    let clean: String = visible
        .map(|c| match c {
            c if c.is_control() || c.is_whitespace() => ' ',
            '[' | ']' | '#' | '^' => '_',
            c if is_refused(c) => '_',
            c => c,
        })
        .nfc()
        .collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let mut name = words.join(" ").trim_matches(['.', ' ', '~']).to_owned();
    if name.len() > max_bytes {
        let dot = name.rfind('.').filter(|dot| name.len() - dot <= 16);
        let end = name.split_off(dot.unwrap_or(name.len()));
        let room = max_bytes.saturating_sub(end.len());
        name.truncate(name.floor_char_boundary(room));
        name = format!("{}{end}", name.trim_end_matches(['.', ' ']));
        // Cut apart, what was joined may compose.
        name = name.nfc().collect();
    }
    match is_device(&name) {
        true => format!("_{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::VaultPath;

    #[test]
    fn safe_file_name_keeps_what_a_person_reads() {
        for (given, name) in [
            ("offer.pdf", "offer.pdf"),
            ("Offer for  May.pdf", "Offer for May.pdf"),
            ("見積書.pdf", "見積書.pdf"),
            ("offe\u{301}r.pdf", "off\u{e9}r.pdf"),
            ("../../.ssh/authorized_keys", "authorized_keys"),
            ("C:\\Windows\\win.ini", "win.ini"),
            (".bashrc", "bashrc"),
            ("CON.txt", "_CON.txt"),
            ("a:b*c?.txt", "a_b_c_.txt"),
            ("a[b]#c^d|e.png", "a_b__c_d_e.png"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\r\nb\u{0}.txt", "a b .txt"),
            ("x.pdf. . ", "x.pdf"),
            ("~$x.docx", "$x.docx"),
            ("...", ""),
            ("a/", ""),
        ] {
            assert_eq!(safe_file_name(given, 100), name, "{given:?}");
        }
        let long = format!("{}.pdf", "ä".repeat(300));
        let short = safe_file_name(&long, 100);
        assert!(short.len() <= 100 && short.ends_with("ä.pdf"), "{short}");
    }

    proptest! {
        #[test]
        fn safe_file_name_is_a_component(text in any::<String>(), max in 20_usize..150) {
            let name = safe_file_name(&text, max);
            prop_assert!(name.is_empty() || VaultPath::new(format!("x/{name}")).is_ok(), "{name:?}");
            prop_assert!(!name.contains(['/', '[', ']', '#', '^', '|']) && !name.starts_with('.'));
        }
    }
}
