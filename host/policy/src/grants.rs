//! [`decide`]: what a component imports, against what its role may be granted.
//!
//! Invariants: a [`Grants`] holds nothing above its role's ceiling; a refusal names every import
//! that is missing, not only the first.

use std::{collections::BTreeSet, fmt};

use platinum_core::{Capability, Role};

use crate::allows;

/// What a host may link: a part of its role's ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants(BTreeSet<Capability>);

impl Grants {
    /// All that `role` may be granted, less what configuration took away (`None` = nothing).
    pub fn of(role: Role, narrowed: Option<&BTreeSet<Capability>>) -> Self {
        let kept = |capability: &Capability| narrowed.is_none_or(|left| left.contains(capability));
        Self(crate::ceiling(role).filter(kept).collect())
    }

    /// Whether `capability` is granted.
    pub fn contains(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The granted capabilities, in the order of the contract's table.
    pub fn iter(&self) -> impl Iterator<Item = Capability> + '_ {
        self.0.iter().copied()
    }
}

/// Why a component may not be linked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The role that was asked.
    pub role: Role,
    /// Imports above the role's ceiling, or unknown to the contract; sorted, each once.
    pub missing: Vec<String>,
    /// Imports the role may have, but the configuration withholds; sorted, each once.
    pub withheld: Vec<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.missing.is_empty() {
            write!(
                f,
                "role {} does not grant {}",
                self.role,
                self.missing.join(", ")
            )?;
        }
        if !self.withheld.is_empty() {
            let and = if self.missing.is_empty() {
                ""
            } else {
                ", and "
            };
            write!(
                f,
                "{and}the configuration of this {} host withholds {}",
                self.role,
                self.withheld.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Compares a component's `imports` (their full names) with what `role` may be granted and what
/// configuration left of it (`narrowed`; `None` = all of it). The answer holds exactly the
/// capabilities that the component imports.
///
/// `platinum:*/types@0.1.0` holds records only and `wasi:*` is linked on an empty context, so
/// neither is an authority: both are always linkable.
///
/// # Errors
/// Names every import that is not granted.
pub fn decide<'a>(
    imports: impl IntoIterator<Item = &'a str>,
    role: Role,
    narrowed: Option<&BTreeSet<Capability>>,
) -> Result<Grants, Refusal> {
    let mut granted = BTreeSet::new();
    let mut missing = BTreeSet::new();
    let mut withheld = BTreeSet::new();
    for import in imports.into_iter().filter(|import| !grants_nothing(import)) {
        // The full name only: a component that imports `email/send` imports something else.
        let known = Capability::ALL
            .iter()
            .copied()
            .find(|c| c.interface() == import);
        match known.filter(|&capability| allows(role, capability)) {
            Some(capability) if narrowed.is_none_or(|left| left.contains(&capability)) => {
                granted.insert(capability);
            }
            Some(_) => {
                withheld.insert(import.to_owned());
            }
            None => {
                missing.insert(import.to_owned());
            }
        }
    }
    if missing.is_empty() && withheld.is_empty() {
        Ok(Grants(granted))
    } else {
        Err(Refusal {
            role,
            missing: missing.into_iter().collect(),
            withheld: withheld.into_iter().collect(),
        })
    }
}

/// Whether importing this gives no authority.
fn grants_nothing(import: &str) -> bool {
    let records = import
        .strip_prefix("platinum:")
        .and_then(|rest| rest.strip_suffix("/types@0.1.0"))
        .is_some_and(|package| !package.is_empty() && !package.contains('/'));
    records || import.starts_with("wasi:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(imports: &[&str], role: Role, left: Option<&BTreeSet<Capability>>) -> String {
        decide(imports.iter().copied(), role, left)
            .unwrap_err()
            .to_string()
    }

    /// Each capability alone is granted or refused as the table says.
    #[test]
    fn decide_each_capability_follows_the_table() {
        for role in Role::ALL {
            for &capability in Capability::ALL {
                let answer = decide([capability.interface()], role, None);
                if allows(role, capability) {
                    let grants = answer.unwrap();
                    assert_eq!(grants.iter().collect::<Vec<_>>(), [capability]);
                } else {
                    assert_eq!(
                        answer.unwrap_err().to_string(),
                        format!("role {role} does not grant {}", capability.interface())
                    );
                }
            }
        }
    }

    /// A refusal is one sentence that names every import.
    #[test]
    fn decide_refusal_names_every_import() {
        let imports = [
            "platinum:skill/log@0.1.0",
            "platinum:email/send@0.1.0",
            "platinum:approvals/queue@0.1.0",
            "platinum:email/send@0.1.0",
        ];
        assert_eq!(
            refusal(&imports, Role::Cloud, None),
            "role cloud does not grant platinum:approvals/queue@0.1.0, platinum:email/send@0.1.0"
        );
    }

    /// What the contract does not know is refused to both roles.
    #[test]
    fn decide_unknown_import_is_refused_to_both_roles() {
        for bad in [
            "platinum:email/send@0.2.0",
            "platinum:email/send",
            "email/send",
            "other:email/types@0.1.0",
            "platinum:email/types@0.2.0",
            "platinum:a/b/types@0.1.0",
            "platinum:/types@0.1.0",
            "call-tool",
            "",
        ] {
            for role in Role::ALL {
                let expected = format!("role {role} does not grant {bad}");
                assert_eq!(refusal(&[bad], role, None), expected);
            }
        }
    }

    /// Records and the empty wasi context need no grant.
    #[test]
    fn decide_records_and_wasi_need_no_grant() {
        let imports = ["platinum:actions/types@0.1.0", "wasi:io/streams@0.2.6"];
        let grants = decide(imports, Role::Cloud, Some(&BTreeSet::new())).unwrap();
        assert_eq!(grants.iter().count(), 0);
    }

    /// Configuration narrows and says so but never raises.
    #[test]
    fn decide_configuration_only_narrows() {
        let left = BTreeSet::from([Capability::SkillLog, Capability::EmailSend]);
        assert_eq!(
            refusal(&["platinum:model/complete@0.1.0"], Role::Cloud, Some(&left)),
            "the configuration of this cloud host withholds platinum:model/complete@0.1.0"
        );
        let both = ["platinum:model/complete@0.1.0", "platinum:email/send@0.1.0"];
        assert_eq!(
            refusal(&both, Role::Cloud, Some(&left)),
            "role cloud does not grant platinum:email/send@0.1.0, and the configuration of this \
             cloud host withholds platinum:model/complete@0.1.0"
        );
        let grants = Grants::of(Role::Cloud, Some(&left));
        assert_eq!(grants.iter().collect::<Vec<_>>(), [Capability::SkillLog]);
        assert!(!grants.contains(Capability::EmailSend));
    }
}
