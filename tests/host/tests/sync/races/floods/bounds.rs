//! Trees at and over each bound of a path, from both sides: what one half lets in, the other can bear,
//! and no half ever stops.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _};

use platinum_core::{MAX_COMPONENT_BYTES, MAX_DEPTH, MAX_PATH_BYTES, VaultPath};
use platinum_testkit::{git::GitServer, seed};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{cloud_puts, cluster, sync_until_quiet};
use crate::races::intruders::messages;

// How many clusters, and how many paths of each side in each.
const CLUSTERS: usize = 4;
const OWNERS: usize = 10;
const CLOUDS: usize = 5;

/// A path below a folder, near one of the bounds or beyond.
fn path_in(top: &str, number: usize, random: &mut StdRng) -> String {
    let near = |bound: usize, random: &mut StdRng| bound - 2 + random.random_range(0..5);
    match random.random_range(0..6) {
        0 => {
            let depth = near(MAX_DEPTH, random);
            let folders = format!("{number}/").repeat(depth - 2);
            format!("{top}/{folders}x.md")
        }
        1 => format!(
            "{top}/{}.md",
            repeat_to("x", near(MAX_COMPONENT_BYTES, random) - 4, number)
        ),
        2 => format!(
            "{top}/{}.md",
            repeat_to("漢", near(MAX_COMPONENT_BYTES, random) - 4, number)
        ),
        3 => {
            let part = repeat_to("y", MAX_COMPONENT_BYTES, number);
            let used = top.len() + 2 * (part.len() + 1) + 1;
            let name = repeat_to("z", near(MAX_PATH_BYTES, random) - used - 3, number);
            format!("{top}/{part}/{part}/{name}.md")
        }
        4 => {
            let odd = [
                "e\u{301}",
                "What?",
                "a:b",
                "CON",
                "x.md.",
                " x",
                "tab\t",
                "zero\u{200B}",
            ];
            format!(
                "{top}/{number}/{}.md",
                odd[random.random_range(0..odd.len())]
            )
        }
        _ => format!("{top}/{number}/plain {number}.md"),
    }
}

/// So many bytes or a few less, of one letter; different for each number.
fn repeat_to(letter: &str, bytes: usize, number: usize) -> String {
    let number = number.to_string();
    letter.repeat((bytes - number.len()) / letter.len()) + &number
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_at_and_over_each_bound_stop_no_half() {
    let mut random = StdRng::seed_from_u64(seed());
    for _ in 0..CLUSTERS {
        let server = GitServer::start().unwrap();
        let (owner, cloud) = cluster(&server).await;
        let mut written = Vec::new();
        for number in 0..OWNERS {
            let path = path_in("Inbox", number, &mut random);
            let file = owner.root().join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &path).unwrap();
            written.push(path);
        }
        let not_text = OsString::from_vec(b"Inbox/caf\xe9.md".to_vec());
        fs::write(owner.root().join(not_text), "x").unwrap();
        owner.write("Inbox/ordinary.md", "of the owner\n");
        sync_until_quiet(&[&owner, &cloud]).await;
        for number in 0..CLOUDS {
            cloud_puts(&server, &path_in("Plans", number, &mut random));
            owner.write(&format!("Inbox/after {number}.md"), "after\n");
            cloud.write(&format!("In_Progress/cloud/{number}.md"), "of the cloud\n");
            sync_until_quiet(&[&owner, &cloud]).await;
        }
        let withheld = owner.sync.sync().await.unwrap().withheld;
        for path in &written {
            let is_named = || {
                let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
                let valid = folders.take_while(|folder| VaultPath::new(*folder).is_ok());
                let folder = valid.last().unwrap_or("Inbox");
                withheld.iter().any(|one| one.path.is_within(folder))
            };
            match VaultPath::new(path.as_str()) {
                Ok(_) => assert_eq!(cloud.read(path).as_deref(), Some(path.as_str())),
                Err(why) => assert!(is_named(), "{path:?} ({why}) is not in {withheld:?}"),
            }
        }
        let not_text = withheld
            .iter()
            .any(|one| one.reason.contains("is not UTF-8"));
        assert!(not_text, "{withheld:?}");
        assert_eq!(owner.files(), cloud.files(), "{:?}", messages(&owner));
        let all = owner.files();
        for number in 0..CLOUDS {
            assert!(all.contains_key(&format!("In_Progress/cloud/{number}.md")));
            assert!(all.contains_key(&format!("Inbox/after {number}.md")));
        }
    }
}
