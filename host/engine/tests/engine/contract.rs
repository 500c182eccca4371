//! Components of another contract: what they say differs from `wit/` in one name.
//!
//! Invariant: `load`, which the daemons use, and `explain`, which `platinum skill check` uses, say
//! the same.

use platinum_core::Role;
use platinum_engine::Outcome;

use crate::support::{Ledger, component, host, limits, load, run_event};

/// A guest in which one name is another of the same length, wherever it is written.
fn renamed(guest: &str, from: &str, to: &str) -> Vec<u8> {
    let mut bytes = component(guest);
    rename(&mut bytes, from, to);
    bytes
}

/// Makes one name in a component another of the same length, wherever it is written.
pub(crate) fn rename(bytes: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len(), "names are written with their length");
    let mut found = 0;
    for start in 0..=bytes.len() - from.len() {
        if bytes[start..].starts_with(from.as_bytes()) {
            bytes[start..start + to.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "the component does not name {from}");
}

/// What a host of the role says to the component; `load` and `explain` have to agree.
fn refusal(role: Role, name: &str, bytes: &[u8]) -> Option<String> {
    let host = host(role, &Ledger::default());
    let loaded = host.load(name, bytes, "").err();
    let explained = host.explain(name, bytes).unwrap().refusal;
    let loaded = loaded.map(|error| error.to_string());
    assert_eq!(explained.map(|error| error.to_string()), loaded, "{name}");
    loaded
}

#[test]
fn load_of_a_renamed_type_is_a_mismatch() {
    let cases = [
        // A case of a variant that the skill returns, and a field of a record that it is given.
        ("echo", "dismissed", "discarded"),
        ("echo", "message", "passage"),
        // A field and a case of what an interface answers.
        ("waits-in-host", "conflicts", "contracts"),
        ("waits-in-host", "violation", "vibration"),
        ("asks-email-send", "postponed", "postposed"),
        ("asks-email-send", "reference", "reverence"),
    ];
    for (guest, from, to) in cases {
        let bytes = renamed(guest, from, to);
        let refused = refusal(Role::Local, guest, &bytes).expect(from);
        let start =
            format!("skill {guest} does not fit this host's contract, rebuild it against wit/: ");
        assert!(refused.starts_with(&start), "{from}: {refused}");
        let names = format!("named {from}, found {to}");
        assert!(refused.contains(&names), "{from}: {refused}");
        assert!(refusal(Role::Local, guest, &component(guest)).is_none());
    }
}

#[test]
fn load_of_another_version_names_the_import() {
    for role in Role::ALL {
        let bytes = renamed(
            "waits-in-host",
            "platinum:sync/run@0.1.0",
            "platinum:sync/run@0.2.0",
        );
        assert_eq!(
            refusal(role, "other", &bytes).unwrap(),
            format!("skill other is refused: role {role} does not grant platinum:sync/run@0.2.0")
        );
    }
}

#[test]
fn load_without_the_export_says_what_to_export() {
    let bytes = renamed(
        "echo",
        "platinum:skill/handler@0.1.0",
        "platinum:skill/handles@0.1.0",
    );
    assert_eq!(
        refusal(Role::Cloud, "other", &bytes).unwrap(),
        "skill other does not export platinum:skill/handler@0.1.0: include platinum:skill/base in \
         its world"
    );
}

/// Events and kinds are text: a skill that knows fewer or more of them than its host is linked and
/// run all the same.
#[tokio::test]
async fn invoke_with_an_unknown_event_or_kind_runs() {
    let host = host(Role::Local, &Ledger::default());
    let echo = load(&host, "echo");
    let outcome = run_event(&host, &echo, "garden.watered", "event please", &limits()).await;
    assert_eq!(outcome.unwrap(), Outcome::Done("garden.watered".to_owned()));
    let sends = load(&host, "asks-email-send");
    let outcome = run_event(&host, &sends, "garden.watered", "garden-dig", &limits()).await;
    assert_eq!(outcome.unwrap(), Outcome::Nothing);
}
