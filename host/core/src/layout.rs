//! Where things are in the vault: folder names and the paths built from ids.
//!
//! Lives elsewhere: who may write where is in `policy`; opening the files is `vault`'s.
//! Invariant: a path is built from ids, zones, agents and dates alone, never from outside text.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{AgentName, DraftId, PlanId, TaskId, UpdateId, VaultPath, ZoneId};

/// Anything the owner drops.
pub const INBOX: &str = "Inbox";
/// Tasks without an owner, a folder a zone.
pub const NEEDS_ACTION: &str = "Needs_Action";
/// Tasks with an owner, a folder an agent.
pub const IN_PROGRESS: &str = "In_Progress";
/// Multi-step plans.
pub const PLANS: &str = "Plans";
/// Drafts that wait for the owner.
pub const PENDING_APPROVAL: &str = "Pending_Approval";
/// What the owner approved, on the local machine.
pub const APPROVED: &str = "Approved";
/// What the owner rejected.
pub const REJECTED: &str = "Rejected";
/// Finished tasks, a folder a month.
pub const DONE: &str = "Done";
/// Status notes, a folder an agent.
pub const UPDATES: &str = "Updates";
/// The owner's one page.
pub const DASHBOARD: &str = "Dashboard.md";
/// What was filed without an answer, for its owner to have answered after all. Written by local alone,
/// and not synced.
pub const FILED_LIST: &str = "Filed.md";
/// The files that came with mails, a folder a task, with a note that lists them. Written by local alone,
/// and not synced.
pub const MAIL_ATTACHMENTS: &str = "Mail_Attachments";
/// The owner's rules and tone.
pub const HANDBOOK: &str = "Company_Handbook.md";

/// The folders that `init` makes, in the order a person reads them.
pub const FOLDERS: [&str; 9] = [
    INBOX,
    NEEDS_ACTION,
    IN_PROGRESS,
    PLANS,
    PENDING_APPROVAL,
    APPROVED,
    REJECTED,
    DONE,
    UPDATES,
];

/// `Needs_Action/<zone>/<task>.md`
pub fn waiting(zone: ZoneId, task: TaskId) -> VaultPath {
    built(format!("{NEEDS_ACTION}/{zone}/{task}.md"))
}

/// `In_Progress/<agent>/<task>.md`
pub fn in_progress(agent: &AgentName, task: TaskId) -> VaultPath {
    built(format!("{IN_PROGRESS}/{agent}/{task}.md"))
}

/// `Done/<year>/<month>/<task>.md`, in UTC; of a task with an id from the future its own month.
pub fn done(at: Timestamp, task: TaskId) -> VaultPath {
    built(format!("{}/{task}.md", done_month(at.max(made_at(task)))))
}

/// The year and the month before which no task of this id is filed. It is looked for from there on
/// alone, whatever the time is: one that was filed earlier would count as not done.
pub fn earliest_done(task: TaskId) -> (i16, i8) {
    /// How much earlier than its id says a task can have been made: clocks differ.
    const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(31 * 24);
    let earliest = made_at(task).saturating_sub(CLOCKS_DIFFER);
    let day = earliest
        .unwrap_or(Timestamp::MIN)
        .to_zoned(TimeZone::UTC)
        .date();
    (day.year(), day.month())
}

/// When its id says that a task was made; the last moment that there is, if it is after that.
fn made_at(task: TaskId) -> Timestamp {
    let made = i64::try_from(task.unix_ms()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(made).unwrap_or(Timestamp::MAX)
}

/// `Done/<year>/<month>`, in UTC. A flat folder would cost O(finished tasks) per commit.
pub fn done_month(at: Timestamp) -> String {
    let day = at.to_zoned(TimeZone::UTC).date();
    format!("{DONE}/{:04}/{:02}", day.year(), day.month())
}

/// [`done_month`] of the month before.
pub fn last_done_month(at: Timestamp) -> String {
    let first = at.to_zoned(TimeZone::UTC).date().first_of_month();
    let last = first.yesterday().unwrap_or(first);
    format!("{DONE}/{:04}/{:02}", last.year(), last.month())
}

/// `Pending_Approval/<draft>.md`
pub fn pending(draft: DraftId) -> VaultPath {
    built(format!("{PENDING_APPROVAL}/{draft}.md"))
}

/// `Approved/<draft>.md`
pub fn approved(draft: DraftId) -> VaultPath {
    built(format!("{APPROVED}/{draft}.md"))
}

/// `Rejected/<draft>.md`
pub fn rejected(draft: DraftId) -> VaultPath {
    built(format!("{REJECTED}/{draft}.md"))
}

/// `Mail_Attachments/<task>/Attachments.md`
pub fn attachments(task: TaskId) -> VaultPath {
    built(format!("{MAIL_ATTACHMENTS}/{task}/Attachments.md"))
}

/// `Plans/<plan>.md`
pub fn plan(plan: PlanId) -> VaultPath {
    built(format!("{PLANS}/{plan}.md"))
}

/// `Updates/<agent>/<update>.md`
pub fn update(agent: &AgentName, update: UpdateId) -> VaultPath {
    built(format!("{UPDATES}/{agent}/{update}.md"))
}

#[expect(
    clippy::expect_used,
    reason = "ids, agents and constants are valid components"
)]
fn built(text: String) -> VaultPath {
    VaultPath::new(text).expect("a path of ids and constants is a vault path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_paths_name_ids_zones_agents_and_dates() {
        let task = TaskId::from_parts(0, 1);
        let at: Timestamp = "2026-11-30T23:59:59Z".parse().unwrap();
        let agent: AgentName = "cloud".parse().unwrap();
        assert_eq!(
            waiting(ZoneId::EMAIL, task).as_str(),
            format!("Needs_Action/email/{task}.md")
        );
        assert_eq!(
            in_progress(&agent, task).as_str(),
            format!("In_Progress/cloud/{task}.md")
        );
        assert_eq!(done(at, task).as_str(), format!("Done/2026/11/{task}.md"));
    }

    /// Where a task with an id from the future is filed is where it is looked for later.
    #[test]
    fn done_of_a_task_from_the_future_is_its_own_month() {
        let at: Timestamp = "2026-11-30T23:59:59Z".parse().unwrap();
        let of = |made: &str| {
            let made: Timestamp = made.parse().unwrap();
            TaskId::from_parts(u64::try_from(made.as_millisecond()).unwrap(), 1)
        };
        let task = of("2027-03-05T00:00:00Z");
        assert_eq!(done(at, task).as_str(), format!("Done/2027/03/{task}.md"));
        assert_eq!(earliest_done(task), (2027, 2));
        assert_eq!(earliest_done(TaskId::from_parts(0, 1)), (1969, 12));
        let last = TaskId::from_parts(u64::MAX >> 16, 1);
        assert_eq!(done(at, last).as_str(), format!("Done/9999/12/{last}.md"));
        assert_eq!(earliest_done(last), (9999, 11));
    }
}
