//! Generated histories: honest ones pass; of each that has a violation hidden in it exactly the
//! violation is found, and what is left without it is what honest commits alone would have made.

mod floods;
mod long;
mod notes;
mod renewed;
mod stolen;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    process::Stdio,
};

use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, Repo, Signer, Signers, SigningKey};
use platinum_testkit::notes::{as_note, draft_path, drafted_task};
use proptest::prelude::*;

use crate::{
    revert::TRAILER_REVERTS,
    verifier::{Perspective, Report, Verifier},
};

type Files = BTreeMap<String, String>;

pub(crate) fn key(agent: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed[..agent.len()].copy_from_slice(agent.as_bytes());
    SigningKey::from_seed(seed).unwrap()
}

fn role_of(agent: &str) -> Role {
    match agent {
        "local" => Role::Local,
        _ => Role::Cloud,
    }
}

fn at(path: &str) -> VaultPath {
    VaultPath::new(path).unwrap()
}

pub(crate) fn task(n: u64) -> String {
    format!("{}.md", TaskId::from_parts(n, 0))
}

/// A task's note.
pub(crate) fn note(front: &str, body: &str) -> String {
    let id = TaskId::from_parts(1, 1);
    format!(
        "---\nid: {id}\nkind: task\nzone: email\nsource: \"maildir:owner\"\nfrom: \"Ada\"\n\
         subject: \"Tea\"\ncreated: 2026-11-20T18:43:03Z\nby: \"intake\"\n{front}---\n{body}\n"
    )
}

/// The claim in one: every other one as older notes have it.
pub(crate) fn claim(agent: &str, epoch: u64, beat: u64) -> String {
    let id = ClaimId::from_parts(epoch, 1);
    if epoch.is_multiple_of(2) {
        return format!(
            "claim: {id}\nclaim-agent: {agent}\nclaim-epoch: {epoch}\nclaim-at: \
             2026-11-20T18:43:03Z\nclaim-base: \"\"\nclaim-beat: {beat}\n"
        );
    }
    format!(
        "claim:\n  id: {id}\n  agent: {agent}\n  epoch: {epoch}\n  at: 2026-11-20T18:43:03Z\n  \
         base: \"\"\n  beat: {beat}\n"
    )
}

/// So many commits are handed on at once, to have it met in every generated history.
const BATCH: usize = 3;

/// A repository with a history that grows.
pub(crate) struct Story {
    folder: tempfile::TempDir,
    pub(crate) repo: Repo,
    pub(crate) signers: Signers,
    pub(crate) base: Oid,
    pub(crate) tip: Oid,
    clock: i64,
}

impl Story {
    pub(crate) fn begin() -> Self {
        // Every object is synced to disk: in memory that costs nothing.
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let mut signers = Signers::default();
        for agent in ["local", "cloud", "cloud-2"] {
            let signer = Signer {
                agent: agent.parse().unwrap(),
                role: role_of(agent).into(),
                key: key(agent).public(),
            };
            signers.add(signer).unwrap();
        }
        let mut story = Self {
            folder,
            repo,
            signers,
            base: Oid::ZERO_SHA1,
            tip: Oid::ZERO_SHA1,
            clock: 1_795_000_000,
        };
        let payments = format!("Needs_Action/payments/{}", task(900));
        let waiting = format!("Needs_Action/email/{}", task(901));
        let owned = format!("In_Progress/cloud/{}", task(902));
        let done = format!("Done/2026/10/{}", task(903));
        let draft = draft_path("base");
        let drafted = drafted_task();
        let files: Vec<(&str, Option<&str>)> = [
            "Dashboard.md",
            "Company_Handbook.md",
            "Inbox/base.md",
            "Pending_Approval/base.md",
            &draft,
            "Done/2026/11/base.md",
            &payments,
            &waiting,
            &owned,
            &done,
        ]
        .into_iter()
        .map(|path| (path, Some("base")))
        .chain([(drafted.0.as_str(), Some(drafted.1.as_str()))])
        .collect();
        let base = story.write("local", None, &files);
        (story.base, story.tip) = (base, base);
        story
    }

    pub(crate) fn meta(&mut self, agent: &str, trailers: Vec<(String, String)>) -> CommitMeta {
        self.clock += 1;
        CommitMeta {
            agent: agent.parse().unwrap(),
            role: role_of(agent),
            message: "A commit".to_owned(),
            trailers,
            at: Timestamp::from_second(self.clock).unwrap(),
        }
    }

