//! The built-in zones: where their tasks may be worked on, and what may be proposed in them.
//!
//! To add a zone: its line in [`BUILT_IN_ZONES`]. A zone without one is shared and draft-only:
//! both roles may claim its tasks, and no kind of action is its own.

use platinum_core::{ActionKind, ZoneId};

/// Who may own tasks of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locality {
    /// Either role.
    Shared,
    /// The owner's machine alone.
    LocalOnly,
}

/// What the code knows of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneSpec {
    /// Its id.
    pub id: ZoneId,
    /// Who may own its tasks.
    pub locality: Locality,
    /// What may be proposed in it.
    pub actions: &'static [ActionKind],
}

/// The zones of this program, the shared ones first.
pub const BUILT_IN_ZONES: &[ZoneSpec] = &[
    ZoneSpec {
        id: ZoneId::EMAIL,
        locality: Locality::Shared,
        actions: &[ActionKind::EMAIL_SEND],
    },
    ZoneSpec {
        id: ZoneId::SOCIAL,
        locality: Locality::Shared,
        actions: &[ActionKind::SOCIAL_PUBLISH],
    },
    ZoneSpec {
        id: ZoneId::ACCOUNTING,
        locality: Locality::Shared,
        actions: &[ActionKind::ODOO_POST, ActionKind::ODOO_PAYMENT],
    },
    ZoneSpec {
        id: ZoneId::WHATSAPP,
        locality: Locality::LocalOnly,
        actions: &[ActionKind::WHATSAPP_SEND],
    },
    ZoneSpec {
        id: ZoneId::PAYMENTS,
        locality: Locality::LocalOnly,
        actions: &[ActionKind::PAYMENT],
    },
    ZoneSpec {
        id: ZoneId::APPROVALS,
        locality: Locality::LocalOnly,
        actions: &[],
    },
];

/// What holds for a zone, built in or not.
pub fn zone(id: ZoneId) -> ZoneSpec {
    let built_in = BUILT_IN_ZONES.iter().find(|spec| spec.id == id);
    built_in.copied().unwrap_or(ZoneSpec {
        id,
        locality: Locality::Shared,
        actions: &[],
    })
}

/// An action that may not be proposed for a task of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}` is no action of the zone `{}`, which {}", .spec.id, list(.spec.actions))]
pub struct ForeignAction {
    /// Its kind.
    pub kind: ActionKind,
    /// The zone.
    pub spec: ZoneSpec,
}

fn list(actions: &[ActionKind]) -> String {
    let names: Vec<&str> = actions.iter().map(ActionKind::as_str).collect();
    match names.as_slice() {
        [] => "has none".to_owned(),
        names => format!("has {}", names.join(", ")),
    }
}

/// Whether an action of this kind may be proposed for a task of this zone.
///
/// # Errors
/// If the zone's line does not list it.
pub fn check_action(id: ZoneId, kind: ActionKind) -> Result<(), ForeignAction> {
    let spec = zone(id);
    match spec.actions.contains(&kind) {
        true => Ok(()),
        false => Err(ForeignAction { kind, spec }),
    }
}

/// Whether a task of this zone has a draft for each of several accounts; of another zone, it has one.
pub fn has_draft_for_each_account(id: ZoneId) -> bool {
    zone(id).actions.contains(&ActionKind::SOCIAL_PUBLISH)
}

/// Whether only the local role may own tasks of this zone.
pub fn is_local_only(id: ZoneId) -> bool {
    zone(id).locality == Locality::LocalOnly
}

/// The zones that only the local role may work in.
pub fn local_only_zones() -> impl Iterator<Item = ZoneId> {
    BUILT_IN_ZONES
        .iter()
        .filter(|spec| spec.locality == Locality::LocalOnly)
        .map(|spec| spec.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use platinum_core::ACTIONS;

    use super::*;

    #[test]
    fn zone_without_a_line_is_shared_and_draft_only() {
        let notes = zone("notes".parse().unwrap());
        assert_eq!((notes.locality, notes.actions.len()), (Locality::Shared, 0));
        assert!(is_local_only(ZoneId::PAYMENTS));
        assert!(!is_local_only(ZoneId::EMAIL));
    }

    #[test]
    fn check_action_takes_the_kinds_of_the_zones_line_alone() {
        let check = |zone: &str, kind| {
            let answer = check_action(zone.parse().unwrap(), kind);
            answer.map_err(|error| error.to_string())
        };
        assert_eq!(check("accounting", ActionKind::ODOO_PAYMENT), Ok(()));
        assert_eq!(
            check("accounting", ActionKind::PAYMENT).unwrap_err(),
            "`payment` is no action of the zone `accounting`, which has odoo-post, odoo-payment"
        );
        assert_eq!(
            check("notes", ActionKind::EMAIL_SEND).unwrap_err(),
            "`email-send` is no action of the zone `notes`, which has none"
        );
    }

    #[test]
    fn zone_table_names_each_action_once() {
        let listed: Vec<_> = BUILT_IN_ZONES
            .iter()
            .flat_map(|zone| zone.actions)
            .collect();
        let known: BTreeSet<_> = ACTIONS.iter().map(|spec| &spec.kind).collect();
        assert_eq!(listed.len(), ACTIONS.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), known);
    }
}
