//! From a task to a draft for its owner: read the chat, ask the model, propose.
//!
//! Invariants: nothing is sent; who gets the answer is the host's to say; an answer that could not be sent is not
//! drafted, and says why.

use platinum_sdk::actions::types::{Proposal, ProposeError};
use platinum_sdk::host::{Context, Log, Model, Notes, ProposeWhatsapp, ReadTasks, ReadWhatsapp};
use platinum_sdk::model::complete::{Error as ModelError, Part, Quoted, Request};
use platinum_sdk::skill::log::Level;
use platinum_sdk::text::{bounded, one_line};
use platinum_sdk::whatsapp::types::{Chat, Error as ChatError, Outgoing};
use platinum_sdk::{Error, Invocation, Outcome};

use crate::answer;
use crate::closed_window;
use crate::conversation::{Conversation, chat_of};

/// The owner's rules.
const HANDBOOK: &str = "Company_Handbook.md";
const MAX_HANDBOOK: usize = 24 * 1024;
const MAX_INSTRUCTIONS: usize = 16 * 1024;
/// Messages of the chat that are read.
const READ: u32 = 50;
const MAX_TOKENS: u32 = 1024;

/// `drafted` with the id of the note, or `dismissed` with the reason: no answer could be sent, none is wanted, the owner
/// has answered.
///
/// # Errors
/// If the task is of another zone, or cannot be read, or the chat, the model or the vault are away.
pub fn run(
    host: &(impl Context + Log + ReadTasks + Notes + ReadWhatsapp + Model + ProposeWhatsapp),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("local-whatsapp needs a task".into()))?;
    let task = host.get(id)?;
    if task.zone != "whatsapp" {
        return Err(Error::Invalid(format!("{id} is not of the zone whatsapp")));
    }
    let dismissed = |reason: &str| Ok(Outcome::Dismissed(one_line(reason, 300)));
    let Some(chat_id) = chat_of(&task) else {
        return dismissed(
            "the task names no chat on WhatsApp: only what somebody wrote there can be answered there",
        );
    };
    let chat = match host.get_chat(chat_id) {
        Ok(chat) => chat,
        Err(ChatError::NotFound) => return dismissed("WhatsApp has no such chat any more"),
        Err(error) => return Err(error.into()),
    };
    let closed = match &chat.refusal {
        Some(refusal) if !chat.takes_templates => {
            return dismissed(&format!("nothing can be sent: {refusal}"));
        }
        closed => closed.clone(),
    };
    let messages = host.messages(chat_id, READ)?;
    let conversation = Conversation::of(&task, &messages);
    if conversation.is_answered {
        return dismissed("you have answered already");
    }
    if conversation.asked.is_empty() {
        return dismissed("there is nothing to answer in the chat");
    }
    if let Some(refusal) = &closed {
        return closed_window::run(host, &task, &chat, &conversation, refusal);
    }
    let ask = "Write the answer to `messages`: the text alone.";
    let request = request(host, &chat, &conversation, ask)?;
    let (text, doubts, by) = match host.complete(&request) {
        Ok(completion) => match answer::of_model(&completion.text) {
            Some(text) => {
                let by = format!("the text is by {}", one_line(&completion.model, 60));
                (text, Vec::new(), by)
            }
            None => return dismissed("nothing is to be answered"),
        },
        // The builtin drafter writes no chat messages; another model may refuse what it is given.
        Err(ModelError::Refused(reason)) => {
            host.line(
                Level::Info,
                &format!("no model wrote an answer: {}", one_line(&reason, 200)),
            );
            let text = answer::with_gaps(&conversation.asked_text());
            let doubt = "No language model wrote this: the answer is yours to write.".to_owned();
            (
                text,
                vec![doubt],
                "no language model wrote a text".to_owned(),
            )
        }
        Err(error) => return Err(error.into()),
    };
    let to = title(&chat);
    let proposal = Proposal {
        task: task.id.clone(),
        summary: one_line(&format!("Answer {to} on WhatsApp"), 300),
        reason: one_line(&reason(&conversation, &by), 500),
        expires: None,
    };
    let outgoing = Outgoing {
        chat: chat.id,
        text: format!("{text}\n"),
        quoted_message: conversation.quoted(),
        template: None,
        file: None,
        doubts,
    };
    propose(host, &proposal, &outgoing)
}

