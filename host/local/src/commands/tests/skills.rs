//! `platinum skill list` and what `doctor` takes from it.

use std::fs;

use super::{Home, built};

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
    let work = format!("\n[work]\nskills = {:?}\n{more}", skills.to_str().unwrap());
    fs::write(&config, text + &work).unwrap();
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
