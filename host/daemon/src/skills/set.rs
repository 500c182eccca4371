//! [`SkillSet`]: the skills of a running daemon, run for events.
//!
//! Invariants: a run gets a fresh instance, the zone of its event alone, and the host's limits
//! narrowed by its manifest's; a fault of a skill is counted here and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_core::{Clock, DraftId, SystemClock, TaskId, ZoneId, sha256_hex};
use platinum_engine::{
    GrantedFolder, Invocation, InvokeError, Limits, Outcome, Skill, SkillError, SkillHost,
};
use tokio::time::Instant;

use super::{
    catalog::Catalog,
    dispatch::Dispatch,
    event::Event,
    faults::{FaultKind, FaultLog, FaultVerdict},
    lock::GrantUsage,
    survey::{KnownZones, RowState, Survey},
};
use crate::{OwnerUpdates, SkillName};

/// The skills this host may run.
pub struct SkillSet {
    host: SkillHost,
    skills: BTreeMap<SkillName, LoadedSkill>,
    dispatch: Dispatch,
    /// Skills that were refused, and why.
    refusals: BTreeMap<String, String>,
    zones: BTreeSet<ZoneId>,
    faults: Mutex<FaultLog>,
    updates: OwnerUpdates,
    /// Where it is noted which grants were used; none: nowhere.
    usage: Option<Mutex<GrantUsage>>,
}

/// An admitted skill, and what its manifest leaves of the host's limits.
struct LoadedSkill {
    skill: Skill,
    /// SHA-256, in hex, of its component.
    component: String,
    zones: BTreeSet<ZoneId>,
    limits: Limits,
}

/// What a skill is run for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The event.
    pub event: &'a Event,
    /// The zone, if the event has one.
    pub zone: Option<ZoneId>,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// What went before, in one line for people.
    pub message: Option<String>,
}

impl<'a> Request<'a> {
    /// An event without a zone or a task.
    pub fn new(event: &'a Event) -> Self {
        Self {
            event,
            zone: None,
            task: None,
            message: None,
        }
    }

    /// An event of a task.
    pub fn of_task(event: &'a Event, task: TaskId, zone: ZoneId) -> Self {
        Self {
            zone: Some(zone),
            task: Some(task),
            ..Self::new(event)
        }
    }
}

/// Why a skill did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not installed, or this host does not admit it.
    #[error("skill {0} is not installed here or was refused; `platinum skill list` shows why")]
    Absent(SkillName),
    /// It broke too often.
    #[error("skill {skill} is broken and not run: {reason}")]
    Broken {
        /// Which skill.
        skill: SkillName,
        /// What happened the last time.
        reason: String,
    },
    /// Its answer is none that the event has a use for.
    #[error("skill {skill} answered `{answer}`, which is no answer to {event}")]
    Answer {
        /// Which skill.
        skill: SkillName,
        /// What was asked.
        event: Event,
        /// What it answered.
        answer: String,
    },
    /// It did not end with an answer, or with an error of its own.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

impl RunError {
    /// Whether the skill itself answered that it cannot be done: that is about its task. Everything
    /// else is about the skill or the moment, and the task waits.
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            RunError::Invoke(InvokeError::Skill { error, .. })
                if !matches!(error, SkillError::Unavailable(_))
        )
    }

    /// Logs it. A skill that is broken was logged when it broke.
    pub fn log(&self) {
        match self {
            RunError::Broken { .. } => tracing::debug!("{self}."),
            _ => tracing::warn!("{self}."),
        }
    }

    /// Whether the skill broke, and how.
    fn fault(&self) -> Option<FaultKind> {
        match self {
            RunError::Answer { .. } => Some(FaultKind::Defect),
            RunError::Invoke(error) => match error {
                InvokeError::OutOfMemory { .. }
                | InvokeError::OutOfTime { .. }
                | InvokeError::TooManyHostCalls { .. }
                | InvokeError::Trapped { .. } => Some(FaultKind::Defect),
                InvokeError::TimedOut { .. } => Some(FaultKind::Delay),
                InvokeError::Busy { .. }
                | InvokeError::Skill { .. }
                | InvokeError::OtherHost { .. } => None,
            },
            RunError::Absent(_) | RunError::Broken { .. } => None,
        }
    }
}

impl SkillSet {
    /// Loads the skills of a catalogue through the role's linker, and logs what is not run.
    /// `folders` are those that a skill finds open.
    pub fn load(
        host: SkillHost,
        catalog: &Catalog,
        limits: &Limits,
        zones: KnownZones,
        updates: OwnerUpdates,
        folders: impl Fn(&SkillName) -> Vec<GrantedFolder>,
    ) -> Self {
        let survey = Survey::of(catalog, &zones, |skill, component| {
            let manifest = &skill.manifest;
            host.load(manifest.name.as_str(), component, &manifest.instructions)
                .map(|loaded| {
                    let hash = sha256_hex(component);
                    (loaded.with_folders(folders(&manifest.name)), hash)
                })
        });
        survey.log();
        let refusals = survey.rows().into_iter().filter_map(|row| match row.state {
            RowState::Refused(reason) => Some((row.skill, reason)),
            RowState::Runs | RowState::BeyondRole | RowState::ZoneNotSetUp => None,
        });
        let refusals = refusals.collect();
        let Survey {
            admitted, dispatch, ..
        } = survey;
        let skills = admitted
            .into_iter()
            .map(|(name, (installed, (skill, component)))| {
                let loaded = LoadedSkill {
                    skill,
                    component,
                    zones: installed.manifest.zones.clone(),
                    limits: installed.manifest.limits.narrow(limits),
                };
                (name, loaded)
            })
            .collect();
        Self {
            host,
            skills,
            dispatch,
            refusals,
            zones: zones.known,
            faults: Mutex::default(),
            updates,
            usage: None,
        }
    }

