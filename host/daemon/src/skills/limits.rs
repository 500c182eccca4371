//! [`RequestedLimits`]: what a `SKILL.md` says that a run of the skill may use at most.
//!
//! Invariant: a skill's own limits only narrow those of the host.

use std::time::Duration;

use platinum_engine::Limits;

/// The limits of `platinum.limits`: `time=30s memory=64MiB calls=1000`, each of them optional.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestedLimits {
    time: Option<Duration>,
    memory_bytes: Option<usize>,
    calls: Option<u64>,
}

/// A part of `platinum.limits` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// There is no such limit.
    #[error("unknown limit `{0}`; expected `time=30s`, `memory=64MiB` or `calls=1000`")]
    Unknown(String),
    /// The limit is there twice.
    #[error("the limit `{0}` is there twice; write it once")]
    Twice(&'static str),
    /// Its value is none.
    #[error("invalid value `{value}` of the limit `{limit}`; {expected}")]
    Value {
        /// Which limit.
        limit: &'static str,
        /// Its value.
        value: String,
        /// What to write.
        expected: &'static str,
    },
}

impl RequestedLimits {
    /// Reads the text of `platinum.limits`.
    ///
    /// # Errors
    /// Names the part that cannot be read, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, LimitsError> {
        let mut limits = Self::default();
        for part in text.split_whitespace() {
            let (limit, value) = part.split_once('=').unwrap_or((part, ""));
            match limit {
                "time" => {
                    let time = parse_duration(value);
                    limits.time = once("time", limits.time.is_some(), time, value)?;
                }
                "memory" => {
                    let memory = parse_bytes(value);
                    limits.memory_bytes =
                        once("memory", limits.memory_bytes.is_some(), memory, value)?;
                }
                "calls" => {
                    let calls = parse_number(value);
                    limits.calls = once("calls", limits.calls.is_some(), calls, value)?;
                }
                _ => return Err(LimitsError::Unknown(part.chars().take(64).collect())),
            }
        }
        Ok(limits)
    }

    /// The limits of a run: the host's, narrowed by these. What is asked for beyond the host's
    /// limits is not given.
    pub fn narrow(&self, host: &Limits) -> Limits {
        let mut limits = host.clone();
        if let Some(time) = self.time {
            limits.wall_clock = limits.wall_clock.min(time);
            limits.cpu = limits.cpu.min(time);
        }
        if let Some(bytes) = self.memory_bytes {
            limits.memory_bytes = limits.memory_bytes.min(bytes);
        }
        if let Some(calls) = self.calls {
            limits.host_calls = limits.host_calls.min(calls);
        }
        limits
    }
}

fn once<T>(
    limit: &'static str,
    is_there: bool,
    value: Option<T>,
    text: &str,
) -> Result<Option<T>, LimitsError> {
    if is_there {
        return Err(LimitsError::Twice(limit));
    }
    let expected = match limit {
        "time" => "write a whole number and `s`, `m` or `h`, as in `time=30s`",
        "memory" => "write a whole number and `KiB`, `MiB` or `GiB`, as in `memory=64MiB`",
        _ => "write a whole number above 0, as in `calls=1000`",
    };
    match value {
        Some(value) => Ok(Some(value)),
        None => Err(LimitsError::Value {
            limit,
            value: text.chars().take(64).collect(),
            expected,
        }),
    }
}

/// A whole number above 0, of digits alone.
fn parse_number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|&number: &u64| number > 0);
    number.filter(|_| is_digits)
}

/// `30s`, `5m`, `2h`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let seconds = parse_number(number)?.checked_mul(unit)?;
    Some(Duration::from_secs(seconds))
}

/// `512KiB`, `64MiB`, `1GiB`.
fn parse_bytes(text: &str) -> Option<usize> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))?;
    usize::try_from(parse_number(number)?)
        .ok()?
        .checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_limits() -> Limits {
        Limits {
            memory_bytes: 64 << 20,
            cpu: Duration::from_secs(5),
            wall_clock: Duration::from_secs(180),
            host_calls: 10_000,
            table_elements: 20_000,
            instances: 20,
            memories: 8,
            tables: 16,
            handles: 1_000,
            boundary_bytes: 4 << 20,
            outcome_bytes: 4096,
        }
    }

    fn error(text: &str) -> String {
        RequestedLimits::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn limits_narrow_what_they_name_alone() {
        let limits = RequestedLimits::parse("time=2s memory=16MiB calls=7").unwrap();
        let narrowed = limits.narrow(&host_limits());
        let expected = Limits {
            wall_clock: Duration::from_secs(2),
            cpu: Duration::from_secs(2),
            memory_bytes: 16 << 20,
            host_calls: 7,
            ..host_limits()
        };
        assert_eq!(narrowed, expected);
        let none = RequestedLimits::parse("  ").unwrap();
        assert_eq!(none.narrow(&host_limits()), host_limits());
    }

    #[test]
    fn limits_above_the_hosts_give_no_more() {
        let limits = RequestedLimits::parse("time=2h memory=1GiB calls=99999999").unwrap();
        assert_eq!(limits.narrow(&host_limits()), host_limits());
    }

    #[test]
    fn limits_malformed_say_what_to_write() {
        assert_eq!(
            error("cpu=5s"),
            "unknown limit `cpu=5s`; expected `time=30s`, `memory=64MiB` or `calls=1000`"
        );
        assert_eq!(
            error("time=30"),
            "invalid value `30` of the limit `time`; write a whole number and `s`, `m` or `h`, as \
             in `time=30s`"
        );
        assert_eq!(
            error("calls=1 calls=2"),
            "the limit `calls` is there twice; write it once"
        );
        let huge = "calls=99999999999999999999";
        for text in ["memory=64MB", "memory=0MiB", "calls=-1", "calls=+1", huge] {
            assert!(error(text).contains("invalid value"), "{text}");
        }
        assert!(error("time=9999999999999999999h").contains("invalid value"));
        assert!(error("memory").contains("invalid value `` of the limit `memory`"));
    }
}
