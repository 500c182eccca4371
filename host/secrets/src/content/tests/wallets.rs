//! The words of wallets' keys, and lists of codes.

use bip39::Mnemonic;
use proptest::prelude::*;

use super::kind;
use crate::Kind;

/// The words of a key from a seed.
fn words(count: usize, seed: u8) -> Vec<&'static str> {
    let bytes: Vec<u8> = (0_u8..32)
        .take(count / 3 * 4)
        .map(|n| n.wrapping_mul(37).wrapping_add(seed.wrapping_mul(101)) ^ 0x5A)
        .collect();
    Mnemonic::from_entropy(&bytes).unwrap().words().collect()
}

/// The words in columns, downwards.
fn columns(words: &[&str], wide: usize, numbered: bool) -> String {
    let rows = words.len() / wide;
    let line = |row: usize| {
        let cells = (0..wide).map(|column| {
            let n = column * rows + row;
            if numbered {
                format!("{:>2}. {:<9}", n + 1, words[n])
            } else {
                format!("{:<9}", words[n])
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    (0..rows).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn seed_phrase_is_found_in_every_layout() {
    for (seed, count) in (0..).zip([12, 15, 18, 21, 24]) {
        let list = words(count, seed);
        let line = list.join(" ");
        let titled: Vec<String> = list
            .iter()
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect();
        let numbered: Vec<String> = list
            .iter()
            .enumerate()
            .map(|(n, word)| format!("{}. {word}", n + 1))
            .collect();
        let table: Vec<String> = list
            .iter()
            .enumerate()
            .map(|(n, word)| format!("| {} | {word} |", n + 1))
            .collect();
        for text in [
            line.clone(),
            line.to_uppercase(),
            format!("My wallet seed phrase: {line}\n"),
            format!("My wallet\n\n> {line}\n\nKeep it.\n"),
            format!("The words are \"{line}\"."),
            format!("seed = `{line}`"),
            titled.join(" "),
            list.join(", "),
            list.join("\n"),
            format!("Ledger\n\n- {}\n\nThat is all of them.", list.join("\n- ")),
            list.join("\r\n"),
            numbered.join("\n"),
            numbered.join(" "),
            numbered.join("\r\n").replace(". ", ") "),
            table.join("\n"),
            format!("[\"{}\"]", list.join("\", \"")),
            columns(&list, 3, false),
            columns(&list, 3, true),
            format!(
                "{}\n\n{}",
                list[..count / 3].join(" "),
                list[count / 3..].join(" ")
            ),
        ] {
            assert_eq!(kind(&text), Some(Kind::SeedPhrase), "{text}");
        }
    }
    let (first, second) = (words(12, 8), words(12, 9));
    let both = format!("{}\n{}\n", first.join(" "), second.join(" "));
    assert_eq!(kind(&both), Some(Kind::SeedPhrase));
}

#[test]
fn words_without_a_checksum_are_ordinary() {
    let mut swapped = words(12, 3);
    swapped.swap(1, 2);
    let sorted = {
        let mut list = words(24, 4);
        list.sort_unstable();
        list
    };
    let list = bip39::Language::English.word_list();
    for text in [
        swapped.join(" "),
        sorted.join("\n"),
        list.join("\n"),
        words(12, 5)[..11].join(" "),
        format!("{}about", "abandon ".repeat(11)),
        format!(
            "{} and {}",
            words(12, 6)[..6].join(" "),
            words(12, 6)[6..].join(" ")
        ),
    ] {
        assert_eq!(kind(&text), None, "{text:.200}");
    }
}

#[test]
fn seed_phrase_finding_names_it() {
    let text = format!("A note.\n{}\n", words(12, 7).join(" "));
    let found = super::SCANNER.content(text.as_bytes()).unwrap();
    assert_eq!(
        found.to_string(),
        "line 2 holds the words of a wallet's key (a seed phrase); take it out, and the file is synced by itself"
    );
}

#[test]
fn recovery_codes_are_found_near_their_word() {
    let github: Vec<String> = (0..16)
        .map(|n| format!("{:05x}-{:05x}", 0x1a2b3 + n * 7919, 0x9c8d1 - n * 6101))
        .collect();
    let google: Vec<String> = (0..10)
        .map(|n| format!("{:04} {:04}", 1234 + n * 731, 9876 - n * 613))
        .collect();
    let hex: Vec<String> = (0..8_u64)
        .map(|n| format!("{:010x}", 0x1a2b_3c4d5e + n * 77_777_777))
        .collect();
    for text in [
        format!("GitHub recovery codes\n\n{}\n", github.join("\n")),
        format!("# Recovery codes\n\n- {}\n", github.join("\n- ")),
        format!("Wiederherstellungscodes:\n{}", github.join("\r\n")),
        format!("{}\n\nThese are my backup codes.", github.join("\n")),
        format!(
            "SAVE YOUR BACKUP CODES\nKeep these somewhere safe.\n\n1. {}",
            google.join("\n2. ")
        ),
        format!(
            "Backup codes:\n{}  {}\n{}  {}\n{}  {}",
            google[0], google[1], google[2], google[3], google[4], google[5]
        ),
        format!("Backup codes\n- [ ] {}", google.join("\n- [x] ")),
        format!("recovery codes: \n{}", hex.join("\n")),
        format!("recovery codes\n{}", hex.join(" ")),
        format!(
            "Sicherungscodes\n| Code | Used |\n|---|---|\n{}",
            github
                .iter()
                .map(|c| format!("| `{c}` | |\n"))
                .collect::<String>()
        ),
    ] {
        assert_eq!(kind(&text), Some(Kind::Password), "{text}");
    }
    for text in [
        "Print your recovery codes and put them into the safe.".to_owned(),
        format!("Recovery codes: {}\n", github[0]),
        format!("Order numbers\n\n{}\n", github.join("\n")),
        "Backup codes were used on\n2026-11-20\n2026-11-21\n2026-11-22\n2026-11-23\n2026-11-24\n"
            .to_owned(),
        "The backup code writes\n20261120\n20261121\n20261122\n20261123\n20261124\n20261125\n"
            .to_owned(),
        "Recovery codes by phone: 089 123456\nAnna\nBen\nCarla\nDora\nEmil\nFritz 12345678\n"
            .to_owned(),
    ] {
        assert_eq!(kind(&text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn key_between_other_lines_is_found(
        entropy in prop::collection::vec(any::<u8>(), 16..=16),
        before in "[a-z ,.]{0,40}", after in "[A-Z][a-z ,.]{0,40}",
    ) {
        let words: Vec<_> = Mnemonic::from_entropy(&entropy).unwrap().words().collect();
        let mut distinct = words.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assume!(distinct.len() >= 9 && words != distinct);
        let text = format!("{before}\n\n{}\n\n{after}", words.join(" "));
        prop_assert_eq!(kind(&text), Some(Kind::SeedPhrase));
    }
}
