//! `platinum doctor`: tries everything the daemon will need, and says what to do about what fails.
//!
//! Lives elsewhere: mail is tried in `mail.rs`.

mod mail;

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use platinum_core::{Role, VaultPath, layout};
use platinum_daemon::{Config, installed, make_state_folder};
use platinum_repo::{GitRemote, Remote};
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, skill,
    status::{self, daemon_runs},
    terminal::{Table, Tone, count, plain},
};

/// Try everything the daemon needs: vault, remote, mail server, model, skills, journal.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {}

/// What was looked at, how it is, and what to do.
struct Finding {
    tone: Tone,
    what: &'static str,
    text: String,
}

fn good(what: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Good,
        what,
        text: text.into(),
    }
}

fn doubtful(what: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Doubtful,
        what,
        text: text.into(),
    }
}

fn bad(what: &'static str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Bad,
        what,
        text: text.into(),
    }
}

pub(crate) async fn run(_: &DoctorArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let mut findings = vec![good("config", ctx.config_path().display().to_string())];
    findings.push(vault(&config));
    let state = state(&config.vault.state);
    let is_private = state.tone != Tone::Bad;
    findings.push(state);
    findings.push(if is_private {
        remote(&config).await
    } else {
        doubtful("remote", "not asked: it needs the state folder")
    });
    findings.push(mail::look(&config).await);
    findings.push(model(&config));
    findings.push(skills(ctx));
    let (tone, text) = status::journal(&config.vault.state);
    findings.push(Finding {
        tone,
        what: "journal",
        text,
    });

    let mut table = Table::default();
    for Finding { tone, what, text } in &findings {
        let word = match tone {
            Tone::Good | Tone::Quiet => "ok",
            Tone::Doubtful => "look",
            Tone::Bad => "wrong",
        };
        table.toned(0, *tone, [word, what, text.as_str()]);
    }
    ctx.print(&table.render(ctx.paint))?;
    match findings
        .iter()
        .filter(|finding| finding.tone == Tone::Bad)
        .count()
    {
        0 => Ok(()),
        wrong => Err(CommandError::new(
            Kind::Failed,
            format!(
                "{} wrong; the lines above say what",
                count(wrong, "thing is", "things are")
            ),
        )),
    }
}

fn vault(config: &Config) -> Finding {
    let vault = match Vault::open(&config.vault.path) {
        Ok(vault) => vault,
        Err(error) => return bad("vault", error.to_string()),
    };
    let missing: Vec<&str> = layout::FOLDERS
        .into_iter()
        .filter(|folder| !vault.root().join(folder).is_dir())
        .collect();
    if !missing.is_empty() {
        return doubtful(
            "vault",
            format!(
                "{} has no {}; they are made when needed",
                vault.root().display(),
                missing.join(", ")
            ),
        );
    }
    match VaultPath::new(layout::HANDBOOK).map(|path| vault.exists(&path)) {
        Ok(Ok(true)) if is_starter(&vault) => doubtful(
            "vault",
            format!(
                "{}: the {} still has the gaps of its start; drafts follow what it says",
                vault.root().display(),
                layout::HANDBOOK
            ),
        ),
        Ok(Ok(true)) => good("vault", vault.root().display().to_string()),
        Ok(Err(error)) => bad("vault", error.to_string()),
        _ => doubtful(
            "vault",
            format!(
                "there is no {}: drafts know none of your rules",
                layout::HANDBOOK
            ),
        ),
    }
}

/// Whether the handbook is as `init` wrote it where it asks who the owner is.
fn is_starter(vault: &Vault) -> bool {
    const GAP: &str = "[[your name or company]]";
    const MOST: u64 = 1024 * 1024;
    VaultPath::new(layout::HANDBOOK)
        .ok()
        .and_then(|path| vault.read_text(&path, MOST).ok())
        .is_some_and(|text| text.contains(GAP))
}

fn state(path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => good(
            "state",
            format!("{} is made when the daemon first runs", path.display()),
        ),
        Err(error) => bad("state", format!("{}: {error}", path.display())),
        Ok(meta) if !meta.is_dir() => bad("state", format!("{} is no folder", path.display())),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => bad(
            "state",
            format!(
                "others can look into {0}; run: chmod 700 {0}",
                path.display()
            ),
        ),
        Ok(_) if daemon_runs(path) => {
            good("state", format!("{}, in use by the daemon", path.display()))
        }
        Ok(_) => good("state", path.display().to_string()),
    }
}

async fn remote(config: &Config) -> Finding {
    if config.sync.remote.is_empty() {
        return doubtful(
            "remote",
            "none: this host works alone; `sync.remote` names one",
        );
    }
    if daemon_runs(&config.vault.state) {
        // Two programs in one repository would get into each other's way.
        let (tone, text) = status::remote(config);
        return Finding {
            tone,
            what: "remote",
            text: format!("{text} (the daemon asks it)"),
        };
    }
    if let Err(error) = make_state_folder(&config.vault.state) {
        return bad(
            "remote",
            format!("{}: {error}", config.vault.state.display()),
        );
    }
    let git_dir = config.vault.state.join("vault.git");
    let limit = Duration::from_secs(config.sync.timeout_seconds);
    let opened = GitRemote::new(&git_dir, &config.sync.remote, limit);
    let remote = match opened {
        Ok(remote) => remote,
        Err(error) => return bad("remote", error.to_string()),
    };
    match remote.fetch().await {
        Ok(Some(tip)) => good(
            "remote",
            format!("{} answers, at {tip:.10}", remote.describe()),
        ),
        Ok(None) => good(
            "remote",
            format!("{} answers and is empty", remote.describe()),
        ),
        Err(error) => bad("remote", plain(&error.to_string(), 400)),
    }
}

fn model(config: &Config) -> Finding {
    match config.model.check() {
        Ok(name) if name == "builtin" => good(
            "model",
            "builtin: no key needed; its drafts have gaps for you to fill in",
        ),
        Ok(name) => good(
            "model",
            format!(
                "{}, {} tokens a day",
                plain(&name, 100),
                config.model.daily_tokens
            ),
        ),
        Err(error) => bad("model", error.to_string()),
    }
}

fn skills(ctx: &Context) -> Finding {
    let looked = || -> Result<Finding, CommandError> {
        let folder = ctx.skills_folder()?;
        let found = installed(&folder)?;
        let checked = skill::Checker::new()?;
        let mut links = 0;
        let mut refused = Vec::new();
        for one in &found {
            match checked.check(&one.name, &one.read_component()?, Role::Local) {
                Ok(()) => links += 1,
                Err(why) => refused.push(plain(&why, 300)),
            }
        }
        Ok(match refused.as_slice() {
            [] if links == 0 => bad("skills", format!("there is none in {}", folder.display())),
            [] => good(
                "skills",
                format!(
                    "{} in {}",
                    count(links, "skill", "skills"),
                    folder.display()
                ),
            ),
            refused => doubtful("skills", refused.join("; ")),
        })
    };
    looked().unwrap_or_else(|error| bad("skills", error.message))
}
