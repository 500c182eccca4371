//! What is allowed at its place, and what changes of it are held again.

use crate::{Allowances, AllowedPlace, AllowedPlaces, Kind, KnownSecrets, Scanner};

const PATH: &str = "Inbox/a.md";

/// A scanner for which everything that is held now is allowed, and how many places that took.
fn allowing(text: &str) -> (Scanner, usize) {
    let scanner = Scanner::default();
    let findings = scanner.findings(PATH, text.as_bytes());
    let places: Vec<AllowedPlace> = findings.iter().filter_map(|(_, place)| *place).collect();
    assert_eq!(places.len(), findings.len(), "{findings:?}");
    scanner.allow_places(&AllowedPlaces::from_iter(places.clone()));
    (scanner, places.len())
}

fn holds(scanner: &Scanner, text: &str) -> bool {
    scanner.content_at(PATH, text.as_bytes()).is_some()
}

#[test]
fn allowed_line_passes_until_it_or_its_path_changes() {
    let text = "# A\n\nPassword: Tr0ub4dor&3x\nend\n";
    let (scanner, places) = allowing(text);
    assert_eq!(places, 1);
    assert!(!holds(&scanner, text));
    // Lines around it may change, and it may move within the note.
    assert!(!holds(&scanner, &format!("more\n{text}more\n")));
    assert!(holds(&scanner, &text.replace("3x", "4x")));
    assert!(holds(&scanner, &format!("{text}Password: An0ther&One7\n")));
    assert!(scanner.content_at("Inbox/b.md", text.as_bytes()).is_some());
    assert!(scanner.content(text.as_bytes()).is_some());
}

#[test]
fn allowed_password_below_its_word_is_held_when_it_changes() {
    for text in [
        "## Password\n\nTr0ub4dor&3x\n",
        "Zugangsdaten:\nann\nTr0ub4dor&3x\n",
        "| user | password |\n|---|---|\n| ann | Tr0ub4dor&3x |\n",
    ] {
        let (scanner, _) = allowing(text);
        assert!(!holds(&scanner, text), "{text}");
        assert!(holds(&scanner, &text.replace("3x", "4x")), "{text}");
    }
    // A further row of an allowed table is none that was looked at.
    let table = "| user | password |\n|---|---|\n| ann | Tr0ub4dor&3x |\n";
    let (scanner, _) = allowing(table);
    assert!(holds(&scanner, &format!("{table}| bob | An0ther&One7 |\n")));
}

#[test]
fn allowed_line_in_utf16_is_held_when_it_changes() {
    let text = |password: &str| -> Vec<u8> {
        let text = format!("\u{feff}# A\nPassword: {password}\n");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let scanner = Scanner::default();
    let found = scanner.findings(PATH, &text("Tr0ub4dor&3x"));
    let place = found[0].1.unwrap();
    scanner.allow_places(&AllowedPlaces::from_iter([place]));
    assert_eq!(scanner.content_at(PATH, &text("Tr0ub4dor&3x")), None);
    assert!(scanner.content_at(PATH, &text("Tr0ub4dor&4x")).is_some());
}

#[test]
fn allowed_line_with_a_known_secret_is_held() {
    let text = "Password: Tr0ub4dor&3x\n";
    let mut known = KnownSecrets::new([7; 32]);
    let (scanner, _) = allowing(text);
    known.add(b"Tr0ub4dor&3x");
    scanner.know(known);
    let found = scanner.content_at(PATH, text.as_bytes()).unwrap();
    assert_eq!(found.kind, Kind::Known);
    assert_eq!(scanner.findings(PATH, text.as_bytes()), [(found, None)]);
}

#[test]
fn allowed_place_reads_as_it_displays() {
    let place = AllowedPlace::of_lines(PATH, 3, b"x");
    assert_eq!(format!("{place} {PATH}:1").parse(), Ok(place));
    for wrong in ["", "password", "place:1:ff", "place:x:", "place:1"] {
        assert!(wrong.parse::<AllowedPlace>().is_err(), "{wrong}");
    }
    let allowances = Allowances::parse(&["iban".to_owned(), place.to_string()]).unwrap();
    assert_eq!(*allowances.places(), AllowedPlaces::from_iter([place]));
}
