//! [`looks_like`]: whether one domain can be taken for another.
//!
//! Lives elsewhere: letters of several scripts in one address are found when a draft is reviewed.

use unicode_security::skeleton;

/// Shorter domains differ by one letter too often by chance.
const MIN_LENGTH: usize = 7;

/// Whether a reader can take a domain for another one that it is not; also not a part of it.
pub(super) fn looks_like(domain: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner
            .strip_suffix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if within(domain, other) || within(other, domain) {
        return false;
    }
    // What a reader sees first: `client.com.evil.test`.
    let begins = |with: &str| {
        domain
            .strip_prefix(with)
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    if other.contains('.') && (begins(other) || begins(&other.replace('.', "-"))) {
        return true;
    }
    let (shape, other_shape) = (shape(domain), shape(other));
    shape == other_shape
        || (shape.chars().count() >= MIN_LENGTH && strsim::osa_distance(&shape, &other_shape) == 1)
}

/// What is left of a domain when all that looks alike is one.
fn shape(domain: &str) -> String {
    // UTS #39: letters of other scripts, and `m` is `rn` to it.
    let skeleton: String = skeleton(&domain.to_lowercase()).collect();
    skeleton
        .to_lowercase()
        .replace("rn", "m")
        .replace('0', "o")
        .replace(['1', 'i'], "l")
        .replace("vv", "w")
        .replace("cl", "d")
        .replace('5', "s")
        .replace('-', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_like_finds_what_a_reader_confuses() {
        for (domain, other) in [
            ("c1ient.test", "client.test"),
            ("cIient.test", "client.test"),
            ("rnarket.test", "market.test"),
            ("client-test.org", "clienttest.org"),
            ("clients.test", "client.test"),
            ("cliennt.test", "client.test"),
            ("cilent.test", "client.test"),
            ("exаmple.test", "example.test"),
            ("paypa1.com", "paypal.com"),
            ("client.co", "client.com"),
            ("client.com.mail-login.test", "client.com"),
            ("client.com-login.test", "client.com"),
            ("client-com.test", "client.com"),
        ] {
            assert!(looks_like(domain, other), "{domain} {other}");
        }
        for (domain, other) in [
            ("client.test", "client.test"),
            ("mail.client.test", "client.test"),
            ("client.test", "mail.client.test"),
            ("client.test", "example.org"),
            ("x.co", "x.com"),
            ("bücher.test", "market.test"),
            ("client.community.test", "client.com"),
        ] {
            assert!(!looks_like(domain, other), "{domain} {other}");
        }
    }
}
