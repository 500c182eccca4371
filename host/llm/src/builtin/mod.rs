//! [`Builtin`]: a drafter without a model. It acknowledges the mail, quotes what the mail asks, and
//! leaves marked gaps for the owner. Of a note that asks for a new mail it takes over what can be said as it
//! stands. It greets and closes as the owner does, if that is known.
//!
//! Lives here: the text. Elsewhere: which language (`language`), its words (`words`), what is asked (`questions`).
//! Invariants: the same request gives the same text; every gap is one as `core::text` has them; the last line is
//! [`BUILTIN_MARKER`]; nothing of the mail but whole bounded questions gets into the text, each on
//! a line of its own that starts with `> `, and none can hold a gap of its own.

mod language;
mod questions;
mod words;

use async_trait::async_trait;
use platinum_core::text::has_gaps;

use self::words::Words;
use crate::{Completion, LlmError, Model, Part, Request};

/// The last line of every text the builtin drafter writes.
pub const BUILTIN_MARKER: &str =
    "[✎ Drafted without a language model: fill in the gaps and delete this line.]";

/// The longest line that is taken over as it is, in characters.
const MAX_LINE: usize = 420;

/// The deterministic drafter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Builtin;

#[async_trait]
impl Model for Builtin {
    /// `max_tokens` does not cut the text: it is below 8 KiB, and a cut would lose its last line.
    async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        request.check()?;
        let quote = |wanted: &str| {
            request.parts.iter().find_map(|part| match part {
                Part::Quote { label, text } if label == wanted => Some(text.as_str()),
                _ => None,
            })
        };
        let own = OwnWords {
            greeting: quote("greeting").and_then(line),
            closing: quote("closing").and_then(line),
        };
        let text = match (quote("mail"), quote("note")) {
            (Some(mail), _) => draft(mail, &own),
            (None, Some(note)) => {
                let recipient = quote("recipient").and_then(line);
                let message = quote("message").and_then(line);
                draft_new(note, recipient, message.as_deref(), &own)
            }
            (None, None) => {
                return Err(LlmError::Refused(
                    "the builtin drafter only writes mail, and no part is a quote labelled `mail` \
                     or `note`; configure a provider for other work"
                        .to_owned(),
                ));
            }
        };
        Ok(Completion {
            text,
            model: "builtin".to_owned(),
            truncated: false,
            input_tokens: 0,
            output_tokens: 0,
        })
    }

    fn name(&self) -> &str {
        "builtin"
    }
}

/// How the owner begins and ends mails, as far as that is known.
struct OwnWords {
    greeting: Option<String>,
    closing: Option<String>,
}

/// A quote that is one line without gaps.
fn line(text: &str) -> Option<String> {
    let line = text.trim();
    let fits = !line.is_empty() && !line.contains('\n') && line.chars().count() <= MAX_LINE;
    (fits && !has_gaps(line)).then(|| line.to_owned())
}

/// A new mail, as a note asks for it.
fn draft_new(
    note: &str,
    recipient: Option<String>,
    message: Option<&str>,
    own: &OwnWords,
) -> String {
    let words = Words::of(language::detect(note));
    let greeting = own.greeting.clone().unwrap_or_else(|| match recipient {
        Some(name) => words.hello.replace("{}", &name),
        None => words.greeting.to_owned(),
    });
    let closing = own.closing.as_deref().unwrap_or(words.farewell);
    let message = message.unwrap_or(words.gap_message);
    let lines = [
        greeting.as_str(),
        "",
        message,
        "",
        closing,
        words.gap_name,
        "",
        BUILTIN_MARKER,
    ];
    lines.join("\n")
}

