//! From a task to a post for each account: decide, read, write, check, propose.
//!
//! Invariants: nothing is published; one draft for each account; an account that a note means and that cannot be used
//! is named to the owner; what only helps (handbook, own posts, the store of drafts) may fail without losing the draft.

use platinum_sdk::actions::types::{Proposal, ProposeError};
use platinum_sdk::host::{Context, DraftSocial, Log, Model, Notes, ProposeSocial, ReadTasks};
use platinum_sdk::skill::log::Level;
use platinum_sdk::social::draft::{Account, Limits, SeenPost};
use platinum_sdk::social::types::Post;
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{gap, one_line, unfenced};
use platinum_sdk::{Error, Invocation, Outcome};

use crate::compose::{Composed, Unfit, Wanted, compose, frame, network_name, with_parts};
use crate::mention::Mention;
use crate::note::Note;
use crate::request::Material;

const HANDBOOK: &str = "Company_Handbook.md";
/// The fact with why a task gets no answer.
const NO_ANSWER: &str = "no-answer";
/// Own posts that show the owner's tone, and among which one that came back is looked for.
const RECENT: u32 = 10;
const RECENT_OF_ALL: u32 = 50;

/// `drafted` with the id of the first draft, or `dismissed` with what the owner has to say or mend first.
///
/// # Errors
/// If the task is of another zone, or cannot be read, or the networks, the model or the vault are away.
pub fn run(
    host: &(impl Context + Log + ReadTasks + Notes + DraftSocial + Model + ProposeSocial),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("cloud-draft-social needs a task".into()))?;
    let task = host.get(id)?;
    if task.zone != "social" {
        return Err(Error::Invalid(format!("{id} is not of the zone social")));
    }
    let no_answer = task.facts.iter().find(|fact| fact.name == NO_ANSWER);
    if let Some(why) = no_answer.and_then(|fact| fact.values.first()) {
        return Ok(dismissed(why));
    }
    let accounts = host.accounts()?;
    if accounts.is_empty() {
        return Ok(dismissed("no account is configured for the zone social"));
    }
    match Mention::of(&task) {
        Some(mention) => answer(host, &task, &mention, &accounts),
        None => publish(host, &task, &accounts),
    }
}

/// Drafts a post for each account that a note means.
fn publish(
    host: &(impl Context + Log + Notes + DraftSocial + Model + ProposeSocial),
    task: &Task,
    accounts: &[Account],
) -> Result<Outcome, Error> {
    let note = Note::parse(unfenced(&task.text));
    if let Some(question) = note.questions.first() {
        return Ok(dismissed(&format!("{question}, and drop the note again")));
    }
    if note.parts.is_empty() && note.media.is_empty() {
        return Ok(dismissed("the note has no text that could be published"));
    }
    let meant = match meant(&note, accounts) {
        Ok(meant) => meant,
        Err(question) => return Ok(dismissed(&question)),
    };
    let text = note.text();
    let handbook = handbook(host)?;
    let (instructions, now) = (host.instructions(), host.now());
    let mut composed = Vec::new();
    let mut unfit = Vec::new();
    for account in meant {
        let limits = match usable(account, !note.accounts.is_empty()) {
            Ok(limits) => limits,
            Err(Unfit::Failed(error)) => return Err(error),
            Err(Unfit::Fault(why)) => {
                unfit.push(why);
                continue;
            }
        };
        let own = recent(host, account, RECENT);
        let wanted = Wanted {
            frame: &Post {
                language: note.language.clone(),
                reply_to: note.reply_to.clone(),
                content_warning: note.content_warning.clone(),
                link: note.link.clone(),
                media: note.media.clone(),
                ..frame(account)
            },
            parts: &note.parts,
            is_request: note.is_request,
            is_thread: note.is_thread,
            address: "",
            known: &[&text],
        };
        let material = Material {
            instructions: &instructions,
            handbook: handbook.as_deref(),
            label: "note",
            text: &text,
            own: &own,
            now: &now,
        };
        match compose(host, account, limits, &wanted, &material) {
            Ok(post) => composed.push((account, post)),
            Err(Unfit::Fault(why)) => unfit.push(format!("{}: {why}", account.name)),
            Err(Unfit::Failed(error)) => return Err(error),
        }
    }
    let without = one_line(&unfit.join("; "), 240);
    if composed.is_empty() {
        return Ok(dismissed(&format!(
            "it cannot be published ({without}); mend the note and drop it again"
        )));
    }
    let mut first = None;
    for (account, post) in composed {
        let proposal = Proposal {
            task: task.id.clone(),
            summary: summary("Post", account, &post.post),
            reason: reason("You dropped a note.", &post.how, &without),
            expires: None,
        };
        let id = propose(host, &proposal, &post)?;
        first.get_or_insert(id);
    }
    Ok(Outcome::Drafted(first.unwrap_or_default()))
}

