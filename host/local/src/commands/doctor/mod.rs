//! `platinum doctor`: tries everything the daemon will need, and says what to do about what fails.
//!
//! Lives elsewhere: vault, state folder and remote are looked at in `places.rs`, the zones by themselves.

mod places;

use platinum_capabilities::zones::CheckLevel;
use platinum_core::Role;
use platinum_daemon::{Config, installed, zone_server};

use super::{
    CommandError, Context, Kind, skill, status,
    terminal::{Table, Tone, count, plain},
};

/// Try everything the daemon needs: vault, remote, mail server, model, skills, journal.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {}

/// What was looked at, how it is, and what to do.
struct Finding {
    tone: Tone,
    what: String,
    text: String,
}

fn good(what: &str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Good,
        what: what.to_owned(),
        text: text.into(),
    }
}

fn doubtful(what: &str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Doubtful,
        what: what.to_owned(),
        text: text.into(),
    }
}

fn bad(what: &str, text: impl Into<String>) -> Finding {
    Finding {
        tone: Tone::Bad,
        what: what.to_owned(),
        text: text.into(),
    }
}

pub(crate) async fn run(_: &DoctorArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let mut findings = vec![good("config", ctx.config_path().display().to_string())];
    findings.push(places::vault(&config));
    let state = places::state(&config.vault.state);
    let is_private = state.tone != Tone::Bad;
    findings.push(state);
    if is_private {
        findings.extend(places::remote(&config).await);
    } else {
        findings.push(doubtful("remote", "not asked: it needs the state folder"));
    }
    findings.extend(places::conflicts(&config));
    for (id, zone) in config.zones.configured() {
        let checked = zone.check(zone_server(&**zone, Role::Local)).await;
        let tone = match checked.level {
            CheckLevel::Ok => Tone::Good,
            CheckLevel::Warning => Tone::Doubtful,
            CheckLevel::Error => Tone::Bad,
        };
        findings.push(Finding {
            tone,
            what: id.to_owned(),
            text: plain(&checked.text, 500),
        });
    }
    findings.push(model(&config));
    findings.push(skills(ctx));
    let (tone, text) = status::journal(&config.vault.state);
    findings.push(Finding {
        tone,
        what: "journal".to_owned(),
        text,
    });

    let mut table = Table::default();
    for Finding { tone, what, text } in &findings {
        let word = match tone {
            Tone::Good | Tone::Quiet => "ok",
            Tone::Doubtful => "look",
            Tone::Bad => "wrong",
        };
        table.toned(0, *tone, [word, what.as_str(), text.as_str()]);
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
