//! Mails as programs write them, and what of each is whose. In a sample `|` begins a line of the writer's own, `:`
//! one that is quoted, `»` one that is forwarded and `~` one of a signature.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Checks a sample; answers the lines that are taken for another's than they are.
fn wrong(sample: &str) -> Vec<String> {
    let marked: Vec<(char, &str)> = sample
        .lines()
        .filter_map(|line| {
            let mark = line.chars().next()?;
            Some((mark, &line[mark.len_utf8()..]))
        })
        .collect();
    let text: Vec<&str> = marked.iter().map(|(_, line)| *line).collect();
    let text = text.join("\n");
    let found = origins(&text);
    assert_eq!(found.len(), marked.len(), "{sample}");
    let mark = |origin| match origin {
        Origin::Own => '|',
        Origin::Signature => '~',
        Origin::Quoted => ':',
        Origin::Forwarded => '»',
    };
    let pairs = marked
        .iter()
        .zip(found)
        .filter(|((_, line), _)| !line.is_empty());
    pairs
        .filter(|((expected, _), (_, origin))| *expected != mark(*origin))
        .map(|((expected, line), (_, origin))| {
            [
                expected.to_string(),
                mark(origin).to_string(),
                (*line).into(),
            ]
            .join(" ")
        })
        .collect()
}

/// The line above a quote in nine languages and several programs, before marked lines and before unmarked ones.
#[test]
fn introductions_are_quoted_with_what_follows() {
    for line in [
        "On Thu, 19 Nov 2026 at 12:00, Olga Owner <olga@example.test> wrote:",
        "On 19 Nov 2026, at 12:00, Olga Owner <olga@example.test> wrote:",
        "On 11/19/26 12:00, Olga Owner wrote:",
        "At 2026-11-19 12:00:00, \"Olga\" <olga@example.test> wrote:",
        "Am Do., 19. Nov. 2026 um 12:00 Uhr schrieb Olga Owner <olga@example.test>:",
        "Am 19.11.26 um 12:00 schrieb Olga Owner:",
        "Olga Owner <olga@example.test> schrieb am Do., 19. Nov. 2026, 12:00:",
        "Le jeu. 19 nov. 2026 à 12:00, Olga Owner <olga@example.test> a écrit\u{a0}:",
        "Le 19/11/2026 à 12:00, Olga Owner a écrit :",
        "El jue, 19 nov 2026 a las 12:00, Olga Owner (<olga@example.test>) escribió:",
        "El 19/11/26 a las 12:00, Olga Owner escribió:",
        "Il giorno gio 19 nov 2026 alle ore 12:00 Olga Owner <olga@example.test> ha scritto:",
        "Il 19/11/26 12:00, Olga Owner ha scritto:",
        "Op do 19 nov 2026 om 12:00 schreef Olga Owner <olga@example.test>:",
        "Op 19 nov 2026 om 12:00 heeft Olga Owner <olga@example.test> het volgende geschreven:",
        "Em qui., 19 de nov. de 2026 às 12:00, Olga Owner <olga@example.test> escreveu:",
        "A 19/11/2026 12:00, Olga Owner escreveu:",
        "2026年11月19日(木) 12:00 Olga Owner <olga@example.test>:",
        "2026/11/19 12:00、Olga Owner <olga@example.test>のメール:",
        "Olga Owner <olga@example.test> 于2026年11月19日周四 12:00写道：",
        "在 2026年11月19日，12:00，Olga Owner <olga@example.test> 写道：",
        "Olga Owner <olga@example.test> 於 2026年11月19日 週四 下午12:00寫道：",
        "Den tors 19 nov. 2026 kl 12:00 skrev Olga Owner <olga@example.test>:",
        "*On Thu, 19 Nov 2026, Olga wrote:*",
        "Olga Owner <olga@example.test> hat am 19.11.2026 12:00 CET geschrieben:",
        "19.11.2026, 12:00, \"Olga Owner\" <olga@example.test>:",
        ">>> \"Olga Owner\" <olga@example.test> 19.11.2026 12:00 >>>",
        "---- On Thu, 19 Nov 2026 12:00:00 +0100 Olga Owner <olga@example.test> wrote ---",
        "---- Am Do, 19 Nov 2026 12:00:00 +0100 Olga Owner <olga@example.test> schrieb ----",
        "2026年11月19日木曜日 12:00:00 JST, Olga Owner <olga@example.test> が書き込みました:",
    ] {
        for quote in ["> Fits Tuesday?", "Fits Tuesday?"] {
            let sample = ["|Yes, fine.\n|\n:", line, "\n:\n:", quote].concat();
            assert_eq!(wrong(&sample), Vec::<String>::new(), "{line}");
        }
    }
}