/// Drafts an answer to a mention.
fn answer(
    host: &(impl Context + Log + Notes + DraftSocial + Model + ProposeSocial),
    task: &Task,
    mention: &Mention<'_>,
    accounts: &[Account],
) -> Result<Outcome, Error> {
    let Some(account) = accounts
        .iter()
        .find(|account| account.name == mention.account)
    else {
        return Ok(dismissed(&format!(
            "it mentions the account `{}`, which is not configured any more",
            one_line(mention.account, 60)
        )));
    };
    let own = recent(host, account, RECENT_OF_ALL);
    let others = accounts.iter().filter(|other| other.name != account.name);
    let of_all: Vec<SeenPost> = others
        .flat_map(|other| recent(host, other, RECENT_OF_ALL))
        .chain(own.iter().cloned())
        .collect();
    if let Some(why) = mention.refusal(accounts, &of_all) {
        return Ok(dismissed(&why));
    }
    let limits = match usable(account, true) {
        Ok(limits) => limits,
        Err(Unfit::Failed(error)) => return Err(error),
        Err(Unfit::Fault(why)) => return Ok(dismissed(&why)),
    };
    // On Mastodon who is answered is named in the text, or hears nothing of it.
    let address = match account.network.as_str() {
        "mastodon" => format!("@{} ", mention.author),
        _ => String::new(),
    };
    let whom = format!("@{}", mention.author);
    let frame = Post {
        reply_to: Some(mention.post.to_owned()),
        ..frame(account)
    };
    let handbook = handbook(host)?;
    let left_open = format!("{address}{}", gap("your answer"));
    let wanted = Wanted {
        frame: &frame,
        parts: &[left_open],
        is_request: true,
        is_thread: false,
        address: &address,
        known: &[&whom, handbook.as_deref().unwrap_or_default()],
    };
    let (instructions, now) = (host.instructions(), host.now());
    let material = Material {
        instructions: &instructions,
        handbook: handbook.as_deref(),
        label: "mention",
        text: mention.text,
        own: own.get(..own.len().min(10)).unwrap_or_default(),
        now: &now,
    };
    let mut composed = match compose(host, account, limits, &wanted, &material) {
        Ok(composed) => composed,
        Err(Unfit::Failed(error)) => return Err(error),
        Err(Unfit::Fault(why)) => {
            return Ok(dismissed(&format!("it cannot be answered: {why}")));
        }
    };
    if composed.post == with_parts(&frame, wanted.parts) {
        composed.how = "No model wrote this answer: fill its gap.".to_owned();
    }
    let rule = one_line(mention.rule.unwrap_or_default(), 120);
    let proposal = Proposal {
        task: task.id.clone(),
        summary: summary(
            &format!("Answer {}", one_line(&whom, 80)),
            account,
            &composed.post,
        ),
        reason: reason(
            &format!("Your handbook asks for it: “{rule}”."),
            &composed.how,
            "",
        ),
        expires: None,
    };
    propose(host, &proposal, &composed).map(Outcome::Drafted)
}