    /// A commit with these edits; where an agent may create only notes, the texts are in such.
    pub(crate) fn write(
        &mut self,
        agent: &str,
        on: Option<Oid>,
        edits: &[(&str, Option<&str>)],
    ) -> Oid {
        let noted: Vec<(&str, Option<String>)> = edits
            .iter()
            .map(|(path, text)| (*path, text.map(|text| as_note(path, text))))
            .collect();
        let edits: Vec<_> = noted
            .iter()
            .map(|(path, text)| (*path, text.as_deref()))
            .collect();
        self.write_raw(agent, on, &edits)
    }

    /// A commit with these edits and their very texts.
    pub(crate) fn write_raw(
        &mut self,
        agent: &str,
        on: Option<Oid>,
        edits: &[(&str, Option<&str>)],
    ) -> Oid {
        let signing = self.repo.clone().signing_with(key(agent));
        let meta = self.meta(agent, Vec::new());
        signing.commit(on, &edits_of(edits), &meta).unwrap()
    }

    /// A commit on the tip.
    pub(crate) fn commit(&mut self, agent: &str, edits: &[(&str, Option<&str>)]) -> Oid {
        let tip = self.tip;
        self.tip = self.write(agent, Some(tip), edits);
        self.tip
    }

    pub(crate) fn judge_as(&self, perspective: Perspective, from: Option<Oid>, to: Oid) -> Report {
        self.judge_in(BATCH, perspective, from, to).0
    }

    /// As [`Story::judge_as`], in stretches of so many commits; and where those ended.
    pub(crate) fn judge_in(
        &self,
        batch: usize,
        perspective: Perspective,
        from: Option<Oid>,
        to: Oid,
    ) -> (Report, Vec<Oid>) {
        let mut passed = Vec::new();
        let report = Verifier {
            repo: &self.repo,
            perspective,
            signers: &self.signers,
            own: Some(&key("local").public()),
            batch,
        }
        .verify_range(from, to, &mut |at, _| {
            passed.push(at);
            Ok(())
        });
        (report.unwrap(), passed)
    }

    pub(crate) fn open(&self) -> BTreeSet<String> {
        let report = self.judge_as(Perspective::Local, Some(self.base), self.tip);
        report.open.into_iter().map(|v| v.commit).collect()
    }

    /// Answers what was found, as local does.
    pub(crate) fn revert(&mut self) {
        let report = self.judge_as(Perspective::Local, Some(self.base), self.tip);
        let named = report.open.iter();
        let trailers = named
            .map(|v| (TRAILER_REVERTS.to_owned(), v.commit.clone()))
            .collect();
        let meta = self.meta("local", trailers);
        let signing = self.repo.clone().signing_with(key("local"));
        self.tip = signing
            .commit_over(Some(self.tip), report.base, &report.clean, &meta)
            .unwrap();
    }

    pub(crate) fn files(&self, commit: Oid) -> Files {
        let files = self.repo.tree_files(commit).unwrap();
        files
            .into_iter()
            .map(|(path, blob)| {
                let bytes = self.repo.read_blob(blob, 1 << 20).unwrap();
                (path.to_string(), String::from_utf8(bytes).unwrap())
            })
            .collect()
    }

    /// Runs git's own client in the repository.
    pub(crate) fn git(&self, args: &[&OsStr], stdin: &[u8]) -> String {
        self.git_of("cloud", args, stdin)
    }

