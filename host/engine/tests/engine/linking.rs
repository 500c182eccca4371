//! Which components are admitted, and why the others are not.

use std::collections::BTreeSet;

use platinum_core::{Capability, Role};
use platinum_engine::{
    Call, HostError, Interface, InvokeError, Linker, LoadError, Outcome, SkillHost, SkillState,
    Verdict, imports_of,
};

use crate::support::{FAKES, Ledger, component, engine, fakes, host, limits, load, run};

/// Every guest, and whether each role admits it.
const GUESTS: &[(&str, bool, bool)] = &[
    // guest, cloud, local
    ("answers-failed", true, true),
    ("asks-email-send", false, true),
    ("asks-wasi", true, true),
    ("echo", true, true),
    ("floods-host", true, true),
    ("hogs-memory", true, true),
    ("hogs-table", true, true),
    ("huge-line", true, true),
    ("huge-list", false, true),
    ("huge-outcome", true, true),
    ("imports-unknown", false, false),
    ("keeps-a-count", true, true),
    ("long-outcome", true, true),
    ("loops-forever", true, true),
    ("minimal", true, true),
    ("opens-folders", true, true),
    ("recurses", true, true),
    ("traps", true, true),
    ("two-calls", true, true),
    ("waits-in-host", true, true),
];

/// No guest is forgotten.
#[test]
fn guests_all_are_in_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests");
    let found: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<String> = GUESTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(found, known);
}

/// Every guest is admitted or refused as the table says.
#[test]
fn load_and_explain_of_every_guest_agree() {
    let ledger = Ledger::default();
    let (cloud, local) = (host(Role::Cloud, &ledger), host(Role::Local, &ledger));
    for &(name, on_cloud, on_local) in GUESTS {
        let bytes = component(name);
        for (host, admitted) in [(&cloud, on_cloud), (&local, on_local)] {
            let loaded = host.load(name, &bytes, "");
            assert_eq!(
                loaded.is_ok(),
                admitted,
                "{name} on {}: {loaded:?}",
                host.role()
            );
            let report = host.explain(name, &bytes).unwrap();
            assert_eq!(report.is_admitted(), admitted, "{name}: {report}");
            let refusal = loaded.err().map(|error| error.to_string());
            assert_eq!(report.refusal.map(|error| error.to_string()), refusal);
        }
    }
}

/// The cloud refuses a skill that sends and names every import.
#[test]
fn load_on_cloud_of_a_sending_skill_names_each_import() {
    // The host even offers the interfaces; the role does not grant them, so they are not linked.
    let cloud = host(Role::Cloud, &Ledger::default());
    assert_eq!(
        cloud.capabilities().collect::<Vec<_>>(),
        [
            Capability::SkillContext,
            Capability::SkillLog,
            Capability::SyncRun
        ]
    );
    let error = cloud
        .load("asks-email-send", &component("asks-email-send"), "")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "skill asks-email-send is refused: role cloud does not grant \
         platinum:approvals/queue@0.1.0, platinum:email/send@0.1.0"
    );
}

/// The local role sends what was approved once and keeps nothing.
#[tokio::test]
async fn invoke_send_uses_the_approval_up() {
    let ledger = Ledger::default();
    *ledger.approvals.lock().unwrap() = vec![7];
    let local = host(Role::Local, &ledger);
    let skill = load(&local, "asks-email-send");
    assert_eq!(
        skill.capabilities().collect::<Vec<_>>(),
        [Capability::ApprovalsQueue, Capability::EmailSend]
    );
    let first = run(&local, &skill, &limits()).await.unwrap();
    assert_eq!(first, Outcome::Done("7".to_owned()));
    assert_eq!(
        run(&local, &skill, &limits()).await.unwrap(),
        Outcome::Nothing
    );
    assert_eq!(*ledger.sent.lock().unwrap(), [7]);
    assert_eq!(*ledger.left_in_table.lock().unwrap(), Some(false));
}

/// An interface that is granted but not offered gets its own sentence.
#[test]
fn load_granted_but_not_offered_has_its_own_text() {
    let offered = fakes(&[Capability::ApprovalsQueue], &Ledger::default());
    let local = SkillHost::new(
        engine(),
        Role::Local,
        "local".parse().unwrap(),
        offered,
        None,
    )
    .unwrap();
    let bytes = component("asks-email-send");
    assert_eq!(
        local
            .load("asks-email-send", &bytes, "")
            .unwrap_err()
            .to_string(),
        "skill asks-email-send cannot run here: role local grants platinum:email/send@0.1.0, but \
         this host does not offer it"
    );
    let report = local.explain("asks-email-send", &bytes).unwrap();
    assert!(
        report
            .imports
            .iter()
            .any(|line| line.verdict == Verdict::NotOffered),
        "{report}"
    );
}