/// The owner's rules, if there are any.
fn handbook(host: &(impl Log + Notes)) -> Result<Option<String>, Error> {
    use platinum_sdk::vault::context::Error as NoteError;
    match host.read(HANDBOOK) {
        Ok(text) => Ok(Some(text)),
        Err(NoteError::NotFound) => Ok(None),
        // The owner's rules exist: a post that does not know them is worse than a late one.
        Err(NoteError::Unavailable(what)) => Err(Error::Unavailable(one_line(&what, 200))),
        Err(error) => {
            let text = format!("{HANDBOOK} is not used: {}", Error::from(error));
            host.line(Level::Warn, &text);
            Ok(None)
        }
    }
}

/// The accounts that a note names, in the order of the configuration; all if it names none.
fn meant<'a>(note: &Note, accounts: &'a [Account]) -> Result<Vec<&'a Account>, String> {
    let is_named = |account: &Account, name: &str| {
        account.name.eq_ignore_ascii_case(name) || account.network.eq_ignore_ascii_case(name)
    };
    for name in &note.accounts {
        if !accounts.iter().any(|account| is_named(account, name)) {
            let known: Vec<&str> = accounts
                .iter()
                .map(|account| account.name.as_str())
                .collect();
            return Err(format!(
                "there is no account `{}`; there are {}",
                one_line(name, 60),
                one_line(&known.join(", "), 200)
            ));
        }
    }
    let is_meant = |account: &&Account| {
        note.accounts.is_empty() || note.accounts.iter().any(|name| is_named(account, name))
    };
    Ok(accounts.iter().filter(is_meant).collect())
}

/// What an account takes. One that is named is waited for; of all there are, it is left out.
fn usable(account: &Account, is_named: bool) -> Result<&Limits, Unfit> {
    account.limits.as_ref().ok_or_else(|| {
        let why = account.problem.as_deref().unwrap_or("it cannot be asked");
        let why = one_line(&format!("{}: {why}", account.name), 200);
        match is_named {
            true => Unfit::Failed(Error::Unavailable(why)),
            false => Unfit::Fault(why),
        }
    })
}

/// The newest posts of an account; none if it cannot be asked.
fn recent(host: &(impl Log + DraftSocial), account: &Account, limit: u32) -> Vec<SeenPost> {
    host.recent(&account.name, limit).unwrap_or_else(|error| {
        let text = format!(
            "your posts of {} were not read: {}",
            account.name,
            Error::from(error)
        );
        host.line(Level::Warn, &text);
        Vec::new()
    })
}

/// Submits the draft, then keeps it where the network's drafts are; its id.
fn propose(
    host: &(impl Log + DraftSocial + ProposeSocial),
    proposal: &Proposal,
    composed: &Composed,
) -> Result<String, Error> {
    let id = match host.propose(proposal, &composed.post) {
        Ok(id) => id,
        // An earlier run came this far.
        Err(ProposeError::Duplicate(id)) => return Ok(id),
        Err(error) => return Err(error.into()),
    };
    if let Err(error) = host.save(&composed.post) {
        let text = format!("{id} is not in the store of drafts: {}", Error::from(error));
        host.line(Level::Warn, &text);
    }
    Ok(id)
}

/// What the draft does, in one line.
fn summary(what: &str, account: &Account, post: &Post) -> String {
    let more = match post.thread.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let whose = account.handle.as_deref().unwrap_or(&account.name);
    let text = one_line(&post.text, 80);
    one_line(
        &format!(
            "{what} as {} on {}: “{text}”{more}",
            one_line(whose, 80),
            network_name(account)
        ),
        290,
    )
}

/// Why there is a draft, how its text came about, and which accounts have none.
fn reason(why: &str, how: &str, without: &str) -> String {
    let without = match without {
        "" => String::new(),
        without => format!(" Not for {without}."),
    };
    one_line(&format!("{why} {how}{without}"), 490)
}

fn dismissed(why: &str) -> Outcome {
    Outcome::Dismissed(one_line(why, 300))
}
