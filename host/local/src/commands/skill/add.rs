//! `platinum skill add`: says what skills may do and what is new, asks, copies and locks them.
//!
//! Lives elsewhere: the lock itself is `platinum_daemon::skills`'s.
//! Invariants: what is locked are the bytes that were shown; without a yes nothing is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use platinum_core::{Capability, Clock as _, Role, SystemClock};
use platinum_daemon::skills::{
    InstalledSkill, LOCK_FILE, LockError, LockMemory, LockedSkill, SkillLock,
};
use platinum_verify::Identity;

use super::super::{
    CommandError, Context, Kind,
    keys::identity,
    terminal::{count, plain},
};

/// Add a skill, after saying what it may do and what is new since it was added last.
///
/// A skill that was not added, or changed since, gets no event.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The folder of the skill, or with --all a folder of such folders.
    folder: PathBuf,
    /// Add every skill in the folder.
    #[arg(long)]
    all: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &AddArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let identity = identity(&config)?;
    let installed = ctx.skills_folder()?;
    let memory = LockMemory::of(&config.vault.state);
    let mut addition = Addition::read(&args.folder, args.all, &installed, &identity, memory)?;
    ctx.print(&addition.text())?;
    if addition.candidates.is_empty() {
        return addition.ended();
    }
    if addition.has_news()
        && !args.yes
        && !ctx.asks("Add them?", "--yes adds what is shown above")?
    {
        return Err(CommandError::new(Kind::Refused, "nothing was added"));
    }
    addition.apply(&identity)?;
    ctx.print(&format!(
        "\nLocked in {}.\nA daemon that runs keeps the skills that it started with: restart it. A \
         cloud host needs a copy of that folder, {LOCK_FILE} included.\n",
        installed.display()
    ))?;
    addition.ended()
}

/// Skills that are to be added to a folder of installed ones.
pub(in super::super) struct Addition {
    installed: PathBuf,
    memory: LockMemory,
    lock: SkillLock,
    /// Why the former lock is not built upon.
    former: Option<LockError>,
    candidates: Vec<Candidate>,
    /// What is not added, with the reason.
    refused: Vec<(String, String)>,
}

struct Candidate {
    skill: InstalledSkill,
    component: Vec<u8>,
    locked: LockedSkill,
}

impl Addition {
    /// Looks at the skill in a folder, or with `all` at those in its folders.
    pub(in super::super) fn read(
        folder: &Path,
        all: bool,
        installed: &Path,
        identity: &Identity,
        memory: LockMemory,
    ) -> Result<Self, CommandError> {
        let (lock, former) = match SkillLock::read(installed, &identity.signers()?, &memory) {
            Ok(lock) => (lock, None),
            Err(LockError::Missing { .. }) => (SkillLock::default(), None),
            Err(broken) => (SkillLock::default(), Some(broken)),
        };
        let mut addition = Self {
            installed: installed.to_owned(),
            memory,
            lock,
            former,
            candidates: Vec::new(),
            refused: Vec::new(),
        };
        if all {
            for entry in super::read_catalog(folder)?.entries {
                addition.take(entry.folder, entry.skill.map_err(|why| why.to_string()));
            }
        } else {
            // Without a `..` or a trailing `/`: the folder's name is the skill's.
            let folder = folder.canonicalize().map_err(|error| {
                CommandError::new(
                    Kind::NotFound,
                    format!("{} cannot be read: {error}", folder.display()),
                )
            })?;
            let name = folder.file_name().unwrap_or_default();
            let name = name.to_string_lossy().escape_debug().take(80).collect();
            let skill = InstalledSkill::read(&folder).map_err(|why| why.to_string());
            addition.take(name, skill);
        }
        Ok(addition)
    }

    fn take(&mut self, name: String, skill: Result<InstalledSkill, String>) {
        let candidate = skill.and_then(|skill| {
            let component = skill.read_component().map_err(|why| why.to_string())?;
            let locked = LockedSkill::of(&skill, &component).map_err(|why| why.to_string())?;
            if locked.grants.is_empty() {
                let imports = locked.imports.iter().map(String::as_str);
                let why = platinum_policy::decide(imports, Role::Local, None).err();
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                return Err(format!("no role admits it{why}"));
            }
            Ok(Candidate {
                skill,
                component,
                locked,
            })
        });
        match candidate {
            Ok(candidate) => self.candidates.push(candidate),
            Err(why) => self.refused.push((name, why)),
        }
    }

