//! The people: the owner in the local vault, and someone (or a program) in the cloud's, who
//! change, delete and rename files and save again and again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use platinum_host_tests::oracle::Editor;
use platinum_testkit::notes::as_note;
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::partition::cluster::pause;

/// Between two things a person does.
const THINKING: std::ops::Range<u64> = 20..500;
/// A file this large is sent for a while.
const LARGE: usize = 6_000_000;

/// Edits until told to stop. `shared` is a file that both sides may write.
pub(crate) fn owner(editor: &Editor, random: &mut StdRng, stop: &AtomicBool, shared: &str) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let path = format!("Inbox/{}.md", random.random_range(0..12));
        let text = format!("Version {number} of {path}.\n");
        match random.random_range(0..12) {
            0..=3 => editor.save(&path, text),
            4 => editor.overwrite(&path, text),
            5 => drop(editor.delete(&path)),
            6 => {
                let to = format!("Inbox/moved/{}.md", random.random_range(0..6));
                editor.rename(&path, &to);
            }
            7 => {
                for again in 0..8 {
                    editor.save(
                        &path,
                        format!("{text}Save {again} of a quick succession.\n"),
                    );
                    pause(Duration::from_millis(15));
                }
            }
            8 => editor.save("Company_Handbook.md", format!("Be kind, rule {number}.\n")),
            9 => editor.save("Inbox/large.txt", format!("{number} ").repeat(LARGE / 4)),
            _ => append(editor, shared, &format!("The owner's thought {number}.\n")),
        }
        pause(Duration::from_millis(random.random_range(THINKING)));
    }
}

/// What may be written in the cloud's vault: new plans and updates, and the cloud's own tasks.
pub(crate) fn guest(editor: &Editor, random: &mut StdRng, stop: &AtomicBool, shared: &str) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let folder = ["Plans", "Updates/cloud"].choose(random).unwrap();
        match random.random_range(0..4) {
            0 => {
                let path = format!("{folder}/n{number}.md");
                let note = as_note(&path, &format!("Note {number}.\n"));
                editor.save(&path, note);
            }
            _ => append(editor, shared, &format!("The cloud's thought {number}.\n")),
        }
        pause(Duration::from_millis(random.random_range(THINKING) * 2));
    }
}

/// Adds a line to a note as it is now.
fn append(editor: &Editor, path: &str, line: &str) {
    if let Some(text) = editor.read(path) {
        editor.save(path, text + line);
    }
}
