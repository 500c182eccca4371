//! Numbers that their digits identify: of cards, of accounts and of encrypted disks; and the tokens that have no
//! word of their own.

mod card;
mod disk_key;
pub(crate) mod iban;

use super::{layer::context::ScanContext, tokens};
use crate::Kind;

/// The first of them, and where it is.
pub(super) fn find(text: &[u8], context: ScanContext<'_>) -> Option<(Kind, usize)> {
    let passwords = context.counts(Kind::Password);
    let cards = context.counts(Kind::Card);
    let accounts = context.counts(Kind::Iban);
    let tokens = context.counts(Kind::Token(""));
    let mut before = b' ';
    for (at, byte) in text.iter().copied().enumerate() {
        let starts = !before.is_ascii_alphanumeric();
        before = byte;
        if byte.is_ascii_digit() {
            if starts && passwords && disk_key::at(text, at) {
                return Some((Kind::Password, at));
            }
            if starts && cards && card::at(text, at) {
                return Some((Kind::Card, at));
            }
        } else if byte == b'.' {
            if tokens && tokens::discord_around(text, at) {
                return Some((Kind::Token("Discord"), at));
            }
        } else if starts
            && accounts
            && byte.is_ascii_alphabetic()
            && let Some(account) = iban::at(text, at)
            && !context.allowances.account(&account)
        {
            return Some((Kind::Iban, at));
        }
    }
    None
}
