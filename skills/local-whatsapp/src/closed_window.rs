//! What is proposed once the window for an answer closed: a template, or nothing.

use platinum_sdk::actions::types::Proposal;
use platinum_sdk::host::{Context, Log, Model, Notes, ProposeWhatsapp, ReadWhatsapp};
use platinum_sdk::model::complete::{Error as ModelError, Part, Quoted};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{bounded, one_line};
use platinum_sdk::whatsapp::types::{Chat, Outgoing};
use platinum_sdk::{Error, Outcome};

use crate::conversation::Conversation;
use crate::run::{propose, request, title};
use crate::template;

/// The longest list of templates that a model is given, in bytes.
const MAX_TEMPLATES: usize = 24 * 1024;

/// A template for a chat that takes nothing else any more.
pub(crate) fn run(
    host: &(impl Context + Log + Notes + ReadWhatsapp + Model + ProposeWhatsapp),
    task: &Task,
    chat: &Chat,
    conversation: &Conversation,
    refusal: &str,
) -> Result<Outcome, Error> {
    let templates = host.templates()?;
    let nothing = |why: &str| {
        let reason = format!("nothing can be sent: {why}{refusal}");
        Ok(Outcome::Dismissed(one_line(&reason, 300)))
    };
    if templates.is_empty() {
        return nothing("");
    }
    let mut request = request(host, chat, conversation, template::TASK)?;
    request.parts.push(Part::Quote(Quoted {
        label: "templates".into(),
        text: bounded(&template::list(&templates), MAX_TEMPLATES).to_owned(),
    }));
    let (filled, by) = match host.complete(&request) {
        Ok(completion) => match template::of_model(&completion.text, &templates) {
            Some(filled) => (
                filled,
                format!("chosen by {}", one_line(&completion.model, 60)),
            ),
            None => return nothing("no template fits; "),
        },
        Err(ModelError::Refused(_)) => match template::with_gaps(&templates) {
            Some(filled) => (filled, "no language model chose it".to_owned()),
            None => return nothing(""),
        },
        Err(error) => return Err(error.into()),
    };
    let proposal = Proposal {
        task: task.id.clone(),
        summary: one_line(
            &format!("Send {} the template {}", title(chat), filled.name),
            300,
        ),
        reason: one_line(&format!("{by}; {refusal}"), 500),
        expires: None,
    };
    let outgoing = Outgoing {
        chat: chat.id.clone(),
        text: String::new(),
        quoted_message: None,
        template: Some(filled),
        file: None,
        doubts: vec![
            "The time for an answer is over: this is a template, of which only what stands in its gaps can be changed."
                .to_owned(),
        ],
    };
    propose(host, &proposal, &outgoing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{dismissed, drafted, host};

    /// A template, where nothing else can be sent.
    #[test]
    fn run_fills_a_template_once_the_window_closed() {
        let closed = || {
            let mut closed = host();
            closed.whatsapp.chats[0].refusal = Some("the window closed".into());
            closed.whatsapp.templates = crate::template::tests::templates();
            closed
        };
        let mut filled = closed();
        filled.completion.as_mut().unwrap().text = "2\nSheena\ndesk".into();
        assert!(matches!(drafted(&filled), Ok(Outcome::Drafted(_))));
        let outgoing = filled.whatsapp.proposed.borrow()[0].1.clone();
        let template = outgoing.template.unwrap();
        assert_eq!(
            (template.name.as_str(), template.values.as_slice()),
            ("ready", &["Sheena".to_owned(), "desk".to_owned()][..])
        );
        assert_eq!((outgoing.text.as_str(), outgoing.doubts.len()), ("", 1));
        // Without a model its gaps are the owner's.
        let mut gaps = closed();
        gaps.completion = Err(ModelError::Refused("only mail".into()));
        assert!(matches!(drafted(&gaps), Ok(Outcome::Drafted(_))));
        let outgoing = gaps.whatsapp.proposed.borrow()[0].1.clone();
        assert_eq!(outgoing.template.unwrap().values, ["[✎ 1]", "[✎ 2]"]);
        let mut none = closed();
        none.completion.as_mut().unwrap().text = "none".into();
        assert_eq!(
            dismissed(&none),
            "nothing can be sent: no template fits; the window closed"
        );
        let mut no_templates = closed();
        no_templates.whatsapp.templates.clear();
        assert_eq!(
            dismissed(&no_templates),
            "nothing can be sent: the window closed"
        );
    }
}
