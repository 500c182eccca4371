//! `platinum approve`: the owner's yes, to a draft that waits or to something that is held.

use std::{
    io::{BufRead, IsTerminal, Write},
    sync::Arc,
};

use platinum_api::{
    DraftSummary, MachineKeys, approval_policy, approvals::is_expired, text::short_time,
};
use platinum_core::{
    DraftId, Timestamp, VaultPath, layout,
    text::{GAP_FORM, has_gaps},
};
use platinum_daemon::Config;
use platinum_effects::approvals::{
    ApprovalPolicy, CheckContext, EntryState, Finding, GAPS, MessageError, Outgoing, Unreadable,
    act::{self, Shown as ShownDraft},
    findings, inspect,
};
use platinum_journal::Journal;
use platinum_vault::{Vault, note::Note};

use super::{
    CommandError, Context, Kind,
    approvals::{self, Shown},
    keys::identity,
    open_vault, pending,
    terminal::plain,
};
use crate::executor::JournalDrafts;

/// Say yes to a draft: it is carried out by the local daemon, once.
///
/// Moving the file from Pending_Approval/ to Approved/ does the same. What that holds, because
/// there is something in it that you may not have seen, is confirmed here.
#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    /// The draft's id, or enough of its start or end to name one.
    id: String,
    /// Approve even if the text still has gaps marked [✎ …].
    #[arg(long)]
    with_gaps: bool,
    /// Confirm what was found in the draft, by the digest that was shown with it.
    #[arg(long, value_name = "DIGEST")]
    confirm: Option<String>,
}

/// What the commands about approvals work with.
pub(super) struct ApprovalStore {
    pub(super) vault: Vault,
    pub(super) journal: Arc<Journal>,
    pub(super) policy: ApprovalPolicy,
}

impl ApprovalStore {
    pub(super) fn open(config: &Config) -> Result<Self, CommandError> {
        let identity = identity(config)?;
        let policy = approval_policy(config, &identity.own().agent);
        let journal = Arc::new(MachineKeys::new(identity).open_journal(&config.vault.state)?);
        let vault = open_vault(config)?;
        vault.remember_drafts(Arc::new(JournalDrafts(Arc::clone(&journal))));
        Ok(Self {
            vault,
            journal,
            policy,
        })
    }
}

/// A draft that is asked about.
struct Asked {
    path: VaultPath,
    outgoing: Outgoing,
    findings: Vec<Finding>,
}

pub(crate) fn run(args: &ApproveArgs, ctx: &Context) -> Result<(), CommandError> {
    let store = ApprovalStore::open(&ctx.load()?)?;
    let asked = match pending::find(&store.vault, &args.id) {
        Ok(found) => waiting(args, &store, &found)?,
        Err(error) if error.kind == Kind::NotFound => held(&store, &args.id)?.ok_or(error)?,
        Err(error) => return Err(error),
    };
    let digest = digest_of(&asked.outgoing)?;
    // A digest that is given says what its owner was shown, whatever is found in what is there now.
    let is_as_shown = args.confirm.as_ref().is_none_or(|given| *given == digest);
    if !asked.findings.is_empty() || !is_as_shown {
        confirm(args, ctx, &asked, &digest)?;
    }
    let shown = ShownDraft {
        path: &asked.path,
        outgoing: &asked.outgoing,
        findings: &asked.findings,
    };
    let approval = act::approve(
        &store.vault,
        &store.journal,
        &store.policy,
        &shown,
        Timestamp::now(),
    )?;
    let draft = &asked.outgoing.note;
    let summary = DraftSummary::of(draft);
    ctx.print(&format!(
        "Approved {}.\n{}\n{}\n",
        draft.id,
        approvals::summary_of(&summary, Shown::Head, ctx.paint)
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .trim_end(),
        what_follows(&store, approval.binds.send_at)
    ))
}

/// When it leaves, and how to stop it.
fn what_follows(store: &ApprovalStore, send_at: Option<Timestamp>) -> String {
    let when = match (
        send_at.filter(|at| *at > Timestamp::now()),
        store.policy.hold.as_secs(),
    ) {
        (Some(at), _) => format!("The local daemon carries it out at {}", short_time(at)),
        (None, 0) => {
            return "The local daemon carries it out; `platinum status` shows whether it runs."
                .to_owned();
        }
        (None, seconds) => format!("The local daemon carries it out in {seconds} s"),
    };
    let paused = match store.journal.paused() {
        Ok(Some(_)) => "\nEverything is paused: nothing leaves until `platinum resume`.",
        _ => "",
    };
    format!("{when}; `platinum undo` takes it back.{paused}")
}