/// Configuration can take a grant away.
#[test]
fn configuration_narrowed_refuses() {
    let narrowed = BTreeSet::from([Capability::ApprovalsQueue]);
    let offered = fakes(&FAKES, &Ledger::default());
    let agent = "local".parse().unwrap();
    let local = SkillHost::new(engine(), Role::Local, agent, offered, Some(narrowed)).unwrap();
    assert_eq!(
        local.capabilities().collect::<Vec<_>>(),
        [Capability::ApprovalsQueue]
    );
    let error = local
        .load("asks-email-send", &component("asks-email-send"), "")
        .unwrap_err();
    assert!(matches!(error, LoadError::Refused { .. }), "{error}");
    assert!(
        error.to_string().contains("platinum:email/send@0.1.0"),
        "{error}"
    );
}

/// Configuration cannot add a grant.
#[test]
fn configuration_beyond_the_ceiling_adds_nothing() {
    let narrowed = BTreeSet::from([Capability::ApprovalsQueue, Capability::EmailSend]);
    let offered = fakes(&FAKES, &Ledger::default());
    let agent = "cloud".parse().unwrap();
    let cloud = SkillHost::new(engine(), Role::Cloud, agent, offered, Some(narrowed)).unwrap();
    assert_eq!(cloud.capabilities().count(), 0);
    let error = cloud
        .load("asks-email-send", &component("asks-email-send"), "")
        .unwrap_err();
    assert!(matches!(error, LoadError::Refused { .. }), "{error}");
}

/// An import that no contract has is refused by its name.
#[test]
fn load_unknown_import_is_named() {
    let bytes = component("imports-unknown");
    for role in [Role::Cloud, Role::Local] {
        let error = host(role, &Ledger::default())
            .load("odd", &bytes, "")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("skill odd is refused: role {role} does not grant guests:unknown/thing@0.1.0")
        );
    }
}

/// The error of a component without the handler says what to export.
#[test]
fn load_without_the_handler_says_what_to_export() {
    let empty = b"\0asm\x0d\0\x01\0";
    let error = host(Role::Cloud, &Ledger::default())
        .load("empty", empty, "")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "skill empty does not export platinum:skill/handler@0.1.0: include platinum:skill/base in \
         its world"
    );
}

/// The imports of a component are its permission request.
#[test]
fn imports_of_a_component_are_listed() {
    let imports = imports_of(&component("asks-email-send")).unwrap();
    for import in [
        "platinum:approvals/queue@0.1.0",
        "platinum:email/send@0.1.0",
    ] {
        assert!(imports.iter().any(|found| found == import), "{imports:?}");
    }
    assert!(
        !imports.iter().any(|found| found.starts_with("wasi:")),
        "{imports:?}"
    );
}

/// The report says of each import what becomes of it.
#[test]
fn explain_says_what_becomes_of_each_import() {
    let report = host(Role::Cloud, &Ledger::default())
        .explain("asks-email-send", &component("asks-email-send"))
        .unwrap()
        .to_string();
    assert!(
        report.contains("REFUSED      platinum:email/send@0.1.0: role cloud does not grant it"),
        "{report}"
    );
    assert!(
        report.contains("records      platinum:actions/types@0.1.0"),
        "{report}"
    );
    let last = report.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "role cloud: skill asks-email-send is refused: role cloud does not grant \
         platinum:approvals/queue@0.1.0, platinum:email/send@0.1.0"
    );
}

/// A host does not take the same interface twice.
#[test]
fn host_with_an_interface_twice_is_refused() {
    let twice = fakes(
        &[Capability::SkillLog, Capability::SkillLog],
        &Ledger::default(),
    );
    let error =
        SkillHost::new(engine(), Role::Cloud, "cloud".parse().unwrap(), twice, None).unwrap_err();
    assert!(
        matches!(error, HostError::OfferedTwice(Capability::SkillLog)),
        "{error}"
    );
}

/// A skill of another contract does not fit.
#[test]
fn load_other_function_type_is_a_mismatch() {
    struct Other;
    impl Interface for Other {
        fn capability(&self) -> Capability {
            Capability::SyncRun
        }
        fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
            linker
                .instance("platinum:sync/run@0.1.0")?
                .func_wrap("run", |_, (): ()| Ok((1_u32,)))
        }
        fn prepare(&self, _state: &mut SkillState, _call: &Call) {}
    }
    let agent = "cloud".parse().unwrap();
    let host = SkillHost::new(engine(), Role::Cloud, agent, vec![Box::new(Other)], None).unwrap();
    let error = host
        .load("waits", &component("waits-in-host"), "")
        .unwrap_err();
    assert!(matches!(error, LoadError::Mismatch { .. }), "{error}");
}

/// A skill runs only on the host that admitted it.
#[tokio::test]
async fn invoke_on_another_host_is_refused() {
    let ledger = Ledger::default();
    *ledger.approvals.lock().unwrap() = vec![1];
    let (cloud, local) = (host(Role::Cloud, &ledger), host(Role::Local, &ledger));
    let sends = load(&local, "asks-email-send");
    let error = run(&cloud, &sends, &limits()).await.unwrap_err();
    assert!(matches!(error, InvokeError::OtherHost { .. }), "{error}");
    assert!(ledger.sent.lock().unwrap().is_empty());
}
