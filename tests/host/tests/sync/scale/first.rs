//! A first sync: what it costs until a vault is on the remote, and in the vault of another host.
//! A vault of a few hundred files in every run; `PLATINUM_NOTES=3000` is what people have.

use std::{
    fs,
    time::{Duration, Instant},
};

use platinum_testkit::git::GitServer;
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};

use crate::races::replica::{Replica, replica};

/// What a first sync may take, of 3,000 notes in the build that tests use.
const LONGEST: Duration = Duration::from_secs(300);

/// Of so many notes.
fn notes() -> usize {
    let notes = std::env::var("PLATINUM_NOTES").ok();
    notes.and_then(|notes| notes.parse().ok()).unwrap_or(200)
}

/// Every file and its bytes.
fn files(host: &Replica) -> Vec<(String, Vec<u8>)> {
    let entries = host.vault.walk().unwrap().into_iter();
    let read = |entry: platinum_vault::Entry| {
        let bytes = fs::read(host.root().join(entry.path.as_str())).unwrap();
        (entry.path.to_string(), bytes)
    };
    entries.map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_sync_brings_every_file_to_another_host() {
    let server = GitServer::start().unwrap();
    let (owner, other) = (replica(&server, "local"), replica(&server, "cloud"));
    let (notes, mut rng) = (notes(), StdRng::seed_from_u64(7));
    let attachments = notes * 238 / 1000;
    for number in 0..notes + attachments {
        let (folder, name, bytes) = match number.checked_sub(notes) {
            None => {
                let words = (0..rng.random_range(20..900)).map(|_| rng.random_range(0..3000));
                let text: Vec<String> = words.map(|word| format!("word{word}")).collect();
                let text = format!("---\ntitle: Note {number}\n---\n{}\n", text.join(" "));
                let folder = ["Plans/Projects", "Inbox/Old", "Done/2024/05"][number % 3];
                (folder, format!("note {number}.md"), text.into_bytes())
            }
            Some(number) => {
                let mut bytes = vec![0; rng.random_range(10_000..200_000)];
                rng.fill_bytes(&mut bytes);
                bytes.splice(0..8, *b"\x89PNG\r\n\x1a\n");
                ("Inbox/Files", format!("file {number}.png"), bytes)
            }
        };
        fs::create_dir_all(owner.root().join(folder)).unwrap();
        fs::write(owner.root().join(folder).join(name), bytes).unwrap();
    }
    let began = Instant::now();
    // What was written this moment is waited out.
    while owner.sync.sync().await.unwrap().waiting > 0 {
        assert!(began.elapsed() < LONGEST, "files still wait");
    }
    let there = began.elapsed();
    let began = Instant::now();
    other.sync.sync().await.unwrap();
    println!(
        "FIGURE: {notes} notes and {attachments} attachments: {there:?} to the remote, {:?} to the other host",
        began.elapsed()
    );
    assert_eq!(files(&owner).len(), notes + attachments);
    assert!(files(&owner) == files(&other), "the vaults differ");
}
