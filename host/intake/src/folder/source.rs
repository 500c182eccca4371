//! [`FolderSource`]: dropped files, found, waited for and taken in once.
//!
//! Invariants: a file is taken in only when it has not changed for a while; its bytes stay in the
//! vault, moved at most; every step is durable before the next, so that a process killed at any
//! moment goes on where it was; what cannot be a task is reported to the owner, once; one file that
//! cannot be taken in does not keep the others from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use platinum_core::{
    AgentName, Clock as _, Role, SystemClock, TaskId, VaultPath, ZoneId, layout, sha256_hex,
};
use platinum_vault::{FileState, PathEntry, Vault, VaultError, note::TaskNote};
use platinum_watch::{Wake, WakeUps, Watch};
use tracing::info;

use super::{
    task::{self, kept_at, task_from_file, task_id, text_of},
    zones::{NamedZone, ZoneRules, zone_of},
};
use crate::{
    accounting::{file, pdf::PdfReader},
    ledger::{Chosen, Identity, Ledger, LedgerError, Start},
    notes::{self, TASK_FOLDERS, UNWRITTEN_AT_ONCE, create_note, read_handbook, tasks_in},
    source::{Source, is_inside},
    text::one_line,
};

/// How long a file must not have changed before it is taken in. Long enough for a copy that is
/// under way, and short enough for a person who watches.
const SETTLED: Duration = Duration::from_secs(1);
/// The same on a cloud host: the owner's machine takes the file in long before, if it is there.
const SETTLED_IN_CLOUD: Duration = Duration::from_secs(60);
/// How often to look while a file is not settled.
const SOON: Duration = Duration::from_millis(250);
/// Wake-ups closer together than this are one.
const GAP: Duration = Duration::from_millis(200);
/// The longest that a wake-up waits after a slow pass.
const LONGEST_GAP: Duration = Duration::from_secs(2);
/// The most files that one pass takes in.
const BATCH: usize = 64;
/// The largest file that becomes a task, in bytes.
pub const MAX_FILE_BYTES: u64 = 25_000_000;

/// A fact of every task of a zone: the zone, the fact's name and its value.
pub type ZoneFact = (ZoneId, String, String);

fn zone_fact(text: &str) -> Result<ZoneFact, String> {
    let (zone, fact) = text.split_once(':').ok_or("expected ZONE:NAME=VALUE")?;
    let (name, value) = fact.split_once('=').ok_or("expected ZONE:NAME=VALUE")?;
    let zone: ZoneId = zone.parse().map_err(|error| format!("{error}"))?;
    Ok((zone, name.to_owned(), value.to_owned()))
}

/// What to take in, and as who.
#[derive(Debug, Clone, Args)]
pub struct FolderSettings {
    /// The vault.
    #[arg(long)]
    pub vault: PathBuf,
    /// The folder that remembers what was seen; not inside the vault.
    #[arg(long)]
    pub state: PathBuf,
    /// The role of this host: only the owner's machine moves files.
    #[arg(long)]
    pub role: Role,
    /// The name of this host.
    #[arg(long)]
    pub agent: AgentName,
    /// The zones there are, with commas between.
    #[arg(long, value_delimiter = ',')]
    pub zones: Vec<ZoneId>,
    /// A fact that every task of a zone gets: `email:account=me`. May be given several times.
    #[arg(long = "fact", value_name = "ZONE:NAME=VALUE", value_parser = zone_fact)]
    pub facts: Vec<ZoneFact>,
    /// The zone of a file that names none.
    #[arg(long)]
    pub default_zone: ZoneId,
    /// Who reads PDFs.
    #[arg(skip)]
    pub pdfs: PdfReader,
    /// How long a file must not have changed; none for the role's own time.
    #[arg(skip)]
    pub settled: Option<Duration>,
}

