//! `platinum skill list` and what `doctor` takes from it; `platinum skill add`.

use std::{fs, path::Path};

use super::{Home, component, write};

/// Installs a skill that both roles admit or, if it sends mail, local alone.
fn install(home: &Home, name: &str, metadata: &str, sends: bool) {
    let folder = home.path("skills").join(name);
    fs::create_dir_all(&folder).unwrap();
    let text = format!("---\nname: {name}\ndescription: x\nmetadata:\n{metadata}---\nx\n");
    fs::write(folder.join("SKILL.md"), text).unwrap();
    let component = match sends {
        true => "guests/asks-email-send",
        false => "guests/minimal",
    };
    fs::write(folder.join("skill.wasm"), built(component)).unwrap();
}

/// A vault with skills of every kind; `more` goes into the configuration.
async fn home_with_skills(more: &str) -> Home {
    let home = Home::ready().await;
    let config = home.path("config/local.toml");
    let skills = home.path("skills");
    let text = fs::read_to_string(&config).unwrap();
    let begun = text.find("skills = ").unwrap();
    let end = begun + text[begun..].find('\n').unwrap();
    let named = format!("skills = {:?}", skills.to_str().unwrap());
    fs::write(
        &config,
        format!("{}{named}{}{more}", &text[..begun], &text[end..]),
    )
    .unwrap();
    let drafts = "  platinum.on: task.claimed\n  platinum.zones: email\n";
    install(&home, "draft-a", drafts, false);
    install(&home, "draft-b", drafts, false);
    install(
        &home,
        "observe",
        "  platinum.on: vault.synced schedule:60s\n",
        false,
    );
    install(&home, "send", "  platinum.on: approval.granted\n", true);
    install(&home, "typo", "  platinum.on: vault.sinced\n", false);
    install(&home, "Odd Name", "  platinum.on: vault.synced\n", false);
    fs::remove_file(home.path("skills/Odd Name/skill.wasm")).unwrap();
    let arguments = ["skill", "add", "--all", "--yes", skills.to_str().unwrap()];
    let (added, ended) = home.tries(&arguments).await;
    assert_eq!(
        ended.unwrap_err().to_string(),
        "2 skills were not added",
        "{added}"
    );
    home
}

fn line<'a>(shown: &'a str, words: &[&str]) -> &'a str {
    shown
        .lines()
        .find(|line| {
            line.split_whitespace()
                .take(words.len())
                .eq(words.iter().copied())
        })
        .unwrap_or_else(|| panic!("{words:?} is not in\n{shown}"))
}

#[tokio::test]
async fn skill_list_shows_every_folder_and_why_not() {
    let home = home_with_skills("").await;
    let shown = home.does(&["skill", "list"]).await;
    line(
        &shown,
        &["EVENT", "ZONE", "SKILL", "CLOUD", "LOCAL", "WHY", "NOT"],
    );
    line(&shown, &["vault.synced", "-", "observe", "runs", "runs"]);
    line(&shown, &["schedule:60s", "-", "observe", "runs", "runs"]);
    line(&shown, &["approval.granted", "-", "send", "-", "runs"]);
    let a = line(&shown, &["task.claimed", "email", "draft-a", "no", "no"]);
    assert!(
        a.contains("draft-b runs on task.claimed for email too"),
        "{a}"
    );
    assert!(
        a.contains("write `[zones.email] drafter = \"draft-a\"`"),
        "{a}"
    );
    let typo = line(&shown, &["-", "-", "typo", "no", "no"]);
    assert!(
        typo.contains("SKILL.md:5: unknown event `vault.sinced`; did you mean `vault.synced`?"),
        "{typo}"
    );
    let odd = line(&shown, &["-", "-", "Odd", "Name", "no", "no"]);
    assert!(
        odd.contains("the folder's name cannot be a skill's"),
        "{odd}"
    );
    // None of them stops the other commands.
    home.does(&["status"]).await;
    let (doctor, _) = home.tries(&["doctor"]).await;
    for role in ["(local)", "(cloud)"] {
        let skills = line(&doctor, &["warn", "skills", role]);
        assert!(skills.contains("Odd Name: the folder's name"), "{skills}");
        assert!(
            skills.contains("typo: SKILL.md:5: unknown event"),
            "{skills}"
        );
    }
}