    /// The same skills, which note what they use of their grants.
    #[must_use]
    pub fn with_usage(mut self, usage: GrantUsage) -> Self {
        self.usage = Some(Mutex::new(usage));
        self
    }

    /// The names of the skills that were admitted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.skills.keys().map(SkillName::as_str)
    }

    /// What each skill that was admitted holds: its name, the SHA-256 of its component in hex, and its
    /// interfaces.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &str, Vec<String>)> {
        self.skills.iter().map(|(name, loaded)| {
            let interfaces = loaded.skill.capabilities();
            let interfaces = interfaces.map(|capability| capability.to_string());
            (
                name.as_str(),
                loaded.component.as_str(),
                interfaces.collect(),
            )
        })
    }

    /// The skills that were refused, and why.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, &str)> {
        let refusals = self.refusals.iter();
        refusals.map(|(skill, reason)| (skill.as_str(), reason.as_str()))
    }

    /// Which skill is run for what.
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Whether tasks of a zone can be claimed and drafted for here.
    pub fn can_work_in(&self, zone: ZoneId) -> bool {
        self.dispatch.claimer(zone).is_some() && self.dispatch.drafter(zone).is_some()
    }

    /// Runs every skill that listens to an event, in the order of their names; the first error, if
    /// there is one. All of them are run in any case.
    ///
    /// # Errors
    /// If one of them did not do its work.
    pub async fn run_all(&self, request: &Request<'_>) -> Result<(), RunError> {
        let mut ended = Ok(());
        for skill in self.dispatch.skills(request.event, request.zone) {
            match self.run(skill, request).await {
                Ok(outcome) => {
                    tracing::debug!(%skill, event = %request.event, ?outcome, "A skill ended.");
                }
                Err(error) if ended.is_ok() => ended = Err(error),
                Err(error) => error.log(),
            }
        }
        ended
    }

    /// Runs a skill once, in a fresh instance.
    ///
    /// # Errors
    /// If it is not here, counts as broken, was stopped at a limit, answers what the event has no
    /// use for, or says that it failed.
    pub async fn run(&self, name: &SkillName, request: &Request<'_>) -> Result<Outcome, RunError> {
        let loaded = self
            .skills
            .get(name)
            .ok_or_else(|| RunError::Absent(name.clone()))?;
        if let Some(reason) = self.faults().broken(name, request.task, Instant::now()) {
            return Err(RunError::Broken {
                skill: name.clone(),
                reason: reason.to_owned(),
            });
        }
        let zones = match request.zone {
            Some(zone) => vec![zone],
            None if loaded.zones.is_empty() => self.zones.iter().copied().collect(),
            None => loaded.zones.iter().copied().collect(),
        };
        let ended = self
            .host
            .invoke(
                &loaded.skill,
                invocation(request),
                zones,
                SystemClock.now(),
                &loaded.limits,
            )
            .await
            .map_err(RunError::from)
            .and_then(|outcome| match is_answer_to(request.event, &outcome) {
                true => Ok(outcome),
                false => Err(RunError::Answer {
                    skill: name.clone(),
                    event: request.event.clone(),
                    answer: format!("{outcome:?}"),
                }),
            });
        if let Some(usage) = &self.usage {
            let mut usage = usage.lock().unwrap_or_else(PoisonError::into_inner);
            usage.record(name, loaded.skill.used());
        }
        self.record(name, request.task, ended.as_ref().err()).await;
        ended
    }

    /// Counts a fault, and lets the owner know if it was one too many.
    async fn record(&self, name: &SkillName, task: Option<TaskId>, error: Option<&RunError>) {
        let Some((error, kind)) = error.and_then(|error| Some((error, error.fault()?))) else {
            // Busy is neither a success nor a fault.
            if !matches!(error, Some(RunError::Invoke(InvokeError::Busy { .. }))) {
                self.faults().record_success(name, task);
            }
            return;
        };
        let now = Instant::now();
        let verdict = self
            .faults()
            .record_fault(name, task, kind, &error.to_string(), now);
        if verdict == FaultVerdict::NotifyOwner {
            let text = match kind {
                FaultKind::Defect => format!(
                    "The skill {name} is broken and its work waits; replace it and restart \
                     Platinum. The last time: {error}"
                ),
                FaultKind::Delay => {
                    format!("The skill {name} takes too long, and is tried again: {error}")
                }
            };
            tracing::error!(skill = %name, "{text}.");
            self.updates.publish(task, &text).await;
        }
    }

    fn faults(&self) -> MutexGuard<'_, FaultLog> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the host has a use for an outcome. What observers answer is for the log alone.
fn is_answer_to(event: &Event, outcome: &Outcome) -> bool {
    match event {
        Event::TaskWaiting => matches!(outcome, Outcome::Done(_) | Outcome::Nothing),
        Event::TaskClaim => matches!(
            outcome,
            Outcome::Claimed(_) | Outcome::Tentative(_) | Outcome::Nothing
        ),
        Event::TaskClaimed => match outcome {
            Outcome::Drafted(draft) => draft.parse::<DraftId>().is_ok(),
            Outcome::Done(_) | Outcome::Dismissed(_) | Outcome::Nothing => true,
            _ => false,
        },
        _ => true,
    }
}

fn invocation(request: &Request<'_>) -> Invocation {
    Invocation {
        event: request.event.to_string(),
        task: request.task,
        message: request.message.clone(),
    }
}
