//! [`Dispatch`]: which skill is run for which event in which zone.
//!
//! It is built once, when skills are loaded, from their manifests alone: no skill is named in code.
//!
//! Invariants: an exclusive event has at most one skill a zone; where two ask for it, neither is
//! run for it unless the configuration names one; observers are run in the order of their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use platinum_core::ZoneId;

use super::{event::Event, manifest::Manifest};
use crate::SkillName;

/// What one skill asks for.
#[derive(Debug, Clone, Copy)]
pub struct Subscription<'a> {
    /// Which skill.
    pub skill: &'a SkillName,
    /// The events.
    pub events: &'a [Event],
    /// The zones; none: every zone.
    pub zones: &'a BTreeSet<ZoneId>,
}

impl<'a> Subscription<'a> {
    /// What a manifest asks for.
    pub fn of(manifest: &'a Manifest) -> Self {
        Self {
            skill: &manifest.name,
            events: &manifest.events,
            zones: &manifest.zones,
        }
    }
}

/// An event, and its zone if the event has one.
pub type Occasion = (Event, Option<ZoneId>);

/// Which skill is run for what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dispatch {
    table: BTreeMap<Occasion, Vec<SkillName>>,
    excluded: Vec<Excluded>,
    absent: Vec<AbsentDrafter>,
}

/// A skill that asks for an event and is not run for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// For what.
    pub occasion: Occasion,
    /// Which skill.
    pub skill: SkillName,
    /// Why not.
    pub reason: Exclusion,
}

/// Why a skill is not run for an event that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// Others ask for the same, and only one may have it.
    Conflict {
        /// Which others.
        others: Vec<SkillName>,
    },
    /// The configuration names another one.
    NotChosen {
        /// The one that it names.
        drafter: SkillName,
    },
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (event, zone) = &self.occasion;
        let zone = zone.map(|zone| zone.to_string()).unwrap_or_default();
        match &self.reason {
            Exclusion::Conflict { others } => {
                let others: Vec<&str> = others.iter().map(SkillName::as_str).collect();
                write!(
                    f,
                    "{} runs on {event} for {zone} too, and only one skill may",
                    others.join(", ")
                )?;
                match event {
                    Event::TaskClaimed => {
                        write!(f, "; write `[zones.{zone}] drafter = \"{}\"`", self.skill)
                    }
                    _ => write!(f, "; remove one of them"),
                }
            }
            Exclusion::NotChosen { drafter } => {
                write!(f, "`[zones.{zone}] drafter` is `{drafter}`")
            }
        }
    }
}

/// A drafter that the configuration names, and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`[zones.{zone}] drafter` is `{drafter}`, but no skill of that name runs here on task.claimed for {zone}; `platinum skill list` shows which do"
)]
pub struct AbsentDrafter {
    /// For which zone.
    pub zone: ZoneId,
    /// Which skill is named.
    pub drafter: SkillName,
}