#[tokio::test]
async fn skill_list_shows_folders_that_are_not_granted() {
    let home = home_with_skills(
        "\n[skills.observe]\nfolders = { \"Projects\" = \"read\", \"Approved\" = \"write\" }\n",
    )
    .await;
    let shown = home.does(&["skill", "list"]).await;
    let row = line(&shown, &["-", "-", "observe", "no", "no"]);
    let beyond_cloud = "not granted: `Projects` is not synced, so the cloud does not have it";
    assert!(row.contains(beyond_cloud), "{row}");
    assert!(
        row.contains("not granted: a file in `Approved` is a task"),
        "{row}"
    );
    let (doctor, _) = home.tries(&["doctor"]).await;
    let local = line(&doctor, &["warn", "skills", "(local)"]);
    let cloud = line(&doctor, &["warn", "skills", "(cloud)"]);
    assert!(!local.contains(beyond_cloud), "{local}");
    assert!(cloud.contains(beyond_cloud), "{cloud}");
}

/// A home with one skill in `new/`, which the owner adds.
async fn home_with_one_skill() -> (Home, String) {
    let home = Home::ready().await;
    // Those beside the program take time to judge, and are not what this is about.
    fs::remove_dir_all(home.path("state/skills")).ok();
    offer(&home, "  platinum.on: vault.synced\n", "guests/minimal");
    let folder = home.path("new/tidy").to_str().unwrap().to_owned();
    (home, folder)
}

/// Puts a version of the skill `tidy` into `new/`.
fn offer(home: &Home, metadata: &str, component: &str) {
    let folder = home.path("new/tidy");
    fs::create_dir_all(&folder).unwrap();
    let text = format!("---\nname: tidy\ndescription: Tidies up.\nmetadata:\n{metadata}---\nx\n");
    fs::write(folder.join("SKILL.md"), text).unwrap();
    fs::write(folder.join("skill.wasm"), built(component)).unwrap();
}

#[tokio::test]
async fn init_adds_the_skills_beside_the_program() {
    let home = Home::ready().await;
    let shown = home.does(&["skill", "list"]).await;
    let listed = line(&shown, &["approval.granted", "-", "local-execute-approved"]);
    assert!(listed.contains("runs"), "{shown}");
    assert!(home.path("state/skills/skills.lock").exists());
}

/// The owner sees in words what a skill may do, and at the next version what is new.
#[tokio::test]
async fn skill_add_says_what_a_skill_may_do_and_what_is_new() {
    let (home, folder) = home_with_one_skill().await;
    let asked = home.tries(&["skill", "add", &folder]).await;
    assert_eq!(
        asked.0, "tidy: new\n  Tidies up.\n  runs on vault.synced\n",
        "the guest asks for nothing"
    );
    assert_eq!(
        asked.1.unwrap_err().to_string(),
        "nobody can be asked here\n  --yes adds what is shown above"
    );
    assert!(!home.path("state/skills/tidy").exists());

    let installed = home.path("state/skills");
    let shown = home.does(&["skill", "add", "--yes", &folder]).await;
    assert!(
        shown.contains(&format!("\nLocked in {}.\n", installed.display())),
        "{shown}"
    );
    let shown = home.does(&["skill", "list"]).await;
    line(&shown, &["vault.synced", "-", "tidy", "runs", "runs"]);
    let shown = home.does(&["skill", "add", &folder]).await;
    assert!(shown.starts_with("tidy: unchanged\n"), "{shown}");

    let metadata = "  platinum.on: vault.synced approval.granted\n";
    offer(&home, metadata, "guests/asks-email-send");
    let shown = home.does(&["skill", "add", "--yes", &folder]).await;
    let news = "tidy: changed since it was added\n  \
        NEW: may SEND a mail that the owner approved (local)\n  \
        NEW: may take what the owner approved (local)\n  \
        NEW: runs on approval.granted\n  \
        its code is another\n  its SKILL.md is another\n";
    assert!(shown.starts_with(news), "{shown}");
}

