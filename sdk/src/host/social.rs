//! The traits of the interfaces of social networks that do not act.
//!
//! Lives elsewhere: publishing is in `acting.rs`; the macro is the folder's.

use super::Host;
use crate::actions::types::{Proposal, ProposeError};
use crate::social;

interface! {
    /// `platinum:social/draft`: the accounts, checks of posts, drafts.
    DraftSocial = social::draft {
        /// The accounts.
        fn accounts() -> Result<Vec<social::draft::Account>, social::types::Error>;
        /// The newest posts of an account.
        fn recent(account: &str, limit: u32) -> Result<Vec<social::draft::SeenPost>, social::types::Error>;
        /// What its network would say to a post.
        fn check(post: &social::types::Post) -> Result<social::draft::Checked, social::types::Error>;
        /// Saves a draft.
        fn save(post: &social::types::Post) -> Result<social::draft::Saved, social::types::Error>;
    }
}

interface! {
    /// `platinum:social/propose`: proposes a post to the owner.
    ProposeSocial = social::propose {
        /// Proposes the post; answers the draft's id.
        fn propose(proposal: &Proposal, post: &social::types::Post) -> Result<String, ProposeError>;
    }
}
