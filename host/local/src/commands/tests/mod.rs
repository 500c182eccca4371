//! The commands, as a person calls them, on a vault in a temporary folder.

mod allow;
mod approving;
mod claims_of_sync;
mod conflicts;
mod held;
mod invoices;
mod names;
mod posts;
mod skills;
mod unreadable;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use clap::Parser;
use platinum_core::{Action, DraftId, EmailSend, Role, TaskId, Timestamp, ZoneId};
use platinum_daemon::Config;
use platinum_vault::note::{DraftNote, Note, ReceiptRecord, TaskNote, finish};

use super::{Command, CommandError, Context, Kind, Paint, approve::ApprovalStore};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder with a vault, a state folder and a configuration, or none of them yet.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// What `platinum --config … args` prints, and how it ends.
    async fn tries(&self, args: &[&str]) -> (String, Result<(), CommandError>) {
        let line = Line::try_parse_from(std::iter::once("platinum").chain(args.iter().copied()));
        let kept = Kept::default();
        let ctx = Context {
            config: self.path("config/local.toml"),
            paint: Paint::none(),
            out: Mutex::new(Box::new(kept.clone())),
        };
        let ended = line.unwrap().command.run(&ctx).await;
        let printed = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        (printed, ended)
    }

    async fn does(&self, args: &[&str]) -> String {
        let (printed, ended) = self.tries(args).await;
        ended.unwrap_or_else(|error| panic!("{args:?}: {error}\n{printed}"));
        printed
    }

    async fn fails(&self, args: &[&str]) -> CommandError {
        self.tries(args).await.1.expect_err("the command fails")
    }

    async fn init(&self) {
        let (vault, state) = (self.path("vault"), self.path("state"));
        self.does(&[
            "init",
            vault.to_str().unwrap(),
            "--state",
            state.to_str().unwrap(),
        ])
        .await;
    }

    async fn ready() -> Self {
        let home = Self::new();
        home.init().await;
        home
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path("vault").join(below)).unwrap()
    }

    /// Puts a draft into `Pending_Approval/` and gives its bytes.
    fn pending(&self, draft: &DraftNote) -> String {
        let text = draft.render();
        let path = self.path(&format!("vault/Pending_Approval/{}.md", draft.id));
        fs::write(path, &text).unwrap();
        // What it answers.
        let path = self.path(&format!("vault/In_Progress/cloud/{}.md", draft.task));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let task = TaskNote {
            id: draft.task,
            ..task()
        };
        fs::write(path, task.render()).unwrap();
        text
    }
}

