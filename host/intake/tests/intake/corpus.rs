//! The fuzz target's claim, over its corpus and mutations of it, without a nightly compiler.

use std::{fs, path::Path};

use platinum_intake::mail::task::check;
use proptest::{prelude::*, sample::Index};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/mail_to_task");
    let mut mails: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    mails.sort();
    assert!(mails.len() >= 10, "the corpus is missing");
    mails
}

#[test]
fn every_mail_of_the_corpus_becomes_a_harmless_note() {
    for (name, mail) in corpus() {
        assert_eq!(check(&mail), Ok(()), "{name}");
    }
}

/// One change to a mail, where the indices point.
#[derive(Debug, Clone)]
enum Change {
    Cut(Index, Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index, u8),
    Flip(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        prop::sample::select(vec![
            "\r\n",
            "\n",
            "\r",
            "\r\n\r\n",
            "---\n",
            "```\n",
            "~~~~",
            "<%",
            "=?utf-8?b?",
            "?=",
            "\u{202e}",
            "\u{2028}",
            "\0",
            "--b\r\n",
            "--b--\r\n",
            "\"",
            "\\",
            "<",
            ">",
            ": ",
            "Content-Transfer-Encoding: base64\r\n",
            "Content-Type: text/html\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Cut(a, b)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(a, b, n)| Change::Repeat(a, b, n)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
    ]
}

fn span(a: Index, b: Index, length: usize) -> std::ops::Range<usize> {
    let (a, b) = (a.index(length + 1), b.index(length + 1));
    a.min(b)..a.max(b)
}

fn apply(mail: &mut Vec<u8>, change: Change) {
    match change {
        Change::Cut(a, b) => drop(mail.drain(span(a, b, mail.len()))),
        Change::Insert(at, piece) => {
            let at = at.index(mail.len() + 1);
            mail.splice(at..at, piece);
        }
        Change::Repeat(a, b, times) => {
            let span = span(a, b, mail.len());
            let piece = mail[span.start..span.end.min(span.start + 64)].repeat(times.into());
            mail.splice(span.end..span.end, piece);
        }
        Change::Flip(at, bits) if !mail.is_empty() => {
            let at = at.index(mail.len());
            mail[at] ^= bits;
        }
        Change::Flip(..) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_mutation_of_the_corpus_becomes_a_harmless_note(
        which in any::<Index>(),
        changes in prop::collection::vec(change(), 1..12),
    ) {
        let corpus = corpus();
        let mut mail = corpus[which.index(corpus.len())].1.clone();
        for change in changes {
            apply(&mut mail, change);
        }
        prop_assert_eq!(check(&mail), Ok(()));
    }
}
