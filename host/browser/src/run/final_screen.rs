//! The final screen: waited for, compared, and compared again with the pointer over the button.
//!
//! Lives elsewhere: what is compared is in `check`.
//! Invariant: nothing here clicks.

use std::time::Instant;

use serde_json::json;

use super::walk::{Failure, PAUSE, Walk};
use crate::{
    check::{Difference, compare, only_known_fields, place},
    locate::describe,
};

impl Walk {
    /// Waits for the final screen, and looks whether the button can be reached.
    pub(super) async fn reach_final_screen(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.step_time;
        loop {
            let looked = self.session.snapshot().await;
            self.check_refused()?;
            let failure = match looked {
                Ok(page) => match compare(&self.recipe, &self.payment, &page) {
                    Ok(_) => break,
                    Err(difference @ Difference::Other(_)) => return Err(self.failure(&difference)),
                    Err(difference) => {
                        let at = place(page.url.as_deref().unwrap_or_default());
                        let failure = self.failure(&difference);
                        let why = self.session.redact(&format!("{} (at {at})", failure.why));
                        Failure { why, ..failure }
                    }
                },
                Err(failure) => Failure::late(failure.why),
            };
            if Instant::now() >= deadline {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE).await;
        }
        let known = json!({ "target": only_known_fields(&self.recipe), "depth": 1 });
        match self.session.call("browser_snapshot", known).await {
            Ok(_) => {}
            Err(failure) if failure.is_undone => {
                return Err(Failure::other(
                    "the page has a field that cannot be seen and that the recipe does not name in \
                     `pay.hidden-fields`",
                ));
            }
            Err(failure) => return Err(Failure::late(failure.why)),
        }
        self.compare_twice().await.map(drop)
    }

    /// Compares, moves to the button and compares again: the target of the last click.
    pub(super) async fn compare_twice(&mut self) -> Result<String, Failure> {
        let target = self.compare_now().await?;
        let arguments = json!({ "target": target, "element": describe(&self.recipe.pay.click) });
        if let Err(failure) = self.session.call("browser_hover", arguments).await {
            return Err(match failure.is_undone {
                true => {
                    let why = self.why_now().await;
                    Failure::other(format!("the page changed while it was compared: {why}"))
                }
                false => Failure::other(format!(
                    "the {} cannot be clicked on; something may lie over it: {}",
                    describe(&self.recipe.pay.click),
                    failure.why
                )),
            });
        }
        self.compare_now().await
    }

    async fn compare_now(&self) -> Result<String, Failure> {
        let looked = self.session.snapshot().await;
        self.check_refused()?;
        let page = looked.map_err(|failure| Failure::late(failure.why))?;
        compare(&self.recipe, &self.payment, &page).map_err(|difference| self.failure(&difference))
    }

    /// What the page shows now that it did not show before.
    pub(super) async fn why_now(&self) -> String {
        match self.compare_now().await {
            Ok(_) => "it shows the approved values again, or has a new hidden field".to_owned(),
            Err(failure) => failure.why,
        }
    }
}