/// A draft in `Pending_Approval/`, if it can be approved.
fn waiting(
    args: &ApproveArgs,
    store: &ApprovalStore,
    found: &platinum_api::approvals::Pending,
) -> Result<Asked, CommandError> {
    let vault = &store.vault;
    let draft = found.draft.as_ref().map_err(|why| {
        CommandError::new(
            Kind::Refused,
            format!(
                "{} cannot be carried out as it is: {}",
                found.path,
                plain(why, 400)
            ),
        )
        .hint("correct the file, or reject the draft")
    })?;
    if draft.id != found.id {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "{} has the id {}; the file name and the id must be the same",
                found.path, draft.id
            ),
        ));
    }
    let mut outgoing = read(vault, &found.path, draft.id)?;
    if is_expired(&outgoing.note, Timestamp::now()) {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "{} expired at {}; an approval no longer counts",
                draft.id, outgoing.note.expires
            ),
        )
        .hint("set `expires` in the file to a later time, or reject the draft"));
    }
    // Before anything is asked: no answer could let it leave.
    act::leaves_at(&store.policy, &outgoing, Timestamp::now())?;
    let file = vault.root().join(found.path.as_str());
    if outgoing.note.action.has_field_gap() {
        let text = format!("a field of {} is still a gap, marked {GAP_FORM}", draft.id);
        return Err(
            CommandError::new(Kind::Refused, text).hint(format!("fill it in: {}", file.display()))
        );
    }
    let has_gaps = has_gaps(outgoing.note.action.text());
    if has_gaps && !args.with_gaps {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "the text of {} still has gaps, marked {GAP_FORM}, which would be sent as they are",
                draft.id
            ),
        )
        .hint(format!("fill them in: {}", file.display()))
        .hint("or approve it as it is with --with-gaps"));
    }
    if has_gaps {
        let wrong = |error: platinum_vault::note::NoteError| {
            CommandError::new(Kind::Failed, format!("{}: {error}", found.path))
        };
        let mut note = Note::parse(&outgoing.file).map_err(wrong)?;
        note.set(GAPS.0, GAPS.1).map_err(wrong)?;
        vault.replace(
            &found.path,
            note.to_text().as_bytes(),
            Some(outgoing.file.as_bytes()),
        )?;
        outgoing = read(vault, &found.path, draft.id)?;
    }
    // In what was read last: that is what is shown, and approved.
    let context = CheckContext::of(vault, &store.journal, &outgoing, Timestamp::now())
        .map_err(|why| CommandError::new(Kind::Failed, why))?;
    // The gaps are confirmed by the flag.
    let without_gaps = Outgoing {
        keeps_gaps: outgoing.keeps_gaps && !args.with_gaps,
        ..outgoing.clone()
    };
    let findings = findings(&without_gaps, &context);
    Ok(Asked {
        path: found.path.clone(),
        outgoing,
        findings,
    })
}

fn read(vault: &Vault, path: &VaultPath, id: DraftId) -> Result<Outgoing, CommandError> {
    Outgoing::read(vault, path).map_err(|error| {
        let text = format!(
            "{id} cannot leave as it is: {}",
            plain(&error.to_string(), 400)
        );
        match error {
            Unreadable::Broken(_) => {
                CommandError::new(Kind::Refused, text).hint("correct the file, or reject the draft")
            }
            Unreadable::Gone => CommandError::new(Kind::NotFound, text),
            Unreadable::Away(_) => CommandError::new(Kind::Failed, text),
        }
    })
}

/// What is held or was refused in `Approved/`, under a name like this.
fn held(store: &ApprovalStore, typed: &str) -> Result<Option<Asked>, CommandError> {
    let entries = inspect(
        &store.vault,
        &store.journal,
        &store.policy,
        Timestamp::now(),
    )
    .map_err(|why| CommandError::new(Kind::Failed, why))?;
    let mut found = Vec::new();
    for entry in entries {
        let Some(outgoing) = entry.outgoing else {
            continue;
        };
        if !pending::is_named(outgoing.note.id, typed) {
            continue;
        }
        let findings = match entry.state {
            EntryState::Unconfirmed(findings) => findings,
            // Approved once more, it is tried once more.
            EntryState::Refused(_) => {
                let now = Timestamp::now();
                let context = CheckContext::of(&store.vault, &store.journal, &outgoing, now);
                let failed = |why| CommandError::new(Kind::Failed, why);
                findings(&outgoing, &context.map_err(failed)?)
            }
            _ => continue,
        };
        found.push(Asked {
            path: entry.path,
            outgoing: *outgoing,
            findings,
        });
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        many => Err(CommandError::new(
            Kind::Usage,
            format!(
                "{many} drafts in Approved/ have an id like `{}`",
                plain(typed, 40)
            ),
        )
        .hint("give more of the id; its end differs most")),
    }
}

