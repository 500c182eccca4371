//! The one way to write a name: what different systems take for the same is the same here.

use platinum_text::is_hidden;
use unicode_normalization::UnicodeNormalization;

/// Longer components are judged by their start.
const MAX_CHARS: usize = 1024;

/// Ends that editors, backups and downloads add.
const ADDED_ENDS: [&str; 18] = [
    "~", ".swp", ".swo", ".swn", ".swx", ".bak", ".backup", ".tmp", ".temp", ".orig", ".save",
    ".sav", ".old", ".copy", ".crswap", ".part", "#", "-old",
];
/// Beginnings that editors and file managers add.
const ADDED_STARTS: [&str; 9] = [
    "._",
    ".#",
    "#",
    ".~lock.",
    "~$",
    "copy of ",
    "kopie von ",
    "backup of ",
    "old_",
];
/// Ends by which file managers count copies.
const COPY_WORDS: [&str; 4] = [" copy", " - copy", " - kopie", " kopie"];

/// One component of a path, in every form it is judged in.
pub(super) struct Component {
    /// The canonical name, and what remains of it without what editors add.
    pub(super) forms: Vec<String>,
    /// Whether it is the last one: a file's name.
    pub(super) is_last: bool,
}

/// The components of any text that could be a path.
pub(super) fn components(path: &str) -> Vec<Component> {
    let canonical: String = path.nfkc().filter(|c| !is_hidden(*c)).collect();
    let canonical: String = canonical.to_lowercase().nfkc().map(lookalike).collect();
    // A lower-cased capital with a dot above keeps the dot as a mark.
    let canonical = canonical.replace('\u{307}', "");
    let mut parts: Vec<&str> = canonical.split(['/', '\\']).collect();
    while parts.last().is_some_and(|part| trimmed(part).is_empty()) {
        parts.pop();
    }
    let last = parts.len().saturating_sub(1);
    let mut found = Vec::new();
    for (n, part) in parts.into_iter().enumerate() {
        // A colon names a stream of a file; each side is a name.
        for name in part.split(':') {
            let name: String = trimmed(name).chars().take(MAX_CHARS).collect();
            if !name.is_empty() {
                found.push(Component {
                    forms: forms(name),
                    is_last: n == last,
                });
            }
        }
    }
    found
}

/// The name, and again without each thing that an editor added.
fn forms(name: String) -> Vec<String> {
    let mut forms = vec![name];
    for _ in 0..8 {
        let Some(form) = forms.last().and_then(|form| stripped(form)) else {
            break;
        };
        forms.push(form);
    }
    forms
}

fn stripped(form: &str) -> Option<String> {
    let rest = ADDED_ENDS
        .iter()
        .find_map(|end| form.strip_suffix(end))
        .or_else(|| {
            ADDED_STARTS
                .iter()
                .find_map(|start| form.strip_prefix(start))
        })
        .map(str::to_owned)
        .or_else(|| without_copy_mark(form))?;
    let rest = trimmed(&rest);
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// `name (1).txt`, `name copy.txt`, `name.conflict-….txt`, `name.sync-conflict-….txt`
fn without_copy_mark(form: &str) -> Option<String> {
    let dot = form.rfind('.').filter(|dot| *dot > 0);
    let (stem, end) = form.split_at(dot.unwrap_or(form.len()));
    for mark in [".conflict-", ".sync-conflict-"] {
        if let Some(at) = stem.find(mark) {
            return Some(format!("{}{end}", &stem[..at]));
        }
    }
    if let Some(before) = COPY_WORDS.iter().find_map(|word| stem.strip_suffix(word)) {
        return Some(format!("{before}{end}"));
    }
    for whole in [form, stem] {
        let counted = whole.strip_suffix(')').and_then(|s| s.rsplit_once('('));
        if let Some((before, number)) = counted
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            let end = if whole.len() == form.len() { "" } else { end };
            return Some(format!("{}{end}", before.trim_end()));
        }
    }
    None
}

fn trimmed(name: &str) -> &str {
    name.trim_start_matches(|c: char| c.is_whitespace())
        .trim_end_matches(|c: char| c.is_whitespace() || c == '.' || c.is_control())
}

/// Letters of other alphabets that look like one of ours, in lower case.
fn lookalike(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'ѵ' | 'ν' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' => 'y',
        other => other,
    }
}
