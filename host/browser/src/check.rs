//! The final screen compared with the approval, and the target of the last click, which is found together with every
//! approved value or not at all.
//!
//! Lives elsewhere: amounts are read in `money`, elements found in `locate`; the click is in `run`.
//! Invariant: pure.

use platinum_core::{Currency, text::one_line};

use crate::{
    locate::{NotLocated, describe, locate},
    money::parse_amount,
    payment::{Payment, without_spaces},
    recipe::{Locator, Recipe, Value},
    snapshot::{Node, Outline, Page, collapse},
};

/// Roles of what lies over a page or speaks up in it.
const INTERRUPTIONS: [&str; 3] = ["dialog", "alertdialog", "alert"];
/// Roles of what can still be changed on the page.
const EDITABLE: [&str; 4] = ["textbox", "searchbox", "combobox", "spinbutton"];

/// Why the last click is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Difference {
    /// Not there; it may still come.
    #[error("{0}")]
    Missing(String),
    /// There, and another one.
    #[error("{0}")]
    Other(String),
}

/// The target of the last click: a selector that fits only while the page shows all that was approved.
pub(crate) fn compare(
    recipe: &Recipe,
    payment: &Payment,
    page: &Page,
) -> Result<String, Difference> {
    check_place(recipe, page)?;
    let outline = &page.outline;
    let interruption = outline
        .nodes
        .iter()
        .position(|node| INTERRUPTIONS.contains(&node.role.as_str()));
    if let Some(at) = interruption {
        let role = &outline.nodes[at].role;
        let shown = one_line(&outline.shown(at), 120);
        return Err(Difference::Other(format!(
            "the page shows something that the recipe does not know, an element of the role {role}: {shown:?}"
        )));
    }
    let button = locate(outline, &recipe.pay.click).map_err(|error| not_located("", &error))?;
    let button = &outline.nodes[button];
    if button.is_disabled {
        return Err(Difference::Missing(format!(
            "the {} cannot be used",
            describe(&recipe.pay.click)
        )));
    }
    let mut parts = vec![only_known_fields(recipe)];
    let expect = &recipe.pay.expect;
    let currency = match &expect.currency {
        None => None,
        Some(locator) => {
            let (node, shown) = value(outline, Value::Currency, locator)?;
            parts.push(condition(outline, node, &shown)?);
            let currency = shown.parse::<Currency>().map_err(|_| {
                differs(
                    Value::Currency,
                    &shown,
                    &payment.amount.currency.to_string(),
                )
            })?;
            Some(currency)
        }
    };
    for (what, locator) in [
        (Value::Payee, &expect.payee),
        (Value::Iban, &expect.iban),
        (Value::Amount, &expect.amount),
        (Value::Reference, &expect.reference),
    ] {
        let Some(locator) = locator else { continue };
        let (node, shown) = value(outline, what, locator)?;
        let approved = match what {
            Value::Payee => payment.payee.clone(),
            Value::Iban => payment.iban.clone(),
            Value::Reference => payment.reference.clone(),
            _ => payment.amount.to_string(),
        };
        let is_same = match what {
            Value::Iban => without_spaces(&shown) == without_spaces(&approved),
            Value::Amount => {
                let read = parse_amount(&shown, recipe.decimal_mark, currency);
                let read = read.map_err(|why| {
                    let shown = one_line(&shown, 80);
                    Difference::Other(format!(
                        "`amount` shows {shown:?}, which is not read as an amount: {why}"
                    ))
                })?;
                read == payment.amount
            }
            _ => shown == collapse(&approved),
        };
        if !is_same {
            return Err(differs(what, &shown, &approved));
        }
        parts.push(condition(outline, node, &shown)?);
    }
    let reference = reference(outline, button, &describe(&recipe.pay.click))?;
    parts.push(format!("aria-ref={reference}"));
    Ok(parts.join(" >> "))
}

/// Whether nothing came up beside the page.
pub(crate) fn check_interruptions(page: &Page) -> Result<(), Difference> {
    let other = |why: String| Err(Difference::Other(why));
    if let Some(modal) = &page.modal {
        return other(format!(
            "the page opened something that the recipe does not know: {}",
            one_line(modal.split(": can be handled").next().unwrap_or(modal), 200)
        ));
    }
    if page.has_tabs {
        return other("the page opened a second tab or window".to_owned());
    }
    if page.has_download {
        return other("the page began a download".to_owned());
    }
    Ok(())
}

