//! [`Trial`]: opened, and run mail by mail.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use platinum_capabilities::{
    self as capabilities,
    tasks::{NoReceipts, Receipts, TaskStore},
    zones::SourceCommand,
};
use platinum_core::{AgentName, DraftId, Role, ZoneId, layout, text::one_line};
use platinum_engine::{Engine, EngineOptions, Interface, Outcome, SkillHost};
use platinum_mcp::Session;
use platinum_vault::{
    Vault,
    note::{DraftNote, MAX_DRAFT_BYTES, TaskNote},
};
use platinum_verify::Identity;
use tokio::time::Instant;

use super::{
    Decision, TrialRow,
    tasks::ScratchTasks,
    tokens::{CountedModel, Tokens},
};
use crate::{
    Config, HostError, OwnerUpdates, SkillName, SkillSet, beside, make_state_folder,
    skills::{Catalog, Event, FolderGrants, KnownZones, LockMemory, Request, SkillLock},
    skills_folder, zone_server,
};

/// The name of the host that drafts in a trial.
const AGENT: &str = "trial";
/// The scratch vault, and what is remembered beside it, in the folder of a trial.
const VAULT: &str = "vault";
const STATE: &str = "state";

/// Past mails, and the skill that drafts for them.
pub struct Trial {
    /// The scratch vault.
    vault: Vault,
    zone: ZoneId,
    source: SourceCommand,
    state: PathBuf,
    store: Arc<ScratchTasks>,
    skills: SkillSet,
    drafter: SkillName,
    model: Arc<CountedModel>,
    session: Session,
}

impl Trial {
    /// Opens a trial of the last `past` mails of a zone, in a folder that is made for it.
    ///
    /// # Errors
    /// If the zone is not set up or has no past, or a part of the host cannot be opened.
    pub async fn open(
        config: &Config,
        zone: ZoneId,
        past: usize,
        folder: &Path,
    ) -> Result<Self, HostError> {
        let wrong = HostError::Config;
        let unset = || wrong(format!("[zones.{zone}] is not set up"));
        let configured = config.zones.get(zone.as_str()).ok_or_else(unset)?;
        let server = zone_server(&**configured, Role::Cloud).ok_or_else(unset)?;
        let source = configured
            .past(past)
            .ok_or_else(|| wrong(format!("the zone {zone} has nothing that is past")))?;
        let failed = |error: std::io::Error| HostError::State {
            path: folder.to_owned(),
            what: error.to_string(),
        };
        let state = folder.join(STATE);
        make_state_folder(folder).map_err(failed)?;
        make_state_folder(&state).map_err(failed)?;
        make_state_folder(&folder.join(VAULT)).map_err(failed)?;
        let vault = Vault::open(&folder.join(VAULT))?;
        let agent = AGENT
            .parse::<AgentName>()
            .map_err(|error| wrong(format!("{AGENT}: {error}")))?;

        // What it writes counts for the day as all that this host writes.
        let model = platinum_llm::build(&config.model, &config.vault.state)
            .map_err(|error| HostError::Model(error.to_string()))?;
        let model = Arc::new(CountedModel::new(model));
        let session = Session::spawn(server).await?;
        let store = Arc::new(ScratchTasks::new(vault.clone()));
        let interfaces = {
            let store: Arc<dyn TaskStore> = store.clone();
            let receipts: Arc<dyn Receipts> = Arc::new(NoReceipts);
            let model: Arc<dyn platinum_llm::Model> = model.clone();
            let folders = config.folders().map_err(HostError::Config)?;
            let folders = FolderGrants::decide(Role::Cloud, &agent, folders);
            let own = Vault::open(&config.vault.path)?;
            let mut list: Vec<Box<dyn Interface>> = capabilities::skill::interfaces();
            list.extend(capabilities::tasks::interfaces(&store, &receipts));
            list.extend(capabilities::proposals::interfaces(&vault, &store));
            list.push(capabilities::updates::publish(&vault));
            list.push(capabilities::model::interface(&model));
            let reads = folders.reads(config.vault.read.clone());
            list.push(capabilities::vault::interface(&own, reads));
            list.extend(configured.trial_interfaces(&session, &vault, &store));
            list
        };
        let skills = load_skills(config, zone, &vault, &agent, interfaces)?;
        let drafter = skills.dispatch().drafter(zone).cloned();
        let drafter = drafter.ok_or_else(|| {
            let mut reasons = skills.refusals();
            let reason = reasons
                .next()
                .map(|(skill, why)| format!(": {skill}: {why}"));
            wrong(format!(
                "no skill drafts in the zone {zone}{}; `platinum skill list` shows them",
                reason.unwrap_or_default()
            ))
        })?;
        Ok(Self {
            vault,
            zone,
            source,
            state,
            store,
            skills,
            drafter,
            model,
            session,
        })
    }

