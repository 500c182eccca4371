//! The claims of the fuzz targets, over their corpora and mutations of them, on a stable compiler: so
//! no target stops to build or to hold unnoticed between two runs of the fuzzer.
//!
//! Lives elsewhere: the claims themselves, beside the targets that feed them, are in `fuzz/`.

use std::{fs, path::Path};

use platinum_testkit::seed;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

#[path = "../../../../fuzz/claims/actions.rs"]
mod actions;
#[path = "../../../../fuzz/claims/packed.rs"]
mod archive;
#[path = "../../../../fuzz/claims/browser_pages.rs"]
mod browser_pages;
#[path = "../../../../fuzz/claims/component_loading.rs"]
mod component_loading;
#[path = "../../../../fuzz/claims/draft_note.rs"]
mod draft_note;
#[path = "../../../../fuzz/claims/einvoice.rs"]
mod einvoice;
#[path = "../../../../fuzz/claims/invoice_text.rs"]
mod invoice_text;
#[path = "../../../../fuzz/claims/journal_rows.rs"]
mod journal_rows;
#[path = "../../../../fuzz/claims/mail_to_task.rs"]
mod mail_to_task;
#[path = "../../../../fuzz/claims/mcp_results.rs"]
mod mcp_results;
#[path = "../../../../fuzz/claims/porcelain.rs"]
mod porcelain;
#[path = "../../../../fuzz/claims/secrets.rs"]
mod secrets;
#[path = "../../../../fuzz/claims/signatures.rs"]
mod signatures;
#[path = "../../../../fuzz/claims/social_posts.rs"]
mod social_posts;
#[path = "../../../../fuzz/claims/whatsapp_webhook.rs"]
mod whatsapp_webhook;

/// Each target: its claim, and how many mutations are tried.
type Claim = (&'static str, fn(&[u8]), usize);
const CLAIMS: [Claim; 15] = [
    ("actions", actions::check, 500),
    ("browser_pages", browser_pages::check, 500),
    ("component_loading", component_loading::check, 200),
    ("draft_note", draft_note::check, 300),
    ("einvoice", einvoice::check, 300),
    ("invoice_text", invoice_text::check, 500),
    // Each is a journal on the disk.
    ("journal_rows", journal_rows::check, 20),
    ("mail_to_task", mail_to_task::check, 100),
    ("mcp_results", mcp_results::check, 500),
    ("packed", archive::check, 100),
    ("porcelain", porcelain::check, 500),
    ("secrets", secrets::check, 100),
    ("signatures", signatures::check, 100),
    ("social_posts", social_posts::check, 500),
    ("whatsapp_webhook", whatsapp_webhook::check, 500),
];

/// The names of the entries of a folder of the fuzz targets, sorted.
fn entries(folder: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz")
        .join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let names = entries(&format!("corpus/{target}")).into_iter();
    names
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

/// No target is left out here, and none is without a corpus.
#[test]
fn fuzz_targets_each_have_a_claim_and_a_corpus() {
    let names = CLAIMS.map(|(name, ..)| name);
    let targets = names.map(|name| format!("{name}.rs"));
    assert_eq!(entries("fuzz_targets"), targets);
    assert_eq!(entries("corpus"), names);
    for name in names {
        assert!(!corpus(name).is_empty(), "{name}");
    }
}

#[test]
fn fuzz_claims_hold_over_corpus_and_mutations() {
    let mut random = StdRng::seed_from_u64(seed());
    for (target, check, mutations) in CLAIMS {
        let inputs = corpus(target);
        for (name, input) in &inputs {
            println!("{target}: {name}");
            check(input);
        }
        for _ in 0..mutations {
            let input = mutated(&inputs, &mut random);
            println!("{target}: {}", input.escape_ascii());
            check(&input);
        }
    }
}

/// One of the inputs with a few changes: bytes changed, pieces taken out, doubled, or put in from
/// another input.
fn mutated(inputs: &[(String, Vec<u8>)], random: &mut StdRng) -> Vec<u8> {
    let pick = |random: &mut StdRng| inputs[random.random_range(0..inputs.len())].1.clone();
    let mut input = pick(random);
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=input.len());
        let end = (at + random.random_range(0..=16)).min(input.len());
        match random.random_range(0..4) {
            0 => drop(input.drain(at..end)),
            1 => {
                let piece = input[at..end].repeat(random.random_range(1..=8));
                input.splice(at..at, piece);
            }
            2 => {
                let other = pick(random);
                let from = random.random_range(0..=other.len());
                let to = (from + random.random_range(0..=32)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = random.random();
                }
            }
        }
    }
    input
}
