//! Templates as Meta lists them, as they are filled, and as they are found again.

use serde_json::json;

use super::*;

fn listed(components: Value) -> Value {
    let mut listed = json!({"name": "order_ready", "language": "en_US", "status": "APPROVED",
        "category": "UTILITY", "id": "564750795574598"});
    listed["components"] = components;
    listed
}

fn template(components: Value) -> Template {
    Template::parse(&listed(components)).unwrap().unwrap()
}

fn order_ready() -> Template {
    template(json!([
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hello {{1}}, it is ready: {{2}}.\r\nCome by, {{1}}!",
            "example": {"body_text": [["Ann", "a desk"]]}},
        {"type": "FOOTER", "text": "The Desk Shop"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"},
            {"type": "URL", "text": "Where", "url": "https://desks.example/way"}]},
    ]))
}

fn values(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn template_shows_all_that_leaves() {
    let template = order_ready();
    assert_eq!(template.parameters(), ["1", "1", "2"]);
    let filled = template.fill(&values(&["7", "Ann", "a desk"])).unwrap();
    assert_eq!(
        filled,
        "Order 7\n\nHello Ann, it is ready: a desk.\nCome by, Ann!\n\nThe Desk Shop\n\n[Thanks]\n\
         [Where: https://desks.example/way]"
    );
    assert_eq!(
        template.read(&format!(" {filled}\n")).unwrap().to_json(),
        json!({"name": "order_ready", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "7"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "a desk"}]},
        ]})
    );
}

#[test]
fn named_gaps_are_sent_by_their_names() {
    let template =
        template(json!([{"type": "BODY", "text": "Hi {{ first_name }}, see you {{day}}"}]));
    assert_eq!(template.text(), "Hi {{first_name}}, see you {{day}}");
    let message = template.read("Hi Ann, see you on Monday, 9:00").unwrap();
    assert_eq!(
        message.to_json()["components"][0]["parameters"],
        json!([{"type": "text", "parameter_name": "first_name", "text": "Ann"},
            {"type": "text", "parameter_name": "day", "text": "on Monday, 9:00"}])
    );
    let bare = self::template(json!([{"type": "BODY", "text": "We are closed today."}]));
    assert_eq!(
        bare.read("We are closed today.").unwrap().to_json(),
        json!({"name": "order_ready", "language": {"code": "en_US"}})
    );
}

/// The order of positional values is that of their numbers.
#[test]
fn numbered_gaps_are_sent_in_the_order_of_numbers() {
    let template = template(json!([{"type": "BODY", "text": "{{2}} for {{1}}"}]));
    let filled = template.fill(&values(&["A desk", "Ann"])).unwrap();
    assert_eq!(filled, "A desk for Ann");
    let message = template.read(&filled).unwrap().to_json();
    assert_eq!(
        message["components"][0]["parameters"],
        json!([{"type": "text", "text": "Ann"}, {"type": "text", "text": "A desk"}])
    );
}

#[test]
fn text_that_the_template_cannot_become_is_refused() {
    let template = order_ready();
    let filled = template.fill(&values(&["7", "Ann", "a desk"])).unwrap();
    for other in [
        filled.replace("ready", "late"),
        filled.replace("Come by, Ann", "Come by, Bob"),
        filled.replace("The Desk Shop", "The Desk Shop and more"),
        filled.replace("a desk", ""),
        format!("{filled} x"),
        String::new(),
    ] {
        let refused = template.read(&other).unwrap_err();
        assert!(
            refused.starts_with(
                "only what stands in the gaps of a template can be written; order_ready (en_US) is: Order {{1}} Hello"
            ),
            "{other}: {refused}"
        );
    }
    for (value, fault) in [
        ("a\nb", "has a line break"),
        ("a\tb", "has a line break"),
        ("a     b", "has a line break"),
    ] {
        let refused = template.read(&filled.replace("a desk", value)).unwrap_err();
        assert!(
            refused.starts_with(&format!("what stands for {{{{2}}}} {fault}")),
            "{refused}"
        );
        assert!(template.fill(&values(&["7", "Ann", value])).is_err());
    }
    assert_eq!(
        template.fill(&values(&["7"])).unwrap_err(),
        "the template order_ready (en_US) has 3 gaps (1, 1, 2), and 1 values are given"
    );
}

/// Whatever is in the gaps, what is read of the text makes the same text again.
#[test]
fn read_values_make_the_same_text() {
    let shapes = [
        "{{1}}",
        "a {{1}}",
        "{{1}} a",
        "{{1}} a {{2}} a",
        "{{1}}{{2}}",
        "a{{1}}a{{2}}aa",
        "é {{1}}, {{2}}",
    ];
    let samples = ["a", "a a", ", ", "é", "aa a é,", "[✎ x]", "aaa"];
    for shape in shapes {
        let template = template(json!([{"type": "BODY", "text": shape}]));
        for (first, second) in samples
            .iter()
            .flat_map(|one| samples.map(|two| (*one, two)))
        {
            let given = values(&[first, second]);
            let filled = template
                .fill(given.get(..template.parameters().len()).unwrap())
                .unwrap();
            // What a note does not keep is no difference.
            let Ok(message) = template.read(&filled) else {
                assert_ne!(filled.trim(), filled, "{shape} {given:?}");
                continue;
            };
            let again: Vec<String> = message
                .values
                .iter()
                .map(|(_, value)| value.clone())
                .collect();
            assert_eq!(
                template.fill(&again).unwrap(),
                filled.trim(),
                "{shape} {given:?}"
            );
        }
    }
}

#[test]
fn template_that_shows_more_than_text_is_not_offered() {
    let body = json!({"type": "BODY", "text": "Hi"});
    for (components, why) in [
        (
            json!([{"type": "HEADER", "format": "IMAGE"}, body]),
            "begins with a picture, a film, a file or a place, which Platinum does not fill in",
        ),
        (
            json!([body, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "x", "url": "https://x.test/{{1}}"}]}]),
            "has a button with a gap, which Platinum does not fill in",
        ),
        (
            json!([body, {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE"}]}]),
            "has a button that Platinum does not know",
        ),
        (
            json!([body, {"type": "CAROUSEL"}]),
            "is of a form that Platinum does not know",
        ),
        (json!([]), "has no text"),
    ] {
        let read = Template::parse(&listed(components)).unwrap();
        assert_eq!(read.unwrap_err(), format!("order_ready (en_US) {why}"));
    }
    let mut other = listed(json!([body]));
    other["category"] = json!("AUTHENTICATION");
    assert!(Template::parse(&other).unwrap().is_err());
    for (key, value) in [("status", "PAUSED"), ("name", "a b"), ("language", "")] {
        let mut other = listed(json!([body]));
        other[key] = json!(value);
        assert_eq!(Template::parse(&other), None);
    }
}

#[test]
fn template_that_is_not_there_is_said_with_those_that_are() {
    let mut templates = Templates::default();
    let body = json!([{"type": "BODY", "text": "Hi"}]);
    let picture = json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi"}]);
    let mut with_picture = listed(picture);
    with_picture["name"] = json!("sale");
    templates.add(&json!({"data": [listed(body), with_picture, 7]}));
    assert!(templates.find("order_ready", "en_US").is_ok());
    assert_eq!(
        templates.find("order_ready", "de").unwrap_err(),
        "WhatsApp has approved no template order_ready (de); there are: order_ready (en_US)"
    );
    assert!(
        templates
            .find("sale", "en_US")
            .unwrap_err()
            .starts_with("the template sale (en_US) begins with a picture")
    );
}
