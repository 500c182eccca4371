//! `platinum try`: what would be drafted for the mails that are there already, before anything runs.
//!
//! Lives elsewhere: the trial itself is [`platinum_daemon::trial`].
//! Invariants: nothing is sent, synced or changed in the mailbox; what was drafted before an
//! interruption stays, and is told.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use platinum_core::{Role, Timestamp, ZoneId};
use platinum_daemon::{
    Config, make_state_folder,
    trial::{Decision, Trial, TrialRow},
};
use tokio::time::Instant;

use super::{
    CommandError, Context, Kind,
    terminal::{Level, count, plain},
};

/// The folder of the trials, in the state folder.
const TRIALS: &str = "trials";

/// Draft the last mails of the mailbox, to see what you would get. Nothing is sent or synced.
///
/// The drafts are put into a vault of their own, which stays on this machine; the mailbox is read and not
/// changed. Ctrl-C ends it; what is drafted by then stays.
#[derive(Debug, clap::Args)]
pub(crate) struct TryArgs {
    /// How many of the newest mails of the inbox, 1 to 200.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    past: u16,
    /// The folder to make for it, instead of one in the state folder. It must not exist yet.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// A configuration whose [model] writes, such as that of the cloud.
    #[arg(long, value_name = "FILE")]
    model_from: Option<PathBuf>,
}

pub(crate) async fn run(args: &TryArgs, ctx: &Context) -> Result<(), CommandError> {
    let mut config = ctx.load()?;
    if let Some(file) = &args.model_from {
        config.model = Config::load(file, Role::Cloud)?.model;
        ctx.print(
            "What it costs counts for this machine, not for the cloud's tokens of the day.\n",
        )?;
    }
    let folder = match &args.folder {
        Some(folder) => real_path(folder)?,
        None => {
            let trials = config.vault.state.join(TRIALS);
            make_state_folder(&trials)?;
            let now = Timestamp::now().strftime("%Y-%m-%dT%H%M%S");
            trials.join(now.to_string())
        }
    };
    if folder.symlink_metadata().is_ok() {
        let what = format!("{} exists already", folder.display());
        return Err(CommandError::new(Kind::Conflict, what)
            .hint("name a folder that does not exist; `platinum try` makes it"));
    }
    let vault = config.vault.path.canonicalize();
    if folder.starts_with(vault.as_ref().unwrap_or(&config.vault.path)) {
        let what = format!("{} is inside the vault, which is synced", folder.display());
        return Err(CommandError::new(Kind::Refused, what).hint("choose a folder elsewhere"));
    }
    let (started, mut tally) = (Instant::now(), Tally::default());
    let ended = tokio::select! {
        ended = draft_all(&config, args.past, &folder, ctx, &mut tally) => ended,
        _ = tokio::signal::ctrl_c() => {
            ctx.print("\nStopped.\n")?;
            Ok(())
        }
    };
    // Also what was interrupted or failed half-way is told.
    if folder.exists() {
        let vault = folder.join("vault");
        ctx.print(&tally.render(&vault.display().to_string(), started.elapsed()))?;
    }
    ended
}

/// Where a folder that is still to be made will be, whatever links and `..` lead there.
fn real_path(folder: &Path) -> Result<PathBuf, CommandError> {
    let absolute = std::path::absolute(folder)?;
    let refused = |why: String| {
        let what = format!("cannot make {}: {why}", folder.display());
        CommandError::new(Kind::NotFound, what).hint("name a folder in one that exists")
    };
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(refused("it has no name of its own".to_owned()));
    };
    let parent = parent.canonicalize();
    Ok(parent
        .map_err(|error| refused(error.to_string()))?
        .join(name))
}

async fn draft_all(
    config: &Config,
    past: u16,
    folder: &Path,
    ctx: &Context,
    tally: &mut Tally,
) -> Result<(), CommandError> {
    let failed = |what: String| CommandError::new(Kind::Failed, what);
    let trial = Trial::open(config, ZoneId::EMAIL, usize::from(past), folder).await;
    let trial = trial.map_err(|error| {
        failed(error.to_string()).hint("`platinum doctor` checks what it needs, part by part")
    })?;
    tally.model = trial.model().to_owned();
    ctx.print(&format!(
        "Reading the last {} of the inbox; nothing is changed there.\n",
        count(past, "mail", "mails")
    ))?;
    let tasks = trial.take_in().await.map_err(failed)?;
    let left_out = usize::from(past).saturating_sub(tasks.len());
    if left_out > 0 {
        ctx.print(&format!(
            "{} became a task; the other {left_out} are not there, your own, or a copy.\n",
            tasks.len()
        ))?;
    }
    for (number, task) in tasks.iter().enumerate() {
        let row = trial.draft(task).await;
        let tokens = trial.tokens();
        (tally.input, tally.output) = (tokens.input, tokens.output);
        ctx.print(&show(&row, number + 1, tasks.len(), ctx))?;
        tally.add(&row);
    }
    trial.close().await;
    Ok(())
}

/// One mail, in two lines.
fn show(row: &TrialRow, number: usize, of: usize, ctx: &Context) -> String {
    let (level, word, what) = match &row.decision {
        Decision::Drafted { recipients, gaps } => {
            let to = plain(&recipients.join(", "), 120);
            let gaps = match *gaps {
                0 => "no gaps".to_owned(),
                gaps => count(gaps as u64, "gap", "gaps"),
            };
            (Level::Ok, "draft", format!("to {to}; {gaps}"))
        }
        Decision::Filed(reason) => (Level::Dim, "no draft", plain(reason, 160)),
        Decision::Failed(why) => (Level::Error, "failed", plain(why, 300)),
    };
    format!(
        "[{number}/{of}] {} from {}\n    {}: {what} ({})\n",
        quoted(&row.subject),
        plain(&row.from, 60),
        ctx.paint.word(level, word),
        seconds(row.took),
    )
}

fn quoted(text: &str) -> String {
    format!("“{}”", plain(text, 70))
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f32())
}

/// What came of all of them.
#[derive(Default)]
struct Tally {
    model: String,
    drafted: u64,
    gaps: u64,
    filed: u64,
    failed: u64,
    input: u64,
    output: u64,
}

impl Tally {
    fn add(&mut self, row: &TrialRow) {
        match &row.decision {
            Decision::Drafted { gaps, .. } => {
                self.drafted += 1;
                self.gaps += *gaps as u64;
            }
            Decision::Filed(_) => self.filed += 1,
            Decision::Failed(_) => self.failed += 1,
        }
    }

    fn render(&self, vault: &str, took: Duration) -> String {
        let cost = match (self.model.as_str(), self.input + self.output) {
            ("builtin", _) => "no tokens: no model is configured here".to_owned(),
            (model, total) => format!(
                "{total} tokens ({} read, {} written) by {}",
                self.input,
                self.output,
                plain(model, 80)
            ),
        };
        let mails = (self.drafted + self.filed + self.failed).max(1);
        let each = took / u32::try_from(mails).unwrap_or(1);
        format!(
            "\n{} with {}, {} without an answer, {} failed.\nCost: {cost}. Time: {}, {} a mail.\n\
             The drafts are in {vault}; nothing of it is synced or sent. Delete the folder when you have seen it.\n",
            count(self.drafted, "draft", "drafts"),
            count(self.gaps, "gap", "gaps"),
            self.filed,
            self.failed,
            seconds(took),
            seconds(each),
        )
    }
}