/// Whether the page is of one of the recipe's origins, and alone.
pub(crate) fn check_place(recipe: &Recipe, page: &Page) -> Result<(), Difference> {
    check_interruptions(page)?;
    let other = |why: String| Err(Difference::Other(why));
    match &page.url {
        Some(url) if recipe.covers(url) => Ok(()),
        Some(url) => other(format!(
            "the page is at {}, which is none of the recipe's origins",
            place(url)
        )),
        None => other("the browser does not say where the page is".to_owned()),
    }
}

/// An address without what may be private in it.
pub(crate) fn place(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    one_line(&url[..end], 120)
}

/// Fits if no field that cannot be seen is on the page but those that the recipe names.
pub(crate) fn only_known_fields(recipe: &Recipe) -> String {
    let known = recipe.pay.hidden_fields.iter();
    let known: String = known
        .map(|name| format!(":not([name=\"{name}\"])"))
        .collect();
    format!("css=html:not(:has(:is(input,textarea,select):not(:visible){known}))")
}

fn value<'a>(
    outline: &'a Outline,
    what: Value,
    locator: &Locator,
) -> Result<(&'a Node, String), Difference> {
    let at = locate(outline, locator).map_err(|error| {
        let what = format!("`{}`: ", what.name());
        not_located(&what, &error)
    })?;
    let node = &outline.nodes[at];
    if EDITABLE.contains(&node.role.as_str()) {
        return Err(Difference::Other(format!(
            "`{}` stands in a field that can still be changed; the final screen has to show it as text",
            what.name()
        )));
    }
    Ok((node, outline.shown(at)))
}

/// What is not there may still come; what is there twice may not.
fn not_located(what: &str, error: &NotLocated) -> Difference {
    let why = format!("{what}{error}");
    match error {
        NotLocated::Missing(_) => Difference::Missing(why),
        NotLocated::Several { .. } => Difference::Other(why),
    }
}

fn differs(what: Value, shown: &str, approved: &str) -> Difference {
    Difference::Other(format!(
        "`{}` shows {:?}, and {:?} was approved",
        what.name(),
        one_line(shown, 160),
        one_line(approved, 160)
    ))
}

/// What the browser calls an element of the page itself, whose frame is that of the first element.
fn reference<'a>(outline: &'a Outline, node: &'a Node, what: &str) -> Result<&'a str, Difference> {
    let frame = |reference: &'a str| reference.split('e').next();
    let references = outline
        .nodes
        .iter()
        .filter_map(|node| node.reference.as_deref());
    let own = references.map(frame).next();
    match node.reference.as_deref() {
        Some(reference) if own == Some(frame(reference)) => Ok(reference),
        Some(_) => Err(Difference::Other(format!(
            "the {what} is in a frame of the page, where it cannot be compared"
        ))),
        None => Err(Difference::Other(format!(
            "the {what} is no element of its own"
        ))),
    }
}

