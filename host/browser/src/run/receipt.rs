//! Behind the last click: the owner's confirmation, the receipt, its picture; and the list of payments.
//!
//! Invariant: nothing here clicks or types.

use std::time::Duration;

use platinum_core::text::one_line;

use super::walk::{Failure, Walk};
use crate::{
    locate::locate,
    money::parse_amount,
    outcome::{Listed, Problem, Step},
    payment::Payment,
    recipe::{After, Locator},
    secrets::Reply,
    snapshot::{Page, collapse},
};

/// The owner's answers after the last click, and the receipt, have so long beyond their own times.
const SLACK: Duration = Duration::from_secs(30);

impl Walk {
    /// Waits for the receipt: what the bank calls the payment, and a picture.
    pub(super) async fn await_receipt(&mut self) -> Result<(String, Option<Vec<u8>>), Problem> {
        for (at, after) in self.recipe.after.clone().iter().enumerate() {
            let (what, done) = match after {
                After::Wait { shows, seconds } => {
                    let limit = seconds.map_or(self.step_time, |seconds| {
                        Duration::from_secs(seconds.into())
                    });
                    ("wait", self.until_shown(shows, limit).await.map(drop))
                }
                After::SecondFactor { ask, seconds } => {
                    let done = match self.ask(ask, false, *seconds).await {
                        Ok(Reply::No) => {
                            Err(Failure::other("the owner said no, after the last click"))
                        }
                        Ok(_) => Ok(()),
                        Err(failure) => Err(failure),
                    };
                    ("second factor", done)
                }
            };
            done.map_err(|failure| failure.at(Step::After(at + 1, what)))?;
        }
        let receipt = self.recipe.receipt.clone();
        let shown = self
            .until_shown(&receipt.shows, self.step_time + SLACK)
            .await;
        let (page, _) = shown.map_err(|failure| failure.at(Step::Receipt))?;
        let reference = self
            .read_receipt(&page)
            .map_err(|failure| failure.at(Step::Receipt))?;
        let picture = match self.picture_place(&page) {
            Some(place) => self.session.picture(&place).await,
            None => None,
        };
        Ok((reference, picture))
    }

    /// What the bank calls the payment, once the amount of the receipt fits.
    fn read_receipt(&self, page: &Page) -> Result<String, Failure> {
        let receipt = &self.recipe.receipt;
        let shown = |locator: &Locator| {
            let at = locate(&page.outline, locator);
            at.map(|at| page.outline.shown(at))
                .map_err(|error| Failure::other(format!("the receipt: {error}")))
        };
        if let Some(locator) = &receipt.amount {
            let text = shown(locator)?;
            let currency = self.payment.amount.currency;
            let amount = parse_amount(&text, self.recipe.decimal_mark, Some(currency));
            if amount.as_ref() != Ok(&self.payment.amount) {
                return Err(Failure::other(format!(
                    "the receipt shows the amount {:?}, and {} was approved",
                    one_line(&text, 80),
                    self.payment.amount
                )));
            }
        }
        match &receipt.reference {
            Some(locator) => Ok(one_line(&self.session.redact(&shown(locator)?), 120)),
            None => Ok(self.payment.reference.clone()),
        }
    }

    /// The element of which a picture is taken: none if it shows something that was typed as a secret.
    fn picture_place(&self, page: &Page) -> Option<String> {
        let at = locate(&page.outline, self.recipe.receipt.picture.as_ref()?).ok()?;
        let inside = page.outline.inside(at).iter();
        let texts = inside.flat_map(|node| [Some(&node.name), node.text.as_ref()]);
        let mut texts = texts.flatten().chain([&page.outline.nodes[at].name]);
        let shows_secret = texts.any(|text| self.session.redact(text) != *text);
        let reference = page.outline.nodes[at].reference.clone();
        reference.filter(|_| !shows_secret)
    }

    pub(super) fn how_to_check(&self) -> String {
        let Payment {
            payee,
            amount,
            reference,
            ..
        } = &self.payment;
        format!(
            "look at the payments of {} for {amount} to {}, reference {:?}: if it is there, it was paid; if it is not \
             there tomorrow either, it was not",
            self.recipe.name,
            one_line(payee, 80),
            one_line(reference, 80)
        )
    }

    /// Looks for our reference among the rows.
    pub(super) fn read_list(&self, page: &Page, role: &str) -> Result<Listed, Failure> {
        let outline = &page.outline;
        let mut found = None;
        for at in (0..outline.nodes.len()).filter(|&at| outline.nodes[at].role == role) {
            let inside = at + 1..=at + outline.inside(at).len();
            let cells: Vec<String> = inside.map(|cell| outline.shown(cell)).collect();
            if !cells
                .iter()
                .any(|cell| has_words(cell, &self.payment.reference))
            {
                continue;
            }
            let has_amount = cells.iter().any(|cell| {
                let plain = cell.trim_matches(['-', '\u{2212}', '+']);
                parse_amount(plain, self.recipe.decimal_mark, None) == Ok(self.payment.amount)
            });
            let mut words = cells;
            words.dedup();
            let row = one_line(&self.session.redact(&words.join(" ")), 200);
            if !has_amount {
                return Err(Failure::other(format!(
                    "a payment in the list has our reference and another amount: {row:?}"
                )));
            }
            found.get_or_insert(row);
        }
        Ok(found.map_or(Listed::NotFound, Listed::Found))
    }
}

/// Whether a text has another as whole words.
fn has_words(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (collapse(text), collapse(wanted));
    let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    !wanted.is_empty()
        && text.match_indices(&wanted).any(|(at, _)| {
            is_end(text[..at].chars().next_back())
                && is_end(text[at + wanted.len()..].chars().next())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_is_found_as_whole_words() {
        for (text, is_found) in [
            ("R 17", true),
            ("Invoice R 17, May", true),
            ("R 170", false),
            ("AR 17", false),
            ("R  17", true),
            ("", false),
        ] {
            assert_eq!(has_words(text, "R 17"), is_found, "{text}");
        }
    }
}
