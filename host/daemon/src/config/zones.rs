//! [`Zones`]: the sections `[zones.<id>]`.
//!
//! Lives here: what every section may have. All else in it is read by the zone itself, see
//! [`platinum_capabilities::zones`].

use std::{collections::BTreeMap, sync::Arc};

use platinum_capabilities::zones::{PathBase, ZONES, ZoneCapabilities};
use platinum_core::ZoneId;
use serde::Deserialize;

use super::suggest;
use crate::SkillName;

/// The zones of a configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "BTreeMap<String, toml::Table>")]
pub struct Zones {
    sections: BTreeMap<String, toml::Table>,
    ids: Vec<ZoneId>,
    drafters: BTreeMap<ZoneId, SkillName>,
    configured: BTreeMap<String, Arc<dyn ZoneCapabilities>>,
}

impl From<BTreeMap<String, toml::Table>> for Zones {
    fn from(sections: BTreeMap<String, toml::Table>) -> Self {
        Self {
            sections,
            ids: Vec::new(),
            drafters: BTreeMap::new(),
            configured: BTreeMap::new(),
        }
    }
}

impl Zones {
    /// Lets each zone read its section.
    pub(super) fn configure(&mut self, base: &PathBase) -> Result<(), String> {
        for (zone, mut section) in std::mem::take(&mut self.sections) {
            let failed = |what: String| format!("[zones.{zone}]: {}", suggest::explain(&what));
            let id: ZoneId = zone
                .parse()
                .map_err(|error| format!("[zones.{zone}]: {error}"))?;
            self.ids.push(id);
            match section.remove("drafter") {
                None => {}
                Some(toml::Value::String(skill)) => {
                    let drafter = skill
                        .parse::<SkillName>()
                        .map_err(|error| failed(format!("`drafter`: {error}")))?;
                    self.drafters.insert(id, drafter);
                }
                Some(_) => return Err(failed("`drafter` is the name of a skill".to_owned())),
            }
            if let Some((_, configure)) = ZONES.iter().find(|(id, _)| *id == zone) {
                let configured = configure(section, base).map_err(failed)?;
                self.configured.insert(zone, Arc::from(configured));
            } else if let Some(key) = section.keys().next() {
                return Err(failed(format!(
                    "unknown field `{key}`, expected one of `drafter`"
                )));
            }
        }
        Ok(())
    }

    /// The zones that this host knows how to set up, by id.
    pub fn configured(&self) -> impl Iterator<Item = (&str, &Arc<dyn ZoneCapabilities>)> {
        self.configured
            .iter()
            .map(|(zone, configured)| (zone.as_str(), configured))
    }

    /// Every zone that has a section.
    pub fn ids(&self) -> &[ZoneId] {
        &self.ids
    }

    /// One of those that this host knows how to set up.
    pub fn get(&self, zone: &str) -> Option<&Arc<dyn ZoneCapabilities>> {
        self.configured.get(zone)
    }

    /// The skills that the owner chose to draft, by zone.
    pub fn drafters(&self) -> &BTreeMap<ZoneId, SkillName> {
        &self.drafters
    }
}

/// The error for the section that held the mail settings before zones had sections: where it is,
/// and what to write instead.
pub(super) fn refuse_old_mail(text: &str, given: &toml::Table) -> Result<(), String> {
    let Some(toml::Value::Table(mail)) = given.get("mail") else {
        return Ok(());
    };
    let is_mail = |line: &str| {
        let line: String = line.split('#').take(1).collect::<String>().replace(' ', "");
        line == "[mail]" || line.starts_with("mail=") || line.starts_with("mail.")
    };
    let line = text.lines().position(is_mail).map_or(1, |at| at + 1);
    let zones = toml::Table::from_iter([("email".to_owned(), mail.clone().into())]);
    let new = toml::Table::from_iter([("zones".to_owned(), zones.into())]);
    Err(format!(
        "line {line}: `[mail]` is now `[zones.email]`; write instead:\n\n{new}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Result<Zones, String> {
        let sections: BTreeMap<String, toml::Table> = toml::from_str(text).unwrap();
        let base = PathBase {
            folder: "/etc/p".into(),
            home: None,
        };
        let mut zones = Zones::from(sections);
        zones.configure(&base)?;
        Ok(zones)
    }

    #[test]
    fn zone_of_an_author_needs_no_key() {
        let zones = configured("[notes]\n[email]\n[todo]\ndrafter = \"draft-todo\"").unwrap();
        let drafters: Vec<_> = zones.drafters().iter().collect();
        let expected = (&"todo".parse().unwrap(), &"draft-todo".parse().unwrap());
        assert_eq!(drafters, [expected]);
        let known: Vec<_> = zones.configured().map(|(zone, _)| zone).collect();
        assert_eq!(known, ["email"]);
    }

    #[test]
    fn zone_section_with_a_wrong_key_names_it() {
        for (text, expected) in [
            (
                "[email]\nacount = \"x\"",
                "[zones.email]: there is no key `acount`; did you mean `account`?",
            ),
            (
                "[notes]\ndraftr = \"x\"",
                "[zones.notes]: there is no key `draftr`; did you mean `drafter`?",
            ),
            (
                "[email]\naccount = \"x\"",
                "[zones.email]: `account` is given without `config`",
            ),
            (
                "[notes]\ndrafter = \"Draft Notes\"",
                "[zones.notes]: `drafter`: invalid skill name `Draft Notes`; use 1 to 64 of a-z, 0-9 and \
                 single hyphens, as in `draft-email`",
            ),
            (
                "[notes]\ndrafter = 1",
                "[zones.notes]: `drafter` is the name of a skill",
            ),
        ] {
            assert_eq!(configured(text).unwrap_err(), expected);
        }
        let error = configured("[\"../x\"]").unwrap_err();
        assert!(error.starts_with("[zones.../x]: "), "{error}");
    }

    #[test]
    fn old_mail_section_is_refused_with_the_new_text() {
        let old = "# x\n[vault]\npath = \"v\"\n\n[mail] # mine\naccount = \"me\"\nwatch = true\n";
        let error = refuse_old_mail(old, &old.parse().unwrap()).unwrap_err();
        assert_eq!(
            error,
            "line 5: `[mail]` is now `[zones.email]`; write instead:\n\n\
             [zones.email]\naccount = \"me\"\nwatch = true\n"
        );
        let none = "[zones.email]\naccount = \"me\"\n";
        assert_eq!(refuse_old_mail(none, &none.parse().unwrap()), Ok(()));
    }
}
