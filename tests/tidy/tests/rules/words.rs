//! Names: no word of the list in `words.txt`, test names of at most 60 characters, no type's name
//! twice in one crate.

use std::collections::BTreeMap;

use crate::{
    agree, files,
    items::{Item, Kind, items},
    read,
};

/// The longest name of a test.
const MAX_TEST_NAME: usize = 60;
/// Where the list of words is.
const WORDS: &str = "tests/tidy/words.txt";

/// One line of the list.
#[derive(Debug)]
struct Word {
    is_type: bool,
    /// The name, or with `is_prefix` the start of the names.
    name: String,
    is_prefix: bool,
    /// What to write.
    instead: String,
}

impl Word {
    fn matches(&self, item: &Item) -> bool {
        self.is_type == (item.kind == Kind::Type)
            && (item.name == self.name || self.is_prefix && item.name.starts_with(&self.name))
    }
}

/// The list: `type` or `fn`, the name (with `*` at its end: all that begin so), what to write.
fn words(list: &str) -> Vec<Word> {
    let lines = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            let (kind, name, instead) = (parts.next(), parts.next(), parts.next());
            let (Some(kind @ ("type" | "fn")), Some(name), Some(instead)) = (kind, name, instead)
            else {
                panic!("{WORDS}: `{line}` is not `type|fn NAME INSTEAD`");
            };
            Word {
                is_type: kind == "type",
                name: name.trim_end_matches('*').to_owned(),
                is_prefix: name.ends_with('*'),
                instead: instead.to_owned(),
            }
        })
        .collect()
}

/// Every definition of the repository with its file.
fn definitions() -> Vec<(String, Item)> {
    let sources = files().into_iter().filter(|file| file.ends_with(".rs"));
    sources
        .flat_map(|file| {
            let found = items(&read(&file));
            found.into_iter().map(move |item| (file.clone(), item))
        })
        .collect()
}

#[test]
fn names_avoid_the_words_of_the_list() {
    let words = words(&read(WORDS));
    let mut complaints = vec![];
    for (file, item) in definitions() {
        if let Some(word) = words.iter().find(|word| word.matches(&item)) {
            complaints.push(format!(
                "{file}:{}: `{}`: {}",
                item.line, item.name, word.instead
            ));
        }
    }
    agree(
        "Use the field's term instead of a private word:",
        &complaints,
    );
}

#[test]
fn word_list_matches_whole_names_and_prefixes() {
    let words = words("# comment\n\ntype House `Host`\nfn settle* say what: reconcile, flush\n");
    let is_listed = |source: &str| {
        let item = &items(source)[0];
        words.iter().any(|word| word.matches(item))
    };
    assert!(is_listed("struct House;"));
    assert!(is_listed("fn settle() {}") && is_listed("async fn settle_all() {}"));
    assert!(!is_listed("struct HouseNumber;") && !is_listed("fn house() {}"));
    assert_eq!(words[0].instead, "`Host`");
}

#[test]
fn test_names_have_at_most_60_characters() {
    let complaints: Vec<_> = definitions()
        .into_iter()
        .filter(|(_, item)| item.is_test() && item.name.chars().count() > MAX_TEST_NAME)
        .map(|(file, item)| format!("{file}:{}: {}", item.line, item.name))
        .collect();
    agree(
        "Name a test `<unit>_<condition>_<expected>`; its sentence is a doc comment:",
        &complaints,
    );
}

#[test]
fn type_names_are_unique_within_a_crate() {
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (file, item) in definitions() {
        let Some((crate_folder, _)) = file.split_once("/src/") else {
            continue;
        };
        let is_program = file.contains("/src/bin/");
        if item.kind == Kind::Type && !item.in_test && !crate::is_test(&file) && !is_program {
            places
                .entry((crate_folder.to_owned(), item.name))
                .or_default()
                .push(format!("{file}:{}", item.line));
        }
    }
    let complaints: Vec<_> = places
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|((_, name), places)| format!("`{name}`: {}", places.join(", ")))
        .collect();
    agree("One name, one type within a crate:", &complaints);
}
