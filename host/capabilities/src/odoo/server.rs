//! [`Books`]: the books of an Odoo behind an MCP server, in one company or all of them.
//!
//! Invariants: what the server answers otherwise than agreed is an error, never a guess; where a company is
//! configured, nothing of another one is answered.

use std::sync::Arc;

use platinum_core::text::{comparable, one_line};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::answers::{CompanyRow, Records};
use crate::{
    bindings::platinum::odoo::types::Error,
    server::{AskError, ReadOnly, ToolServer, ask, read_answer},
};

/// The most rows that the server answers at once.
pub(super) const PAGE: u32 = 100;
/// Most pages of one question.
pub(super) const MAX_PAGES: u32 = 20;
/// Most companies that are told apart.
const MAX_COMPANIES: usize = 50;
/// How the errors begin after which the same call may succeed later, with nothing changed in what is asked for:
/// `OdooError` of the server, and its words for a draft of which it does not know. A login that fails, and a key that
/// can do more than draft, are the configuration's: the tasks wait until it is mended.
const PASSING: [&str; 6] = [
    "cannot reach Odoo at ",
    "the answer of Odoo at ",
    "Odoo failed inside: ",
    "Odoo refuses the login: ",
    "it is not known whether the draft of ",
    "no draft was saved",
];

/// The server for a trial, which saves nothing in Odoo.
pub fn read_only(server: Arc<dyn ToolServer>) -> ReadOnly {
    ReadOnly {
        server,
        reading: &["get_data", "get_document", "preview_payment"],
        refusal: "this is a trial, and a trial saves nothing in Odoo",
    }
}

/// Which company is drafted in: its name, or Odoo's id of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum CompanyKey {
    /// The id.
    Id(u64),
    /// The name.
    Name(String),
}

impl std::fmt::Display for CompanyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The books of an Odoo. Clones share what is known of it.
#[derive(Clone)]
pub struct Books {
    server: Arc<dyn ToolServer>,
    company: Option<CompanyKey>,
    /// The id of that company, once it was asked for.
    company_id: Arc<OnceCell<u64>>,
}

impl Books {
    /// The books behind a server; of one company alone if it is given.
    pub fn new(server: Arc<dyn ToolServer>, company: Option<CompanyKey>) -> Self {
        Self {
            server,
            company,
            company_id: Arc::default(),
        }
    }

