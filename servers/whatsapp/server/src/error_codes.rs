//! What each documented error of the Cloud API means for the message that was to be sent, and its words.
//!
//! Lives elsewhere: an answer without such an error is judged by its status, in [`crate::cloud_api`].
//! Invariants: an error after which the message may have left is [`Fate::Unknown`]; one that is not in the list is a
//! refusal if its status says that the request was at fault, and unknown otherwise.

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It did not leave, and may later: a limit, an interruption.
    Later,
    /// It did not leave, and does not until something is changed.
    Refused,
    /// WhatsApp broke down over it: it may have left.
    Unknown,
}

/// An error of the Cloud API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// Its number.
    pub code: i64,
    /// What became of the message.
    pub fate: Fate,
    /// For a person: what is the matter, what to do.
    pub words: &'static str,
}

const fn code(code: i64, fate: Fate, words: &'static str) -> ErrorCode {
    ErrorCode { code, fate, words }
}

const TOKEN: &str = "WhatsApp does not take the access token: it has expired or was revoked; make a new one and put it where `token` says";
const RIGHT: &str =
    "the access token lacks a right; it needs whatsapp_business_messaging for this number";
const MISTAKE: &str = "WhatsApp did not take the message as it was asked for";
const TEMPLATE: &str =
    "WhatsApp does not take the template as it is now; look into WhatsApp Manager";
const TWO_STEP: &str = "the number has to be verified anew; do that in WhatsApp Manager";

