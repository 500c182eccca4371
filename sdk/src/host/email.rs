//! The traits of the interfaces of mail that do not act.
//!
//! Lives elsewhere: sending is in `acting.rs`; the macro is the folder's.

use super::Host;
use crate::actions::types::{Proposal, ProposeError};
use crate::email;

interface! {
    /// `platinum:email/propose`: proposes a mail to the owner.
    ProposeEmail = email::propose {
        /// Proposes the mail; answers the draft's id.
        fn propose(proposal: &Proposal, mail: &email::types::Mail) -> Result<String, ProposeError>;
    }
}

interface! {
    /// `platinum:email/search`: the mailbox.
    SearchEmail = email::search {
        /// The mails found.
        fn search(query: &email::search::Query) -> Result<Vec<email::types::Message>, email::types::Error>;
    }
}

interface! {
    /// `platinum:email/people`: whom the owner writes to, and how.
    People = email::people {
        /// Who is meant by a name.
        fn find(name: &str) -> Result<email::people::Matches, email::types::Error>;
        /// How the owner writes to these recipients.
        fn style_for(recipients: &[String]) -> Result<email::people::Style, email::types::Error>;
    }
}

interface! {
    /// `platinum:email/draft`: the mailbox's Drafts.
    DraftEmail = email::draft {
        /// Saves the mail; answers its Message-ID.
        fn save(mail: &email::types::Mail) -> Result<String, email::types::Error>;
    }
}