/// Proposes a message; what cannot be sent is dismissed with the reason.
pub(crate) fn propose(
    host: &impl ProposeWhatsapp,
    proposal: &Proposal,
    outgoing: &Outgoing,
) -> Result<Outcome, Error> {
    match host.propose_message(proposal, outgoing) {
        Ok(draft) | Err(ProposeError::Duplicate(draft)) => Ok(Outcome::Drafted(draft)),
        // Such as a window that has closed in the meantime.
        Err(ProposeError::Invalid(why)) => {
            let reason = format!("nothing can be sent: {why}");
            Ok(Outcome::Dismissed(one_line(&reason, 300)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the model is given.
pub(crate) fn request(
    host: &(impl Context + Log + Notes),
    chat: &Chat,
    conversation: &Conversation,
    ask: &str,
) -> Result<Request, Error> {
    let mut parts = Vec::new();
    let handbook = handbook(host)?;
    let handbook = bounded(handbook.trim(), MAX_HANDBOOK);
    if !handbook.is_empty() {
        parts.push(Part::Text(format!("The owner's handbook:\n\n{handbook}")));
    }
    let quotes = [
        (
            "contact",
            one_line(chat.name.as_deref().unwrap_or_default(), 100),
        ),
        ("conversation", conversation.before_text()),
        ("messages", conversation.asked_text()),
    ];
    for (label, text) in quotes {
        if !text.trim().is_empty() {
            parts.push(Part::Quote(Quoted {
                label: label.into(),
                text,
            }));
        }
    }
    parts.push(Part::Text(format!(
        "It is {}. {ask}",
        one_line(&host.now(), 40)
    )));
    Ok(Request {
        instructions: bounded(&host.instructions(), MAX_INSTRUCTIONS).to_owned(),
        parts,
        max_tokens: MAX_TOKENS,
    })
}

/// The owner's rules, if there are any.
fn handbook(host: &(impl Log + Notes)) -> Result<String, Error> {
    use platinum_sdk::vault::context::Error as NoteError;
    match host.read(HANDBOOK) {
        Ok(text) => Ok(text),
        Err(NoteError::NotFound) => Ok(String::new()),
        // The owner's rules exist: an answer that does not know them is worse than a late one.
        Err(NoteError::Unavailable(what)) => Err(Error::Unavailable(one_line(&what, 200))),
        Err(error) => {
            let error = Error::from(error);
            host.line(Level::Warn, &format!("{HANDBOOK} is not used: {error}"));
            Ok(String::new())
        }
    }
}

/// How a person calls who the chat is with.
pub(crate) fn title(chat: &Chat) -> String {
    let number = chat
        .contact
        .number
        .as_ref()
        .map(|number| format!("+{number}"));
    let who = number.or(chat.contact.id.clone());
    let who = who.unwrap_or_else(|| "nobody".into());
    match &chat.name {
        Some(name) => one_line(&format!("{name}, {who}"), 120),
        None => one_line(&who, 120),
    }
}

fn reason(conversation: &Conversation, by: &str) -> String {
    let count = match conversation.asked.len() {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    format!("{count} without an answer; {by}.")
}

#[cfg(test)]
pub(crate) mod tests {
    use platinum_sdk::testing::TestHost;
    use platinum_sdk::whatsapp::types::Contact;

    use super::*;
    use crate::conversation::tests::{message, task};

    fn chat() -> Chat {
        Chat {
            id: "1650".into(),
            contact: Contact {
                number: Some("16505551234".into()),
                id: Some("US.1".into()),
            },
            name: Some("Sheena".into()),
            is_group: false,
            last_inbound: Some("2026-11-20T17:00:00Z".into()),
            open_until: Some("2026-11-21T17:00:00Z".into()),
            refusal: None,
            takes_templates: true,
        }
    }

    pub(crate) fn host() -> TestHost {
        let mut host = TestHost::default();
        host.tasks.push(task(&["3"]));
        host.whatsapp.chats.push(chat());
        host.whatsapp.messages = vec![
            message("3", false, "And in blue?"),
            message("2", true, "In red."),
        ];
        host
    }

    pub(crate) fn drafted(host: &TestHost) -> Result<Outcome, Error> {
        run(
            host,
            &Invocation {
                event: "task.claimed".into(),
                task: Some("task_1".into()),
                message: None,
            },
        )
    }

    pub(crate) fn dismissed(host: &TestHost) -> String {
        match drafted(host) {
            Ok(Outcome::Dismissed(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn run_drafts_an_answer_to_the_chat_of_the_task() {
        let mut host = host();
        host.notes.insert(HANDBOOK.into(), "Say du.".into());
        assert!(matches!(drafted(&host), Ok(Outcome::Drafted(_))));
        let proposed = host.whatsapp.proposed.borrow();
        let (proposal, outgoing) = &proposed[0];
        assert_eq!(proposal.summary, "Answer Sheena, +16505551234 on WhatsApp");
        assert_eq!(
            proposal.reason,
            "1 message without an answer; the text is by test."
        );
        assert_eq!(outgoing.chat, "1650");
        assert_eq!(outgoing.text, "Thank you, that suits me.\n");
        assert_eq!(outgoing.quoted_message.as_deref(), Some("3"));
        assert!(outgoing.doubts.is_empty());
        // What others wrote is quoted, never the skill's own words.
        let request = &host.requests.borrow()[0];
        for part in &request.parts {
            let own = match part {
                Part::Text(text) => text,
                Part::Quote(_) => continue,
            };
            assert!(!own.contains("blue") && !own.contains("Sheena"), "{own}");
        }
    }

    /// The builtin drafter, or a model that refuses.
    #[test]
    fn run_without_a_model_leaves_a_gap() {
        let mut host = host();
        host.completion = Err(ModelError::Refused("only mail".into()));
        assert!(matches!(drafted(&host), Ok(Outcome::Drafted(_))));
        let proposed = host.whatsapp.proposed.borrow();
        assert_eq!(proposed[0].1.text, "[✎ your answer]\n");
        assert_eq!(proposed[0].1.doubts.len(), 1);
        assert!(host.logged("no model wrote an answer: only mail"));
    }

    #[test]
    fn run_drafts_nothing_that_could_not_be_sent() {
        let mut closed = host();
        closed.whatsapp.chats[0].refusal = Some("the window closed".into());
        closed.whatsapp.chats[0].takes_templates = false;
        assert_eq!(dismissed(&closed), "nothing can be sent: the window closed");
        let mut answered = host();
        let own = message("4", true, "Yes");
        answered.whatsapp.messages.insert(0, own);
        assert_eq!(dismissed(&answered), "you have answered already");
        let mut gone = host();
        gone.whatsapp.chats.clear();
        assert_eq!(dismissed(&gone), "WhatsApp has no such chat any more");
        let mut dropped = host();
        dropped.tasks[0].facts.clear();
        assert!(dismissed(&dropped).starts_with("the task names no chat on WhatsApp"));
        let mut thanks = host();
        if let Ok(completion) = &mut thanks.completion {
            completion.text = "none".into();
        }
        assert_eq!(dismissed(&thanks), "nothing is to be answered");
        for host in [closed, answered, gone, dropped, thanks] {
            assert!(host.whatsapp.proposed.borrow().is_empty());
        }
    }

    #[test]
    fn run_waits_for_what_is_away() {
        let mut away = host();
        away.whatsapp.read_error = Some(ChatError::Unavailable("away".into()));
        assert!(matches!(drafted(&away), Err(Error::Unavailable(_))));
        let mut away = host();
        away.completion = Err(ModelError::Unavailable("away".into()));
        assert!(matches!(drafted(&away), Err(Error::Unavailable(_))));
        let mut full = host();
        full.whatsapp.propose_error = Some(ProposeError::Unavailable("full".into()));
        assert!(matches!(drafted(&full), Err(Error::Unavailable(_))));
        let mut other = host();
        other.tasks[0].zone = "email".into();
        assert!(matches!(drafted(&other), Err(Error::Invalid(_))));
    }
}
