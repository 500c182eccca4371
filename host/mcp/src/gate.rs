//! The gate: which tools a server may offer to a role, and which tools act on the outside world.
//!
//! A role has a list of exact names for each server, and all else is refused. Beside it stands our
//! own table of words: a cloud host refuses a tool that acts even if a list names it. Real servers
//! mark `send_email` as harmless, so their annotations decide nothing.
//!
//! Lives elsewhere: when the gate is asked is [`Session`](crate::Session)'s: at every connect.
//! Invariant: pure.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::Role;
use serde_json::{Map, Value};

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
const READS: [&str; 7] = ["search", "list", "get", "read", "find", "preview", "check"];
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
    // `prove_rights` tries what must be refused, on an empty draft that it saves.
    let drafts = matches!(first, "draft" | "prove")
        || (matches!(first, "save" | "create") && rest.first() == Some(&"draft"));
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

/// Which tools a server may offer to a role: these by name, and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    role: Role,
    needed: BTreeSet<String>,
    optional: BTreeSet<String>,
    denied: BTreeSet<String>,
    arguments: BTreeMap<String, BTreeSet<String>>,
    asks_again: bool,
}

impl Gate {
    /// The server has to offer each of `needed`, and may offer what is in `optional`.
    pub fn new(role: Role, needed: &[&str], optional: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            role,
            needed: owned(needed),
            optional: owned(optional),
            denied: BTreeSet::new(),
            arguments: BTreeMap::new(),
            asks_again: false,
        }
    }

    /// For a server that is not ours: it may offer these tools too, and they are never called.
    #[must_use]
    pub fn with_denied(mut self, names: &[&str]) -> Self {
        self.denied
            .extend(names.iter().map(|&name| name.to_owned()));
        self
    }

    /// A call of this tool may have these arguments and no others.
    #[must_use]
    pub fn with_arguments(mut self, tool: &str, names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        self.arguments.insert(tool.to_owned(), names);
        self
    }

    /// For a server that announces the list that it has: it is asked for it before the next call, instead of losing
    /// its session.
    #[must_use]
    pub fn asking_again(mut self) -> Self {
        self.asks_again = true;
        self
    }

    /// Whether a list that is announced is asked for.
    pub(crate) fn asks_again(&self) -> bool {
        self.asks_again
    }

    /// An argument that a call of this tool may not have.
    pub(crate) fn refused_argument<'a>(
        &self,
        tool: &str,
        arguments: &'a Map<String, Value>,
    ) -> Option<&'a str> {
        let allowed = self.arguments.get(tool)?;
        let mut names = arguments.keys().map(String::as_str);
        names.find(|name| !allowed.contains(*name))
    }

    /// Whether a tool of this name may be called.
    pub fn allows(&self, tool: &str) -> bool {
        self.needed.contains(tool) || self.optional.contains(tool)
    }

    /// Refuses a server whose tools are others.
    ///
    /// # Errors
    /// If it offers a tool that is not on the list, lacks one that is needed, or, beside a cloud
    /// host, offers one that acts, whatever the list says.
    pub fn check(&self, server: &str, offered: &[ToolInfo]) -> Result<(), GateRefusal> {
        let acts = |name: &str| self.role == Role::Cloud && classify(name) == Class::Acts;
        let names: BTreeSet<&str> = offered.iter().map(|tool| tool.name.as_str()).collect();
        let is_unlisted = |name: &str| !self.allows(name) && !self.denied.contains(name);
        let unwanted = names.iter().filter(|name| is_unlisted(name) || acts(name));
        let (acting, unlisted): (Vec<&str>, Vec<&str>) = unwanted.partition(|name| acts(name));
        let missing = self
            .needed
            .iter()
            .filter(|name| !names.contains(name.as_str()));
        let refusal = GateRefusal {
            role: self.role,
            server: server.to_owned(),
            acting: acting.into_iter().map(str::to_owned).collect(),
            unlisted: unlisted.into_iter().map(str::to_owned).collect(),
            missing: missing.cloned().collect(),
        };
        match refusal.acting.is_empty() && refusal.unlisted.is_empty() && refusal.missing.is_empty()
        {
            true => Ok(()),
            false => Err(refusal),
        }
    }
}

/// A role refuses a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRefusal {
    /// The role.
    pub role: Role,
    /// The server's name in configuration.
    pub server: String,
    /// Tools of it that act, beside a cloud host.
    pub acting: Vec<String>,
    /// Tools of it that are not on the role's list.
    pub unlisted: Vec<String>,
    /// Tools that it lacks.
    pub missing: Vec<String>,
}

impl std::error::Error for GateRefusal {}