    /// Takes in the mails; answers their tasks, oldest first.
    ///
    /// # Errors
    /// In one line, if the mailbox or the scratch vault cannot be used.
    pub async fn take_in(&self) -> Result<Vec<TaskNote>, String> {
        let program = beside("platinum-intake");
        let mut command = tokio::process::Command::new(&program);
        command
            .args(&self.source.args)
            .arg("--vault")
            .arg(self.vault.root())
            .arg("--state")
            .arg(&self.state)
            .env_clear()
            .envs(["PATH", "HOME"].iter().filter_map(|name| {
                let value = std::env::var_os(name)?;
                Some((*name, value))
            }))
            .envs(&self.source.env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let ended = command
            .output()
            .await
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr);
            let last = said.lines().last().unwrap_or("it says nothing");
            return Err(one_line(last, 500));
        }
        let waiting = self.store.waiting(self.zone).await;
        waiting.map_err(|error| error.to_string())
    }

    /// Drafts for one task. Nothing of the task is lost if this is called off.
    pub async fn draft(&self, task: &TaskNote) -> TrialRow {
        let started = Instant::now();
        let request = Request::of_task(&Event::TaskClaimed, task.id, self.zone);
        let decision = match self.skills.run(&self.drafter, &request).await {
            Ok(Outcome::Drafted(draft)) => self.drafted(&draft),
            Ok(Outcome::Dismissed(reason)) => {
                self.store.file(task.id, "filed", &reason);
                Decision::Filed(reason)
            }
            Ok(Outcome::Done(summary)) => {
                self.store.file(task.id, "done", &summary);
                Decision::Filed(summary)
            }
            Ok(other) => Decision::Failed(format!("the skill answered {other:?}")),
            Err(error) => Decision::Failed(error.to_string()),
        };
        TrialRow {
            from: task.from.clone(),
            subject: task.subject.clone(),
            decision,
            took: started.elapsed(),
        }
    }

    fn drafted(&self, draft: &str) -> Decision {
        let Ok(id) = draft.parse::<DraftId>() else {
            return Decision::Failed(format!("the skill answered with the draft `{draft}`"));
        };
        let text = self
            .vault
            .read_text(&layout::pending(id), MAX_DRAFT_BYTES as u64)
            .map_err(|error| error.to_string());
        let note = text.and_then(|text| DraftNote::parse(&text).map_err(|error| error.to_string()));
        match note {
            Ok(note) => Decision::Drafted {
                recipients: recipients(&note),
                gaps: count_gaps(note.action.text()),
            },
            Err(error) => Decision::Failed(error),
        }
    }

    /// What the model has read and written so far.
    pub fn tokens(&self) -> Tokens {
        self.model.tokens()
    }

    /// Which model writes.
    pub fn model(&self) -> &str {
        platinum_llm::Model::name(&*self.model)
    }

    /// Ends the mail server.
    pub async fn close(self) {
        self.session.close().await;
    }
}

/// The skill that drafts in a zone, admitted as on a cloud host.
fn load_skills(
    config: &Config,
    zone: ZoneId,
    vault: &Vault,
    agent: &AgentName,
    interfaces: Vec<Box<dyn Interface>>,
) -> Result<SkillSet, HostError> {
    let engine = Engine::new(EngineOptions {
        cache_dir: Some(config.compiled_skills()),
        ..EngineOptions::default()
    })
    .map_err(|error| HostError::Engine(error.to_string()))?;
    let narrowed = config.narrowed().map_err(HostError::Config)?;
    let host = SkillHost::new(engine, Role::Cloud, agent.clone(), interfaces, narrowed)
        .map_err(|error| HostError::Engine(error.to_string()))?;
    let owner = config.agent(Role::Local).map_err(HostError::Config)?;
    let identity = Identity::read(&config.vault.state, &owner, Role::Local)?;
    let folder = skills_folder(&config.work.skills);
    let mut catalog = Catalog::read(&folder)?;
    // The others have nothing to do here.
    catalog.entries.retain(|entry| match &entry.skill {
        Ok(skill) => {
            let manifest = &skill.manifest;
            manifest.events.contains(&Event::TaskClaimed)
                && (manifest.zones.is_empty() || manifest.zones.contains(&zone))
        }
        Err(_) => true,
    });
    catalog.pin(
        Role::Cloud,
        &SkillLock::read(
            &folder,
            &identity.signers()?,
            &LockMemory::of(&config.vault.state),
        ),
    );
    Ok(SkillSet::load(
        host,
        &catalog,
        &config.limits(),
        KnownZones::of(Role::Cloud, config),
        OwnerUpdates::new(vault.clone(), agent.clone()),
        |_| Vec::new(),
    ))
}

/// Whom a draft goes to, whatever its kind.
fn recipients(note: &DraftNote) -> Vec<String> {
    let lists = ["to", "cc", "bcc"].iter();
    let values = lists.filter_map(|key| note.action.fields().get(*key)?.as_sequence());
    let texts = values.flatten().filter_map(|value| value.as_str());
    texts.map(|text| one_line(text, 320)).collect()
}

/// How many places of a text are left for the owner.
fn count_gaps(text: &str) -> usize {
    text.matches('✎').count() + text.matches("[[").count()
}
