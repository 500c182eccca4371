//! [`Builtin`]: a drafter without a model. It acknowledges the mail, quotes what the mail asks, and
//! leaves marked gaps for the owner.
//!
//! Lives here: the text. Elsewhere: which language (`language`), its words (`words`), what is asked (`questions`).
//! Invariants: the same request gives the same text; every gap is one as `core::text` has them; the last line is
//! [`BUILTIN_MARKER`]; nothing of the mail but whole bounded questions gets into the text, each on
//! a line of its own that starts with `> `, and none can hold a gap of its own.

mod language;
mod questions;
mod words;

use async_trait::async_trait;

use self::words::Words;
use crate::{Completion, LlmError, Model, Part, Request};

/// The last line of every text the builtin drafter writes.
pub const BUILTIN_MARKER: &str =
    "[✎ Drafted without a language model: fill in the gaps and delete this line.]";

/// The deterministic drafter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Builtin;

#[async_trait]
impl Model for Builtin {
    /// `max_tokens` does not cut the text: it is below 8 KiB, and a cut would lose its last line.
    async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        request.check()?;
        let mail = request.parts.iter().find_map(|part| match part {
            Part::Quote { label, text } if label == "mail" => Some(text.as_str()),
            _ => None,
        });
        let Some(mail) = mail else {
            return Err(LlmError::Refused(
                "the builtin drafter only answers mail, and no part is a quote labelled `mail`; \
                 configure a provider for other work"
                    .to_owned(),
            ));
        };
        Ok(Completion {
            text: draft(mail),
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

fn draft(mail: &str) -> String {
    let own = questions::own_words(mail);
    let words = Words::of(language::detect(&own));
    let mut asked = questions::questions(&own);
    let more = asked.len() > questions::SHOWN;
    asked.truncate(questions::SHOWN);
    let mut lines = vec![words.greeting, "", words.thanks];
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
    lines.extend(["", words.farewell, words.gap_name, "", BUILTIN_MARKER]);
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