fn mail(body: &str) -> EmailSend {
    EmailSend {
        from_account: "owner".to_owned(),
        to: vec!["Ada <ada@example.test>".to_owned()],
        cc: vec![],
        bcc: vec![],
        subject: "Re: Desks".to_owned(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
        body: body.to_owned(),
    }
}

fn draft(random: u128, body: &str) -> DraftNote {
    DraftNote {
        id: DraftId::from_parts(1_700_000_000_000, random),
        created: "2026-11-20T18:00:00Z".parse().unwrap(),
        by: "cloud cloud-draft-email".to_owned(),
        task: TaskId::from_parts(1, 1),
        epoch: None,
        action: Action::new(&mail(body)),
        summary: "Reply to Ada about the desks".to_owned(),
        reason: "She asks when they come".to_owned(),
        expires: Timestamp::from_second(Timestamp::now().as_second() + 30 * 86_400).unwrap(),
        doubts: vec![],
    }
}

fn id_end(draft: &DraftNote) -> String {
    let id = draft.id.to_string();
    id[id.len() - 6..].to_owned()
}

/// A component that imports these interfaces and exports the first as its handler. It can be read,
/// but not started.
fn component(imports: &[&str]) -> Vec<u8> {
    fn name(text: &str) -> Vec<u8> {
        [&[0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }
    fn section(id: u8, count: usize, items: &[u8]) -> Vec<u8> {
        let mut size = items.len() + 1;
        let mut bytes = vec![id];
        while size > 0x7f {
            bytes.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
            size >>= 7;
        }
        bytes.extend([u8::try_from(size).unwrap(), u8::try_from(count).unwrap()]);
        bytes.extend(items);
        bytes
    }
    let imported: Vec<u8> = imports
        .iter()
        .flat_map(|import| [name(import), vec![5, 0]].concat())
        .collect();
    let handler = [name("platinum:skill/handler@0.1.0"), vec![5, 0, 0]].concat();
    [
        b"\0asm\x0d\0\x01\0".to_vec(),
        section(7, 1, &[0x42, 0]),
        section(10, imports.len(), &imported),
        section(11, 1, &handler),
    ]
    .concat()
}

#[tokio::test]
async fn init_makes_a_vault_that_status_can_read() {
    let home = Home::ready().await;
    for folder in [
        "Inbox",
        "Needs_Action",
        "Pending_Approval",
        "Approved",
        "Done",
        "Updates",
    ] {
        assert!(home.path("vault").join(folder).is_dir(), "{folder}");
    }
    assert!(
        home.read("Company_Handbook.md")
            .starts_with("# Company handbook")
    );
    assert!(home.read("Dashboard.md").starts_with("# Dashboard"));
    assert!(
        home.read(".gitignore")
            .lines()
            .any(|line| line == ".obsidian/")
    );
    let status = home.does(&["status"]).await;
    assert!(status.contains("agent    local, role local\n"), "{status}");
    assert!(status.contains("drafts   none waits for you\n"), "{status}");
    assert!(!status.contains('\u{1b}'), "no colours without a terminal");
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(home.path("config/local.toml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn init_keeps_existing_files_and_configuration() {
    let home = Home::new();
    fs::create_dir(home.path("vault")).unwrap();
    fs::write(home.path("vault/Company_Handbook.md"), "mine").unwrap();
    fs::write(home.path("vault/.gitignore"), "mine\n.obsidian/").unwrap();
    let (vault, state) = (home.path("vault"), home.path("state"));
    let [vault, state] = [vault.to_str().unwrap(), state.to_str().unwrap()];
    let args = ["init", vault, "--state", state];
    let error = home.fails(&args).await;
    assert_eq!(error.message, "nobody can be asked here");
    home.does(&[args.as_slice(), &["--yes"]].concat()).await;
    assert_eq!(home.read("Company_Handbook.md"), "mine");
    let ignored = home.read(".gitignore");
    assert!(
        ignored.starts_with("mine\n.obsidian/\n# >>> platinum: what must not"),
        "{ignored}"
    );
    assert!(ignored.contains("\n.env\n") && ignored.ends_with("# <<< platinum\n"));

    let again = home.path("other");
    let error = home.fails(&["init", again.to_str().unwrap()]).await;
    assert_eq!(error.kind, Kind::Conflict);
    assert!(!again.exists());
}

#[tokio::test]
async fn init_with_state_inside_the_vault_is_refused() {
    let home = Home::new();
    let (vault, state) = (home.path("vault"), home.path("vault/state"));
    let error = home
        .fails(&[
            "init",
            vault.to_str().unwrap(),
            "--state",
            state.to_str().unwrap(),
        ])
        .await;
    assert_eq!(error.kind, Kind::Usage);
    assert!(!vault.exists());
}

#[tokio::test]
async fn command_without_configuration_suggests_init() {
    let error = Home::new().fails(&["approvals"]).await;
    assert_eq!((error.kind, error.exit_code()), (Kind::Config, 2));
    assert!(
        error.to_string().contains("platinum init <vault>"),
        "{error}"
    );
}

#[tokio::test]
async fn approvals_shows_drafts_without_control_characters() {
    let home = Home::ready().await;
    assert_eq!(home.does(&["approvals"]).await, "Nothing waits for you.\n");
    let mut odd = mail("Dear Ada,\n\nthey come\u{202e} on Monday.\n");
    odd.subject = "Re: Desks\u{1b}[2J".to_owned();
    home.pending(&DraftNote {
        action: Action::new(&odd),
        ..draft(1, "")
    });
    fs::write(home.path("vault/Pending_Approval/note to self.md"), "x").unwrap();
    let shown = home.does(&["approvals"]).await;
    for line in [
        "1 draft waits for you.",
        "  summary  Reply to Ada about the desks",
        "  to       Ada <ada@example.test>",
        r"  subject  Re: Desks\u{1b}[2J",
        r"  │ they come\u{202e} on Monday.",
        "To decide: platinum approve 000001, platinum reject 000001, or move the file to Approved/ or Rejected/.",
        "1 file in Pending_Approval/ not named by a draft's id: Pending_Approval/note to self.md",
    ] {
        assert!(shown.contains(line), "{line}\nnot in\n{shown}");
    }
    assert!(!shown.contains(['\u{1b}', '\u{202e}']));
}

/// The draft may be named by either end of its id.
#[tokio::test]
async fn approve_moves_the_draft_unchanged() {
    let home = Home::ready().await;
    let draft = draft(7, "Monday.\n");
    let bytes = home.pending(&draft);
    let printed = home
        .does(&["approve", &id_end(&draft).to_lowercase()])
        .await;
    assert!(
        printed.starts_with(&format!("Approved {}.\n", draft.id)),
        "{printed}"
    );
    assert!(printed.contains("Ada <ada@example.test>"));
    assert_eq!(home.read(&format!("Approved/{}.md", draft.id)), bytes);
    assert!(
        !home
            .path(&format!("vault/Pending_Approval/{}.md", draft.id))
            .exists()
    );
    let error = home.fails(&["approve", &draft.id.to_string()]).await;
    assert_eq!(error.kind, Kind::NotFound);
}

#[tokio::test]
async fn ambiguous_or_short_id_decides_nothing() {
    let home = Home::ready().await;
    let (one, two) = (draft(1, "a"), draft(2, "b"));
    home.pending(&one);
    home.pending(&two);
    let start = &one.id.to_string()[.."draft_".len() + 10];
    let error = home.fails(&["approve", start]).await;
    assert!(
        error.message.starts_with("2 drafts have an id like"),
        "{error}"
    );
    assert_eq!(home.fails(&["reject", "001"]).await.kind, Kind::Usage);
    assert_eq!(
        fs::read_dir(home.path("vault/Pending_Approval"))
            .unwrap()
            .count(),
        2
    );
}

/// Gaps, an expired draft and a broken file are refused.
#[tokio::test]
async fn approve_of_an_unusable_draft_is_refused() {
    let home = Home::ready().await;
    let gaps = draft(1, "Hello,\n[[answer]]\n");
    let mut expired = draft(2, "late");
    expired.expires = "2026-01-01T00:00:00Z".parse().unwrap();
    home.pending(&gaps);
    home.pending(&expired);
    let broken = draft(3, "x");
    fs::write(
        home.path(&format!("vault/Pending_Approval/{}.md", broken.id)),
        broken.render().replace("action: ", "action: x"),
    )
    .unwrap();
    let mut unaddressed = draft(4, "x");
    unaddressed.action = Action::new(&EmailSend {
        to: vec!["[✎ address of Ada]".to_owned()],
        ..mail("x")
    });
    home.pending(&unaddressed);
    for (draft, says) in [
        (&gaps, "gaps"),
        (&unaddressed, "a field of"),
        (&expired, "expired at"),
        (&broken, "cannot be carried out as it is"),
    ] {
        let error = home.fails(&["approve", &id_end(draft)]).await;
        assert_eq!(error.kind, Kind::Refused);
        assert!(error.message.contains(says), "{error}");
    }
    assert_eq!(
        fs::read_dir(home.path("vault/Approved")).unwrap().count(),
        0
    );
    let unaddressed = ["approve", &id_end(&unaddressed), "--with-gaps"];
    let error = home.fails(&unaddressed).await;
    assert!(error.message.contains("is still a gap"), "{error}");
    home.does(&["approve", &id_end(&gaps), "--with-gaps"]).await;
    assert!(
        home.does(&["approvals"])
            .await
            .contains("expired: an approval no longer counts")
    );
}

#[tokio::test]
async fn reject_keeps_the_reason_and_the_text() {
    let home = Home::ready().await;
    let draft = draft(9, "Monday.\n");
    home.pending(&draft);
    home.does(&[
        "reject",
        &id_end(&draft),
        "--reason",
        "We are closed:\non Mondays",
    ])
    .await;
    let text = home.read(&format!("Rejected/{}.md", draft.id));
    let note = Note::parse(&text).unwrap();
    assert_eq!(
        note.get_text("rejected-because"),
        Some("We are closed: on Mondays")
    );
    assert_eq!(DraftNote::parse(&text).unwrap(), draft);
}

#[tokio::test]
async fn approvals_full_shows_every_recipient_and_line() {
    let home = Home::ready().await;
    let line = format!("{}the last words", "long ".repeat(200));
    let mut crowded = draft(9, &line);
    let mut mail: EmailSend = crowded.action.read().unwrap();
    mail.bcc = (0..20).map(|n| format!("b{n}@example.test")).collect();
    crowded.action = Action::new(&mail);
    home.pending(&crowded);
    let shown = home.does(&["approvals"]).await;
    assert!(shown.contains("and 12 more"), "{shown}");
    let shown = home.does(&["approvals", "--full"]).await;
    assert!(
        shown.contains("b19@example.test") && shown.contains("the last words"),
        "{shown}"
    );
    // None of them wrote to the owner: it is shown, and has to be confirmed.
    let id = crowded.id.to_string();
    let error = home.fails(&["approve", &id]).await.to_string();
    let digest = error.rsplit("--confirm ").next().unwrap().trim();
    let shown = home.does(&["approve", &id, "--confirm", digest]).await;
    assert!(shown.contains("b19@example.test"), "{shown}");
    let finding = "bcc 20: b19@example.test did not write the mail that is answered";
    assert!(shown.contains(finding), "{shown}");
}

#[tokio::test]
async fn approve_of_a_forbidden_attachment_is_refused() {
    let home = Home::ready().await;
    let mut bad = draft(9, "See the rules.\n");
    let mut mail: EmailSend = bad.action.read().unwrap();
    mail.attachments = vec![platinum_core::VaultPath::new("Company_Handbook.md").unwrap()];
    bad.action = Action::new(&mail);
    home.pending(&bad);
    let error = home.fails(&["approve", &bad.id.to_string()]).await;
    assert!(
        error.message.contains("Company_Handbook.md cannot leave"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn unknown_outcome_is_shown_with_its_remedy() {
    use platinum_journal::{Intent, Journal};
    let home = Home::ready().await;
    let doubtful = draft(9, "Yes.\n");
    fs::create_dir_all(home.path("state")).unwrap();
    let journal = Journal::open(&home.path("state/journal.db")).unwrap();
    journal
        .intend(&Intent {
            draft: doubtful.id,
            task: doubtful.task,
            kind: doubtful.action.kind(),
            fingerprint: "f".into(),
            message: None,
            reference: "r@example.test".into(),
            recipients: vec![],
            at: Timestamp::now(),
            notes_hand_over: true,
        })
        .unwrap();
    journal.hand_over(doubtful.id).unwrap();
    let path = home.path(&format!("vault/Approved/{}.md", doubtful.id));
    fs::write(path, doubtful.render()).unwrap();
    let shown = home.does(&["approvals"]).await;
    assert!(
        shown.contains("may have happened") && shown.contains("closes it"),
        "{shown}"
    );
    let shown = home.does(&["status"]).await;
    assert!(shown.contains("(1 in doubt:"), "{shown}");
}

#[tokio::test]
async fn resolve_ends_a_doubt_and_nothing_else() {
    use platinum_journal::{Intent, Outcome, State};
    let home = Home::ready().await;
    let config = Config::load(&home.path("config/local.toml"), Role::Local).unwrap();
    let journal = ApprovalStore::open(&config).unwrap().journal;
    let intent = |n| {
        let draft = draft(n, "Yes.\n");
        Intent {
            draft: draft.id,
            task: draft.task,
            kind: draft.action.kind(),
            fingerprint: "f".into(),
            message: None,
            reference: format!("{n}@example.test"),
            recipients: vec![],
            at: Timestamp::now(),
            notes_hand_over: true,
        }
    };
    let unknown = Outcome::Unknown {
        reason: "lost".into(),
    };
    for n in 1..4 {
        journal.intend(&intent(n)).unwrap();
        journal.hand_over(intent(n).draft).unwrap();
    }
    let ids: Vec<String> = (1..4).map(|n| intent(n).draft.to_string()).collect();
    let error = home.fails(&["resolve", &ids[2], "--went-out"]).await;
    assert_eq!(
        error.message,
        format!("{} is being sent, or was when the daemon ended", ids[2])
    );
    for n in 1..3 {
        journal.record(intent(n).draft, &unknown).unwrap();
    }
    // One of the two, and not both.
    home.does(&["resolve", &ids[0], "--went-out"]).await;
    home.does(&["resolve", &ids[1], "--send-again"]).await;
    assert!(matches!(
        journal.state(intent(1).draft).unwrap(),
        State::Done(_, receipt) if receipt.answer == "no answer; the owner says that it went out"
    ));
    assert!(matches!(
        journal.state(intent(2).draft).unwrap(),
        State::LetGo(_)
    ));
    for id in &ids[..2] {
        let error = home.fails(&["resolve", id, "--send-again"]).await;
        assert_eq!(
            error.message,
            format!("no draft in doubt has an id like `{id}`")
        );
    }
}

#[tokio::test]
async fn status_counts_tasks_and_drafts_by_folder() {
    let home = Home::ready().await;
    let waiting = draft(1, "x");
    let path = home.path(&format!("vault/Pending_Approval/{}.md", waiting.id));
    fs::write(path, waiting.render()).unwrap();
    let task = task();
    let place = home.path("vault/In_Progress/cloud");
    fs::create_dir(&place).unwrap();
    fs::write(place.join(format!("{}.md", task.id)), task.render()).unwrap();
    let made = |home: &Home| {
        let entries = fs::read_dir(home.path("state")).unwrap();
        entries
            .map(|e| e.unwrap().file_name())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let before = made(&home);
    let status = home.does(&["status"]).await;
    for line in [
        "tasks    0 waiting, 1 in progress (0 here), 0 done this month\n",
        "drafts   1 waits for you (`platinum approvals`)\n",
        "daemon   not running; `platinum run` starts it\n",
        "remote   none: this host works alone\n",
        "journal  empty: nothing was sent yet\n",
    ] {
        assert!(status.contains(line), "{line}not in\n{status}");
    }
    assert_eq!(made(&home), before, "showing makes nothing");
}

fn task() -> TaskNote {
    TaskNote {
        id: TaskId::from_parts(5, 5),
        zone: ZoneId::EMAIL,
        source: "maildir:owner".to_owned(),
        from: "Ada <ada@example.test>".to_owned(),
        subject: "Desks".to_owned(),
        received: None,
        created: "2026-11-20T18:00:00Z".parse().unwrap(),
        by: "cloud mail".to_owned(),
        facts: vec![],
        claim: None,
        body: "When do they come?\n".to_owned(),
    }
}

#[tokio::test]
async fn log_shows_finished_tasks_with_their_receipts() {
    let home = Home::ready().await;
    assert_eq!(home.does(&["log"]).await, "Nothing is finished yet.\n");
    let task = task();
    let mut note = Note::parse(&task.render()).unwrap();
    let at: Timestamp = "2026-11-20T19:00:00Z".parse().unwrap();
    let receipt = ReceiptRecord {
        draft: DraftId::from_parts(1, 1),
        kind: platinum_core::ActionKind::EMAIL_SEND,
        at,
        reference: "abc@example.test".to_owned(),
        answer: "250 2.0.0 Ok: queued".to_owned(),
        recipients: vec!["ada@example.test".to_owned(), "b@example.test".to_owned()],
        sha256: "ab12".repeat(16),
        came_back: None,
    };
    finish(&mut note, "done", "Answered.", at, &[receipt]).unwrap();
    fs::create_dir_all(home.path("vault/Done/2026/11")).unwrap();
    fs::write(
        home.path(&format!("vault/Done/2026/11/{}.md", task.id)),
        note.to_text(),
    )
    .unwrap();
    let log = home.does(&["log"]).await;
    let minute = platinum_core::format_minute(at);
    assert!(
        log.starts_with(&format!("{minute}  done    Desks\n")),
        "{log}"
    );
    assert!(
        log.contains(&format!("email-send at {minute}: 250 2.0.0 Ok: queued")),
        "{log}"
    );
    assert!(log.contains("reference abc@example.test"), "{log}");
    let reached = "                   to ada@example.test, b@example.test\n                   sha256 ab12ab12";
    assert!(log.contains(reached), "{log}");
}

#[tokio::test]
async fn doctor_names_each_error_and_fails() {
    let home = Home::ready().await;
    let (shown, ended) = home.tries(&["doctor"]).await;
    let is_well = |what: &str| {
        shown
            .lines()
            .any(|line| line.split_whitespace().take(2).eq(["ok", what]))
    };
    assert!(
        shown.contains("still has the gaps of the starter"),
        "{shown}"
    );
    assert!(is_well("state"), "{shown}");
    assert!(shown.contains("builtin: no key needed"), "{shown}");
    // Tests have no installed skills beside them.
    assert!(ended.is_err() || !shown.contains("wrong"), "{shown}");

    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(home.path("state"), fs::Permissions::from_mode(0o755)).unwrap();
    let config = home.path("config/local.toml");
    fs::write(home.path("config/mail.toml"), "[account.owner]\n").unwrap();
    let text = fs::read_to_string(&config).unwrap()
        + "\n[zones.email]\naccount = \"owner\"\nconfig = \"mail.toml\"\nserver = \"/nowhere/server\"\n";
    fs::write(
        &config,
        text.replace("provider = \"builtin\"", "provider = \"anthropic\""),
    )
    .unwrap();
    let (shown, ended) = home.tries(&["doctor"]).await;
    assert!(ended.is_err());
    assert!(shown.contains("chmod 700"), "{shown}");
    assert!(shown.contains("/nowhere/server"), "{shown}");
    assert!(shown.contains("`key` is missing"), "{shown}");
}

#[tokio::test]
async fn doctor_twice_finds_its_own_state_folder_private() {
    let home = Home::new();
    let remote = home.path("remote.git");
    let made = std::process::Command::new("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(&remote)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .status()
        .unwrap();
    assert!(made.success());
    let (vault, state) = (home.path("vault"), home.path("state"));
    home.does(&[
        "init",
        vault.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
        "--remote",
        remote.to_str().unwrap(),
    ])
    .await;
    for _ in 0..2 {
        let (shown, _) = home.tries(&["doctor"]).await;
        assert!(shown.contains("answers and is empty"), "{shown}");
        assert!(!shown.contains("chmod"), "{shown}");
    }
}

#[tokio::test]
async fn doctor_says_that_a_file_without_its_zone_is_not_tried() {
    let home = Home::ready().await;
    let (shown, ended) = home
        .tries(&["doctor", "--cloud-social", "social.toml"])
        .await;
    assert!(
        shown.contains(
            "social.toml was not tried: it needs the server of [zones.social], which is not in"
        ),
        "{shown}"
    );
    assert!(ended.is_err());
}

#[tokio::test]
async fn doctor_names_the_missing_part_of_the_mail() {
    let home = Home::ready().await;
    let config = home.path("config/local.toml");
    let base = fs::read_to_string(&config).unwrap();
    let with = |mail: &str| fs::write(&config, format!("{base}\n[zones.email]\n{mail}\n")).unwrap();
    let mail = "account = \"me\"\nconfig = \"mail.toml\"";

    with(mail);
    let (shown, _) = home.tries(&["doctor"]).await;
    assert!(shown.contains("mail.toml cannot be read"), "{shown}");

    fs::write(home.path("config/mail.toml"), "[account.you]\n").unwrap();
    let (shown, _) = home.tries(&["doctor"]).await;
    assert!(
        shown.contains("`zones.email.account` is `me`, and"),
        "{shown}"
    );
    assert!(shown.contains("mail.toml has you"), "{shown}");

    with(&format!("{mail}\nenv = [\"PLATINUM_NOT_SET\"]"));
    let (shown, _) = home.tries(&["doctor"]).await;
    assert!(
        shown.contains("PLATINUM_NOT_SET, which `zones.email.env` names, is not set here"),
        "{shown}"
    );
}

fn write(home: &Home, name: &str, bytes: &[u8]) -> String {
    let path = home.path(name);
    fs::write(&path, bytes).unwrap();
    Path::to_str(&path).unwrap().to_owned()
}

/// The line of a cloud host, as `platinum-cloud key` prints it.
fn cloud_line(seed: u8) -> (String, String) {
    let key = platinum_repo::SigningKey::from_seed([seed; 32]).unwrap();
    let line = format!(
        "cloud@cloud.platinum.invalid namespaces=\"git\" {}",
        key.public()
    );
    (line, key.public().fingerprint())
}

#[tokio::test]
async fn key_and_trust_exchange_one_line_each() {
    let home = Home::ready().await;
    let own = home.does(&["key"]).await;
    assert!(
        own.starts_with("local@local.platinum.invalid namespaces=\"git\" ssh-ed25519 AAAA"),
        "{own}"
    );
    assert_eq!(home.does(&["key"]).await, own, "the key is made once");
    let (line, _) = cloud_line(7);
    assert_eq!(home.does(&["trust", &line]).await, own);
    let list = fs::read_to_string(home.path("state/allowed_signers")).unwrap();
    assert_eq!(list, format!("{own}{line}\n"));
}

#[tokio::test]
async fn trust_of_a_second_local_host_is_refused() {
    let home = Home::ready().await;
    let (line, _) = cloud_line(7);
    let local = line.replace("cloud@cloud.", "laptop@local.");
    for options in [vec!["trust", &local], vec!["trust", "--replace", &local]] {
        let error = home.fails(&options).await;
        assert_eq!(error.kind, Kind::Refused);
        assert_eq!(
            error.to_string(),
            "this host is the local half, and there is one: laptop cannot be one too"
        );
    }
    home.does(&["trust", &line]).await;
    let (_, known) = cloud_line(7);
    let (other, _) = cloud_line(8);
    let error = home
        .fails(&["trust", &other.replace("@cloud.", "@local.")])
        .await;
    assert_eq!(
        error.to_string(),
        "this host is the local half, and there is one: cloud cannot be one too",
        "{known}"
    );
    let error = home.fails(&["trust", "hello"]).await;
    assert_eq!((error.kind, error.exit_code()), (Kind::Usage, 2));
}
