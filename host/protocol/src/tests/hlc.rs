//! The clock grows, keeps causes before effects, and ignores stamps that are far ahead.

use proptest::prelude::*;

use crate::hlc::{Hlc, Skew, Stamp, TRUST_AHEAD_MS, WARN_AHEAD_MS};

const NOW: i64 = 1_795_200_183_123;

fn stamp(wall_ms: i64, count: u32) -> Stamp {
    Stamp { wall_ms, count }
}

#[test]
fn tick_with_a_running_clock_is_wall_time() {
    let mut clock = Hlc::new();
    assert_eq!(clock.tick(NOW), stamp(NOW, 0));
    assert_eq!(clock.tick(NOW), stamp(NOW, 1));
    assert_eq!(clock.tick(NOW - 5000), stamp(NOW, 2));
    assert_eq!(clock.tick(NOW + 1), stamp(NOW + 1, 0));
}

#[test]
fn tick_full_counter_moves_to_the_next_millisecond() {
    let mut clock = Hlc::new();
    assert_eq!(clock.observe(stamp(NOW, u32::MAX), NOW), Skew::Fine);
    assert_eq!(clock.tick(NOW), stamp(NOW + 1, 0));
}

/// A stamp ahead is warned of and from two minutes on not believed.
#[test]
fn observe_stamp_ahead_warns_then_is_ignored() {
    for (ahead, skew) in [
        (i64::MIN, Skew::Fine),
        (-TRUST_AHEAD_MS * 100, Skew::Fine),
        (0, Skew::Fine),
        (WARN_AHEAD_MS, Skew::Fine),
        (WARN_AHEAD_MS + 1, Skew::Warned(WARN_AHEAD_MS + 1)),
        (TRUST_AHEAD_MS, Skew::Warned(TRUST_AHEAD_MS)),
        (TRUST_AHEAD_MS + 1, Skew::Distrusted(TRUST_AHEAD_MS + 1)),
    ] {
        let mut clock = Hlc::new();
        let theirs = stamp(NOW.saturating_add(ahead), 7);
        assert_eq!(clock.observe(theirs, NOW), skew, "{ahead}");
        let believed = skew.is_trusted();
        assert_eq!(
            clock.last() >= theirs.min(stamp(NOW, 0)),
            believed || ahead < 0
        );
        assert_eq!(clock.tick(NOW) > theirs, believed, "{ahead}");
    }
}

/// A text that is no stamp is refused with the form of one.
#[test]
fn stamp_malformed_text_error_shows_the_form() {
    for text in [
        "",
        "-",
        "5",
        "5-",
        "-5",
        "5-x",
        "05-1",
        "5-01",
        "+5-1",
        "5--1",
        "5 -1",
        "9223372036854775808-0",
    ] {
        assert_eq!(
            text.parse::<Stamp>().unwrap_err().to_string(),
            format!("`{text}` is no stamp; one reads `<milliseconds since 1970>-<count>`"),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn stamp_text_round_trips(wall_ms in any::<i64>(), count in any::<u32>()) {
        let stamp = stamp(wall_ms, count);
        prop_assert_eq!(stamp.to_string().parse::<Stamp>().unwrap(), stamp);
    }

    #[test]
    fn tick_grows_for_any_wall_clock(
        nows in prop::collection::vec(NOW - 1_000_000..NOW + 1_000_000, 1..50),
    ) {
        let mut clock = Hlc::new();
        let mut last = clock.last();
        for now in nows {
            let next = clock.tick(now);
            prop_assert!(next > last);
            prop_assert!(next.wall_ms >= now);
            last = next;
        }
    }

    /// Several machines whose clocks are off by up to a minute send each other stamps.
    #[test]
    fn observe_orders_cause_before_effect(
        offsets in prop::collection::vec(-60_000_i64..60_000, 2..5),
        steps in prop::collection::vec((0_usize..5, 0_usize..5, 0_i64..3000), 1..200),
    ) {
        let mut clocks = vec![Hlc::new(); offsets.len()];
        let mut now = NOW;
        for (from, to, passed) in steps {
            let (from, to) = (from % offsets.len(), to % offsets.len());
            now += passed;
            let cause = clocks[from].tick(now + offsets[from]);
            let skew = clocks[to].observe(cause, now + offsets[to]);
            prop_assert!(skew.is_trusted());
            let effect = clocks[to].tick(now + offsets[to]);
            prop_assert!(effect > cause);
            // The fastest clock is the bound: counters do not push it.
            let fastest = offsets.iter().max().unwrap();
            prop_assert!(effect.wall_ms <= now + fastest);
        }
    }

    #[test]
    fn observe_hostile_stamp_moves_no_clock(
        ahead in TRUST_AHEAD_MS + 1..i64::MAX / 2, count in any::<u32>(), before in 0_i64..1000,
    ) {
        let mut clock = Hlc::new();
        clock.tick(NOW - before);
        let was = clock;
        prop_assert!(!clock.observe(stamp(NOW + ahead, count), NOW).is_trusted());
        prop_assert_eq!(clock, was);
        prop_assert!(clock.tick(NOW).wall_ms <= NOW);
    }
}
