//! Days as people write them in English and German: `2026-11-30`, `30.11.2026`, `30. November 2026`, `Nov 30, 2026`.
//!
//! A day whose month can be either of two numbers (`03/04/2026`) is not guessed.
//! Invariants: pure; a day that is answered exists.

/// Why a text gives no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFault {
    /// It is none.
    NoDay,
    /// It may be two.
    Ambiguous,
}

const MONTHS: [&[&str]; 12] = [
    &["jan", "january", "januar", "jänner", "jaenner"],
    &["feb", "february", "februar", "feber"],
    &["mar", "march", "märz", "maerz", "mär", "mrz"],
    &["apr", "april"],
    &["may", "mai"],
    &["jun", "june", "juni"],
    &["jul", "july", "juli"],
    &["aug", "august"],
    &["sep", "sept", "september"],
    &["oct", "october", "okt", "oktober"],
    &["nov", "november"],
    &["dec", "december", "dez", "dezember"],
];

/// Reads a day as `YYYY-MM-DD`.
///
/// # Errors
/// [`DateFault`].
pub fn read(text: &str) -> Result<String, DateFault> {
    let text = text.trim();
    if text.len() > 40 {
        return Err(DateFault::NoDay);
    }
    // A time of the day behind it is of no matter.
    let text = match text.split_once('T') {
        Some((day, time)) if time.starts_with(|c: char| c.is_ascii_digit()) => day,
        _ => text,
    };
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return day(&text[..4], &text[4..6], &text[6..]);
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | '/' | '-'))
        .filter(|word| !word.is_empty())
        .collect();
    let [first, second, third] = match *words.as_slice() {
        [first, second, third] => [first, second, third],
        // A weekday before it.
        [weekday, first, second, third] if month(weekday).is_none() && is_word(weekday) => {
            [first, second, third]
        }
        _ => return Err(DateFault::NoDay),
    };
    let named = |of: &str| month(of).map(|month| month.to_string());
    if let Some(month) = named(second) {
        return match first.len() == 4 {
            true => day(first, &month, third),
            false => day(third, &month, ordinal(first)),
        };
    }
    if let Some(month) = named(first) {
        return day(third, &month, ordinal(second));
    }
    if first.len() == 4 {
        return day(first, second, third);
    }
    if third.len() != 4 && !(third.len() == 2 && text.contains('.')) {
        return Err(DateFault::NoDay);
    }
    if text.contains('.') {
        let century = if third.len() == 2 { "20" } else { "" };
        return day(&format!("{century}{third}"), second, first);
    }
    match (day(third, second, first), day(third, first, second)) {
        (Ok(one), Ok(other)) if one != other => Err(DateFault::Ambiguous),
        (Ok(one), _) | (_, Ok(one)) => Ok(one),
        (fault, _) => fault,
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(char::is_alphabetic)
}

/// `30th` without its end.
fn ordinal(text: &str) -> &str {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match &text[digits.len()..] {
        "st" | "nd" | "rd" | "th" => digits,
        _ => text,
    }
}

fn month(word: &str) -> Option<usize> {
    let found = MONTHS.iter().position(|names| names.contains(&word))?;
    Some(found + 1)
}

/// The day of these three, if it exists.
fn day(year: &str, month: &str, day: &str) -> Result<String, DateFault> {
    let number = |text: &str, digits: usize| -> Option<u32> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && text.len() <= digits).then(|| text.parse().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return Err(DateFault::NoDay);
    };
    let text = format!("{year:04}-{month:02}-{day:02}");
    match is_day(&text) {
        true => Ok(text),
        false => Err(DateFault::NoDay),
    }
}

/// How many days a text says that something is due in: `14 days`, `net 30`, `innerhalb von 14 Tagen`. One with a
/// discount has two.
#[must_use]
pub fn days(text: &str) -> Option<u32> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut numbers = words
        .iter()
        .enumerate()
        .filter_map(|(at, word)| Some((at, word.parse().ok()?)));
    let (at, number): (usize, u32) = numbers.next().filter(|_| numbers.next().is_none())?;
    let is_named = |word: &&str| matches!(*word, "day" | "days" | "tag" | "tage" | "tagen");
    let is_days = words.get(at + 1).is_some_and(is_named)
        || at.checked_sub(1).and_then(|before| words.get(before)) == Some(&"net");
    (is_days && !lower.contains('%') && number <= 366).then_some(number)
}