/// Programs break the line at their width.
#[test]
fn broken_introductions_are_quoted_whole() {
    for sample in [
        "|Yes.\n|\n:On Thu, 19 Nov 2026 at 12:00, Olga With A Long Name <\n:olga@example.test> wrote:\n:\n:> Fits?",
        "|Ja.\n|\n:Am Donnerstag, den 19. November 2026 um 12:00 Uhr schrieb Olga Owner\n:<olga@example.test>:\n:> Passt es?",
        "|Oui.\n:Le jeudi 19 novembre 2026 à 12:00, Olga Owner <olga@example.test> a\n:écrit :\n:> Cela va ?",
        "|好的。\n|\n:Olga With A Long Name <\n:olga@example.test> 于2026年11月19日周四 12:00写道：\n:\n:> 行吗？",
        "|Sim.\n:Em qui., 19 de nov. de 2026 às 12:00, Olga Owner <\n:olga@example.test>\n:escreveu:\n:\n:Serve?",
    ] {
        assert_eq!(wrong(sample), Vec::<String>::new(), "{sample}");
    }
}

#[test]
fn header_blocks_quote_all_below() {
    for (who, when, to, about) in [
        (
            "From: Olga <o@example.test>",
            "Sent: Thursday, 19 November 2026 12:00",
            "To: Ann",
            "Subject: Re: Offer",
        ),
        (
            "*From:* Olga",
            "*Sent:* Thursday 12:00",
            "*To:* Ann; Ben",
            "*Subject:* Offer",
        ),
        (
            "Von: Olga <o@example.test>",
            "Gesendet: Donnerstag, 19. November 2026 12:00",
            "An: Ann",
            "Betreff: AW: Angebot",
        ),
        (
            "De : Olga",
            "Envoyé : jeudi 19 novembre 2026 12:00",
            "À : Ann",
            "Objet : RE: Devis",
        ),
        (
            "De: Olga",
            "Enviado el: jueves, 19 de noviembre de 2026 12:00",
            "Para: Ann",
            "Asunto: RE: Oferta",
        ),
        (
            "Da: Olga",
            "Inviato: giovedì 19 novembre 2026 12:00",
            "A: Ann",
            "Oggetto: R: Offerta",
        ),
        (
            "Van: Olga",
            "Verzonden: donderdag 19 november 2026 12:00",
            "Aan: Ann",
            "Onderwerp: RE: Offerte",
        ),
        (
            "De: Olga",
            "Enviada em: quinta-feira, 19 de novembro de 2026 12:00",
            "Para: Ann",
            "Assunto: RES: Oferta",
        ),
        (
            "보낸 사람: Olga",
            "보낸 날짜: 2026년 11월 19일 목요일 오후 12:00",
            "받는 사람: Ann",
            "제목: RE: 견적",
        ),
        (
            "Lähettäjä: Olga",
            "Lähetetty: torstai 19. marraskuuta 2026 12:00",
            "Vastaanottaja: Ann",
            "Aihe: VS: Tarjous",
        ),
        (
            "Kimden: Olga",
            "Gönderildi: 19 Kasım 2026 Perşembe 12:00",
            "Kime: Ann",
            "Konu: Ynt: Teklif",
        ),
        (
            "Feladó: Olga",
            "Elküldve: 2026. november 19., csütörtök 12:00",
            "Címzett: Ann",
            "Tárgy: RE: Ajánlat",
        ),
        (
            "差出人: Olga",
            "送信日時: 2026年11月19日 12:00",
            "宛先: Ann",
            "件名: RE: 見積",
        ),
        (
            "发件人: Olga",
            "发送时间: 2026年11月19日 12:00",
            "收件人: Ann",
            "主题: 答复: 报价",
        ),
        (
            "寄件者：Olga",
            "寄件日期：2026年11月19日 12:00",
            "收件者：Ann",
            "主旨：RE: 報價",
        ),
    ] {
        for rule in ["", ":________________________________\n"] {
            for gap in ["\n:", "\n:\n:"] {
                let block = [who, when, to, about].join(gap);
                let sample = [
                    "|Fine.\n|\n|Ann\n|\n",
                    rule,
                    ":",
                    &block,
                    "\n:\n:Does Tuesday fit?\n:1. send it",
                ]
                .concat();
                assert_eq!(wrong(&sample), Vec::<String>::new(), "{sample}");
            }
        }
    }
}