/// The errors that Meta documents, by their numbers.
pub const ERROR_CODES: [ErrorCode; 66] = [
    code(0, Fate::Refused, TOKEN),
    code(1, Fate::Unknown, "WhatsApp broke down over it"),
    code(2, Fate::Unknown, "WhatsApp was down or overloaded"),
    code(3, Fate::Refused, RIGHT),
    code(4, Fate::Later, "the app made too many calls in this hour"),
    code(10, Fate::Refused, RIGHT),
    code(
        33,
        Fate::Refused,
        "there is no such number any more; check `phone_number_id`",
    ),
    code(100, Fate::Refused, MISTAKE),
    code(190, Fate::Refused, TOKEN),
    code(
        368,
        Fate::Refused,
        "WhatsApp has blocked this business account for a time, over its rules; look into WhatsApp Manager",
    ),
    code(
        2635,
        Fate::Refused,
        "the version of the API in `base` is too old; write the one that Meta names now",
    ),
    code(
        80007,
        Fate::Later,
        "this business account has reached a limit of WhatsApp's",
    ),
    code(
        130_429,
        Fate::Later,
        "more messages were sent than WhatsApp takes at a time",
    ),
    code(
        130_472,
        Fate::Refused,
        "WhatsApp tries something with this person's number, and did not send it",
    ),
    code(
        130_497,
        Fate::Refused,
        "WhatsApp does not let this business write to people in that country",
    ),
    code(131_000, Fate::Unknown, "WhatsApp broke down over it"),
    code(131_005, Fate::Refused, RIGHT),
    code(131_008, Fate::Refused, MISTAKE),
    code(131_009, Fate::Refused, MISTAKE),
    code(131_016, Fate::Unknown, "a service of WhatsApp's was away"),
    code(131_021, Fate::Refused, "it would go to your own number"),
    code(
        131_026,
        Fate::Refused,
        "it cannot be delivered: the number is not on WhatsApp, has blocked you, or has an app that is too old",
    ),
    code(
        131_030,
        Fate::Refused,
        "the number is not on the list of those that a test number may write to",
    ),
    code(
        131_031,
        Fate::Refused,
        "WhatsApp has locked this business account; look into WhatsApp Manager",
    ),
    code(
        131_037,
        Fate::Refused,
        "the display name of your number has to be approved first; look into WhatsApp Manager",
    ),
    code(
        131_042,
        Fate::Refused,
        "WhatsApp cannot charge this business account; look at its way of payment",
    ),
    code(
        131_045,
        Fate::Refused,
        "your number is not registered rightly; register it with the Cloud API again",
    ),
    code(
        131_047,
        Fate::Refused,
        "more than 24 hours have passed since they wrote; WhatsApp takes only templates now, until they write again",
    ),
    code(
        131_048,
        Fate::Refused,
        "too many of your messages were blocked or marked as spam; wait before you send more",
    ),
    code(
        131_049,
        Fate::Refused,
        "WhatsApp chose not to deliver it to this person",
    ),
    code(
        131_050,
        Fate::Refused,
        "this person wants no such messages from you",
    ),
    code(131_051, Fate::Refused, MISTAKE),
    code(131_052, Fate::Refused, MISTAKE),
    code(131_053, Fate::Refused, MISTAKE),
    code(
        131_055,
        Fate::Refused,
        "WhatsApp does not let this number do that",
    ),
    code(
        131_056,
        Fate::Later,
        "too many messages were sent to this person in a short time",
    ),
    code(131_057, Fate::Later, "your number is under maintenance"),
    code(
        131_060,
        Fate::Refused,
        "WhatsApp does not show or take this message here",
    ),
    code(
        131_062,
        Fate::Refused,
        "WhatsApp takes this only for a phone number, and this person hides theirs",
    ),
    code(132_000, Fate::Refused, TEMPLATE),
    code(132_001, Fate::Refused, TEMPLATE),
    code(132_005, Fate::Refused, TEMPLATE),
    code(132_007, Fate::Refused, TEMPLATE),
    code(132_012, Fate::Refused, TEMPLATE),
    code(132_015, Fate::Refused, TEMPLATE),
    code(132_016, Fate::Refused, TEMPLATE),
    code(132_068, Fate::Refused, TEMPLATE),
    code(132_069, Fate::Refused, TEMPLATE),
    code(
        133_000,
        Fate::Refused,
        "your number was not deregistered wholly; do that again",
    ),
    code(133_004, Fate::Later, "WhatsApp is away for the moment"),
    code(133_005, Fate::Refused, TWO_STEP),
    code(133_006, Fate::Refused, TWO_STEP),
    code(133_008, Fate::Refused, TWO_STEP),
    code(133_009, Fate::Refused, TWO_STEP),
    code(
        133_010,
        Fate::Refused,
        "your number is not registered with the Cloud API; register it, then approve this again",
    ),
    code(
        133_015,
        Fate::Refused,
        "your number was deleted a short time ago; wait five minutes, then register it again",
    ),
    code(
        133_016,
        Fate::Refused,
        "your number was registered too often; wait, then register it again",
    ),
    code(134_011, Fate::Refused, MISTAKE),
    code(134_100, Fate::Refused, MISTAKE),
    code(134_101, Fate::Refused, MISTAKE),
    code(134_102, Fate::Refused, MISTAKE),
    code(135_000, Fate::Refused, MISTAKE),
    code(
        139_000,
        Fate::Refused,
        "WhatsApp has taken this from your number for a time; look into WhatsApp Manager",
    ),
    code(200, Fate::Refused, RIGHT),
    code(
        2_388_001,
        Fate::Refused,
        "Meta wants this business account verified; look into WhatsApp Manager",
    ),
    code(
        2_494_055,
        Fate::Refused,
        "WhatsApp takes this message only from a number that may",
    ),
];

/// What is known of an error. Those from 200 to 299 are one: a right that is missing.
#[must_use]
pub fn find(number: i64) -> Option<&'static ErrorCode> {
    let number = match number {
        200..=299 => 200,
        number => number,
    };
    ERROR_CODES.iter().find(|error| error.code == number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn error_codes_are_each_there_once() {
        let codes: BTreeSet<i64> = ERROR_CODES.iter().map(|error| error.code).collect();
        assert_eq!(codes.len(), ERROR_CODES.len());
        assert!(ERROR_CODES.iter().all(|error| !error.words.is_empty()));
    }

    #[test]
    fn errors_of_the_everyday_have_their_fate() {
        for (number, fate) in [
            (131_047, Fate::Refused),
            (131_026, Fate::Refused),
            (131_056, Fate::Later),
            (130_429, Fate::Later),
            (190, Fate::Refused),
            (100, Fate::Refused),
            (368, Fate::Refused),
            (131_031, Fate::Refused),
            (133_010, Fate::Refused),
            (131_000, Fate::Unknown),
            (131_016, Fate::Unknown),
            (230, Fate::Refused),
        ] {
            assert_eq!(find(number).unwrap().fate, fate, "{number}");
        }
        assert_eq!(find(999_999), None);
    }
}
