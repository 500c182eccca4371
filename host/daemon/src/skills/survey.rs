//! [`Survey`]: what becomes of every installed skill on a host, and why.
//!
//! The daemon starts from it, and `platinum skill list` and `doctor` show it, so that they cannot
//! disagree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use platinum_capabilities::zones::ZONES;
use platinum_core::{Capability, Role, ZoneId};
use platinum_engine::LoadError;
use platinum_policy::{BUILT_IN_ZONES, is_local_only};

use super::{
    catalog::{Catalog, InstalledSkill, SkillDefect},
    dispatch::{Dispatch, Subscription},
    event::{Event, SourceName},
    folders::FolderGrants,
};
use crate::{Config, SkillName};

/// What a host knows of zones.
#[derive(Debug, Clone, Default)]
pub struct KnownZones {
    /// Those that it may work in.
    pub known: BTreeSet<ZoneId>,
    /// Which skill drafts, where the configuration says so.
    pub drafters: BTreeMap<ZoneId, SkillName>,
    /// The sources that run there; none if that is not known.
    pub sources: Option<BTreeSet<SourceName>>,
    /// Those with interfaces of their own that have no section in the configuration.
    pub unset: BTreeSet<ZoneId>,
}

impl KnownZones {
    /// Those that are built in, as far as the role may work in them.
    pub fn built_in(role: Role) -> Self {
        let zones = BUILT_IN_ZONES.iter().map(|zone| zone.id);
        Self {
            known: zones
                .filter(|&zone| role == Role::Local || !is_local_only(zone))
                .collect(),
            drafters: BTreeMap::new(),
            sources: None,
            unset: BTreeSet::new(),
        }
    }

    /// Those that are built in, with what the configuration adds and decides.
    pub fn of(role: Role, config: &Config) -> Self {
        let mut zones = Self::built_in(role);
        zones.known.extend(config.work_zones());
        zones.drafters = config.zones.drafters().clone();
        let unset = ZONES
            .iter()
            .filter(|(id, _)| config.zones.get(id).is_none());
        zones.unset = unset.filter_map(|(id, _)| id.parse().ok()).collect();
        let watched = config.zones.ids().iter().filter(|id| {
            let zone = config.zones.get(id.as_str());
            zone.is_some_and(|zone| zone.source().is_some())
        });
        let sources = watched.map(|id| SourceName::of_zone(*id));
        zones.sources = Some(sources.chain([SourceName::folder()]).collect());
        zones
    }

    /// Why a source raises nothing there.
    fn explain_absent(&self, source: &SourceName) -> Option<String> {
        let sources = self.sources.as_ref()?;
        let names: Vec<_> = sources.iter().map(SourceName::to_string).collect();
        (!sources.contains(source)).then(|| {
            let names = names.join(", ");
            format!("no source `{source}` runs on this host; those that do are {names}")
        })
    }
}

/// Why a skill whose folder is in order is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum Admission {
    /// Its component cannot be read.
    #[error(transparent)]
    Component(#[from] SkillDefect),
    /// The host refuses it.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Admission {
    /// Whether the role's ceiling alone is the reason: then it is meant for the other role, and
    /// nothing is wrong.
    pub fn is_beyond_role(&self) -> bool {
        let Admission::Load(LoadError::Refused { refusal, .. }) = self else {
            return false;
        };
        let is_known = |import: &String| {
            Capability::ALL
                .iter()
                .any(|capability| capability.interface() == import)
        };
        refusal.withheld.is_empty() && refusal.missing.iter().all(is_known)
    }

    /// Whether the reason is that what it imports is not set up on this host.
    fn is_not_offered(&self) -> bool {
        matches!(self, Admission::Load(LoadError::NotOffered { .. }))
    }
}

/// What becomes of a skill for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowState {
    /// It is run.
    Runs,
    /// It is meant for the other role.
    BeyondRole,
    /// It is meant for zones that are not set up here.
    ZoneNotSetUp,
    /// It is not run: why.
    Refused(String),
}

