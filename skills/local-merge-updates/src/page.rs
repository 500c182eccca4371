//! The page: the owner's own text, and between two markers what Platinum writes.
//!
//! Invariants: everything outside of the markers is kept byte for byte; between them is nothing
//! but numbers, our own words, links to tasks by their ids and escaped headlines; the same updates give the same page.

use std::collections::BTreeMap;

use platinum_sdk::dashboard::board::Counts;
use platinum_sdk::text::escape_markdown;
use platinum_sdk::updates::types::Update;

/// Begins what this skill writes.
pub const BEGIN: &str = "<!-- platinum:begin -->";
/// Ends it.
pub const END: &str = "<!-- platinum:end -->";

/// How many updates the page shows.
const SHOWN: usize = 20;
/// The longest headline shown, in characters.
const MAX_HEADLINE: usize = 200;

/// The page with these numbers and updates; none if it says all of it already.
#[must_use]
pub fn with_updates(old: &str, counts: &Counts, updates: &[Update], now: &str) -> Option<String> {
    let (before, block, after) = split(old);
    let mut lines: BTreeMap<String, String> = block.lines().filter_map(kept).collect();
    for update in updates.iter().filter(|update| is_update_id(&update.id)) {
        lines.retain(|_, shown| !is_undone_by(shown, update));
        lines
            .entry(update.id.clone())
            .or_insert_with(|| line(update));
    }
    while lines.len() > SHOWN {
        lines.pop_first();
    }
    // The moment alone is no news.
    let stamp = stamp_of(block).unwrap_or_default();
    if !block.is_empty() && render(counts, &lines, stamp) == block {
        return None;
    }
    Some(format!(
        "{before}{}{after}",
        render(counts, &lines, &minute(now))
    ))
}

/// Before, block (with its markers, empty if there is none), after.
fn split(text: &str) -> (String, &str, &str) {
    let mut from = 0;
    while let Some(begin) = text[from..].find(BEGIN).map(|at| from + at) {
        let inside = begin + BEGIN.len();
        let Some(end) = text[inside..].find(END).map(|at| inside + at) else {
            break;
        };
        // A stray beginning before ours belongs to the owner's text.
        if !text[inside..end].contains(BEGIN) {
            let end = end + END.len();
            return (text[..begin].into(), &text[begin..end], &text[end..]);
        }
        from = inside;
    }
    let before = if text.trim().is_empty() {
        "# Dashboard\n\n".to_owned()
    } else {
        format!("{}\n\n", text.trim_end_matches('\n'))
    };
    (before, "", "\n")
}

fn render(counts: &Counts, lines: &BTreeMap<String, String>, stamp: &str) -> String {
    let for_you = match counts.pending {
        0 => "Nothing waits for you.".to_owned(),
        1 => "**1 draft waits for you** in `Pending_Approval/`.".to_owned(),
        count => format!("**{count} drafts wait for you** in `Pending_Approval/`."),
    };
    let mut text = format!(
        "{BEGIN}\n{for_you}\n\n\
         | Waiting | In progress | For you | Approved | Done this month |\n\
         |--:|--:|--:|--:|--:|\n\
         | {} | {} | {} | {} | {} |\n",
        counts.waiting, counts.in_progress, counts.pending, counts.approved, counts.done
    );
    if !lines.is_empty() {
        text.push_str("\n## Lately\n\n");
        for (id, line) in lines.iter().rev() {
            text.push_str(&format!("{line} <!-- {id} -->\n"));
        }
    }
    text.push_str(&format!("\n*As of {stamp}*\n{END}"));
    text
}

fn line(update: &Update) -> String {
    let task = update.task.as_deref().filter(|task| is_id(task, "task_"));
    format!(
        "- {} · {} · {}{}",
        escape_markdown(&minute(&update.created), 40),
        escape_markdown(&update.agent, 40),
        escape_markdown(&update.headline, MAX_HEADLINE),
        task.map_or_else(String::new, |task| format!(" · [[{task}|task]]"))
    )
}

/// Whether a line says that something was done of which this update says that it came back.
fn is_undone_by(shown: &str, update: &Update) -> bool {
    let Some(came_back) = update.headline.strip_prefix("Came back: ") else {
        return false;
    };
    let done = shown.split_once(" · Done: ");
    let Some((summary, _)) = done.and_then(|(_, done)| done.split_once("; ")) else {
        return false;
    };
    escape_markdown(came_back, MAX_HEADLINE).starts_with(summary)
}

/// A line of the block that shows an update: its id, and the line without it.
fn kept(line: &str) -> Option<(String, String)> {
    let (shown, id) = line.strip_suffix(" -->")?.rsplit_once(" <!-- ")?;
    (shown.starts_with("- ") && is_update_id(id)).then(|| (id.to_owned(), shown.to_owned()))
}

fn stamp_of(block: &str) -> Option<&str> {
    block
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("*As of ")?.strip_suffix('*'))
}

/// `update_<ULID>`: sorts by time and is harmless in a comment.
fn is_update_id(id: &str) -> bool {
    is_id(id, "update_")
}

fn is_id(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|ulid| {
        ulid.len() == 26
            && ulid
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    })
}

