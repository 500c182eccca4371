//! The gate: which tools of a server act on the outside world, by our own table.
//!
//! Real servers mark `send_email` as harmless, so their annotations decide nothing. A name does,
//! word by word, and a name that the table does not know counts as acting.
//!
//! Invariant: pure; a tool is let past a cloud host's gate only if its name starts with a word
//! that reads or drafts and holds no word that acts.

use platinum_core::Role;

use crate::ToolInfo;

/// What a tool does, judged by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reads and changes nothing.
    Reads,
    /// Saves a draft that the owner alone sees.
    Drafts,
    /// Acts on the outside world, or destroys.
    Acts,
    /// The table does not know it.
    Unknown,
}

/// First words of tools that read.
const READS: [&str; 4] = ["search", "list", "get", "read"];
/// Words that act wherever they stand in a name.
const ACTS: &[&str] = &[
    "accept",
    "add",
    "approve",
    "archive",
    "authorize",
    "block",
    "boost",
    "buy",
    "call",
    "cancel",
    "charge",
    "click",
    "confirm",
    "create",
    "delete",
    "deliver",
    "drop",
    "edit",
    "eval",
    "evaluate",
    "exec",
    "execute",
    "fill",
    "follow",
    "forward",
    "import",
    "insert",
    "invite",
    "invoke",
    "like",
    "mark",
    "merge",
    "modify",
    "move",
    "navigate",
    "patch",
    "pay",
    "press",
    "publish",
    "purge",
    "put",
    "reblog",
    "refund",
    "register",
    "reject",
    "remove",
    "rename",
    "replace",
    "repost",
    "schedule",
    "send",
    "set",
    "share",
    "submit",
    "subscribe",
    "transfer",
    "trash",
    "trigger",
    "tweet",
    "type",
    "unfollow",
    "unlink",
    "unsubscribe",
    "upload",
    "write",
];
/// Words that act as a verb and are harmless as a noun: `post_message`, but `get_post`.
const ACTS_AS_VERB: &[&str] = &["post", "reply", "run", "update"];
/// Names of services that stand before the verb: `browser_evaluate`, `email_search`.
const SERVICES: &[&str] = &[
    "bluesky", "browser", "email", "gmail", "imap", "mail", "mastodon", "odoo", "whatsapp",
];

/// What a tool of this name does.
pub fn classify(name: &str) -> Class {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let verb = words
        .iter()
        .position(|word| !SERVICES.contains(word))
        .unwrap_or(words.len());
    let (first, rest) = match &words[verb..] {
        [] => return Class::Unknown,
        [first, rest @ ..] => (*first, rest),
    };
    let drafts =
        first == "draft" || (matches!(first, "save" | "create") && rest.first() == Some(&"draft"));
    let harmless_start = drafts || READS.contains(&first);
    // `create_draft` alone may start with a word that acts.
    let judged = if drafts { rest } else { &words[verb..] };
    let acts = judged
        .iter()
        .any(|word| ACTS.contains(word) || (!harmless_start && ACTS_AS_VERB.contains(word)));
    match (acts, drafts, harmless_start) {
        (true, ..) => Class::Acts,
        (false, true, _) => Class::Drafts,
        (false, false, true) => Class::Reads,
        (false, false, false) => Class::Unknown,
    }
}

/// The tools that a cloud host must not have beside it: those that act, and those on no list.
pub fn acting_tools(tools: &[ToolInfo]) -> Vec<String> {
    let refused = |tool: &&ToolInfo| matches!(classify(&tool.name), Class::Acts | Class::Unknown);
    tools
        .iter()
        .filter(refused)
        .map(|tool| tool.name.clone())
        .collect()
}

/// Refuses a server that offers what the role must not have beside it.
///
/// # Errors
/// For the cloud, if any tool acts or is not known to be harmless. Local hosts may have any server.
pub fn refuse_acting(role: Role, server: &str, tools: &[ToolInfo]) -> Result<(), GateRefusal> {
    let refused = acting_tools(tools);
    if role == Role::Local || refused.is_empty() {
        return Ok(());
    }
    let (acting, unknown) = refused
        .into_iter()
        .partition(|name| classify(name) == Class::Acts);
    Err(GateRefusal {
        role,
        server: server.to_owned(),
        acting,
        unknown,
    })
}

/// A role refuses a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRefusal {
    /// The role.
    pub role: Role,
    /// The server's name in configuration.
    pub server: String,
    /// Tools of it that act.
    pub acting: Vec<String>,
    /// Tools of it that are on no list.
    pub unknown: Vec<String>,
}

impl std::error::Error for GateRefusal {}