    /// As [`Story::git`], signing as another agent.
    fn git_of(&self, agent: &str, args: &[&OsStr], stdin: &[u8]) -> String {
        use std::io::Write as _;
        let key_file = self.folder.path().join(format!("{agent}_key"));
        if !key_file.exists() {
            key(agent).save(&key_file).unwrap();
        }
        let mut signing = OsString::from("user.signingKey=");
        signing.push(&key_file);
        let mut child = std::process::Command::new("git")
            .args(["-c", "gpg.format=ssh", "-c"])
            .arg(signing)
            .args(args)
            .env("GIT_DIR", self.repo.git_dir())
            .env("GIT_INDEX_FILE", self.folder.path().join("index"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "x")
            .env("GIT_AUTHOR_EMAIL", "x@x.invalid")
            .env("GIT_COMMITTER_NAME", "x")
            .env("GIT_COMMITTER_EMAIL", "x@x.invalid")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        self.git(&args, b"")
    }

    /// A commit of the cloud's, with its signature, that no honest program makes.
    pub(crate) fn by_hand(&mut self, tree: &str, parents: &[Oid]) -> Oid {
        self.by_hand_of("cloud", tree, parents)
    }

    /// As [`Story::by_hand`], by another agent.
    pub(crate) fn by_hand_of(&mut self, agent: &str, tree: &str, parents: &[Oid]) -> Oid {
        let role = role_of(agent);
        let message = format!("By hand\n\nPlatinum-Agent: {agent}\nPlatinum-Role: {role}");
        let mut args = vec!["commit-tree".to_owned(), "-S".to_owned(), tree.to_owned()];
        for parent in parents {
            args.extend(["-p".to_owned(), parent.to_string()]);
        }
        args.extend(["-m".to_owned(), message]);
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        self.tip = Repo::oid(&self.git_of(agent, &args, b"")).unwrap();
        self.tip
    }

    /// The tip's tree with one raw entry more.
    fn tree_with(&self, mode: &str, name: &[u8]) -> String {
        let blob = self.git(
            &["hash-object", "-w", "--stdin"].map(OsStr::new),
            b"elsewhere",
        );
        let oid = match mode {
            "160000" => "1".repeat(40),
            _ => blob,
        };
        self.run(&["read-tree", &self.tip.to_string()]);
        let mut entry = format!("{mode},{oid},").into_bytes();
        entry.extend_from_slice(name);
        let entry = OsStr::from_bytes(&entry);
        let args = ["update-index", "--add", "--replace", "--cacheinfo"].map(OsStr::new);
        self.git(&[&args[..], &[entry]].concat(), b"");
        self.run(&["write-tree"])
    }

    /// The tip's tree with a folder of plans that has one name twice, which git does not write.
    fn tree_with_doubled_entry(&self) -> String {
        let mut folder = Vec::new();
        for text in [&b"one"[..], b"two"] {
            let blob = self.git(&["hash-object", "-w", "--stdin"].map(OsStr::new), text);
            folder.extend_from_slice(b"100644 evil.md\0");
            folder.extend_from_slice(Repo::oid(&blob).unwrap().as_bytes());
        }
        let args = ["hash-object", "-t", "tree", "-w", "--stdin", "--literally"];
        let folder = self.git(&args.map(OsStr::new), &folder);
        let listed = self.run(&["ls-tree", &self.tip.to_string()]);
        let mut root: Vec<_> = listed
            .lines()
            .filter(|line| !line.ends_with("\tPlans"))
            .map(str::to_owned)
            .collect();
        root.push(format!("040000 tree {folder}\tPlans"));
        let root = root.join("\n") + "\n";
        self.git(&["mktree"].map(OsStr::new), root.as_bytes())
    }

    /// Whether what a kind of violation takes away is there.
    fn is_possible(&self, kind: u8) -> bool {
        let there = |path: &str| self.repo.blob_at(self.tip, &at(path)).unwrap().is_some();
        match kind {
            3 => there(&draft_path("base")),
            5 => there("Inbox/base.md"),
            7 | 8 | 34 => there(&format!("Needs_Action/payments/{}", task(900))),
            10 => there(&format!("In_Progress/cloud/{}", task(902))),
            // What is there already is no change of it, and all else in it is right.
            20 => !there("Approved/evil.md"),
            _ => true,
        }
    }

    pub(crate) fn tree_of(&self, commit: Oid) -> String {
        self.run(&["rev-parse", &format!("{commit}^{{tree}}")])
    }
}

pub(crate) fn edits_of(edits: &[(&str, Option<&str>)]) -> Vec<(VaultPath, Edit)> {
    edits
        .iter()
        .map(|(path, text)| {
            let edit = text.map_or(Edit::Delete, |text| Edit::Put(text.into()));
            (at(path), edit)
        })
        .collect()
}

/// What an honest half does; every file has a name of its own.
pub(crate) fn honest(story: &mut Story, what: u8, n: u64) {
    let cloud = match what % 2 {
        0 => "cloud",
        _ => "cloud-2",
    };
    let body = format!("text {n}");
    let text = Some(body.as_str());
    let named = |folder: &str| format!("{folder}/note_{n}.md");
    let waiting = format!("Needs_Action/email/{}", task(n));
    let owned = format!("In_Progress/{cloud}/{}", task(n));
    match what / 2 {
        0 => drop(story.commit("local", &[(&named("Inbox"), text)])),
        1 => drop(story.commit("local", &[("Dashboard.md", text)])),
        2 => drop(story.commit(
            "local",
            &[(&named("Approved"), text), ("Inbox/base.md", text)],
        )),
        3 => drop(story.commit(cloud, &[(&named("Plans"), text)])),
        4 => drop(story.commit(cloud, &[(&draft_path(&body), text)])),
        5 => drop(story.commit(cloud, &[(&named(&format!("Updates/{cloud}")), text)])),
        end => {
            let (claimed, beaten) = (claim(cloud, 1, 0), claim(cloud, 1, 1));
            story.commit(cloud, &[(&waiting, Some(&note("", "task")))]);
            let claimed = note(&claimed, "task");
            story.commit(cloud, &[(&waiting, None), (&owned, Some(&claimed))]);
            let text = body.as_str();
            story.commit(cloud, &[(&owned, Some(&note(&beaten, text)))]);
            let (to, front) = match end {
                6 => (format!("Done/2026/11/{}", task(n)), beaten),
                _ => (waiting, "last-epoch: 1\n".to_owned()),
            };
            story.commit(cloud, &[(&owned, None), (&to, Some(&note(&front, text)))]);
        }
    }
}

/// The kinds of [`violate`].
pub(crate) const KINDS: u8 = 38;

/// Hides one violation in the history; reverts the commits that may not be.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(crate) fn violate(story: &mut Story, kind: u8) -> Vec<Oid> {
    let x = Some("evil");
    let payments = format!("Needs_Action/payments/{}", task(900));
    let own_900 = format!("In_Progress/cloud/{}", task(900));
    let own_902 = format!("In_Progress/cloud/{}", task(902));
    let waiting = format!("Needs_Action/email/{}", task(901));
    let done_900 = format!("Done/2026/11/{}", task(900));
    let copy = "conflict-cloud-20261120T184303123Z-0123abcd";
    let one =
        |story: &mut Story, edits: &[(&str, Option<&str>)]| vec![story.commit("cloud", edits)];
    match kind {
        0 => one(story, &[("Approved/evil.md", x)]),
        1 => vec![
            story.commit("cloud", &[("Approved/evil.md", x)]),
            story.commit("cloud", &[("Approved/evil.md", None)]),
        ],
        2 => one(story, &[("Pending_Approval/base.md", x)]),
        // Right by itself, once the first is done.
        3 => vec![
            story.commit("cloud", &[(&draft_path("base"), None)]),
            story.commit("cloud", &[(&draft_path("base"), x)]),
        ],
        4 => one(story, &[("Dashboard.md", x)]),
        5 => one(story, &[("Inbox/base.md", None)]),
        6 => one(story, &[("Done/2026/11/base.md", x)]),
        7 => one(story, &[(&payments, None)]),
        8 => one(story, &[(&payments, None), (&own_900, x)]),
        9 => vec![
            story.commit("cloud", &[(&own_900, x)]),
            story.commit("cloud", &[(&own_900, None), (&done_900, x)]),
        ],
        10 => one(story, &[(&own_902, None)]),
        11 => one(story, &[("In_Progress/cloud-2/evil.md", x)]),
        12 => one(story, &[("Updates/local/evil.md", x)]),
        13 => one(story, &[(&waiting, x)]),
        14 => one(story, &[(".obsidian/plugins/x/main.js", x)]),
        15 => one(story, &[("Pending_Approval/BASE.md", x)]),
        16 => one(story, &[("pending_approval/evil.md", x)]),
        17 => one(
            story,
            &[("Plans/stra\u{df}e.md", x), ("Plans/STRASSE.md", x)],
        ),
        18 => one(story, &[(&format!("Approved/base.{copy}.md"), x)]),
        19 => one(story, &[(&format!("Dashboard.{copy}.md"), x)]),
        20 => {
            let names: Vec<String> = (0..20).map(|n| format!("Plans/among_{n}.md")).collect();
            let mut edits: Vec<_> = names.iter().map(|name| (name.as_str(), x)).collect();
            edits.insert(11, ("Approved/evil.md", x));
            one(story, &edits)
        }
        // Not signed, by an unknown signer, or by another than it says.
        21 => {
            let meta = story.meta("local", Vec::new());
            let edits = edits_of(&[("Inbox/evil.md", x)]);
            story.tip = story.repo.commit(Some(story.tip), &edits, &meta).unwrap();
            vec![story.tip]
        }
        22 => vec![story.commit("stranger", &[("Plans/evil.md", x)])],
        23 => {
            let meta = story.meta("local", Vec::new());
            let edits = edits_of(&[("Approved/evil.md", x)]);
            let signing = story.repo.clone().signing_with(key("cloud"));
            story.tip = signing.commit(Some(story.tip), &edits, &meta).unwrap();
            vec![story.tip]
        }
        // The signature of an honest commit of local's, on another tree.
        24 => {
            let tree = story.tree_with("100644", b"Approved/evil.md");
            let raw = story.run(&["cat-file", "commit", &story.base.to_string()]);
            let (_, rest) = raw.split_once('\n').unwrap();
            let forged = format!("tree {tree}\nparent {}\n{rest}\n", story.tip);
            let args = ["hash-object", "-t", "commit", "-w", "--stdin"].map(OsStr::new);
            story.tip = Repo::oid(&story.git(&args, forged.as_bytes())).unwrap();
            vec![story.tip]
        }
        // Signed by the cloud, of trees that no honest program writes.
        25..=30 => {
            let long = format!("Plans/{}.md", "x".repeat(220));
            let (mode, name): (&str, &[u8]) = match kind {
                25 => ("100755", b"Pending_Approval/base.md"),
                26 => ("120000", b"Plans/link.md"),
                27 => ("160000", b"Plans/sub"),
                28 => ("100644", b"Plans/bad\xff.md"),
                29 => ("100644", long.as_bytes()),
                _ => ("120000", b"Inbox/base.md"),
            };
            let tree = story.tree_with(mode, name);
            let tip = story.tip;
            vec![story.by_hand(&tree, &[tip])]
        }
        // A task that waits, is owned or is done cannot be made again: not even after it was taken
        // away, which may not be.
        31 => one(story, &[(&format!("Needs_Action/social/{}", task(901)), x)]),
        32 => one(story, &[(&format!("Needs_Action/social/{}", task(902)), x)]),
        33 => one(story, &[(&format!("Needs_Action/social/{}", task(903)), x)]),
        34 => vec![
            story.commit("cloud", &[(&payments, None)]),
            story.commit(
                "cloud",
                &[(&format!("Needs_Action/social/{}", task(900)), x)],
            ),
        ],
        // A folder that two readers could take for two things.
        35 => {
            let tree = story.tree_with_doubled_entry();
            let tip = story.tip;
            vec![story.by_hand(&tree, &[tip])]
        }
        // A side line with an approval, merged; and a merge of nothing.
        36 => {
            let tip = story.tip;
            let side = story.write("cloud", Some(story.base), &[("Approved/evil.md", x)]);
            story.tip = side;
            let tree = story.tree_of(tip);
            vec![side, story.by_hand(&tree, &[side, tip])]
        }
        _ => {
            let tip = story.tip;
            let side = story.write("local", Some(story.base), &[]);
            let tree = story.tree_of(tip);
            vec![story.by_hand(&tree, &[tip, side])]
        }
    }
}