/// Fits if this element still shows this text and no other.
fn condition(outline: &Outline, node: &Node, shown: &str) -> Result<String, Difference> {
    let reference = reference(outline, node, &node.role)?;
    let mut pattern = String::new();
    for c in shown.chars() {
        match c {
            ' ' => pattern.push_str("\\s+"),
            c if c.is_ascii_alphanumeric() => pattern.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    pattern.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    Ok(format!(
        "aria-ref={reference} >> internal:has-text=/^\\s*{pattern}\\s*$/"
    ))
}

#[cfg(test)]
mod tests {
    use platinum_core::Money;
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::read_page;

    fn recipe() -> Recipe {
        Recipe::parse(crate::TEMPLATE).unwrap()
    }

    fn payment() -> Payment {
        Payment {
            payee: "Muster GmbH".to_owned(),
            iban: "DE89370400440532013000".to_owned(),
            amount: Money {
                minor: 123_456,
                currency: "EUR".parse().unwrap(),
            },
            reference: "R 17".to_owned(),
            due: None,
        }
    }

    fn screen(payee: &str, iban: &str, amount: &str, more: &str) -> Page {
        let text = format!(
            "### Page\n- Page URL: https://bank.example/check?x=1\n### Snapshot\n```yaml\n- generic [ref=e1]:\n  - term [ref=e2]: Payee\n  - definition [ref=e3]: {payee}\n  - term [ref=e4]: IBAN\n  - definition [ref=e5]: {iban}\n  - term [ref=e6]: Amount\n  - definition [ref=e7]: {amount}\n  - term [ref=e8]: Reference\n  - definition [ref=e9]: R 17\n  - button \"Pay now\" [ref=e10]\n{more}```\n"
        );
        read_page(&text).unwrap()
    }

    fn good() -> Page {
        screen(
            "Muster GmbH",
            "DE89 3704 0044 0532 0130 00",
            "1.234,56 EUR",
            "",
        )
    }

    #[test]
    fn compare_answers_a_target_that_holds_every_value() {
        assert_eq!(
            compare(&recipe(), &payment(), &good()).unwrap(),
            "css=html:not(:has(:is(input,textarea,select):not(:visible):not([name=\"csrf\"]))) >> \
             aria-ref=e3 >> internal:has-text=/^\\s*Muster\\s+GmbH\\s*$/ >> \
             aria-ref=e5 >> internal:has-text=/^\\s*DE89\\s+3704\\s+0044\\s+0532\\s+0130\\s+00\\s*$/ >> \
             aria-ref=e7 >> internal:has-text=/^\\s*1\\u002e234\\u002c56\\s+EUR\\s*$/ >> \
             aria-ref=e9 >> internal:has-text=/^\\s*R\\s+17\\s*$/ >> aria-ref=e10"
        );
    }

    #[test]
    fn compare_names_what_differs() {
        let iban = "DE89370400440532013000";
        for (page, words) in [
            (
                screen("Muster Gmbh", iban, "1.234,56 EUR", ""),
                "`payee` shows \"Muster Gmbh\", and \"Muster GmbH\"",
            ),
            // A Cyrillic letter.
            (
                screen("Мuster GmbH", iban, "1.234,56 EUR", ""),
                "`payee` shows",
            ),
            (
                screen("Muster GmbH", "DE89370400440532013001", "1.234,56 EUR", ""),
                "`iban` shows",
            ),
            (
                screen("Muster GmbH", iban, "1.234,57 EUR", ""),
                "`amount` shows \"1.234,57 EUR\", and \"EUR 1234.56\"",
            ),
            (
                screen("Muster GmbH", iban, "1.234,56 USD", ""),
                "`amount` shows \"1.234,56 USD\"",
            ),
            (
                screen("Muster GmbH", iban, "1,234.56 EUR", ""),
                "which is not read as an amount",
            ),
            (
                screen(
                    "Muster GmbH",
                    iban,
                    "1.234,56 EUR",
                    "  - alertdialog \"Sure?\" [ref=e11]\n",
                ),
                "alertdialog: \"Sure?\"",
            ),
            (
                screen(
                    "Muster GmbH",
                    iban,
                    "1.234,56 EUR",
                    "  - button \"Pay now\" [ref=e12]\n",
                ),
                "2 elements",
            ),
            (
                screen(
                    "Muster GmbH",
                    iban,
                    "1.234,56 EUR",
                    "  - term [ref=e12]: Amount\n  - definition [ref=e13]: 5,00 EUR\n",
                ),
                "`amount`: the page has 2",
            ),
        ] {
            let error = compare(&recipe(), &payment(), &page)
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
        for (url, words) in [
            (
                "https://bank.example.evil.test/check",
                "none of the recipe's origins",
            ),
            (
                "https://bank.example:444/check",
                "none of the recipe's origins",
            ),
            ("http://bank.example/check", "none of the recipe's origins"),
            (
                "https://bank.example@evil.test/",
                "none of the recipe's origins",
            ),
        ] {
            let page = Page {
                url: Some(url.to_owned()),
                ..good()
            };
            let error = compare(&recipe(), &payment(), &page)
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    proptest! {
        /// Whatever a page shows: a target means that it shows exactly what was approved.
        #[test]
        fn compare_lets_nothing_but_the_approved_through(
            payee in "[MuМ]uster ?G?mbH", amount in "[0-9]{1,3}[.,]?[0-9]{3}[.,][0-9]{2} (EUR|USD)",
        ) {
            let page = screen(&payee, "DE89370400440532013000", &amount, "");
            if compare(&recipe(), &payment(), &page).is_ok() {
                prop_assert_eq!(payee, "Muster GmbH");
                prop_assert!(["1.234,56 EUR", "1234,56 EUR"].contains(&amount.as_str()), "{}", amount);
            }
        }

        /// A condition has no character that means something to the browser's language of selectors.
        #[test]
        fn condition_of_any_text_is_one_pattern(text in "\\PC{0,40}") {
            let outline = good().outline;
            let condition = condition(&outline, &outline.nodes[1], &text).unwrap();
            let pattern = condition.strip_prefix("aria-ref=e2 >> internal:has-text=/^\\s*").unwrap();
            let pattern = pattern.strip_suffix("\\s*$/").unwrap();
            prop_assert!(pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'\\' || byte == b'+'));
        }
    }
}