    /// Calls a tool.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<T, Error> {
        let answer = ask(&*self.server, tool, arguments).await;
        answer.map_err(|error| match error {
            AskError::Tool(words) => refusal(words),
            AskError::Unavailable(words) => Error::Unavailable(words),
        })
    }

    /// Reads records.
    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        question: Value,
    ) -> Result<Records<T>, Error> {
        self.call("get_data", question).await
    }

    /// All records that match all of the filters, page by page; as a company has them, if it is given. `what` they are
    /// called is for people.
    ///
    /// # Errors
    /// [`Error::Refused`] if there are more than are read: a list that was cut would decide as if it were whole.
    pub(super) async fn all_rows<T: DeserializeOwned>(
        &self,
        model: &str,
        what: &str,
        company: Option<u64>,
        filters: &[Value],
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        let mut last = 0;
        for _ in 0..MAX_PAGES {
            let mut filters = filters.to_vec();
            if last > 0 {
                filters.push(json!({ "field": "id", "comparison": "at_least", "value": last + 1 }));
            }
            let mut question = json!({ "model": model, "filters": filters, "limit": PAGE });
            if let Some(company) = company {
                question["company"] = company.into();
            }
            let page: Records<Value> = self.rows(question).await?;
            let ids = page.records.iter().filter_map(|row| row["id"].as_u64());
            let highest = ids.max().unwrap_or(0);
            for row in page.records {
                rows.push(read_answer("get_data", row).map_err(Error::Unavailable)?);
            }
            if !page.has_more {
                return Ok(rows);
            }
            if highest <= last {
                let what = "its pages of `get_data` do not go on";
                return Err(Error::Unavailable(what.to_owned()));
            }
            last = highest;
        }
        Err(Error::Refused(format!(
            "there are more than {} {what} in Odoo, and no more are looked at",
            MAX_PAGES * PAGE
        )))
    }

    /// Every company that the user of the key may see.
    ///
    /// # Errors
    /// [`Error::Refused`] if there are more than are told apart.
    pub(super) async fn all_companies(&self) -> Result<Vec<CompanyRow>, Error> {
        self.all_rows(
            "company",
            "companies that the user of the key may see",
            None,
            &[],
        )
        .await
    }

    /// The companies that are drafted in.
    ///
    /// # Errors
    /// [`Error::Refused`] if there are more than are told apart.
    pub(super) async fn own_companies(&self) -> Result<Vec<CompanyRow>, Error> {
        let own = self.company().await?;
        let mut companies = self.all_companies().await?;
        companies.retain(|company| own.is_none_or(|own| own == company.id));
        match companies.len() {
            0..=MAX_COMPANIES => Ok(companies),
            count => Err(Error::Refused(format!(
                "the user of the key may see {count} companies, and at most {MAX_COMPANIES} are told apart: name the one \
                 that is drafted in as `zones.accounting.company`"
            ))),
        }
    }

    /// The company that is drafted in, if it is one alone.
    pub(super) async fn company(&self) -> Result<Option<u64>, Error> {
        let name = match &self.company {
            None => return Ok(None),
            Some(CompanyKey::Id(id)) => return Ok(Some(*id)),
            Some(CompanyKey::Name(name)) => name,
        };
        let find = async {
            let companies = self.all_companies().await?;
            let same = companies
                .iter()
                .filter(|row| comparable(&row.name) == comparable(name));
            match same.collect::<Vec<_>>().as_slice() {
                [company] => Ok(company.id),
                found => Err(Error::Refused(format!(
                    "`zones.accounting.company` is `{name}`, and {} of the companies that this user may see have that \
                     name: {}",
                    found.len(),
                    list(&companies),
                ))),
            }
        };
        self.company_id
            .get_or_try_init(|| find)
            .await
            .map(|id| Some(*id))
    }

    /// Whether a company is one that is drafted in.
    pub(super) async fn check_company(&self, id: u64) -> Result<(), Error> {
        match self.company().await? {
            Some(own) if own != id => Err(Error::Refused(format!(
                "company {id} is not the one that this host drafts in, which is {own} (`zones.accounting.company`)"
            ))),
            _ => Ok(()),
        }
    }
}

/// The companies by name and id, for people.
pub(super) fn list(companies: &[CompanyRow]) -> String {
    let names = companies.iter().take(8);
    let names: Vec<_> = names
        .map(|row| format!("{} ({})", one_line(&row.name, 60), row.id))
        .collect();
    match names.is_empty() {
        true => "it sees none".to_owned(),
        false => names.join(", "),
    }
}

/// What a tool reports, as an error of the contract.
fn refusal(words: String) -> Error {
    match PASSING.iter().any(|begin| words.starts_with(begin)) {
        true => Error::Unavailable(words),
        false => Error::Refused(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_that_may_pass_is_unavailable() {
        for (text, passes) in [
            ("cannot reach Odoo at erp.test: connection refused", true),
            ("the answer of Odoo at erp.test was lost: timed out", true),
            (
                "Odoo failed inside: OperationalError: x; its own log has the details",
                true,
            ),
            ("Odoo refuses the login: Invalid apikey; check `key`", true),
            (
                "it is not known whether the draft of bill-1 was saved: x",
                true,
            ),
            ("no draft was saved: this key can do more than draft", true),
            ("the Odoo user lacks a right: journal", false),
            ("Odoo refused: x", false),
            ("`lines` must be from 1 to 200", false),
        ] {
            let is_unavailable = matches!(refusal(text.to_owned()), Error::Unavailable(_));
            assert_eq!(is_unavailable, passes, "{text}");
        }
    }
}