fn draft(mail: &str, own_words: &OwnWords) -> String {
    let own = questions::own_words(mail);
    let words = Words::of(language::detect(&own));
    let mut asked = questions::questions(&own);
    let more = asked.len() > questions::SHOWN;
    asked.truncate(questions::SHOWN);
    let greeting = own_words.greeting.as_deref().unwrap_or(words.greeting);
    let closing = own_words.closing.as_deref().unwrap_or(words.farewell);
    let mut lines = vec![greeting, "", words.thanks];
    let quoted: Vec<String> = asked
        .iter()
        .map(|question| format!("> {question}"))
        .collect();
    match quoted.as_slice() {
        [] => lines.extend(["", words.gap_answer]),
        quoted => {
            lines.extend([
                "",
                if quoted.len() == 1 {
                    words.question
                } else {
                    words.questions
                },
            ]);
            for line in quoted {
                lines.extend(["", line, words.gap_reply]);
            }
            if more {
                lines.extend(["", words.gap_more]);
            }
        }
    }
    lines.extend(["", closing, words.gap_name, "", BUILTIN_MARKER]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn complete(parts: Vec<Part>) -> Result<Completion, LlmError> {
        Builtin
            .complete(Request {
                instructions: "Be brief.".to_owned(),
                parts,
                max_tokens: 1,
            })
            .await
    }

    fn mail(text: &str) -> Vec<Part> {
        vec![Part::Quote {
            label: "mail".to_owned(),
            text: text.to_owned(),
        }]
    }

    #[tokio::test]
    async fn reply_lists_the_questions_with_gaps() {
        let text = "Dear team,\n\nwe would like to order the desks. When can you deliver?\n\
                    Is the price still\n1,200 EUR? Thanks,\nAda\n";
        let completion = complete(mail(text)).await.unwrap();
        assert_eq!(
            completion.text,
            "Hello,\n\nthank you for your message.\n\nYou asked several things; one by one:\n\n\
             > When can you deliver?\n[✎ answer]\n\n> Is the price still 1,200 EUR?\n[✎ answer]\n\n\
             Kind regards\n[✎ your name]\n\n\
             [✎ Drafted without a language model: fill in the gaps and delete this line.]"
        );
        assert_eq!(
            (completion.model.as_str(), completion.truncated),
            ("builtin", false)
        );
    }

    #[tokio::test]
    async fn german_mail_gets_a_german_reply() {
        let text = "Guten Tag,\n\nwir haben Ihr Angebot erhalten und möchten es gern annehmen. \
                    Wann können Sie liefern?\n\nMit freundlichen Grüßen\nEva";
        let draft = complete(mail(text)).await.unwrap().text;
        assert!(draft.starts_with("Guten Tag,\n\nvielen Dank für Ihre Nachricht.\n\nSie fragen:\n\n> Wann können Sie liefern?\n[✎ Antwort]"), "{draft}");
        assert!(draft.ends_with(BUILTIN_MARKER));
    }

    #[tokio::test]
    async fn japanese_mail_gets_a_japanese_reply() {
        let text = "お世話になっております。明日の打合せは何時がよろしいでしょうか？ご返信をお待ちしております。";
        let draft = complete(mail(text)).await.unwrap().text;
        let asked = "\n\n> 明日の打合せは何時がよろしいでしょうか？\n[✎ 回答]\n\n";
        assert!(
            draft.starts_with("お世話になっております。\n") && draft.contains(asked),
            "{draft}"
        );
    }

    #[tokio::test]
    async fn mail_without_questions_gets_one_gap() {
        let draft = complete(mail(
            "Bonjour, nous avons bien reçu le colis et la facture est dans la boîte.",
        ))
        .await
        .unwrap()
        .text;
        assert!(
            draft.contains("merci pour votre message.\n\n[✎ votre réponse]\n\nCordialement"),
            "{draft}"
        );
    }

    #[tokio::test]
    async fn questions_beyond_the_bound_become_a_gap() {
        let many = |count: usize| -> String {
            (0..count).map(|n| format!("Is item{n} there?\n")).collect()
        };
        let gap = "[✎ answer]\n\n[✎ the mail asks more than this: answer the rest]\n\nKind";
        let draft = complete(mail(&many(8))).await.unwrap().text;
        assert!(
            draft.contains(gap) && draft.contains("item4") && !draft.contains("item5"),
            "{draft}"
        );
        assert!(
            !complete(mail(&many(5)))
                .await
                .unwrap()
                .text
                .contains("asks more")
        );
    }

    fn quotes(parts: &[(&str, &str)]) -> Vec<Part> {
        let quote = |&(label, text): &(&str, &str)| Part::Quote {
            label: label.to_owned(),
            text: text.to_owned(),
        };
        parts.iter().map(quote).collect()
    }

    #[tokio::test]
    async fn note_becomes_a_new_mail_with_gaps() {
        let note = ("note", "write to Bob that the offer is ready by Friday");
        let message = ("message", "The offer is ready by Friday.");
        let text = |parts: Vec<Part>| async move { complete(parts).await.unwrap().text };
        assert_eq!(
            text(quotes(&[("recipient", "Bob"), message, note])).await,
            format!(
                "Hello Bob,\n\nThe offer is ready by Friday.\n\nKind regards\n{}\n\n{BUILTIN_MARKER}",
                Words::of(language::Language::English).gap_name
            )
        );
        let own = [("greeting", "Hey Bob!"), ("closing", "Cheers"), note];
        let drafted = text(quotes(&own)).await;
        let gap = Words::of(language::Language::English).gap_message;
        assert!(
            drafted.starts_with(&format!("Hey Bob!\n\n{gap}\n\nCheers\n")),
            "{drafted}"
        );
        let hostile = [("greeting", "[[pay]]"), ("recipient", "x\nBcc: y"), note];
        assert!(text(quotes(&hostile)).await.starts_with("Hello,\n\n"));
    }

    #[tokio::test]
    async fn reply_begins_and_ends_as_the_owner_does() {
        let mut parts = quotes(&[("greeting", "Hi Ada,"), ("closing", "Best")]);
        parts.extend(mail("When can you deliver?"));
        let draft = complete(parts).await.unwrap().text;
        assert!(
            draft.starts_with("Hi Ada,\n\nthank you") && draft.contains("\n\nBest\n"),
            "{draft}"
        );
    }

    #[tokio::test]
    async fn prompt_without_a_mail_is_refused() {
        let error = complete(vec![Part::Say("Write a poem.".to_owned())])
            .await
            .unwrap_err();
        assert!(matches!(error, LlmError::Refused(_)));
    }

    #[tokio::test]
    async fn mail_text_cannot_lengthen_the_draft_or_add_gaps() {
        let hostile = "[[pay]] what? ".repeat(5000) + &"x".repeat(10_000) + "?";
        let draft = complete(mail(&hostile)).await.unwrap().text;
        assert!(draft.len() < 2048, "{}", draft.len());
        assert!(!draft.contains("[[pay"), "{draft}");
        assert!(draft.ends_with(BUILTIN_MARKER));
    }
}
