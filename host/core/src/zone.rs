//! [`Zone`]: a domain of work and who may own tasks in it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A domain of work with an owner. Shared zones may be worked by either half of the house; the
/// others belong to the owner's machine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// Mail.
    Email,
    /// Posts on social networks.
    Social,
    /// Invoices and entries in Odoo.
    Accounting,
    /// Chat messages.
    Whatsapp,
    /// Money leaving the house.
    Payments,
    /// Decisions of the owner.
    Approvals,
}

impl Zone {
    /// All zones, shared ones first.
    pub const ALL: [Zone; 6] = [
        Zone::Email,
        Zone::Social,
        Zone::Accounting,
        Zone::Whatsapp,
        Zone::Payments,
        Zone::Approvals,
    ];

    /// The word used in folders, notes and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Zone::Email => "email",
            Zone::Social => "social",
            Zone::Accounting => "accounting",
            Zone::Whatsapp => "whatsapp",
            Zone::Payments => "payments",
            Zone::Approvals => "approvals",
        }
    }

    /// Whether only the local role may own tasks of this zone.
    pub const fn is_local_only(self) -> bool {
        matches!(self, Zone::Whatsapp | Zone::Payments | Zone::Approvals)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no zone; the zones are email, social, accounting, whatsapp, payments and approvals"
)]
pub struct UnknownZone(String);

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Zone::ALL
            .into_iter()
            .find(|zone| zone.as_str() == text)
            .ok_or_else(|| UnknownZone(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_reads_back_from_its_word() {
        for zone in Zone::ALL {
            assert_eq!(zone.as_str().parse::<Zone>(), Ok(zone));
        }
    }
}
