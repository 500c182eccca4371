//! The traits of the interfaces of Odoo that do not act.
//!
//! Lives elsewhere: posting is in `acting.rs`; the macro is the folder's.

use super::Host;
use crate::actions::types::{Proposal, ProposeError};
use crate::odoo;

interface! {
    /// `platinum:odoo/read`: what Odoo has.
    ReadOdoo = odoo::read {
        /// The companies that are drafted in.
        fn companies() -> Result<Vec<odoo::types::Company>, odoo::types::Error>;
        /// Partners, as a company has them.
        fn partners(company: u64, key: &odoo::read::PartnerKey) -> Result<Vec<odoo::types::Partner>, odoo::types::Error>;
        /// The journals of a company.
        fn journals(company: u64) -> Result<Vec<odoo::types::Journal>, odoo::types::Error>;
        /// The taxes of a company that are a percentage.
        fn taxes(company: u64) -> Result<Vec<odoo::types::Tax>, odoo::types::Error>;
        /// Documents by what stands on them.
        fn documents(query: &odoo::read::DocumentQuery) -> Result<odoo::read::DocumentList, odoo::types::Error>;
        /// One document.
        fn get_document(id: u64) -> Result<odoo::types::Document, odoo::types::Error>;
    }
}

interface! {
    /// `platinum:odoo/draft`: drafts in Odoo.
    DraftOdoo = odoo::draft {
        /// What the draft of a document is called.
        fn operation(document: &odoo::draft::NewDocument) -> Result<String, odoo::types::Error>;
        /// Creates the draft, or finds the one of the same operation.
        fn create(document: &odoo::draft::NewDocument) -> Result<odoo::draft::Saved, odoo::types::Error>;
    }
}

interface! {
    /// `platinum:odoo/propose`: proposes to post or to pay.
    ProposeOdoo = odoo::propose {
        /// Proposes to post a document; answers the draft's id.
        fn propose_posting(proposal: &Proposal, posting: &odoo::types::Posting) -> Result<String, ProposeError>;
        /// Proposes to record a payment; answers the draft's id.
        fn propose_payment(proposal: &Proposal, payment: &odoo::types::Payment) -> Result<String, ProposeError>;
    }
}