impl Dispatch {
    /// Builds the table. `zones` are those that the host knows beside the ones that manifests name;
    /// `drafters` is what the configuration decides for `task.claimed`.
    pub fn build<'a>(
        skills: impl IntoIterator<Item = Subscription<'a>>,
        zones: &BTreeSet<ZoneId>,
        drafters: &BTreeMap<ZoneId, SkillName>,
    ) -> Self {
        let skills: Vec<Subscription<'a>> = skills.into_iter().collect();
        let mut every_zone = zones.clone();
        every_zone.extend(skills.iter().flat_map(|skill| skill.zones));
        let mut asked: BTreeMap<Occasion, BTreeSet<SkillName>> = BTreeMap::new();
        for skill in &skills {
            for event in skill.events {
                let zones: Vec<Option<ZoneId>> = match (event.has_zone(), skill.zones.is_empty()) {
                    (false, _) => vec![None],
                    (true, true) => every_zone.iter().copied().map(Some).collect(),
                    (true, false) => skill.zones.iter().copied().map(Some).collect(),
                };
                for zone in zones {
                    let occasion = (event.clone(), zone);
                    asked
                        .entry(occasion)
                        .or_default()
                        .insert(skill.skill.clone());
                }
            }
        }
        let mut dispatch = Self::default();
        for (occasion, skills) in asked {
            dispatch.decide(occasion, skills, drafters);
        }
        for (zone, drafter) in drafters {
            if dispatch.drafter(*zone) != Some(drafter) {
                let (zone, drafter) = (*zone, drafter.clone());
                dispatch.absent.push(AbsentDrafter { zone, drafter });
            }
        }
        dispatch
    }

    fn decide(
        &mut self,
        occasion: Occasion,
        skills: BTreeSet<SkillName>,
        drafters: &BTreeMap<ZoneId, SkillName>,
    ) {
        let (event, zone) = &occasion;
        let chosen = match event {
            Event::TaskClaimed => zone.and_then(|zone| drafters.get(&zone)),
            _ => None,
        };
        let (runs, excluded): (BTreeSet<_>, BTreeSet<_>) = match chosen {
            Some(drafter) => skills.into_iter().partition(|skill| skill == drafter),
            None if event.is_exclusive() && skills.len() > 1 => (BTreeSet::new(), skills),
            None => (skills, BTreeSet::new()),
        };
        for skill in &excluded {
            let reason = match chosen {
                Some(drafter) => Exclusion::NotChosen {
                    drafter: drafter.clone(),
                },
                None => Exclusion::Conflict {
                    others: excluded
                        .iter()
                        .filter(|other| *other != skill)
                        .cloned()
                        .collect(),
                },
            };
            self.excluded.push(Excluded {
                occasion: occasion.clone(),
                skill: skill.clone(),
                reason,
            });
        }
        if !runs.is_empty() {
            self.table.insert(occasion, runs.into_iter().collect());
        }
    }

    /// The skills that are run for an event, in the order of their names.
    pub fn skills(&self, event: &Event, zone: Option<ZoneId>) -> &[SkillName] {
        self.table
            .get(&(event.clone(), zone))
            .map_or(&[], Vec::as_slice)
    }

    /// The skill that drafts in a zone.
    pub fn drafter(&self, zone: ZoneId) -> Option<&SkillName> {
        self.skills(&Event::TaskClaimed, Some(zone)).first()
    }

    /// The skill that claims in a zone.
    pub fn claimer(&self, zone: ZoneId) -> Option<&SkillName> {
        self.skills(&Event::TaskClaim, Some(zone)).first()
    }

    /// Everything that skills are run for.
    pub fn occasions(&self) -> impl Iterator<Item = (&Occasion, &[SkillName])> {
        self.table
            .iter()
            .map(|(occasion, skills)| (occasion, skills.as_slice()))
    }

    /// The skills that are not run for what they ask for.
    pub fn excluded(&self) -> &[Excluded] {
        &self.excluded
    }

    /// The drafters that the configuration names in vain.
    pub fn absent_drafters(&self) -> &[AbsentDrafter] {
        &self.absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SkillName {
        text.parse().unwrap()
    }

    fn zone(text: &str) -> ZoneId {
        text.parse().unwrap()
    }

    /// Skills with their events and zones, as a manifest writes both.
    fn build(skills: &[(&str, &str, &str)], drafters: &[(&str, &str)]) -> Dispatch {
        let skills: Vec<(SkillName, Vec<Event>, BTreeSet<ZoneId>)> = skills
            .iter()
            .map(|(skill, events, zones)| {
                let zones = zones.split_whitespace().map(zone).collect();
                (name(skill), Event::parse_list(events).unwrap(), zones)
            })
            .collect();
        let drafters = drafters
            .iter()
            .map(|(of, drafter)| (zone(of), name(drafter)))
            .collect();
        Dispatch::build(
            skills.iter().map(|(skill, events, zones)| Subscription {
                skill,
                events,
                zones,
            }),
            &BTreeSet::from([zone("email")]),
            &drafters,
        )
    }

    fn skills(dispatch: &Dispatch, event: &str, of: Option<&str>) -> Vec<String> {
        let event = event.parse().unwrap();
        let skills = dispatch.skills(&event, of.map(zone));
        skills.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dispatch_observers_run_in_name_order() {
        let dispatch = build(
            &[
                ("z", "vault.synced", ""),
                ("a", "vault.synced schedule:60s", "social"),
                ("m", "draft.created", "email"),
                ("b", "draft.created", ""),
            ],
            &[],
        );
        assert_eq!(skills(&dispatch, "vault.synced", None), ["a", "z"]);
        assert_eq!(skills(&dispatch, "schedule:60s", None), ["a"]);
        assert_eq!(
            skills(&dispatch, "draft.created", Some("email")),
            ["b", "m"]
        );
        // A zone that only another manifest names is a zone of those who name none.
        assert_eq!(skills(&dispatch, "draft.created", Some("social")), ["b"]);
        assert!(skills(&dispatch, "work.done", None).is_empty());
        assert!(dispatch.excluded().is_empty());
    }

    #[test]
    fn dispatch_two_drafters_are_both_refused_and_named() {
        let two = [
            ("a", "task.claimed work.done", "email social"),
            ("b", "task.claimed", "email"),
        ];
        let dispatch = build(&two, &[]);
        assert_eq!(dispatch.drafter(zone("email")), None);
        assert_eq!(dispatch.drafter(zone("social")), Some(&name("a")));
        assert_eq!(skills(&dispatch, "work.done", None), ["a"]);
        let texts: Vec<String> = dispatch
            .excluded()
            .iter()
            .map(|excluded| format!("{}: {excluded}", excluded.skill))
            .collect();
        assert_eq!(
            texts,
            [
                "a: b runs on task.claimed for email too, and only one skill may; write \
                 `[zones.email] drafter = \"a\"`",
                "b: a runs on task.claimed for email too, and only one skill may; write \
                 `[zones.email] drafter = \"b\"`",
            ]
        );
        let dispatch = build(&two, &[("email", "b")]);
        assert_eq!(dispatch.drafter(zone("email")), Some(&name("b")));
        assert_eq!(dispatch.excluded().len(), 1);
        assert_eq!(
            dispatch.excluded()[0].to_string(),
            "`[zones.email] drafter` is `b`"
        );
    }

    #[test]
    fn dispatch_two_claimers_are_both_refused() {
        let dispatch = build(
            &[("a", "task.claim", ""), ("b", "task.claim", "email")],
            &[],
        );
        assert_eq!(dispatch.claimer(zone("email")), None);
        assert_eq!(
            dispatch.excluded()[0].to_string(),
            "b runs on task.claim for email too, and only one skill may; remove one of them"
        );
    }

    #[test]
    fn dispatch_absent_drafter_is_named() {
        let dispatch = build(&[("a", "task.claimed", "email")], &[("email", "c")]);
        assert_eq!(dispatch.drafter(zone("email")), None);
        assert_eq!(
            dispatch.absent_drafters()[0].to_string(),
            "`[zones.email] drafter` is `c`, but no skill of that name runs here on task.claimed \
             for email; `platinum skill list` shows which do"
        );
    }

    /// Every way in which three skills can ask to draft in two zones, with every choice that the
    /// configuration can make.
    #[test]
    fn dispatch_every_combination_has_one_drafter_a_zone() {
        let zones = ["", "email", "social", "email social"];
        let names = ["a", "b", "c"];
        let choices = [None, Some("a"), Some("b"), Some("c"), Some("d")];
        for ways in 0..zones.len().pow(3) {
            let asked = [ways % 4, ways / 4 % 4, ways / 16];
            let skills: Vec<(&str, &str, &str)> = (0..3)
                .filter(|&n| asked[n] > 0)
                .map(|n| (names[n], "task.claimed", zones[asked[n]]))
                .collect();
            for choice in choices {
                let drafters: Vec<(&str, &str)> =
                    choice.iter().map(|drafter| ("email", *drafter)).collect();
                let dispatch = build(&skills, &drafters);
                for of in ["email", "social"] {
                    let mut candidates: Vec<&str> = skills
                        .iter()
                        .filter(|(_, _, zones)| zones.contains(of))
                        .map(|(skill, ..)| *skill)
                        .collect();
                    let chosen = choice.filter(|_| of == "email");
                    let expected = match (chosen, candidates.as_slice()) {
                        (Some(chosen), some) if some.contains(&chosen) => Some(chosen),
                        (None, [one]) => Some(*one),
                        _ => None,
                    };
                    let drafter = dispatch.drafter(zone(of)).map(SkillName::as_str);
                    assert_eq!(drafter, expected, "{skills:?}, {choice:?}");
                    // Each skill that asks is either run or excluded.
                    candidates.retain(|skill| Some(*skill) != expected);
                    let excluded: Vec<&str> = dispatch
                        .excluded()
                        .iter()
                        .filter(|excluded| excluded.occasion.1 == Some(zone(of)))
                        .map(|excluded| excluded.skill.as_str())
                        .collect();
                    assert_eq!(excluded, candidates, "{skills:?}, {choice:?}");
                }
                let is_absent = choice.is_some()
                    && dispatch.drafter(zone("email")).map(SkillName::as_str) != choice;
                assert_eq!(!dispatch.absent_drafters().is_empty(), is_absent);
            }
        }
    }
}