/// The day so many days after another one.
#[must_use]
pub fn after(day: &str, days: u32) -> Option<String> {
    let number = |from: usize, to: usize| day.get(from..to)?.parse::<u32>().ok();
    let (mut year, mut month, mut of_month) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    for _ in 0..days {
        of_month += 1;
        if !is_day(&format!("{year:04}-{month:02}-{of_month:02}")) {
            (month, of_month) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    Some(format!("{year:04}-{month:02}-{of_month:02}")).filter(|day| is_day(day))
}

/// Whether a text is a day that exists, from 1900 to 2199, as `YYYY-MM-DD`.
#[must_use]
pub fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_formed = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_formed {
        return false;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1900..2200).contains(&year) && (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_until_it_is_due_are_counted() {
        for (text, expected) in [
            ("14 days", Some("2026-12-14")),
            ("14 Tage netto", Some("2026-12-14")),
            ("innerhalb von 30 Tagen ohne Abzug", Some("2026-12-30")),
            ("net 30", Some("2026-12-30")),
            ("90 days after invoice date", Some("2027-02-28")),
            ("2% 10 days, net 30", None),
            ("at once", None),
            ("30", None),
            ("4000 days", None),
        ] {
            let due = days(text).and_then(|days| after("2026-11-30", days));
            assert_eq!(due.as_deref(), expected, "{text}");
        }
        assert_eq!(after("2028-02-28", 1).as_deref(), Some("2028-02-29"));
        assert_eq!(after("2026-02-28", 1).as_deref(), Some("2026-03-01"));
        assert_eq!(after("2199-12-31", 1), None);
        assert_eq!(after("soon", 1), None);
    }

    #[test]
    fn read_days_as_people_write_them() {
        for (text, expected) in [
            ("2026-11-30", Ok("2026-11-30")),
            ("2026-11-30T10:00:00Z", Ok("2026-11-30")),
            ("20261130", Ok("2026-11-30")),
            ("2026/11/30", Ok("2026-11-30")),
            ("30.11.2026", Ok("2026-11-30")),
            ("3.4.2026", Ok("2026-04-03")),
            ("03.04.26", Ok("2026-04-03")),
            ("30. November 2026", Ok("2026-11-30")),
            ("3. März 2026", Ok("2026-03-03")),
            ("3. Maerz 2026", Ok("2026-03-03")),
            ("Montag, 30. November 2026", Ok("2026-11-30")),
            ("Mon, 30 Nov 2026", Ok("2026-11-30")),
            ("November 30, 2026", Ok("2026-11-30")),
            ("Nov. 30th 2026", Ok("2026-11-30")),
            ("1st May 2026", Ok("2026-05-01")),
            ("30-Nov-2026", Ok("2026-11-30")),
            ("2026-Nov-30", Ok("2026-11-30")),
            ("30/11/2026", Ok("2026-11-30")),
            ("11/30/2026", Ok("2026-11-30")),
            ("04/04/2026", Ok("2026-04-04")),
            ("29.2.2028", Ok("2028-02-29")),
            ("03/04/2026", Err(DateFault::Ambiguous)),
            ("03-04-2026", Err(DateFault::Ambiguous)),
            ("29.2.2026", Err(DateFault::NoDay)),
            ("31/31/2026", Err(DateFault::NoDay)),
            ("0000-00-00", Err(DateFault::NoDay)),
            ("14 days", Err(DateFault::NoDay)),
            ("soon", Err(DateFault::NoDay)),
            ("", Err(DateFault::NoDay)),
            ("30.11.", Err(DateFault::NoDay)),
            ("3/4/26", Err(DateFault::NoDay)),
        ] {
            assert_eq!(
                read(text).as_deref(),
                expected.as_ref().map(|day| *day),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn read_any_text_gives_a_day_that_exists(text in any::<String>(), near in "[0-9./ -]{0,12}") {
            for text in [text, near] {
                if let Ok(day) = read(&text) {
                    prop_assert!(is_day(&day), "{day}");
                    prop_assert_eq!(read(&day), Ok(day.clone()));
                }
            }
        }
    }
}