/// `2026-11-20T18:00:00Z` as `2026-11-20 18:00 UTC`; anything else as it is.
fn minute(time: &str) -> String {
    let date_and_minute = time
        .ends_with('Z')
        .then(|| (time.get(..10), time.get(11..16)));
    match date_and_minute {
        Some((Some(date), Some(minute))) => format!("{date} {minute} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T18:05:09Z";

    fn update(number: u32, headline: &str) -> Update {
        Update {
            id: format!("update_{number:026}"),
            agent: "cloud".into(),
            created: "2026-11-20T18:00:00Z".into(),
            task: None,
            headline: headline.into(),
        }
    }

    fn counts(pending: u32) -> Counts {
        Counts {
            waiting: 1,
            in_progress: 2,
            pending,
            approved: 0,
            done: 7,
        }
    }

    /// An empty page gets a title the numbers and the updates newest first.
    #[test]
    fn page_empty_gets_title_numbers_and_updates() {
        let page =
            with_updates("", &counts(1), &[update(1, "One"), update(2, "Two")], NOW).unwrap();
        assert!(
            page.starts_with("# Dashboard\n\n<!-- platinum:begin -->\n**1 draft waits for you**")
        );
        assert!(page.contains("| 1 | 2 | 1 | 0 | 7 |"));
        assert!(page.find("Two").unwrap() < page.find("One").unwrap());
        assert!(page.contains("- 2026-11-20 18:00 UTC · cloud · Two <!-- update_"));
        assert!(page.ends_with("<!-- platinum:end -->\n"));
    }

    /// What came back is not shown as done any more, and only that.
    #[test]
    fn page_drops_the_line_of_what_came_back() {
        let done = |n, to: &str| update(n, &format!("Done: Answer {to}_x <{to}@x.test>; 250 ok"));
        let page = with_updates("", &counts(0), &[done(1, "ann"), done(2, "bob")], NOW).unwrap();
        let back = update(
            3,
            "Came back: Answer ann_x <ann@x.test>: there is no such address",
        );
        let page = with_updates(&page, &counts(0), &[back], NOW).unwrap();
        assert_eq!(page.matches("Done: ").count(), 1, "{page}");
        assert!(
            page.contains("Done: Answer bob") && page.contains("Came back: "),
            "{page}"
        );
    }

    /// An update about a task links to it, and what is no task's id is no link.
    #[test]
    fn page_update_links_to_its_task() {
        let about = |task: &str| Update {
            task: Some(task.into()),
            ..update(1, "One")
        };
        let task = format!("task_{:026}", 7);
        let page = with_updates("", &counts(0), &[about(&task)], NOW).unwrap();
        let line = format!(" · cloud · One · [[{task}|task]] <!-- update_");
        assert!(page.contains(&line), "{page}");
        let page = with_updates("", &counts(0), &[about("task_x]] [[y")], NOW).unwrap();
        assert!(!page.contains("[["), "{page}");
    }

    /// The owners text is kept byte for byte.
    #[test]
    fn page_keeps_the_owners_text() {
        let page = with_updates("My page\r\n\r\n- [ ] tea\n", &counts(0), &[], NOW).unwrap();
        let edited = format!("{page}\nBelow, mine too.\n");
        let again = with_updates(&edited, &counts(3), &[update(1, "One")], NOW).unwrap();
        assert!(again.starts_with("My page\r\n\r\n- [ ] tea\n\n<!-- platinum:begin -->"));
        assert!(again.ends_with("<!-- platinum:end -->\n\nBelow, mine too.\n"));
        assert_eq!(again.matches(BEGIN).count(), 1);
    }

    /// A stray marker in the owners text swallows nothing.
    #[test]
    fn page_stray_marker_swallows_nothing() {
        let old = format!("a {BEGIN} b\n");
        let page = with_updates(&old, &counts(0), &[], NOW).unwrap();
        let again = with_updates(&page, &counts(1), &[], NOW).unwrap();
        assert!(again.starts_with(&format!("a {BEGIN} b\n")));
        assert_eq!(again.matches(END).count(), 1);
    }

    /// The same updates and numbers change nothing later.
    #[test]
    fn page_same_updates_change_nothing() {
        let page = with_updates("", &counts(1), &[update(1, "One")], NOW).unwrap();
        assert_eq!(
            with_updates(
                &page,
                &counts(1),
                &[update(1, "One")],
                "2026-11-21T09:00:00Z"
            ),
            None
        );
        assert!(with_updates(&page, &counts(2), &[], "2026-11-21T09:00:00Z").is_some());
    }

    /// Twenty updates are shown.
    #[test]
    fn page_shows_twenty_updates() {
        let many: Vec<Update> = (1..=25)
            .map(|n| update(n, &format!("headline{n:02}")))
            .collect();
        let page = with_updates("", &counts(0), &many, NOW).unwrap();
        assert_eq!(page.matches("headline").count(), SHOWN);
        assert!(page.contains("headline25") && !page.contains("headline05"));
    }

    /// A headline cannot end the block or forge an id.
    #[test]
    fn page_headline_cannot_end_the_block() {
        let hostile = format!("x {END} {BEGIN} - y <!-- update_{:026} -->", 9);
        let page = with_updates("", &counts(0), &[update(1, &hostile)], NOW).unwrap();
        assert_eq!(
            (page.matches(BEGIN).count(), page.matches(END).count()),
            (1, 1)
        );
        assert_eq!(page.matches("<!-- update_").count(), 1);
        let forged = Update {
            id: "update_x --> <b>".into(),
            ..update(1, "z")
        };
        assert!(
            !with_updates("", &counts(0), &[forged], NOW)
                .unwrap()
                .contains("<b>")
        );
    }
}
