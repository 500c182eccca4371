//! What `docs/security.md` claims is proven: every row of its tables names a test, and every test that
//! it names exists.

use std::collections::BTreeSet;

use crate::{agree, files, read};

/// The page.
const PAGE: &str = "docs/security.md";
/// What the last column of a table of claims is called.
const PROOF: &str = "proven by";
/// Those whom the page is about, as its headings name them.
const ATTACKERS: [&str; 7] = [
    "A mail",
    "The model",
    "The cloud host with its key",
    "The remote",
    "A third party's skill",
    "Another program of the owner's",
    "A second device that writes the vault",
];

/// The names of all test functions in the text of a source file.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        let attribute = line.strip_prefix("#[");
        if let Some(attribute) = attribute {
            let name = attribute.split([']', '(']).next().unwrap_or_default();
            is_test |= name == "test" || name.ends_with("::test");
            return None;
        }
        let declared = line.strip_prefix("async ").unwrap_or(line);
        let name = declared.strip_prefix("fn ")?.split(['(', '<']).next()?;
        std::mem::take(&mut is_test).then_some(name)
    })
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Whether a text between backquotes is the name of a test: several words in lower case.
fn is_test_name(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(is_word) && text.matches('_').count() >= 2
}

/// What is wrong with the tables of claims in `page`, if these tests exist.
fn unproven(page: &str, tests: &BTreeSet<&str>) -> Vec<String> {
    let mut complaints = vec![];
    let mut is_of_claims = false;
    for (number, line) in page.lines().enumerate() {
        let place = format!("{PAGE}:{}", number + 1);
        let named: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        for name in named.iter().filter(|name| is_test_name(name)) {
            if !tests.contains(name) {
                complaints.push(format!("{place}: there is no test `{name}`"));
            }
        }
        let Some(cells) = cells(line) else {
            is_of_claims = false;
            continue;
        };
        if cells.last() == Some(&PROOF) {
            is_of_claims = true;
            continue;
        }
        let is_rule = cells.iter().all(|cell| cell.chars().all(|c| c == '-'));
        if is_of_claims && !is_rule {
            let proof = cells.last().copied().unwrap_or_default();
            if !proof.split('`').skip(1).step_by(2).any(is_test_name) {
                complaints.push(format!("{place}: the claim names no test"));
            }
        }
    }
    complaints
}

#[test]
fn claims_of_security_md_name_tests_that_exist() {
    let texts: Vec<String> = files()
        .iter()
        .filter(|file| file.ends_with(".rs"))
        .map(|file| read(file))
        .collect();
    let tests: BTreeSet<&str> = texts.iter().flat_map(|text| tests_in(text)).collect();
    assert!(tests.len() > 1_000, "{} tests were found", tests.len());
    let page = read(PAGE);
    agree(
        "Every claim is proven by a test that exists:",
        &unproven(&page, &tests),
    );
    for attacker in ATTACKERS {
        let (_, section) = page
            .split_once(&format!("\n### {attacker}\n"))
            .unwrap_or_else(|| panic!("{PAGE} has no section `{attacker}`"));
        let section = section.split("\n#").next().unwrap_or_default();
        for side in ["\n| can |", "\n| cannot |"] {
            assert!(section.contains(side), "{attacker}: no row {}", side.trim());
        }
    }
}

#[test]
fn unproven_names_gone_tests_and_claims_without_one() {
    let source = "\
#[test]
fn one_thing_is_so() {}
#[tokio::test(flavor = \"multi_thread\")]
#[ignore]
async fn another_thing_is_so() {}
fn no_test_at_all() {}
";
    let tests: BTreeSet<&str> = tests_in(source).collect();
    assert_eq!(
        tests,
        BTreeSet::from(["one_thing_is_so", "another_thing_is_so"])
    );
    let page = "\
| | what | proven by |
|---|---|---|
| can | a | `one_thing_is_so`, `another_thing_is_so` |
| can | b | by reading `log` |
| can | c | `no_test_at_all` |

| what | where |
|---|---|
| d | nowhere |

Free text may name `a_test_that_is_gone`, and `some_path/x.rs` is none.
";
    assert_eq!(
        unproven(page, &tests),
        [
            "docs/security.md:4: the claim names no test",
            "docs/security.md:5: there is no test `no_test_at_all`",
            "docs/security.md:11: there is no test `a_test_that_is_gone`",
        ]
    );
}