/// Some begin with the day, and some say nothing of the subject.
#[test]
fn header_blocks_of_any_order_quote_all_below() {
    for block in [
        "Gesendet: Donnerstag, 19. November 2026 um 12:00 Uhr\n:Von: \"Olga\" <o@example.test>\n:An: ann@x.test\n:Betreff: Re: Angebot",
        "Date: Thu, 19 Nov 2026 12:00\n:From: o@example.test\n:To: ann@x.test\n:Subject: Re: Offer",
        "From: Olga <o@example.test>\n:Date: Thursday, 19 November 2026 at 12:00\n:To: Ann <ann@x.test>",
        "From:        Olga/Corp\n:To:        Ann/Corp@Corp\n:Date:        19.11.2026 12:00\n:Subject:        Re: Offer",
        "From: | Olga\n:Sent: | Thursday",
    ] {
        let sample = ["|Fine.\n|\n:", block, "\n:\n:Does Tuesday fit?"].concat();
        assert_eq!(wrong(&sample), Vec::<String>::new());
    }
}

#[test]
fn separators_tell_answers_from_forwarded_mails() {
    for line in [
        "-----Original Message-----",
        "-------- Ursprüngliche Nachricht --------",
        "-----Message d'origine-----",
        "-----Mensaje original-----",
        "-----Messaggio originale-----",
        "-----Oorspronkelijk bericht-----",
        "-----Mensagem original-----",
        "------------------\u{a0}原始邮件\u{a0}------------------",
        "-----元のメッセージ-----",
        "------------------ Original ------------------",
        "---- Replied Message ----",
        "-------- Message d'origine --------De : Olga <o@x.test> Date : 19/11/2026  12:00 Objet : plan",
    ] {
        let sample = ["|Yes.\n|\n:", line, "\n:Which day?"].concat();
        assert_eq!(wrong(&sample), Vec::<String>::new());
    }
    for line in [
        "---------- Forwarded message ---------",
        "-------- Weitergeleitete Nachricht --------",
        "Begin forwarded message:",
        "Anfang der weitergeleiteten Nachricht:",
        "Début du message transféré :",
        "---------- Mensaje reenviado ---------",
        "-------- Messaggio Inoltrato --------",
        "---------- Doorgestuurd bericht ---------",
        "---------- Mensagem encaminhada ---------",
        "---------- 转发的邮件 ---------",
        "----- Forwarded by Bob/Corp on 19.11.2026 12:00 -----",
    ] {
        let sample = ["|Please see.\n|\n»", line, "\n»From: Bob\n»\n»Which day?"].concat();
        assert_eq!(wrong(&sample), Vec::<String>::new());
    }
    assert_eq!(
        wrong("|See.\n»Begin forwarded message:\n»\n»> From: Bob\n»> Which day?\n|\n|Ann"),
        Vec::<String>::new()
    );
}

#[test]
fn names_that_look_like_pronouns_are_programs() {
    for line in [
        "On 3 May 2026, I. Newton wrote:",
        "On 3 May 2026, Li You <li@x.test> wrote:",
        "Am 3. Mai 2026 um 12:00, Josie schrieb:",
        "Am 3. Mai 2026 schrieb Siegfried Huber:",
        "Le 3 mai 2026 à 12:00, Emil a écrit :",
        "Op 3 mei 2026 schreef Uwe Bakker:",
        "Il giorno 3 maggio 2026, Zoe Schulei ha scritto:",
    ] {
        let sample = ["|Yes.\n|\n:", line, "\n:Which day?"].concat();
        assert_eq!(wrong(&sample), Vec::<String>::new());
    }
}

