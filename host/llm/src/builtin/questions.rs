//! What a mail asks: its own words without what it quotes, and the sentences in them that end in
//! a question mark.

/// Bytes of a mail that are read.
const MAX_MAIL_BYTES: usize = 64 * 1024;
/// Questions that a draft repeats.
pub(super) const SHOWN: usize = 5;
/// Characters of a question; a longer one keeps its end, where the asking is.
const MAX_QUESTION_CHARS: usize = 200;

/// The writer's own words: no quoted lines, nothing below the signature's mark or the line that
/// introduces an older mail.
pub(super) fn own_words(mail: &str) -> String {
    let mail = &mail[..mail.floor_char_boundary(MAX_MAIL_BYTES)];
    let mut own = String::new();
    for line in mail.lines() {
        let line = line.trim_end();
        if line == "--" || introduces_older_mail(line) {
            break;
        }
        if !line.trim_start().starts_with('>') {
            own.push_str(line);
            own.push('\n');
        }
    }
    own
}

/// `On … wrote:` and its like in the three languages, and Outlook's rule.
fn introduces_older_mail(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("-----") && line.to_lowercase().contains("message")
        || [("On ", "wrote:"), ("Am ", "schrieb"), ("Le ", "écrit")]
            .iter()
            .any(|(start, end)| {
                line.starts_with(start) && line.ends_with(':') && line.contains(end)
            })
}

/// The questions, in order, without repetitions, each one line: at most one more than is shown.
pub(super) fn questions(own: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // An empty line ends a sentence; other line ends are the wrapping of the mail.
    for paragraph in own.split("\n\n") {
        let mut sentence = String::new();
        for word in paragraph.split_whitespace() {
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            sentence.push_str(word);
            let word = word.trim_end_matches(['"', '\'', '”', '»', ')', '*', '_']);
            // French puts a space before the mark, so it may be a word of its own.
            if word.ends_with(['?', '？']) {
                let question = bounded(&sentence);
                if question.chars().filter(|c| c.is_alphabetic()).count() >= 3
                    && !found.contains(&question)
                {
                    found.push(question);
                }
                if found.len() > SHOWN {
                    return found;
                }
                sentence.clear();
            } else if ends_sentence(word) {
                sentence.clear();
            }
        }
    }
    found
}

/// A full stop ends a sentence, but not that of `1.`, `z.B.` or `Dr.`.
fn ends_sentence(word: &str) -> bool {
    match word.strip_suffix(['.', '!', ':', ';', '。', '！']) {
        None => false,
        Some(_) if !word.ends_with('.') => true,
        Some(stem) => {
            stem.chars().count() > 3 && !stem.contains('.') && !stem.chars().all(char::is_numeric)
        }
    }
}

/// One line without control characters and the signs that mark gaps, and not too long.
fn bounded(sentence: &str) -> String {
    let clean: String = sentence
        .chars()
        .filter(|c| !c.is_control() && !platinum_core::text::is_hidden(*c))
        .collect();
    let clean = clean
        .replace("[[", "(")
        .replace("]]", ")")
        .replace(['[', ']', '✎', '✏'], "");
    let length = clean.chars().count();
    if length <= MAX_QUESTION_CHARS {
        return clean;
    }
    let end: String = clean.chars().skip(length - MAX_QUESTION_CHARS).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mail: &str) -> Vec<String> {
        questions(&own_words(mail))
    }

    #[test]
    fn sentences_with_a_question_mark_are_questions() {
        assert_eq!(
            asked(
                "Hi!\n\nThe desks arrived. Could Dr. Weber\ncall on 3. May? And \"why not today?\" See https://x.example/?q=1 please."
            ),
            ["Could Dr. Weber call on 3. May?", "And \"why not today?\""]
        );
        assert_eq!(
            asked("Pouvez-vous livrer lundi ?"),
            ["Pouvez-vous livrer lundi ?"]
        );
    }

    #[test]
    fn quoted_questions_are_ignored() {
        for older in [
            "> Will you come?",
            "On Monday, Ada wrote:\nWill you come?",
            "Am 3. Mai schrieb Ada:\nKommst du?",
            "-----Original Message-----\nWill you come?",
            "-- \nWhat would Ada do?",
        ] {
            assert_eq!(
                asked(&format!("Yes.\n\n{older}\n")),
                Vec::<String>::new(),
                "{older}"
            );
        }
    }

    #[test]
    fn questions_are_few_short_and_single_lines() {
        let many: String = (0..20)
            .map(|n| format!("Is it number{n} then?\n"))
            .collect();
        assert_eq!(asked(&many).len(), SHOWN + 1);
        let long = asked(&format!("{} really?", "word ".repeat(200)));
        assert_eq!(long.len(), 1);
        assert!(long[0].chars().count() <= 201 && long[0].ends_with("really?"));
        assert_eq!(
            asked("a?\u{0} ? ?? Same thing? Same thing?"),
            ["Same thing?"]
        );
    }
}