/// Why dropped files cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The record of seen files failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The vault cannot be read or written.
    #[error("cannot take in a dropped file: {0}")]
    Vault(#[from] VaultError),
    /// The state would be synced.
    #[error("the state folder {0} is inside the vault; choose one outside")]
    StateInVault(PathBuf),
    /// The vault cannot be watched.
    #[error(transparent)]
    Watch(#[from] platinum_watch::WatchError),
    /// A path that follows from a dropped file is none of a vault.
    #[error("cannot name what follows from a dropped file: {0}")]
    Path(#[from] platinum_core::PathError),
}

/// The dropped files of one vault.
pub struct FolderSource {
    vault: Vault,
    ledger: Ledger,
    settings: FolderSettings,
    settled: Duration,
    /// Files that are not settled: how each was, and since when.
    seen: BTreeMap<VaultPath, (FileState, Instant)>,
    /// What could not be taken in the last time, and why. It is tried again, and reported if it fails
    /// twice.
    failed: BTreeMap<String, String>,
    is_more: bool,
    /// How long the last pass took.
    pass_took: Duration,
    _watch: Watch,
    wake_ups: WakeUps,
}

impl FolderSource {
    /// Opens the vault and the ledger. At the very first start, what is in `Inbox/` already is
    /// left alone: an owner may have kept notes there for years.
    ///
    /// # Errors
    /// If one of them cannot be opened, or another process works with the ledger.
    pub fn open(settings: FolderSettings) -> Result<Self, FolderError> {
        if is_inside(&settings.state, &settings.vault) {
            return Err(FolderError::StateInVault(settings.state));
        }
        let vault = Vault::open(&settings.vault)?;
        let ledger = Ledger::open(&settings.state.join("folder.sqlite"))?;
        let (watch, wake_ups) = Watch::start(vault.root())?;
        let settled = settings.settled.unwrap_or(match settings.role {
            Role::Local => SETTLED,
            Role::Cloud => SETTLED_IN_CLOUD,
        });
        let mut source = Self {
            vault,
            ledger,
            settings,
            settled,
            seen: BTreeMap::new(),
            failed: BTreeMap::new(),
            is_more: false,
            pass_took: Duration::ZERO,
            _watch: watch,
            wake_ups,
        };
        if source.ledger.start()?.is_none() {
            source.begin()?;
        }
        Ok(source)
    }

    fn begin(&mut self) -> Result<(), FolderError> {
        let mut before = Vec::new();
        for entry in self.vault.list(layout::INBOX)? {
            if let PathEntry::File(state) = self.vault.stat(&entry.path)? {
                before.push(left_alone(&entry.path, &state));
            }
        }
        let start = Start {
            at: SystemClock.now(),
            first: String::new(),
            cursor: String::new(),
        };
        self.ledger.begin(&start, &before)?;
        if !before.is_empty() && self.is_local() {
            info!(files = before.len(), "left alone what was in Inbox before");
        }
        Ok(())
    }

    fn is_local(&self) -> bool {
        self.settings.role == Role::Local
    }

    /// The folders in which a file becomes a task. Files in a folder of no zone are reported.
    fn folders(&mut self) -> Result<Vec<String>, FolderError> {
        let mut folders = vec![layout::NEEDS_ACTION.to_owned()];
        if self.is_local() {
            folders.push(layout::INBOX.to_owned());
        }
        if let Some(listing) = self.vault.list_folder(layout::NEEDS_ACTION)? {
            let known = |path: &VaultPath| {
                let zone = path.file_name().parse::<ZoneId>();
                zone.is_ok_and(|zone| self.settings.zones.contains(&zone))
            };
            let (zones, others): (Vec<_>, Vec<_>) = listing.folders.into_iter().partition(known);
            folders.extend(zones.iter().map(VaultPath::to_string));
            if self.is_local() {
                for folder in &others {
                    let reported = self.report_unknown_zone(folder);
                    self.go_on_after(folder.as_str(), reported)?;
                }
            }
        }
        Ok(folders)
    }

    /// Reports a folder of files that no zone has, once.
    fn report_unknown_zone(&self, folder: &VaultPath) -> Result<(), FolderError> {
        let key = format!("zone:{folder}");
        let files = self.vault.list(folder.as_str())?;
        if !files.iter().any(|file| is_dropped(&file.path)) || self.ledger.knows(&key)? {
            return Ok(());
        }
        let text = format!(
            "The files in {folder} are left alone: there is no zone `{}`. Move them to {}, or add \
             [zones.{}] to the configuration.",
            folder.file_name(),
            layout::NEEDS_ACTION,
            folder.file_name()
        );
        self.report(&text, None)?;
        Ok(self.ledger.skip(&key)?)
    }

    /// Reports a link to a file or a folder, once: it may lead out of the vault, and is not followed.
    fn report_link(&self, link: &VaultPath) -> Result<(), FolderError> {
        let key = format!("link:{link}");
        if !self.is_local() || self.ledger.knows(&key)? {
            return Ok(());
        }
        let text = format!(
            "{link} is a symbolic link and cannot become a task. It stays where it is; put the file \
             itself there."
        );
        self.report(&text, None)?;
        Ok(self.ledger.skip(&key)?)
    }

    /// What failed for one file or folder is tried again by the next pass, and does not end this one.
    /// Answers what did not fail.
    ///
    /// # Errors
    /// If everything fails like this, as without the record of seen files.
    fn go_on_after<T>(
        &mut self,
        what: &str,
        done: Result<T, FolderError>,
    ) -> Result<Option<T>, FolderError> {
        let error = match done {
            Ok(done) => {
                self.failed.remove(what);
                return Ok(Some(done));
            }
            Err(error @ (FolderError::Vault(_) | FolderError::Path(_))) => error.to_string(),
            Err(error) => return Err(error),
        };
        let is_second = self.failed.get(what) == Some(&error);
        let key = format!("failed:{what}|{}", sha256_hex(error.as_bytes()));
        if !is_second {
            tracing::warn!("{what} waits: {error}.");
            self.failed.insert(what.to_owned(), error);
        } else if !self.ledger.knows(&key)? {
            let text = format!("{what} waits, and is tried again: {error}.");
            match self.report(&text, None) {
                Ok(()) => self.ledger.skip(&key)?,
                Err(unreported) => tracing::warn!("Cannot report that: {unreported}."),
            }
        }
        Ok(None)
    }

    /// The dropped files of one folder that are not left alone.
    fn scan(&mut self, folder: &str) -> Result<BTreeMap<VaultPath, FileState>, FolderError> {
        if self.is_local() {
            for path in platinum_vault::rename_odd(&self.vault, folder, self.settled)? {
                info!(%path, "gave a dropped file a name that every system has");
            }
        }
        let (files, links) = self.vault.list_with_links(folder)?;
        for link in links.iter().filter(|link| is_dropped(link)) {
            let reported = self.report_link(link);
            self.go_on_after(link.as_str(), reported)?;
        }
        let mut found = BTreeMap::new();
        for entry in files.into_iter().filter(|entry| is_dropped(&entry.path)) {
            let stat = self.vault.stat(&entry.path).map_err(FolderError::from);
            if let Some(PathEntry::File(state)) = self.go_on_after(entry.path.as_str(), stat)?
                && !self.ledger.knows(&left_alone(&entry.path, &state))?
                && !self
                    .ledger
                    .knows(&self.left_for_its_zone(&entry.path, &state))?
            {
                found.insert(entry.path, state);
            }
        }
        Ok(found)
    }

    /// One pass; answers how many files it took in.
    fn pass(&mut self) -> Result<usize, FolderError> {
        self.finish()?;
        let mut found = BTreeMap::new();
        for folder in self.folders()? {
            let scanned = self.scan(&folder);
            found.extend(self.go_on_after(&folder, scanned)?.unwrap_or_default());
        }
        let now = Instant::now();
        self.seen
            .retain(|path, (state, _)| found.get(path) == Some(state));
        for (path, state) in found {
            self.seen.entry(path).or_insert((state, now));
        }
        let settled = self.settled;
        let due: Vec<_> = self
            .seen
            .iter()
            .filter(|(_, (state, since))| now - *since >= settled && state.len > 0)
            .map(|(path, (state, _))| (path.clone(), *state))
            .collect();
        self.is_more = due.len() > BATCH;
        if due.is_empty() {
            return Ok(0);
        }
        let present = tasks_in(&self.vault, &TASK_FOLDERS)?;
        let rules = ZoneRules::parse(&read_handbook(&self.vault));
        let mut taken = 0;
        for (path, state) in due.into_iter().take(BATCH) {
            let done = self.take(&path, &state, &rules, &present);
            let what = format!("The dropped file {path}");
            taken += usize::from(self.go_on_after(&what, done)? == Some(true));
            self.seen.remove(&path);
        }
        Ok(taken)
    }

    /// Takes in one file; whether it became a task now.
    fn take(
        &mut self,
        path: &VaultPath,
        state: &FileState,
        rules: &ZoneRules,
        present: &BTreeSet<TaskId>,
    ) -> Result<bool, FolderError> {
        if state.len > MAX_FILE_BYTES {
            let text = format!(
                "{path} is too large to become a task: it has {} bytes, and {MAX_FILE_BYTES} is \
                 the most. It stays where it is.",
                state.len
            );
            return self.leave(path, state, &text);
        }
        let bytes = match self.vault.read_once(path, MAX_FILE_BYTES) {
            // Changed or gone since: the next pass sees it as it is then.
            Ok(None) | Err(VaultError::NotFound(_)) => return Ok(false),
            Ok(Some((bytes, now))) if now == *state => bytes,
            Ok(Some(_)) => return Ok(false),
            Err(error) => {
                let text = format!("{path} cannot become a task: {error}. It stays where it is.");
                return self.leave(path, state, &text);
            }
        };
        let task = task_id(&bytes);
        let kept = self.free_place(task, path)?;
        let named = zone_of(path, text_of(&bytes), rules, &self.settings.zones);
        let is_named = named == NamedZone::Known(ZoneId::ACCOUNTING);
        let may_be = named == NamedZone::None && self.settings.zones.contains(&ZoneId::ACCOUNTING);
        let block = match is_named || may_be {
            true => file::block(path.file_name(), &bytes, is_named, &self.settings.pdfs),
            false => None,
        };
        let zone = match named {
            NamedZone::Known(zone) => zone,
            NamedZone::None if block.is_some() => ZoneId::ACCOUNTING,
            NamedZone::None => self.settings.default_zone,
            NamedZone::Unknown(named) => return self.leave_for_its_zone(path, state, &named),
        };
        let mut note = task_from_file(path, &bytes, zone, &kept, SystemClock.now());
        if let Some(block) = block {
            note.body.push_str(&format!("\n{block}"));
        }
        let facts = self.settings.facts.iter().filter(|fact| fact.0 == zone);
        note.facts
            .extend(facts.map(|(_, name, value)| task::fact(name, value)));
        let note = note.render();
        // What is in the place of the zone's folder gives it up by becoming a task.
        let is_in_the_way = *path == VaultPath::new(format!("{}/{zone}", layout::NEEDS_ACTION))?;
        let hash = sha256_hex(&bytes);
        let identity = Identity {
            key: key_of(path, state, &hash),
            identity: hash.clone(),
            content: hash,
        };
        let is_same_drop = self.ledger.knows(&identity.key)?;
        let is_new = match self.ledger.choose(&identity, task, &note)? {
            Chosen::New => {
                if present.contains(&task) {
                    // Another host took these bytes in.
                    self.ledger.written(task)?;
                } else {
                    if is_in_the_way && self.is_local() {
                        self.vault.rename(path, &kept)?;
                    }
                    self.create(task, zone, &note)?;
                }
                info!(%task, %path, "a dropped file became a task");
                true
            }
            Chosen::Known(_) if is_same_drop => false,
            Chosen::Known(_) => {
                let text = format!(
                    "{path} has the same content as the task {task}, so no second task was made. \
                     Change it and drop it again if it is another one."
                );
                self.report(&text, Some(task))?;
                false
            }
        };
        if !self.is_local() {
            self.ledger.skip(&left_alone(path, state))?;
        } else if !is_in_the_way || self.vault.exists(path)? {
            self.vault.rename(path, &kept)?;
        }
        Ok(is_new)
    }

    /// Leaves a file where it is, for good, and tells the owner why.
    fn leave(
        &mut self,
        path: &VaultPath,
        state: &FileState,
        text: &str,
    ) -> Result<bool, FolderError> {
        self.report(text, None)?;
        self.ledger.skip(&left_alone(path, state))?;
        Ok(false)
    }

    /// Leaves a file that names a zone that there is not where it is, until it or the zones change. The owner's
    /// machine asks its owner; a cloud host may only know fewer zones.
    fn leave_for_its_zone(
        &self,
        path: &VaultPath,
        state: &FileState,
        named: &str,
    ) -> Result<bool, FolderError> {
        if self.is_local() {
            let known: Vec<&str> = self.settings.zones.iter().map(ZoneId::as_str).collect();
            let text = format!(
                "{path} is left alone: there is no zone `{}`. Which is it? Write one of {} after \
                 `zone:` in it, or add [zones.…] to the configuration.",
                one_line(named, 40),
                known.join(", ")
            );
            self.report(&text, None)?;
        }
        self.ledger.skip(&self.left_for_its_zone(path, state))?;
        Ok(false)
    }

    /// As [`left_alone`], as long as there are these zones.
    fn left_for_its_zone(&self, path: &VaultPath, state: &FileState) -> String {
        let zones: Vec<&str> = self.settings.zones.iter().map(ZoneId::as_str).collect();
        format!("{}|{}", left_alone(path, state), zones.join(","))
    }

    /// Where the file goes: a name beside those of earlier files of the task.
    fn free_place(&self, task: TaskId, path: &VaultPath) -> Result<VaultPath, FolderError> {
        let mut number = 0;
        loop {
            let kept = kept_at(task, path, number)?;
            if number >= 1000 || !self.is_local() || !self.vault.exists(&kept)? {
                return Ok(kept);
            }
            number += 1;
        }
    }

    fn create(&self, task: TaskId, zone: ZoneId, note: &str) -> Result<(), FolderError> {
        create_note(&self.vault, zone, task, note)?;
        Ok(self.ledger.written(task)?)
    }

    /// Writes the notes whose writing was cut short.
    fn finish(&mut self) -> Result<(), FolderError> {
        let unwritten = self.ledger.unwritten(UNWRITTEN_AT_ONCE)?;
        if unwritten.is_empty() {
            return Ok(());
        }
        let present = tasks_in(&self.vault, &TASK_FOLDERS)?;
        for (task, note) in unwritten {
            let zone = TaskNote::parse(&note).map(|note| note.zone);
            match zone {
                Ok(zone) if !present.contains(&task) => {
                    let created = self.create(task, zone, &note);
                    self.go_on_after(&format!("The task {task}"), created)?;
                }
                _ => self.ledger.written(task)?,
            }
        }
        Ok(())
    }

    /// Tells the owner, by a note that the dashboard shows.
    fn report(&self, text: &str, task: Option<TaskId>) -> Result<(), FolderError> {
        let agent = &self.settings.agent;
        Ok(notes::report(&self.vault, agent, text, task)?)
    }
}

impl Source for FolderSource {
    type Error = FolderError;

    fn ready(&self) -> &'static str {
        "waiting for dropped files"
    }

    async fn poll(&mut self) -> Result<usize, FolderError> {
        let began = Instant::now();
        let taken = tokio::task::block_in_place(|| self.pass());
        self.pass_took = began.elapsed();
        taken
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), FolderError> {
        let at_most = match (self.is_more, self.seen.is_empty()) {
            (true, _) => Duration::ZERO,
            (false, true) => at_most,
            (false, false) => SOON,
        };
        if !at_most.is_zero() {
            let wake = self.wake_ups.wait(at_most).await;
            // A vault so large that a pass takes long is looked through less often.
            let gap = (self.pass_took * 5).clamp(GAP, LONGEST_GAP);
            tokio::time::sleep(if wake == Wake::Closed { SOON } else { gap }).await;
        }
        Ok(())
    }

    fn is_lasting(error: &FolderError) -> bool {
        matches!(
            error,
            FolderError::Ledger(LedgerError::Newer { .. } | LedgerError::InUse(_))
        )
    }
}

/// Whether a file directly in one of the folders is one that a person dropped: no task, no
/// conflict copy, nothing that a program has not finished, and no note that Obsidian has only just
/// made and its owner not named.
fn is_dropped(path: &VaultPath) -> bool {
    let name = path.file_name();
    let lower = name.to_lowercase();
    let unfinished = [
        "~",
        ".tmp",
        ".part",
        ".partial",
        ".crdownload",
        ".download",
        ".swp",
        ".crswap",
    ];
    let hidden = ["~$", ".", "#", "~syncthing~"];
    let is_task = path.stem().parse::<TaskId>().is_ok();
    let is_unnamed = lower.starts_with("untitled") && path.extension() == Some("md");
    let is_unfinished = unfinished.iter().any(|end| lower.ends_with(end))
        || hidden.iter().any(|start| name.starts_with(start));
    !(is_task || is_unnamed || is_unfinished || name.contains(".conflict-"))
}

/// The name under which a file that stays where it is is remembered; once changed, it is another.
fn left_alone(path: &VaultPath, state: &FileState) -> String {
    format!("left:{path}|{}|{}", state.len, state.modified)
}

fn key_of(path: &VaultPath, state: &FileState, hash: &str) -> String {
    format!("{path}|{}|{hash}", state.modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_and_own_files_are_not_dropped() {
        for (name, expected) in [
            ("idea.md", true),
            ("scan.PDF", true),
            ("no extension", true),
            ("task_00000000000000000000000000.md", false),
            ("a.conflict-cloud-20261120T184303123Z-0123abcd.md", false),
            ("big.iso.crdownload", false),
            ("~$a.docx", false),
            ("a.md~", false),
            ("Untitled 3.md", false),
        ] {
            let path = VaultPath::new(format!("Inbox/{name}")).unwrap();
            assert_eq!(is_dropped(&path), expected, "{name}");
        }
    }
}