/// The start of the fingerprint of what leaves: short enough to be typed.
fn digest_of(outgoing: &Outgoing) -> Result<String, CommandError> {
    let fingerprint = outgoing
        .fingerprint()
        .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
    Ok(fingerprint.chars().take(12).collect())
}

/// Shows everything, and what was found in it, and asks.
fn confirm(
    args: &ApproveArgs,
    ctx: &Context,
    asked: &Asked,
    digest: &str,
) -> Result<(), CommandError> {
    let summary = DraftSummary::of(&asked.outgoing.note).with_file(&asked.outgoing.file);
    let mut text = approvals::summary_of(&summary, Shown::All, ctx.paint);
    text.push_str("\nTo confirm:\n");
    for finding in &asked.findings {
        text.push_str(&format!("  {}\n", plain(&finding.to_string(), 400)));
    }
    text.push_str(&format!("digest {digest}\n"));
    ctx.print(&text)?;
    if let Some(given) = &args.confirm {
        return match *given == digest {
            true => Ok(()),
            false => Err(CommandError::new(
                Kind::Refused,
                format!(
                    "the digest is {digest}, not {}: it is not what you were shown",
                    plain(given, 40)
                ),
            )),
        };
    }
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    if !(stdin.is_terminal() && stdout.is_terminal()) {
        return Err(CommandError::new(
            Kind::Refused,
            format!("{} has to be confirmed", asked.outgoing.note.id),
        )
        .hint(format!(
            "read it, then repeat the command with --confirm {digest}"
        )));
    }
    ctx.print("Approve it as it is? [y/N] ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CommandError::new(
            Kind::Refused,
            "not approved; nothing was changed",
        )),
    }
}

impl From<act::ActError> for CommandError {
    fn from(error: act::ActError) -> Self {
        use act::ActError;
        let kind = match &error {
            ActError::Changed(_) => Kind::Conflict,
            ActError::Done(..)
            | ActError::InDoubt(..)
            | ActError::UnderWay(..)
            | ActError::NeverLeaves { .. } => Kind::Refused,
            ActError::NotApproved(_) => Kind::NotFound,
            ActError::Message(
                MessageError::Uncomposable(_)
                | MessageError::Unpublishable(_)
                | MessageError::NoOdoo
                | MessageError::NoSocialNetwork,
            ) => Kind::Refused,
            ActError::Vault(_)
            | ActError::Message(_)
            | ActError::Unreadable(_)
            | ActError::Journal(_)
            | ActError::Fingerprint(_) => Kind::Failed,
        };
        match error {
            ActError::Vault(error) => error.into(),
            ActError::Message(MessageError::Uncomposable(_)) => Self::new(
                kind,
                format!("not approved: {}", plain(&error.to_string(), 400)),
            )
            .hint("correct the file, or the mail file that `zones.email.config` names"),
            ActError::Message(MessageError::Unpublishable(_)) => Self::new(
                kind,
                format!("not approved: {}", plain(&error.to_string(), 400)),
            )
            .hint("correct the file, or the file that `zones.social.config` names"),
            ActError::Message(MessageError::NoSocialNetwork) => {
                Self::new(kind, format!("not approved: {error}"))
                    .hint("approve it on the machine that has it, or set the zone up here: docs/social.md")
            }
            ActError::Message(MessageError::NoOdoo) => {
                Self::new(kind, format!("not approved: {error}"))
                    .hint("approve it on the machine that has it, or set the zone up here: docs/accounting.md")
            }
            error @ ActError::InDoubt(..) => Self::new(kind, error.to_string()).hint(format!(
                "`platinum approvals` shows what is known; moving its file to {} closes it",
                layout::REJECTED
            )),
            error @ ActError::NeverLeaves { .. } => Self::new(kind, error.to_string())
                .hint("put an earlier `send-at` or a later `expires` into the file"),
            error => Self::new(kind, error.to_string()),
        }
    }
}

impl From<platinum_journal::JournalError> for CommandError {
    fn from(error: platinum_journal::JournalError) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}