impl std::fmt::Display for GateRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { role, server, .. } = self;
        let verb = |names: &[String], one: &'static str, many: &'static str| match names.len() {
            1 => one,
            _ => many,
        };
        let mut reasons = Vec::new();
        if !self.acting.is_empty() {
            let act = verb(&self.acting, "acts", "act");
            let names = listed(&self.acting);
            reasons.push(format!(
                "it offers {names}, which {act} on the outside world"
            ));
        }
        if !self.unlisted.is_empty() {
            let are = verb(&self.unlisted, "is", "are");
            let names = listed(&self.unlisted);
            let offers = if reasons.is_empty() { "it offers " } else { "" };
            reasons.push(format!(
                "{offers}{names}, which {are} not on the list of this role"
            ));
        }
        if !self.missing.is_empty() {
            reasons.push(format!("it does not offer {}", listed(&self.missing)));
        }
        write!(
            f,
            "role {role} refuses the MCP server `{server}`: {}",
            reasons.join(", and ")
        )?;
        let is_mail = |name: &String| {
            words(name)
                .iter()
                .any(|word| word == "email" || word == "mail")
        };
        if self.acting.iter().any(is_mail) {
            f.write_str("; run its draft-only build (platinum-email-draft) instead")
        } else {
            f.write_str("; run the build of it that belongs to this version of Platinum")
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
    fn gate_lets_a_denied_tool_be_offered_and_not_called() {
        let gate = Gate::new(Role::Local, &["browser_click"], &[])
            .with_denied(&["browser_evaluate"])
            .with_arguments("browser_click", &["target"]);
        let offered = [tool("browser_click"), tool("browser_evaluate")];
        assert_eq!(gate.check("browser", &offered), Ok(()));
        assert!(!gate.allows("browser_evaluate"));
        assert!(
            gate.check("browser", &[offered[0].clone(), tool("browser_new")])
                .is_err()
        );
        let refused = |arguments: Value| {
            let arguments = arguments.as_object().unwrap();
            gate.refused_argument("browser_click", arguments)
                .map(str::to_owned)
        };
        assert_eq!(refused(serde_json::json!({ "target": "e1" })), None);
        assert_eq!(
            refused(serde_json::json!({ "target": "e1", "modifiers": [] })).as_deref(),
            Some("modifiers")
        );
    }

    /// What a cloud host refuses it refuses also if it is never called.
    #[test]
    fn gate_of_a_cloud_host_has_no_denied_tool_that_acts() {
        let gate = Gate::new(Role::Cloud, &[], &[]).with_denied(&["browser_click"]);
        assert!(gate.check("browser", &[tool("browser_click")]).is_err());
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
            "check_and_publish",
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
            "find_payment",
            "preview_payment",
            "get_current_context",
            "listMessages",
            "check_post",
            "search_posts",
        ] {
            assert_eq!(classify(name), Class::Reads, "{name}");
        }
        for name in [
            "draft_email",
            "draft_post",
            "save_draft",
            "create_draft",
            "draft_reply",
            "draft_post",
            "prove_rights",
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
    }

    fn mail_gate(role: Role) -> Gate {
        let optional: &[&str] = match role {
            Role::Cloud => &[],
            Role::Local => &["send_email"],
        };
        Gate::new(role, &["draft_email", "search_emails"], optional)
    }

    fn refusal(gate: &Gate, offered: &[&str]) -> Option<String> {
        let offered: Vec<ToolInfo> = offered.iter().map(|name| tool(name)).collect();
        let refused = gate.check("email", &offered).err();
        refused.map(|refusal| refusal.to_string())
    }

    #[test]
    fn gate_refuses_the_full_mail_server_for_the_cloud() {
        let full = ["search_emails", "draft_email", "send_email"];
        assert_eq!(
            refusal(&mail_gate(Role::Cloud), &full).unwrap(),
            "role cloud refuses the MCP server `email`: it offers `send_email`, which acts on the \
             outside world; run its draft-only build (platinum-email-draft) instead"
        );
        assert_eq!(refusal(&mail_gate(Role::Local), &full), None);
        assert_eq!(refusal(&mail_gate(Role::Local), &full[..2]), None);
        assert_eq!(refusal(&mail_gate(Role::Cloud), &full[..2]), None);
        let careless = Gate::new(Role::Cloud, &full, &[]);
        assert!(
            refusal(&careless, &full)
                .unwrap()
                .contains("`send_email`, which acts")
        );
    }

    /// Whatever is not on the list is refused to both roles, also what reads by its name.
    #[test]
    fn gate_refuses_every_tool_not_on_the_list() {
        let offered = ["search_emails", "draft_email", "get_contacts"];
        for role in Role::ALL {
            assert_eq!(
                refusal(&mail_gate(role), &offered).unwrap(),
                format!(
                    "role {role} refuses the MCP server `email`: it offers `get_contacts`, which \
                     is not on the list of this role; run the build of it that belongs to this \
                     version of Platinum"
                )
            );
        }
        let odd = [
            "Search_Emails",
            "search_emails ",
            "draft_email",
            "search_emails",
        ];
        let refused = refusal(&mail_gate(Role::Local), &odd).unwrap();
        assert!(
            refused.contains("`Search_Emails` and `search_emails`, which are not"),
            "{refused}"
        );
    }

    #[test]
    fn gate_refusal_names_acting_unlisted_and_missing_tools() {
        let many = ["pay", "publish", "frobnicate", "search_emails"];
        assert_eq!(
            refusal(&mail_gate(Role::Cloud), &many).unwrap(),
            "role cloud refuses the MCP server `email`: it offers `pay` and `publish`, which act on \
             the outside world, and `frobnicate`, which is not on the list of this role, and it \
             does not offer `draft_email`; run the build of it that belongs to this version of \
             Platinum"
        );
    }
}
