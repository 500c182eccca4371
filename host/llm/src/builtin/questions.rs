//! What a mail asks: its own words without what it quotes, and the sentences in them that end in
//! a question mark. Whose words are whose is `platinum_core::text::quotes`.

use platinum_core::text::quotes;

/// Bytes of a mail that are read.
const MAX_MAIL_BYTES: usize = 64 * 1024;
/// Questions that a draft repeats.
pub(super) const SHOWN: usize = 5;
/// Characters of a question; a longer one keeps its end, where the asking is.
const MAX_QUESTION_CHARS: usize = 200;

/// The writer's own words: nothing that is quoted or forwarded, and no signature.
pub(super) fn own_words(mail: &str) -> String {
    quotes::own_text(&mail[..mail.floor_char_boundary(MAX_MAIL_BYTES)])
}

/// The questions, in order, without repetitions, each one line: at most one more than is shown.
pub(super) fn questions(own: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // An empty line ends a sentence; other line ends are the wrapping of the mail.
    for paragraph in own.split("\n\n") {
        let mut sentence = String::new();
        for piece in paragraph.split_whitespace().flat_map(pieces) {
            if !sentence.is_empty() && piece.after_blank {
                sentence.push(' ');
            }
            let word = piece.text;
            sentence.push_str(word);
            let word =
                word.trim_end_matches(['"', '\'', '”', '»', ')', '*', '_', '」', '』', '）']);
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

/// A word, or the end of a sentence within a text that has no blanks.
struct Piece<'a> {
    text: &'a str,
    after_blank: bool,
}

/// A word in pieces: the wide marks of Japanese and Chinese end a sentence wherever they stand, and
/// so do plain ones before a character of theirs.
fn pieces(word: &str) -> Vec<Piece<'_>> {
    let is_wide = |c: char| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}');
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut chars = word.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let before_wide = chars.peek().is_some_and(|(_, next)| is_wide(*next));
        let ends = matches!(c, '？' | '。' | '！') || (matches!(c, '?' | '!') && before_wide);
        if ends || chars.peek().is_none() {
            let end = at + c.len_utf8();
            pieces.push(Piece {
                text: &word[start..end],
                after_blank: start == 0,
            });
            start = end;
        }
    }
    pieces
}

/// Words that a full stop does not end a sentence after, in lower case, besides single letters.
const ABBREVIATIONS: &[&str] = &[
    "abs", "apr", "approx", "art", "aug", "av", "avv", "blz", "bzw", "ca", "co", "corp", "dec",
    "dez", "dhr", "di", "dott", "dr", "evtl", "feb", "fig", "fr", "ggf", "hr", "inc", "ing",
    "inkl", "jan", "jr", "jul", "jun", "ltd", "mar", "mevr", "mi", "mio", "mlle", "mme", "mr",
    "mrd", "mrs", "ms", "nov", "nr", "oct", "okt", "pp", "prof", "sa", "sen", "sep", "sept", "sr",
    "sra", "st", "str", "tel", "ud", "uds", "usw", "vgl", "vs",
];

/// A full stop ends a sentence, but not that of `1.`, `z.B.` or `Dr.`.
fn ends_sentence(word: &str) -> bool {
    match word.strip_suffix(['.', '!', ':', ';', '。', '！']) {
        None => false,
        Some(_) if !word.ends_with('.') => true,
        Some(stem) => {
            let is_short = stem.chars().count() < 2 || stem.contains('.');
            let is_number = stem.chars().all(char::is_numeric);
            !is_short && !is_number && !ABBREVIATIONS.contains(&stem.to_lowercase().as_str())
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
    fn short_sentences_before_a_question_are_left_out() {
        assert_eq!(asked("Yes. Who comes?"), ["Who comes?"]);
        assert_eq!(asked("We got it. Can you call me?"), ["Can you call me?"]);
        assert_eq!(
            asked("Kommt Hr. Weber z.B. am 3. Mai?"),
            ["Kommt Hr. Weber z.B. am 3. Mai?"]
        );
    }

    /// Without blanks between them, the sentences are told apart by their marks.
    #[test]
    fn questions_inside_a_line_of_japanese_are_found() {
        assert_eq!(
            asked(
                "お世話になっております。明日の打合せは何時がよろしいでしょうか？ご返信をお待ちしております。\n田中"
            ),
            ["明日の打合せは何時がよろしいでしょうか？"]
        );
        assert_eq!(
            asked("您好！请问哪一天方便？价格是多少？谢谢。"),
            ["请问哪一天方便？", "价格是多少？"]
        );
    }

    #[test]
    fn quoted_questions_are_ignored() {
        for older in [
            "From: Ada <ada@x.test>\nSent: Monday\nTo: Bo\nSubject: x\n\nWill you come?",
            "Von: Ada\nGesendet: Montag\nAn: Bo\nBetreff: x\n\nKommst du?",
            "Le 3 mai 2026 à 12:00, Ada a écrit :\n> Tu viens ?",
            "---------- Forwarded message ---------\nFrom: Ada\n\nWill you come?",
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
