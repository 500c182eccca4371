//! Templates: listed, filled, and sent at any time as the very text that was approved.

use std::time::Duration;

use platinum_testkit::whatsapp::Reply;
use platinum_whatsapp::shapes::{
    ChatArguments, CheckArguments, Outcome, SendArguments, TemplateName,
};
use serde_json::{Value, json};

use super::{Fixture, NUMBER, REFERENCE, USER, arguments, pair};

const TEXT: &str = "Hello Sheena, your desk is ready.\n\nThe Desk Shop";

fn listed(name: &str, body: &str) -> Value {
    json!({"name": name, "language": "en_US", "status": "APPROVED", "category": "UTILITY", "id": "1",
        "components": [{"type": "BODY", "text": body}, {"type": "FOOTER", "text": "The Desk Shop"}]})
}

fn order_ready() -> Value {
    listed("order_ready", "Hello {{1}}, your {{2}} is ready.")
}

fn name() -> TemplateName {
    TemplateName {
        name: "order_ready".to_owned(),
        language: "en_US".to_owned(),
    }
}

fn template(text: &str) -> SendArguments {
    SendArguments {
        text: text.to_owned(),
        template: Some(name()),
        quoted: None,
        ..arguments(REFERENCE)
    }
}

/// A chat whose window closed a day ago, and an account with a template.
fn closed() -> Fixture {
    let fixture = Fixture::new();
    let two_days = Duration::from_secs(48 * 3600);
    fixture.wrote("wamid.IN", pair(NUMBER, USER), two_days);
    fixture.api.set_templates([order_ready()]);
    fixture
}

#[tokio::test]
async fn template_leaves_after_the_window_as_it_was_approved() {
    let fixture = closed();
    let sent = fixture.service.send_message(&template(TEXT)).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Done, "{sent:?}");
    assert_eq!(
        fixture.api.taken()[0].1,
        json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": NUMBER, "type": "template",
            "template": {"name": "order_ready", "language": {"code": "en_US"}, "components": [{"type": "body",
                "parameters": [{"type": "text", "text": "Sheena"}, {"type": "text", "text": "desk"}]}]},
            "biz_opaque_callback_data": REFERENCE})
    );
    // The chat has it as text, and the same again is the same message.
    let kept = fixture.store.messages(NUMBER, 1).unwrap();
    assert_eq!(kept[0].text, TEXT);
    let again = fixture.service.send_message(&template(TEXT)).await.unwrap();
    assert_eq!(again.outcome, Outcome::Done);
    assert_eq!(fixture.api.taken().len(), 1);
}

/// A text that is refused is refused with the templates that there are; sending one asks nobody.
#[tokio::test]
async fn closed_window_is_refused_with_the_names_of_templates() {
    let fixture = closed();
    fixture
        .api
        .set_templates([order_ready(), listed("hello", "Hello")]);
    let asked = ChatArguments {
        chat: NUMBER.to_owned(),
    };
    let chat = fixture.service.get_chat(&asked).await.unwrap();
    let refusal = chat.refusal.unwrap();
    assert!(
        refusal.ends_with(
            "takes only templates now, until they write again; approved are: order_ready (en_US), hello (en_US)"
        ),
        "{refusal}"
    );
    let before = fixture.api.requests().len();
    let refused = fixture.send(REFERENCE).await;
    assert_eq!(
        (refused.outcome, refused.answer),
        (Outcome::NotDone, refusal)
    );
    fixture.service.get_chat(&asked).await.unwrap();
    assert_eq!(fixture.api.requests().len(), before);
}

/// It was edited, or is another text than the one that was approved: back to its owner, and nothing leaves.
#[tokio::test]
async fn template_that_is_another_one_now_goes_back() {
    let fixture = closed();
    for (templates, text, differs, words) in [
        (
            vec![listed(
                "order_ready",
                "Hello {{1}}, your {{2}} is ready, at last.",
            )],
            TEXT,
            true,
            "only what stands in the gaps of a template can be written; order_ready (en_US) is: Hello {{1}}, your {{2}} is \
             ready, at last.",
        ),
        (
            vec![order_ready()],
            "Pay now",
            true,
            "only what stands in the gaps of a template can be written; ",
        ),
        (
            vec![],
            TEXT,
            false,
            "WhatsApp has approved no template order_ready (en_US)",
        ),
    ] {
        fixture.api.set_templates(templates);
        let sent = fixture.service.send_message(&template(text)).await.unwrap();
        assert_eq!(
            (sent.outcome, sent.differs, sent.retry),
            (Outcome::NotDone, differs, false),
            "{sent:?}"
        );
        assert!(sent.answer.starts_with(words), "{sent:?}");
    }
    assert!(fixture.api.taken().is_empty());
    // A list that cannot be had is tried again later.
    fixture.api.revoke_token();
    let away = fixture.service.send_message(&template(TEXT)).await.unwrap();
    assert_eq!((away.outcome, away.retry), (Outcome::NotDone, true));
    assert!(
        away.answer
            .starts_with("the templates cannot be listed: WhatsApp does not take the access token"),
        "{away:?}"
    );
}