/// A violation between honest commits: found and reverted, and nothing else is.
fn found_and_undone(kind: u8, before: &[u8], after: &[u8]) -> Result<(), TestCaseError> {
    let mut alone = Story::begin();
    let mut story = Story::begin();
    let mut n = 0;
    for what in before {
        n += 1;
        honest(&mut alone, *what, n);
        honest(&mut story, *what, n);
    }
    let bad: BTreeSet<String> = violate(&mut story, kind)
        .iter()
        .map(Oid::to_string)
        .collect();
    for what in after {
        n += 1;
        honest(&mut alone, *what, n);
        honest(&mut story, *what, n);
    }
    prop_assert_eq!(&story.open(), &bad, "kind {}", kind);
    let evil = story.tip;
    story.revert();
    prop_assert_eq!(story.open(), BTreeSet::new(), "kind {} is reverted", kind);
    prop_assert_eq!(
        story.files(story.tip),
        alone.files(alone.tip),
        "kind {}",
        kind
    );
    // The other half finds the same, and a server lets nothing of it in.
    let cloud = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
    let reverted: BTreeSet<_> = cloud.reverted.into_iter().map(|v| v.commit).collect();
    prop_assert!(cloud.open.is_empty());
    prop_assert_eq!(&reverted, &bad);
    let server = story.judge_as(Perspective::Server, Some(story.base), evil);
    prop_assert!(!server.open.is_empty());
    // What comes after is verified as ever.
    let healed = story.tip;
    honest(&mut story, 6, n + 1);
    let report = story.judge_as(Perspective::Cloud, Some(healed), story.tip);
    prop_assert!(report.open.is_empty());
    Ok(())
}