#[test]
fn answers_between_and_below_quotes_are_own() {
    assert_eq!(
        wrong(
            ":On 3 May 2026, Olga <o@x.test> wrote:\n:> Fits?\n|Yes. And what does it cost?\n:> Best\n|\n|Ann\n~-- \n~Ann Example"
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        wrong("|Yes.\n:>We meet.\n:>From Monday on?\n|Ann"),
        Vec::<String>::new()
    );
    assert_eq!(
        wrong("|Top.\n~-- \n~Ann\n:On 3 May, Olga wrote:\n:Fits?"),
        Vec::<String>::new()
    );
    let split = split("On 3 May 2026, Olga wrote:\n> Fits?\nYes.\n> Best\n");
    assert_eq!(split.said, "> On 3 May 2026, Olga wrote:\n> Fits?\nYes.");
    assert_eq!(
        (split.quoted.as_str(), split.forwarded.as_str()),
        ("> Best", "")
    );
}

/// What looks like a mark and is a person's own.
#[test]
fn what_a_person_writes_is_own() {
    for own in [
        "Please book:\nFrom: Berlin\nTo: Munich\nDate: 3 May\nWhen does it leave?",
        "On Monday we can start.\nWhat do you think?",
        "On page 3 you wrote:\nWhy is that?",
        "A few points I wrote down:\n- one?",
        "Am 3. Mai hat unser Team noch Fragen:\nWann?",
        "On 12 May I wrote:\nWe need the contract.\nHave you decided?",
        "On 3 May 2026 he wrote:\nNo.\nWhy?",
        "Am 3. Mai schrieb ich Ihnen:\nWir brauchen den Vertrag.\nSind Sie so weit?",
        "Am 3. Mai habe ich Ihnen geschrieben:\nPasst es?",
        "Le 3 mai vous avez écrit :\nD'accord.\nQuand ?",
        "Le 3 mai 2026, je vous ai écrit :\nOui.\nQuand ?",
        "El 3 de mayo usted escribió:\nDe acuerdo.\n¿Cuándo?",
        "El 3 de mayo nos ha escrito:\n¿Cuándo?",
        "Il 3 maggio Lei ha scritto:\nVa bene.\nQuando?",
        "Il 3 maggio 2026 ci ha scritto:\nQuando?",
        "Op 3 mei schreef u:\nGoed.\nWanneer?",
        "Op 3 mei heb ik u geschreven:\nWanneer?",
        "Em 3 de maio você escreveu:\nCerto.\nQuando?",
        "Em 3 de maio de 2026 o senhor escreveu:\nQuando?",
        "2026年5月3日の私のメール:\nいつがよいですか？",
        "在2026年5月3日您写道：\n可以。\n哪一天？",
        "From: here on it is easy.\nIs it?",
        "Subject: to approval we start. OK?",
        "Date: 3 May\nPlace: Berlin\nAgenda: the offer\nDo you come?",
        "Von: Berlin\nAn: 12:00\nDatum: 3. Mai\nPasst das?",
        "-----\nWhich day?",
        "Original:\nin Berlin. Copy: here. Which one?",
        "--- on Monday Bo wrote the offer ---\nIs it right?",
        "Original message lost, sorry. Again?",
        "Le devis est prêt. Ann a écrit son avis :\nvous venez ?",
        "To: do\nFrom: scratch",
        "Hello,\n>From Monday on I am free.\nWhich day?",
    ] {
        let found = origins(own);
        assert!(
            found.iter().all(|(_, origin)| *origin == Origin::Own),
            "{found:?}"
        );
    }
}

#[test]
fn own_text_and_split_leave_out_what_is_others() {
    let text = "Yes.\n\nAnn\n-- \nAnn Example\n\nFrom: Olga\nSent: Monday\nTo: Ann\nSubject: x\n\nWhich day?\n";
    assert_eq!(own_text(text), "Yes.\n\nAnn");
    let parts = split(text);
    assert_eq!(parts.said, "Yes.\n\nAnn\n-- \nAnn Example");
    assert!(parts.quoted.starts_with("From: Olga") && parts.quoted.ends_with("Which day?"));
    let parts = split("See below.\n\n---------- Forwarded message ---------\nFrom: Bob\n\nCan we?");
    assert_eq!(parts.said, "See below.");
    assert!(parts.forwarded.ends_with("Can we?"));
    assert_eq!(own_text("> a\n> b"), "");
}

#[test]
fn forwarded_subjects_are_known() {
    for subject in [
        "Fwd: a",
        "FW: a",
        "WG: a",
        "TR : a",
        "RV: a",
        "I: a",
        "转发：a",
    ] {
        assert!(is_forwarded_subject(subject), "{subject}");
    }
    for subject in ["Re: Fwd: a", "I need it", "Forward: a", "", "fwd"] {
        assert!(!is_forwarded_subject(subject), "{subject}");
    }
}

/// A hostile text costs no more than its length.
#[test]
fn origins_of_large_texts_are_cheap() {
    let line = "From: a@b.test\nOn 3 May <\n";
    for text in [
        line.repeat(20_000),
        ["On ", &"x".repeat(400_000)].concat(),
        "> ".repeat(200_000),
        "\n".repeat(400_000),
    ] {
        let lines = origins(&text).len();
        assert_eq!(lines, text.lines().count());
    }
}

proptest! {
    #[test]
    fn every_line_has_one_origin(lines in proptest::collection::vec(
        "(> )?(On |From: |Sent: x|Subject: |-----Original Message-----|-- |Am |wrote:|schrieb |2026 |a@b|[<>:：\u{a0}]|é|日){0,6}", 0..30)
    ) {
        let text = lines.join("\n");
        let found: Vec<&str> = origins(&text).into_iter().map(|(line, _)| line).collect();
        prop_assert_eq!(found, text.lines().collect::<Vec<_>>());
        let parts = split(&text);
        let kept = parts.said.len() + parts.quoted.len() + parts.forwarded.len();
        prop_assert!(kept <= text.len() + 3 * text.lines().count());
        // What is split once is said by the writer as a whole, or marked.
        let own = own_text(&text);
        prop_assert!(own.len() <= text.len() + 1);
    }
}
