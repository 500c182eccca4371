//! Any bytes taken as a skill's component, by a host of each role that offers every interface and
//! runs none: nothing panics, and what is admitted imports nothing but what the role grants.
//!
//! `target/skills/guests` and `target/skills/components` are good inputs to begin with.

use std::sync::LazyLock;

use platinum_core::Role;
use platinum_engine::{Engine, EngineOptions, SkillHost, imports_of};

static HOSTS: LazyLock<Vec<SkillHost>> = LazyLock::new(|| {
    let engine = Engine::new(EngineOptions {
        concurrent_calls: 1,
        component_bytes: 1 << 20,
        ..EngineOptions::default()
    })
    .expect("an engine");
    let host = |role: Role| {
        let agent = role.as_str().parse().expect("a name");
        let offered = platinum_capabilities::link_only();
        SkillHost::new(engine.clone(), role, agent, offered, None).expect("a host")
    };
    Role::ALL.into_iter().map(host).collect()
});

/// The claim, of these bytes.
pub(super) fn check(bytes: &[u8]) {
    let imports = imports_of(bytes);
    for host in HOSTS.iter() {
        let Ok(skill) = host.load("fuzzed", bytes, "") else {
            continue;
        };
        let imports = imports.as_ref().expect("what is admitted was read");
        let granted =
            platinum_policy::decide(imports.iter().map(String::as_str), host.role(), None);
        let granted = granted.expect("what is admitted is granted");
        assert!(skill.capabilities().all(|one| granted.contains(one)));
    }
}
