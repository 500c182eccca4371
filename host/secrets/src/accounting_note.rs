//! [`is_accounting_note`]: the notes in which the number of a bank account is no secret.
//!
//! A bill says where it is paid to, and whoever sends one wants that known. A task of the zone `accounting` holds it, and
//! so does the draft of its document, which its owner compares it in: withheld, no bill with an account could be claimed.
//! Decided by the note itself, so that every host and a server's hook decide alike. Every other kind of secret is one
//! there, too.

/// How much of a note is looked at for its properties, in bytes.
const MAX_FRONT: usize = 64 * 1024;
/// The line before and behind the properties of a note.
const FENCE: &str = "---";
/// A task's property, and those of the drafts.
const PROPERTIES: [(&str, &str); 3] = [
    ("zone", "accounting"),
    ("action", "odoo-post"),
    ("action", "odoo-payment"),
];

/// Whether these bytes are a note whose properties say that it is a task, or a draft, of accounting.
pub(crate) fn is_accounting_note(bytes: &[u8]) -> bool {
    let front = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_FRONT)]);
    let mut lines = front.lines().map(str::trim_end);
    if lines.next() != Some(FENCE) {
        return false;
    }
    let properties = lines.take_while(|line| *line != FENCE);
    let mut pairs = properties.filter_map(|line| line.split_once(':'));
    pairs.any(|(name, value)| {
        let value = value.trim().trim_matches(['"', '\'']);
        PROPERTIES.contains(&(name, value))
    })
}

#[cfg(test)]
mod tests {
    use crate::{Kind, Scanner};

    const BILL: &str = "Seller IBAN: DE89370400440532013000\n";

    fn found(note: &str) -> Option<Kind> {
        Scanner::default()
            .content(note.as_bytes())
            .map(|finding| finding.kind)
    }

    #[test]
    fn account_in_a_note_of_accounting_is_no_secret() {
        for front in [
            "id: task_1\nkind: task\nzone: accounting\n",
            "zone: \"accounting\"\r\n",
            "kind: draft\naction: odoo-post\n",
            "action: odoo-payment\n",
        ] {
            assert_eq!(found(&format!("---\n{front}---\n{BILL}")), None, "{front}");
        }
    }

    #[test]
    fn account_elsewhere_is_a_secret() {
        for start in [
            "",
            "zone: accounting\n",
            "---\nzone: email\n---\nzone: accounting\n",
            "---\naction: email-send\n---\n",
            "---\nfacts:\n  zone: accounting\n---\n",
            "---\nzone: accounting-like\n---\n",
            "\n---\nzone: accounting\n---\n",
        ] {
            assert_eq!(
                found(&format!("{start}{BILL}")),
                Some(Kind::Iban),
                "{start}"
            );
        }
    }

    #[test]
    fn other_secrets_in_a_note_of_accounting_are_found() {
        let note = format!("---\nzone: accounting\n---\n{BILL}password = Tr0ub4dor&3x\n");
        assert_eq!(found(&note), Some(Kind::Password));
    }
}