impl std::fmt::Display for GateRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "role {} refuses the MCP server `{}`: it offers ",
            self.role, self.server
        )?;
        if !self.acting.is_empty() {
            let act = if self.acting.len() == 1 {
                "acts"
            } else {
                "act"
            };
            write!(
                f,
                "{}, which {act} on the outside world",
                listed(&self.acting)
            )?;
        }
        if !self.unknown.is_empty() {
            let joint = if self.acting.is_empty() { "" } else { ", and " };
            let are = if self.unknown.len() == 1 { "is" } else { "are" };
            write!(
                f,
                "{joint}{}, which {are} not known to only read or draft",
                listed(&self.unknown)
            )?;
        }
        let mail = |name: &String| {
            words(name)
                .iter()
                .any(|word| word == "email" || word == "mail")
        };
        if self.acting.iter().any(mail) {
            f.write_str("; run its draft-only build (platinum-email-draft) instead")
        } else {
            f.write_str("; run a build of it that only reads and drafts instead")
        }
    }
}

/// `` `a` ``, `` `b` and 3 more ``: names are foreign text, so few and bounded.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = |name: &String| format!("`{}`", platinum_core::text::one_line(name, 64));
    let mut parts: Vec<String> = names.iter().take(SHOWN).map(shown).collect();
    if names.len() > SHOWN {
        parts.push(format!("{} more", names.len() - SHOWN));
    }
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

/// The words of a name, lower case: `sendEmail`, `send_email`, `send-email` and `mail.send` all
/// have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars().take(256) {
        let separates = !c.is_alphanumeric();
        if separates || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if !separates && let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> ToolInfo {
        // What real servers claim, whatever the tool does.
        ToolInfo {
            name: name.to_owned(),
            description: String::new(),
            destructive_hint: Some(false),
        }
    }

    #[test]
    fn classify_acting_names_as_acts() {
        for name in [
            "send_email",
            "forward_email",
            "reply_to_email",
            "send_message",
            "send_audio_message",
            "delete_emails",
            "move_emails",
            "status_post",
            "status_delete",
            "status_update",
            "create-post",
            "create_record",
            "create_records",
            "publish",
            "publish_post",
            "post_message",
            "chatter_post",
            "pay_invoice",
            "payInvoice",
            "execute_method",
            "execute_approved_write",
            "write_record",
            "update_record",
            "update_records",
            "unlink_record",
            "browser_evaluate",
            "browser_run_code_unsafe",
            "browser_click",
            "run_code",
            "mark_email",
            "send_draft",
            "draft_and_send",
            "create_draft_and_send",
            "get_and_delete_mail",
            "sendEmail",
            "email.send",
            "whatsapp_send_text",
            "SEND_EMAIL",
            "upload_attachment",
            "email_reply",
            "save_draft_then_forward",
            "delete_draft",
        ] {
            assert_eq!(classify(name), Class::Acts, "{name}");
        }
    }

    #[test]
    fn classify_reading_and_drafting_names_as_harmless() {
        for name in [
            "search_emails",
            "list_mailboxes",
            "get_email",
            "read_attachment",
            "search_records",
            "get_post",
            "get-timeline-posts",
            "list_updates",
            "email_search",
            "odoo_read_record",
            "get_current_context",
            "listMessages",
        ] {
            assert_eq!(classify(name), Class::Reads, "{name}");
        }
        for name in [
            "draft_email",
            "save_draft",
            "create_draft",
            "draft_reply",
            "draft_post",
        ] {
            assert_eq!(classify(name), Class::Drafts, "{name}");
        }
    }

    #[test]
    fn classify_other_names_as_unknown() {
        for name in [
            "",
            "_",
            "email",
            "frobnicate",
            "browser_snapshot",
            "fetch_url",
            "searching",
            "Ѕend",
        ] {
            assert_eq!(classify(name), Class::Unknown, "{name}");
        }
        assert_eq!(
            acting_tools(&[tool("frobnicate"), tool("get_x"), tool("pay")]),
            ["frobnicate", "pay"]
        );
    }

    #[test]
    fn gate_refuses_the_full_mail_server_for_the_cloud() {
        let full = [
            tool("search_emails"),
            tool("draft_email"),
            tool("send_email"),
        ];
        assert_eq!(
            refuse_acting(Role::Cloud, "email", &full)
                .unwrap_err()
                .to_string(),
            "role cloud refuses the MCP server `email`: it offers `send_email`, which acts on the \
             outside world; run its draft-only build (platinum-email-draft) instead"
        );
        assert_eq!(refuse_acting(Role::Local, "email", &full), Ok(()));
        assert_eq!(refuse_acting(Role::Cloud, "email", &full[..2]), Ok(()));
    }

    #[test]
    fn gate_refusal_names_several_and_unknown_tools() {
        let many = [tool("pay"), tool("publish"), tool("frobnicate")];
        assert_eq!(
            refuse_acting(Role::Cloud, "odd", &many)
                .unwrap_err()
                .to_string(),
            "role cloud refuses the MCP server `odd`: it offers `pay` and `publish`, which act on \
             the outside world, and `frobnicate`, which is not known to only read or draft; run a \
             build of it that only reads and drafts instead"
        );
    }
}
