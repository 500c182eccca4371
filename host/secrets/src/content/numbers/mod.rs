//! What is told by its digits: the numbers of cards and accounts, and the tokens that have no word
//! of their own.

mod card;
pub(crate) mod iban;

use super::{layer::Case, tokens};
use crate::Kind;

/// The first of them, and where it is.
pub(super) fn find(text: &[u8], case: Case<'_>) -> Option<(Kind, usize)> {
    let cards = case.counts(Kind::Card);
    let accounts = case.counts(Kind::Iban);
    let tokens = case.counts(Kind::Token(""));
    let mut before = b' ';
    for (at, byte) in text.iter().copied().enumerate() {
        let starts = !before.is_ascii_alphanumeric();
        before = byte;
        if byte.is_ascii_digit() {
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
            && !case.allowances.account(&account)
        {
            return Some((Kind::Iban, at));
        }
    }
    None
}