#[test]
fn every_kind_of_violation_is_found_and_reverted() {
    for kind in 0..KINDS {
        if let Err(failed) = found_and_undone(kind, &[6], &[2, 12]) {
            panic!("{failed}");
        }
    }
}

pub(crate) fn honest_ops() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..16, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn honest_histories_pass(ops in prop::collection::vec(0_u8..16, 1..12)) {
        let mut story = Story::begin();
        for (n, what) in (1..).zip(&ops) {
            honest(&mut story, *what, n);
        }
        for (perspective, from) in [
            (Perspective::Local, Some(story.base)),
            (Perspective::Cloud, Some(story.base)),
            (Perspective::Server, Some(story.base)),
            (Perspective::Local, None),
            (Perspective::Cloud, None),
            (Perspective::Server, None),
        ] {
            let report = story.judge_as(perspective, from, story.tip);
            prop_assert!(report.open.is_empty(), "{perspective:?} {from:?} {report:?}");
            prop_assert!(report.reverted.is_empty() && report.unproven.is_empty());
        }
    }

    #[test]
    fn hidden_violation_is_found_and_reverted(
        kind in 0..KINDS,
        before in honest_ops(),
        after in honest_ops(),
    ) {
        found_and_undone(kind, &before, &after)?;
    }

    #[test]
    fn several_violations_are_reverted_at_once(
        kinds in prop::collection::btree_set(0_u8..34, 2..4),
        ops in honest_ops(),
    ) {
        let mut alone = Story::begin();
        let mut story = Story::begin();
        let mut n = 0;
        for kind in kinds {
            // A file of one violation may be in the way of another's.
            prop_assume!(story.is_possible(kind));
            violate(&mut story, kind);
            for what in &ops {
                n += 1;
                honest(&mut alone, *what, n);
                honest(&mut story, *what, n);
            }
        }
        prop_assert!(!story.open().is_empty());
        story.revert();
        prop_assert_eq!(story.open(), BTreeSet::new());
        prop_assert_eq!(story.files(story.tip), alone.files(alone.tip));
    }
}