/// What the owner did not add, and what is another than was added, is not run, each for its own
/// reason; the others are.
#[tokio::test]
async fn skill_not_as_it_was_added_is_not_run() {
    let (home, folder) = home_with_one_skill().await;
    home.does(&["skill", "add", "--yes", &folder]).await;
    let installed = home.path("state/skills");
    let why = async |name: &str| {
        let shown = home.does(&["skill", "list"]).await;
        let listed = shown
            .lines()
            .find(|line| line.contains(&format!(" {name} ")) && !line.contains(" runs "));
        listed.map(|line| line.split_once("  no").unwrap().1.to_owned())
    };
    assert_eq!(why("tidy").await, None);

    let tidy = installed.join("tidy");
    fs::write(tidy.join("skill.wasm"), built("guests/asks-email-send")).unwrap();
    let reason = why("tidy").await.unwrap();
    let changed = format!(
        "its skill.wasm is not the one that the owner added; put the former one back, or see what \
         is new with `platinum skill add {}`",
        tidy.display()
    );
    assert!(reason.contains(&changed), "{reason}");
    fs::write(tidy.join("skill.wasm"), built("guests/minimal")).unwrap();
    assert_eq!(why("tidy").await, None);

    let manifest = fs::read_to_string(tidy.join("SKILL.md")).unwrap();
    fs::write(tidy.join("SKILL.md"), manifest.clone() + "Do more.\n").unwrap();
    let reason = why("tidy").await.unwrap();
    assert!(
        reason.contains("its SKILL.md is not the one that the owner added"),
        "{reason}"
    );
    fs::write(tidy.join("SKILL.md"), manifest).unwrap();

    let other = installed.join("other");
    fs::create_dir(&other).unwrap();
    let text = "---\nname: other\ndescription: x\nmetadata:\n  platinum.on: work.done\n---\nx\n";
    fs::write(other.join("SKILL.md"), text).unwrap();
    fs::write(other.join("skill.wasm"), built("guests/minimal")).unwrap();
    let reason = why("other").await.unwrap();
    assert!(reason.contains("the owner did not add it"), "{reason}");
    assert_eq!(why("tidy").await, None);

    // A lock that somebody changed names nothing.
    let lock = installed.join("skills.lock");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replacen("vault.synced", "work.done", 1)).unwrap();
    let reason = why("tidy").await.unwrap();
    assert!(
        reason.contains("its contents are not those that were signed"),
        "{reason}"
    );
    fs::remove_file(lock).unwrap();
    let reason = why("tidy").await.unwrap();
    assert!(reason.contains("it has no skills.lock"), "{reason}");
}