/// One line of the table of skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillRow {
    /// The event; none for a skill that is run for nothing.
    pub event: Option<Event>,
    /// The zone, if the event has one.
    pub zone: Option<ZoneId>,
    /// The skill, or the name of a folder that holds none.
    pub skill: String,
    /// What becomes of it.
    pub state: RowState,
}

/// The installed skills on one host. `T` is what the host makes of an admitted one.
pub struct Survey<'a, T> {
    /// The admitted skills.
    pub admitted: BTreeMap<SkillName, (&'a InstalledSkill, T)>,
    /// Those that are not, with the reason.
    pub refused: BTreeMap<SkillName, (&'a InstalledSkill, Admission)>,
    /// Which is run for what.
    pub dispatch: Dispatch,
    catalog: &'a Catalog,
    zones: &'a KnownZones,
}

impl<'a, T> Survey<'a, T> {
    /// Admits the skills of a catalogue and decides which is run for what.
    pub fn of(
        catalog: &'a Catalog,
        zones: &'a KnownZones,
        admit: impl Fn(&InstalledSkill, &[u8]) -> Result<T, LoadError>,
    ) -> Self {
        let (mut admitted, mut refused) = (BTreeMap::new(), BTreeMap::new());
        for skill in catalog.skills() {
            let name = skill.manifest.name.clone();
            let answer = skill
                .read_component()
                .map_err(Admission::from)
                .and_then(|component| Ok(admit(skill, &component)?));
            match answer {
                Ok(made) => {
                    admitted.insert(name, (skill, made));
                }
                Err(why) => {
                    refused.insert(name, (skill, why));
                }
            }
        }
        let asked = admitted
            .values()
            .map(|(skill, _)| Subscription::of(&skill.manifest));
        let dispatch = Dispatch::build(asked, &zones.known, &zones.drafters);
        Self {
            admitted,
            refused,
            dispatch,
            catalog,
            zones,
        }
    }

    /// The table of skills: by event and zone what is run, then what is not.
    pub fn rows(&self) -> Vec<SkillRow> {
        let mut rows = Vec::new();
        for ((event, zone), skills) in self.dispatch.occasions() {
            let absent = match event {
                Event::Source(source) => self.zones.explain_absent(source),
                _ => None,
            };
            let state = absent.map_or(RowState::Runs, RowState::Refused);
            rows.extend(skills.iter().map(|skill| SkillRow {
                event: Some(event.clone()),
                zone: *zone,
                skill: skill.to_string(),
                state: state.clone(),
            }));
        }
        for excluded in self.dispatch.excluded() {
            let (event, zone) = excluded.occasion.clone();
            rows.push(SkillRow {
                event: Some(event),
                zone,
                skill: excluded.skill.to_string(),
                state: RowState::Refused(excluded.to_string()),
            });
        }
        rows.sort_by(|a, b| (&a.event, a.zone, &a.skill).cmp(&(&b.event, b.zone, &b.skill)));
        for (name, (skill, _)) in &self.admitted {
            if skill.manifest.events.is_empty() {
                let reason = "its SKILL.md names no event; write `platinum.on` into `metadata`";
                rows.push(without_event(name.as_str(), reason));
            }
        }
        for (name, (skill, why)) in &self.refused {
            let state = self.state_of(skill, why);
            let row = |event: Option<&Event>, zone: Option<ZoneId>| SkillRow {
                event: event.cloned(),
                zone,
                skill: name.to_string(),
                state: state.clone(),
            };
            if skill.manifest.events.is_empty() {
                rows.push(row(None, None));
            }
            for event in &skill.manifest.events {
                let mut zones: Vec<_> = skill.manifest.zones.iter().copied().map(Some).collect();
                if zones.is_empty() || !event.has_zone() {
                    zones = vec![None];
                }
                rows.extend(zones.into_iter().map(|zone| row(Some(event), zone)));
            }
        }
        for (folder, defect) in self.catalog.defects() {
            rows.push(without_event(folder, &defect.to_string()));
        }
        for absent in self.dispatch.absent_drafters() {
            rows.push(SkillRow {
                event: Some(Event::TaskClaimed),
                zone: Some(absent.zone),
                skill: absent.drafter.to_string(),
                state: RowState::Refused(absent.to_string()),
            });
        }
        rows
    }

    /// What becomes of a skill that is not admitted.
    fn state_of(&self, skill: &InstalledSkill, why: &Admission) -> RowState {
        let zones = &skill.manifest.zones;
        let is_unset = |zone: &ZoneId| self.zones.unset.contains(zone);
        if why.is_beyond_role() {
            RowState::BeyondRole
        } else if why.is_not_offered() && !zones.is_empty() && zones.iter().all(is_unset) {
            RowState::ZoneNotSetUp
        } else {
            RowState::Refused(why.to_string())
        }
    }

    /// The folders that cannot be granted to an admitted skill, as further lines of the table.
    pub fn folder_rows(&self, grants: &FolderGrants) -> Vec<SkillRow> {
        let refused = grants.refused().iter();
        refused
            .filter(|(skill, _)| self.admitted.contains_key(skill))
            .map(|(skill, why)| without_event(skill.as_str(), &format!("not granted: {why}")))
            .collect()
    }

    /// Logs what is not run: each reason once, and those that are meant for the other role in one
    /// line.
    pub fn log(&self) {
        let mut others: Vec<&str> = Vec::new();
        let mut unset: Vec<&str> = Vec::new();
        for (name, (skill, why)) in &self.refused {
            match self.state_of(skill, why) {
                RowState::BeyondRole => others.push(name.as_str()),
                RowState::ZoneNotSetUp => unset.push(name.as_str()),
                RowState::Runs | RowState::Refused(_) => {
                    tracing::warn!(skill = %name, "A skill is not run: {why}.");
                }
            }
        }
        if !others.is_empty() {
            tracing::info!("Not for this role: {}.", others.join(", "));
        }
        if !unset.is_empty() {
            tracing::info!("Their zone is not set up here: {}.", unset.join(", "));
        }
        let mut no_lock = None;
        for (folder, defect) in self.catalog.defects() {
            if let SkillDefect::NoLock(why) = defect {
                no_lock = Some(why);
                continue;
            }
            tracing::warn!(
                folder,
                "A folder of the installed skills is not run: {defect}."
            );
        }
        if let Some(why) = no_lock {
            tracing::error!("No skill is run: {why}.");
        }
        for excluded in self.dispatch.excluded() {
            let (event, _) = &excluded.occasion;
            tracing::warn!(skill = %excluded.skill, %event, "A skill is not run: {excluded}.");
        }
        for absent in self.dispatch.absent_drafters() {
            tracing::warn!("{absent}.");
        }
        for ((event, _), skills) in self.dispatch.occasions() {
            if let Event::Source(source) = event
                && let Some(why) = self.zones.explain_absent(source)
            {
                let skills: Vec<&str> = skills.iter().map(SkillName::as_str).collect();
                tracing::info!(skills = skills.join(", "), %event, "Not raised here: {why}.");
            }
        }
    }
}

fn without_event(skill: &str, reason: &str) -> SkillRow {
    SkillRow {
        event: None,
        zone: None,
        skill: skill.to_owned(),
        state: RowState::Refused(reason.to_owned()),
    }
}

impl<T> fmt::Debug for Survey<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Survey")
            .field("admitted", &self.admitted.keys().collect::<Vec<_>>())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use platinum_policy::Refusal;

    use super::*;

    fn refused(skill: &str, missing: &[&str], withheld: &[&str]) -> LoadError {
        let owned = |list: &[&str]| list.iter().map(|&import| import.to_owned()).collect();
        LoadError::Refused {
            skill: skill.to_owned(),
            refusal: Refusal {
                role: Role::Cloud,
                missing: owned(missing),
                withheld: owned(withheld),
            },
        }
    }

    #[test]
    fn admission_beyond_role_is_the_ceiling_alone() {
        let send = "platinum:email/send@0.1.0";
        let read = "platinum:tasks/read@0.1.0";
        for (missing, withheld, expected) in [
            (&[send][..], &[][..], true),
            (&[send, "call-tool"], &[], false),
            (&[send], &[read], false),
            (&[], &[read], false),
        ] {
            let why = Admission::from(refused("a", missing, withheld));
            assert_eq!(why.is_beyond_role(), expected, "{missing:?}, {withheld:?}");
        }
    }

    /// Every folder is in the table: what runs, what does not, and why.
    #[test]
    fn survey_rows_hold_every_folder() {
        let root = tempfile::tempdir().unwrap();
        let skill = |name: &str, metadata: &str| {
            let folder = root.path().join(name);
            fs::create_dir(&folder).unwrap();
            let text = format!("---\nname: {name}\ndescription: x\nmetadata:\n{metadata}---\nx\n");
            fs::write(folder.join("SKILL.md"), text).unwrap();
            fs::write(folder.join("skill.wasm"), name).unwrap();
        };
        let drafts = "  platinum.on: task.claimed\n  platinum.zones: email\n";
        skill("one", drafts);
        skill("two", drafts);
        skill("watch", "  platinum.on: vault.synced schedule:60s\n");
        skill("feed", "  platinum.on: source:mail\n");
        skill("drops", "  platinum.on: source:folder\n");
        skill("idle", "  author: me\n");
        skill("act", "  platinum.on: approval.granted\n");
        skill(
            "book",
            "  platinum.on: task.claimed\n  platinum.zones: accounting\n",
        );
        skill("odd", "  platinum.on: work.done\n");
        skill("bad", "  platinum.on: nonsense\n");
        let catalog = Catalog::read(root.path()).unwrap();
        let zones = KnownZones {
            sources: Some([SourceName::folder()].into()),
            unset: [ZoneId::ACCOUNTING].into(),
            ..KnownZones::default()
        };
        let survey = Survey::of(&catalog, &zones, |_, bytes| match bytes {
            b"book" => Err(LoadError::NotOffered {
                skill: "book".to_owned(),
                role: Role::Cloud,
                missing: vec!["platinum:odoo/read@0.1.0".to_owned()],
            }),
            b"act" => Err(refused("act", &["platinum:email/send@0.1.0"], &[])),
            b"odd" => Err(refused("odd", &["call-tool"], &[])),
            _ => Ok(()),
        });
        let rows: Vec<String> = survey
            .rows()
            .iter()
            .map(|row| {
                let event = row.event.as_ref().map_or("-".into(), ToString::to_string);
                let zone = row.zone.map_or("-".into(), |zone| zone.to_string());
                let state = match &row.state {
                    RowState::Runs => "runs",
                    RowState::BeyondRole => "other role",
                    RowState::ZoneNotSetUp => "zone not set up",
                    RowState::Refused(reason) => reason.as_str(),
                };
                format!("{event} {zone} {}: {state}", row.skill)
            })
            .collect();
        let expected = [
            "task.claimed email one: two runs on task.claimed for email too",
            "task.claimed email two: one runs on task.claimed for email too",
            "vault.synced - watch: runs",
            "schedule:60s - watch: runs",
            "source:folder - drops: runs",
            "source:mail - feed: no source `mail` runs on this host; those that do are folder",
            "- - idle: its SKILL.md names no event",
            "approval.granted - act: other role",
            "task.claimed accounting book: zone not set up",
            "work.done - odd: skill odd is refused: role cloud does not grant call-tool",
            "- - bad: SKILL.md:5: unknown event `nonsense`",
        ];
        assert_eq!(rows.len(), expected.len(), "{rows:#?}");
        for (row, expected) in rows.iter().zip(expected) {
            assert!(row.starts_with(expected), "{row}");
        }
    }
}
