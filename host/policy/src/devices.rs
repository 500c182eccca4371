//! What a device of the owner's may change: a phone, say, that signs its commits and runs no host.
//!
//! | path | a device may |
//! |---|---|
//! | `Inbox/`, `Plans/`, `Company_Handbook.md` | everything |
//! | `Needs_Action/<zone>/` | everything; claims and epochs stay as they are (`verify`) |
//! | `Pending_Approval/` | modify |
//! | everything else | nothing |
//!
//! Invariant: no approval, no rejection, no claim and no receipt comes from a device.

use platinum_core::{VaultPath, ZoneId, layout};

use crate::{Change, Rule, is_synced};

/// Which rule a device breaks by this change, if it breaks one.
pub(crate) fn broken(path: &VaultPath, change: Change) -> Option<Rule> {
    let parts: Vec<&str> = path.components().collect();
    let rule = match (parts.as_slice(), change) {
        ([layout::INBOX | layout::PLANS, _, ..], _) => None,
        ([layout::NEEDS_ACTION, zone, _], _) if zone.parse::<ZoneId>().is_ok() => None,
        ([layout::NEEDS_ACTION, ..], _) => Some(Rule::NotInZone),
        ([layout::PENDING_APPROVAL, _, ..], Change::Modify) => None,
        (
            [
                layout::PENDING_APPROVAL | layout::APPROVED | layout::REJECTED,
                ..,
            ],
            _,
        ) => Some(Rule::Decision),
        ([name], _) if *name != layout::DASHBOARD && !name.starts_with("Dashboard.") => None,
        _ => Some(Rule::NotYours),
    };
    rule.or_else(|| (!is_synced(path)).then_some(Rule::NotSynced))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_may_change_notes_and_decide_nothing() {
        use Change::{Create, Delete, Modify};
        for (path, may) in [
            ("Inbox/a.md", &[Create, Modify, Delete][..]),
            ("Inbox/attachments/a.png", &[Create, Modify, Delete]),
            ("Plans/a.md", &[Create, Modify, Delete]),
            ("Company_Handbook.md", &[Create, Modify, Delete]),
            ("Needs_Action/email/a.md", &[Create, Modify, Delete]),
            ("Pending_Approval/draft_1.md", &[Modify]),
            ("Needs_Action/a.md", &[]),
            ("Needs_Action/email/below/a.md", &[]),
            ("Approved/draft_1.md", &[]),
            ("Rejected/draft_1.md", &[]),
            ("In_Progress/local/task_1.md", &[]),
            ("In_Progress/phone/task_1.md", &[]),
            ("Done/2026/11/task_1.md", &[]),
            ("Updates/local/u.md", &[]),
            ("Updates/phone/u.md", &[]),
            ("Dashboard.md", &[]),
            ("Dashboard.conflict-local-x.md", &[]),
            ("README.md", &[]),
            (".obsidian/app.json", &[]),
            ("Inbox/.obsidian/a.md", &[]),
            ("Inbox/run.sh", &[]),
            ("Notes/a.md", &[]),
        ] {
            let path = VaultPath::new(path).unwrap();
            for change in [Create, Modify, Delete] {
                let is_allowed = broken(&path, change).is_none();
                assert_eq!(is_allowed, may.contains(&change), "{path} {change}");
            }
        }
    }
}