/// Also if the skills of then come back with it: the owner signed both, and added the newer one since.
#[tokio::test]
async fn lock_put_back_with_its_skills_is_refused() {
    let (home, folder) = home_with_one_skill().await;
    let installed = home.path("state/skills");
    home.does(&["skill", "add", "--yes", &folder]).await;
    let files = ["skills.lock", "tidy/skill.wasm", "tidy/SKILL.md"];
    let first = files.map(|file| fs::read(installed.join(file)).unwrap());
    offer(&home, "  platinum.on: work.done\n", "guests/minimal");
    home.does(&["skill", "add", "--yes", &folder]).await;
    for (file, bytes) in files.iter().zip(&first) {
        fs::write(installed.join(file), bytes).unwrap();
    }
    let shown = home.does(&["skill", "list"]).await;
    let listed = line(&shown, &["-", "-", "tidy", "no", "no"]);
    let lock = installed.join("skills.lock");
    let older = format!(
        "{} is older than one that was used here before: it was written ",
        lock.display()
    );
    let remedy = format!(
        "put the newer one back with its skills, or see what is new and add it with `platinum skill \
         add --all {}` on the owner's machine",
        installed.display()
    );
    assert!(
        listed.contains(&older) && listed.contains(&remedy),
        "{shown}"
    );

    // The owner may go back, by saying so.
    let all = [
        "skill",
        "add",
        "--all",
        "--yes",
        installed.to_str().unwrap(),
    ];
    let shown = home.does(&all).await;
    assert!(
        shown.starts_with("The former lock is not used: "),
        "{shown}"
    );
    let shown = home.does(&["skill", "list"]).await;
    line(&shown, &["vault.synced", "-", "tidy", "runs", "runs"]);
}

/// A skill that was run and did not call what it was granted is named with it.
#[tokio::test]
async fn skill_list_marks_grants_that_are_never_used() {
    let (home, folder) = home_with_one_skill().await;
    offer(&home, "  platinum.on: vault.synced\n", "guests/two-calls");
    home.does(&["skill", "add", "--yes", &folder]).await;
    let shown = home.does(&["skill", "list"]).await;
    assert!(!shown.contains("never used"), "{shown}");
    let used = r#"{"tidy":["platinum:skill/log@0.1.0"]}"#;
    fs::write(home.path("state/grants-used.json"), used).unwrap();
    let shown = home.does(&["skill", "list"]).await;
    let marked = "\ntidy was run here and never used platinum:skill/context@0.1.0\n";
    assert!(shown.ends_with(marked), "{shown}");
}

#[tokio::test]
async fn skill_check_names_the_refused_import_and_fails() {
    let home = Home::new();
    let calm = write(&home, "calm.wasm", &built("guests/minimal"));
    let sender = write(&home, "sender.wasm", &built("guests/asks-email-send"));
    let (shown, ended) = home
        .tries(&["skill", "check", "--role", "cloud", &calm, &sender])
        .await;
    assert_eq!(
        shown,
        "calm    cloud  links\n\
         sender  cloud  skill sender is refused: role cloud does not grant \
         platinum:approvals/queue@0.1.0, platinum:email/send@0.1.0\n"
    );
    assert_eq!(
        ended.unwrap_err().to_string(),
        "1 skill is refused, of 2 checked"
    );
    home.does(&["skill", "check", "--role", "local", &calm, &sender])
        .await;
}

/// A component as `cargo xtask skills` builds it.
fn built(component: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/skills")
        .join(format!("{component}.wasm"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "run cargo xtask skills first: cannot read {}: {error}",
            path.display()
        )
    })
}

#[tokio::test]
async fn skill_inspect_lists_what_each_import_grants() {
    let home = Home::new();
    let imports = [
        "platinum:skill/log@0.1.0",
        "platinum:email/send@0.1.0",
        "other:thing/x@0.1.0",
    ];
    let odd = write(&home, "odd.wasm", &component(&imports));
    let shown = home.does(&["skill", "inspect", &odd]).await;
    for line in [
        "exports the handler of a skill",
        "platinum:skill/log@0.1.0   cloud, local  bounded log lines",
        "platinum:email/send@0.1.0  local         SEND a mail that the owner approved",
        "other:thing/x@0.1.0        none          it is not in the contract",
        "role local: skill odd is refused: role local does not grant other:thing/x@0.1.0",
    ] {
        assert!(shown.contains(line), "{line}\nnot in\n{shown}");
    }
    let text = write(&home, "text.wasm", b"hello");
    assert!(
        home.fails(&["skill", "inspect", &text])
            .await
            .message
            .contains("skill text is not")
    );
}