#[test]
fn file_over_the_limit_is_a_violation() {
    let mut story = Story::begin();
    let large = "x".repeat(platinum_policy::MAX_FILE_BYTES + 1);
    let base = story.base;
    let commit = story.write_raw("cloud", Some(base), &[("Plans/large.md", Some(&large))]);
    story.tip = commit;
    let report = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
    assert_eq!(report.open.len(), 1);
    assert_eq!(
        report.open[0].to_string(),
        format!(
            "commit {} is not applied: Plans/large.md has 33554433 bytes; 33554432 is the most",
            &commit.to_string()[..12]
        )
    );
}

#[test]
fn cloud_commit_cannot_revert_its_own_violation() {
    let mut story = Story::begin();
    let bad = story.commit("cloud", &[("Approved/evil.md", Some("send"))]);
    let trailers = vec![(TRAILER_REVERTS.to_owned(), bad.to_string())];
    let meta = story.meta("cloud", trailers);
    let signing = story.repo.clone().signing_with(key("cloud"));
    let edits = edits_of(&[("Approved/evil.md", None)]);
    story.tip = signing.commit(Some(story.tip), &edits, &meta).unwrap();
    assert_eq!(story.open().len(), 2);
}

#[test]
fn revert_before_the_violation_does_not_count() {
    let mut story = Story::begin();
    let bad = story.write(
        "cloud",
        Some(story.base),
        &[("Approved/evil.md", Some("send"))],
    );
    // Signed by local and naming it, but not after it.
    let meta = story.meta("local", vec![(TRAILER_REVERTS.to_owned(), bad.to_string())]);
    let signing = story.repo.clone().signing_with(key("local"));
    let named = signing.commit(Some(story.base), &[], &meta).unwrap();
    let tree = story.tree_of(bad);
    let merge = story.by_hand(&tree, &[named, bad]);
    let expected = [bad, merge].iter().map(Oid::to_string).collect();
    assert_eq!(story.open(), expected);
}