#[tokio::test]
async fn template_to_another_contact_or_a_lost_answer_is_as_of_a_text() {
    let fixture = closed();
    let mut other = template(TEXT);
    other.contact.id = Some("US.2".to_owned());
    let differs = fixture.service.send_message(&other).await.unwrap();
    assert!(differs.differs && fixture.api.requests().is_empty());
    fixture.api.reply([Reply::AcceptAndClose]);
    for _ in 0..3 {
        let sent = fixture.service.send_message(&template(TEXT)).await.unwrap();
        assert_eq!(sent.outcome, Outcome::Unknown);
    }
    assert_eq!(fixture.api.taken().len(), 1);
    for code in [132_000, 132_001, 132_012, 132_015] {
        let fixture = closed();
        fixture.api.reply([Reply::Error(400, code)]);
        let sent = fixture.service.send_message(&template(TEXT)).await.unwrap();
        assert_eq!((sent.outcome, sent.retry), (Outcome::NotDone, false));
        assert!(
            sent.answer
                .starts_with("WhatsApp does not take the template as it is now")
        );
    }
}

/// Page after page, up to a bound, and never at an address that the list names.
#[tokio::test]
async fn templates_are_listed_within_bounds() {
    let fixture = Fixture::new();
    let elsewhere = Fixture::new();
    fixture.api.set_next_page(&elsewhere.api.base());
    let many = |count: usize| (0..count).map(|n| listed(&format!("t{n}"), "Hi"));
    fixture.api.set_templates(many(120));
    let all = fixture.service.list_templates().await.unwrap();
    assert_eq!((all.templates.len(), all.is_cut), (120, false));
    assert_eq!(fixture.api.requests().len(), 3);
    fixture.api.set_templates(many(300));
    let cut = fixture.service.list_templates().await.unwrap();
    assert_eq!((cut.templates.len(), cut.is_cut), (250, true));
    assert_eq!(fixture.api.requests().len(), 8);
    assert!(elsewhere.api.requests().is_empty());
    let mut picture = order_ready();
    picture["components"][0] = json!({"type": "HEADER", "format": "IMAGE"});
    fixture.api.set_templates([picture, order_ready()]);
    let some = fixture.service.list_templates().await.unwrap();
    assert_eq!(some.templates[0].gaps, ["1", "2"]);
    assert_eq!(
        some.templates[0].text,
        "Hello {{1}}, your {{2}} is ready.\n\nThe Desk Shop"
    );
    assert_eq!(some.left_out.len(), 1);
}

#[tokio::test]
async fn check_fills_a_template_and_sends_nothing() {
    let fixture = closed();
    let check = |text: Option<&str>, values: Option<&[&str]>| CheckArguments {
        text: text.map(str::to_owned),
        template: Some(name()),
        values: values.map(|values| values.iter().map(|&value| value.to_owned()).collect()),
        file: None,
    };
    let filled = check(None, Some(&["Sheena", "desk"]));
    let filled = fixture.service.check_message(&filled).await.unwrap();
    assert_eq!((filled.text.as_str(), filled.fault), (TEXT, None));
    let same = fixture
        .service
        .check_message(&check(Some(TEXT), None))
        .await;
    assert_eq!(same.unwrap().fault, None);
    for (asked, words) in [
        (
            check(Some("Hello"), None),
            "only what stands in the gaps of a template can be written; ",
        ),
        (
            check(None, Some(&["Sheena"])),
            "the template order_ready (en_US) has 2 gaps (1, 2), and 1 values are given",
        ),
        (
            check(None, Some(&["She\nena", "desk"])),
            "the value of {{1}} has a line break",
        ),
    ] {
        let fault = fixture.service.check_message(&asked).await.unwrap().fault;
        assert!(fault.as_ref().unwrap().starts_with(words), "{fault:?}");
    }
    let mut odd = check(Some(TEXT), None);
    odd.template = Some(TemplateName {
        name: "x&access_token=1".to_owned(),
        ..name()
    });
    let refused = fixture.service.check_message(&odd).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`template name` is not as list_templates answers it"
    );
    assert!(fixture.api.taken().is_empty());
}
