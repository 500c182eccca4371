//! [`ActingService`]: the Odoo, one acting call at a time.

use platinum_odoo_client::document::compare::Difference;
use platinum_odoo_draft::OdooService;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, by this call or before.
    Done,
    /// It is certainly not done.
    NotDone,
    /// It may be done.
    Unknown,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotDone {
    /// Whether the same call may succeed later.
    pub(crate) retry: bool,
    /// Whether that is because something is not what was approved.
    pub(crate) differs: bool,
    /// In words.
    pub(crate) answer: String,
}

impl NotDone {
    /// Something is not what was approved.
    pub(crate) fn drift(answer: String) -> Self {
        Self {
            retry: false,
            differs: true,
            answer,
        }
    }

    /// It cannot be done.
    pub(crate) fn refused(answer: impl Into<String>) -> Self {
        Self {
            retry: false,
            differs: false,
            answer: answer.into(),
        }
    }

    /// It failed before anything was done.
    pub(crate) fn failed(error: &platinum_odoo_draft::ServiceError) -> Self {
        use platinum_odoo_draft::ServiceError;
        let retry = matches!(error, ServiceError::Odoo(error) if error.is_passing());
        Self {
            retry,
            differs: false,
            answer: error.to_string(),
        }
    }
}

/// The Odoo of a server that acts.
#[derive(Debug)]
pub struct ActingService {
    pub(crate) odoo: OdooService,
    /// Held over looking and acting, so that two calls do not both find nothing.
    pub(crate) turn: Mutex<()>,
}

impl AsRef<OdooService> for ActingService {
    fn as_ref(&self) -> &OdooService {
        &self.odoo
    }
}

impl ActingService {
    /// Over this Odoo.
    #[must_use]
    pub fn new(odoo: OdooService) -> Self {
        Self {
            odoo,
            turn: Mutex::default(),
        }
    }
}

/// Differences on one line, the first ones of many.
pub(crate) fn list(differences: &[Difference]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if differences.len() > SHOWN {
        shown.push(format!("and {} more", differences.len() - SHOWN));
    }
    shown.join("; ")
}