    /// How many skills there are to add, in words, and how many are not added.
    pub(in super::super) fn summary(&self) -> String {
        let added = format!("{} added", self.candidates.len());
        match self.refused.len() {
            0 => added,
            refused => format!("{added}, {refused} NOT: `platinum skill add --all` says why"),
        }
    }

    /// Whether anything differs from what the owner added last.
    fn has_news(&self) -> bool {
        let is_new = |one: &Candidate| self.lock.get(&one.skill.manifest.name) != Some(&one.locked);
        self.candidates.iter().any(is_new)
    }

    /// What each skill may do, and what is new.
    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(former) = &self.former {
            text.push_str(&format!("The former lock is not used: {former}.\n"));
        }
        for candidate in &self.candidates {
            let name = &candidate.skill.manifest.name;
            match self.lock.get(name) {
                Some(former) if *former == candidate.locked => {
                    text.push_str(&format!("{name}: unchanged\n"));
                }
                Some(former) => {
                    text.push_str(&format!("{name}: changed since it was added\n"));
                    text.push_str(&changes(former, &candidate.locked));
                }
                None => {
                    text.push_str(&format!(
                        "{name}: new\n  {}\n",
                        plain(&candidate.skill.manifest.description, 1024)
                    ));
                    for line in words(&candidate.locked) {
                        text.push_str(&format!("  {line}\n"));
                    }
                }
            }
        }
        for (name, why) in &self.refused {
            text.push_str(&format!(
                "{}: NOT ADDED: {}\n",
                plain(name, 80),
                plain(why, 2000)
            ));
        }
        text
    }

    /// Copies the skills and writes the lock.
    pub(in super::super) fn apply(&mut self, identity: &Identity) -> Result<(), CommandError> {
        let failed = |error: std::io::Error| {
            let folder = self.installed.display();
            CommandError::new(Kind::Failed, format!("cannot write to {folder}: {error}"))
                .hint("`work.skills` in the configuration names a folder of your own for skills")
        };
        for Candidate {
            skill,
            component,
            locked,
        } in &self.candidates
        {
            skill.install(component, &self.installed).map_err(failed)?;
            self.lock.put(&skill.manifest.name, locked.clone());
        }
        self.lock
            .write(
                &self.installed,
                identity.key(),
                &self.memory,
                SystemClock.now(),
            )
            .map_err(failed)
    }

    /// The error of what was not added.
    fn ended(&self) -> Result<(), CommandError> {
        match self.refused.len() {
            0 => Ok(()),
            refused => Err(CommandError::new(
                Kind::Refused,
                format!("{} not added", count(refused, "skill was", "skills were")),
            )),
        }
    }
}

/// What a skill runs on and may do, a line each.
fn words(skill: &LockedSkill) -> BTreeSet<String> {
    let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (role, granted) in &skill.grants {
        for interface in granted {
            roles.entry(interface).or_default().push(role);
        }
    }
    let may = roles.into_iter().filter_map(|(interface, roles)| {
        let capability = interface.parse::<Capability>().ok()?;
        Some(format!(
            "may {} ({})",
            capability.grants(),
            roles.join(", ")
        ))
    });
    let zones = match skill.zones.as_slice() {
        [] => String::new(),
        zones => format!(" in {}", zones.join(", ")),
    };
    let on = skill
        .on
        .iter()
        .map(|event| format!("runs on {event}{zones}"));
    on.chain(may).collect()
}

/// What differs, a line each; what is new comes first.
fn changes(former: &LockedSkill, now: &LockedSkill) -> String {
    let (was, is) = (words(former), words(now));
    let mut text = String::new();
    for line in is.difference(&was) {
        text.push_str(&format!("  NEW: {line}\n"));
    }
    for line in was.difference(&is) {
        text.push_str(&format!("  no longer: {line}\n"));
    }
    if former.component != now.component {
        text.push_str("  its code is another\n");
    }
    if former.manifest != now.manifest {
        text.push_str("  its SKILL.md is another\n");
    }
    text
}
