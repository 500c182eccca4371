//! How good the answers are: mails of ten kinds, and of each who gets the answer, whether there is one,
//! which questions are asked back, and that nothing of what was quoted is.
//!
//! The way is that of the product without its processes: the mailbox's parser, the task's note, the
//! skill that decides, and the built-in drafter. Every mail is made here.

mod cases;

use std::{collections::BTreeMap, path::Path};

use cases::cases;
use platinum_core::{TaskId, Timestamp};
use platinum_intake::mail::{Ids, Origin, Owner, task_from_mail};
use platinum_llm::{Builtin, Model as _, Part, Request};
use platinum_mailbox::{Config, message};
use platinum_sdk::tasks::types::{Fact, Task};
use platinum_vault::note::TaskNote;
use skill_cloud_draft_email::{
    facts::mail_text,
    rules::SenderRules,
    triage::{self, Triage},
};

const ACCOUNT: &str = "[account.me]
address = \"Olga Owner <olga@home.test>\"
aliases = [\"olga@work.test\"]
backend = \"maildir\"
path = \"Mail\"
";

fn task_of(mail: &str) -> TaskNote {
    let config = Config::parse(ACCOUNT, Path::new("/")).unwrap();
    let origin = Origin {
        source: "imap:me".to_owned(),
        received: None,
        size: mail.len() as u64,
        truncated: false,
        returned: None,
    };
    let ids = Ids {
        task: TaskId::from_parts(1, 1),
        twin: None,
    };
    let parsed = message::parse(mail.as_bytes());
    let owner = Owner::of(&config.accounts["me"]);
    task_from_mail(&parsed, &owner, &origin, &ids, Timestamp::UNIX_EPOCH)
}

/// The task as a skill sees it.
fn seen(note: TaskNote) -> Task {
    let facts = note.facts.into_iter();
    Task {
        id: note.id.to_string(),
        zone: note.zone.to_string(),
        source: note.source,
        sender: note.from,
        subject: note.subject,
        received: None,
        created: String::new(),
        facts: facts
            .map(|fact| Fact {
                name: fact.name,
                values: fact.values,
            })
            .collect(),
        text: note.body,
    }
}

/// What was right of a kind: mails, decisions, recipients, questions of those asked, quotes asked back.
#[derive(Default)]
struct Score {
    mails: usize,
    decisions: usize,
    recipients: usize,
    questions: (usize, usize),
    quotes_asked: usize,
}

#[tokio::test]
async fn answers_to_mails_of_ten_kinds_are_right() {
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    for case in &cases {
        let score = scores.entry(case.kind).or_default();
        score.mails += 1;
        let task = seen(task_of(&case.mail));
        let decided = triage::decide(&task, &SenderRules::default());
        let recipients = match &decided {
            Triage::Dismiss(_) => None,
            Triage::Answer(to) => {
                let all = to.to.iter().chain(&to.cc);
                Some(all.map(|one| one.address()).collect::<Vec<_>>())
            }
        };
        let is_decided = recipients.is_some() == case.recipients.is_some();
        let is_right = recipients.as_deref().unwrap_or_default()
            == case.recipients.as_deref().unwrap_or_default();
        score.decisions += usize::from(is_decided);
        score.recipients += usize::from(is_right);
        if !is_decided || !is_right {
            wrong.push(format!("{}: {decided:?}\n{}", case.kind, case.mail));
        }
        if recipients.is_none() {
            continue;
        }
        let request = Request {
            instructions: "Answer.".to_owned(),
            parts: vec![Part::Quote {
                label: "mail".to_owned(),
                text: mail_text(&task).to_owned(),
            }],
            max_tokens: 1000,
        };
        let draft = Builtin.complete(request).await.unwrap().text;
        score.questions.1 += case.questions.len();
        for question in &case.questions {
            match draft.contains(question) {
                true => score.questions.0 += 1,
                false => wrong.push(format!(
                    "{}: not asked back: {question}\n{draft}",
                    case.kind
                )),
            }
        }
        for quoted in case.quoted.iter().filter(|quoted| draft.contains(**quoted)) {
            score.quotes_asked += 1;
            wrong.push(format!(
                "{}: asked back from a quote: {quoted}\n{draft}",
                case.kind
            ));
        }
    }
    println!("| kind | mails | decisions | recipients | questions | quotes asked |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (kind, score) in &scores {
        println!(
            "| {kind} | {} | {} | {} | {} of {} | {} |",
            score.mails,
            score.decisions,
            score.recipients,
            score.questions.0,
            score.questions.1,
            score.quotes_asked
        );
    }
    assert_eq!(scores.len(), 10);
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}
