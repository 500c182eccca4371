//! The hostile corpus: what a component may try to get more than its role grants, or to cost more
//! than it may, and the sentence that it is refused with.
//!
//! Lives elsewhere: limits of a run are tried in `limits.rs`, other contracts in `contract.rs`.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use platinum_core::{Capability, Role};
use platinum_engine::{
    Call, CompileLimits, Compiler, Engine, EngineOptions, Interface, InvokeError, Limits, Linker,
    LoadError, Outcome, Skill, SkillHost, SkillState,
};

use crate::{
    contract::rename,
    crafted::{component_text, large, skill},
    support::{FAKES, Ledger, component, engine, fakes, host, host_on, limits, load, run},
};

const QUEUE: &str = "platinum:approvals/queue@0.1.0";
const SEND: &str = "platinum:email/send@0.1.0";

/// What a host of the role says to the bytes.
fn refusal(role: Role, bytes: &[u8]) -> String {
    let refused = host(role, &Ledger::default()).load("odd", bytes, "");
    refused.unwrap_err().to_string()
}

/// How a run of the bytes on an owner's machine ends, and what was sent by it.
async fn trap(bytes: &[u8]) -> (String, Vec<u32>) {
    let ledger = Ledger::default();
    *ledger.approvals.lock().unwrap() = vec![7];
    let local = host(Role::Local, &ledger);
    let skill = local.load("odd", bytes, "").unwrap();
    let error = run(&local, &skill, &limits()).await.unwrap_err();
    let InvokeError::Trapped { reason, .. } = error else {
        panic!("{error}")
    };
    let sent = ledger.sent.lock().unwrap().clone();
    (reason, sent)
}

/// Compares what was said with what has to be said, and shows every difference at once.
fn agree(cases: impl IntoIterator<Item = (String, String)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter(|(said, expected)| said != expected)
        .map(|(said, expected)| format!("said:     {said}\nexpected: {expected}\n"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every interface that a role is not granted, alone in a component's imports.
#[test]
fn corpus_every_denied_interface_is_named() {
    let mut denied = 0;
    for role in Role::ALL {
        for &capability in Capability::ALL {
            if platinum_policy::allows(role, capability) {
                continue;
            }
            denied += 1;
            let import = capability.interface();
            let bytes = component_text(&format!("(component (import \"{import}\" (instance)))"));
            assert_eq!(
                refusal(role, &bytes),
                format!("skill odd is refused: role {role} does not grant {import}")
            );
        }
    }
    assert_eq!(
        denied, 12,
        "the cloud is denied twelve, the owner's machine none"
    );
}

/// Another version, a part of a name, another spelling or another package is another import.
#[test]
fn corpus_every_other_name_is_refused_to_both_roles() {
    for name in [
        "platinum:email/send@0.1.1",
        "platinum:email/send@0.0.9",
        "platinum:email/send@0.2.0",
        "platinum:email/send@1.0.0",
        "platinum:email/send@0.1.0-rc.1",
        "platinum:email/send@0.1.0+build",
        "platinum:email/send",
        "platinum:email/send-now@0.1.0",
        "platinum:email/types@0.1.1",
        "platinum:skill/log@0.1.1",
        "platinum2:email/send@0.1.0",
        "evil:email/types@0.1.0",
        "call-tool",
        "send",
    ] {
        let bytes = component_text(&format!("(component (import \"{name}\" (instance)))"));
        for role in Role::ALL {
            assert_eq!(
                refusal(role, &bytes),
                format!("skill odd is refused: role {role} does not grant {name}")
            );
        }
    }
}

/// A host of the cloud that offers `tasks/read` and `tasks/ownership`, each with one function.
fn cloud_with_tasks() -> SkillHost {
    struct Tasks(Capability);
    impl Interface for Tasks {
        fn capability(&self) -> Capability {
            self.0
        }
        fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
            linker
                .instance(self.0.interface())?
                .func_wrap("get", |_, (): ()| Ok(()))
        }
        fn prepare(&self, _state: &mut SkillState, _call: &Call) {}
    }
    let mut offered = fakes(&FAKES, &Ledger::default());
    for capability in [Capability::TasksRead, Capability::TasksOwnership] {
        offered.push(Box::new(Tasks(capability)));
    }
    let agent = "cloud".parse().unwrap();
    SkillHost::new(engine(), Role::Cloud, agent, offered, None).unwrap()
}

/// An acting interface under the name of a granted one finds the granted one's functions there, and
/// does not fit.
#[test]
fn corpus_acting_interface_under_a_granted_name_does_not_fit() {
    let (read, ownership) = (
        "platinum:tasks/read@0.1.0",
        "platinum:tasks/ownership@0.1.0",
    );
    let mut bytes = component("asks-email-send");
    rename(&mut bytes, SEND, read);
    rename(&mut bytes, QUEUE, ownership);
    let own_function = component_text(
        "(component
            (import \"platinum:skill/log@0.1.0\" (instance $l (export \"send\" (func))))
            (instance $i)
            (export \"platinum:skill/handler@0.1.0\" (instance $i)))",
    );
    let does_not_fit = |what: &str| {
        format!("skill odd does not fit this host's contract, rebuild it against wit/: {what}")
    };
    let refused = cloud_with_tasks().load("odd", &bytes, "").unwrap_err();
    agree([
        (
            refusal(Role::Cloud, &bytes),
            format!(
                "skill odd cannot run here: role cloud grants {read}, {ownership}, but this host \
                 does not offer it"
            ),
        ),
        (
            refused.to_string(),
            does_not_fit(&format!(
                "component imports instance `{ownership}`, but a matching implementation was not \
                 found in the linker: instance export `approved-action` has the wrong type: \
                 resource implementation is missing"
            )),
        ),
        (
            refusal(Role::Cloud, &own_function),
            does_not_fit(
                "component imports instance `platinum:skill/log@0.1.0`, but a matching \
                 implementation was not found in the linker: instance export `send` has the wrong \
                 type: function implementation is missing",
            ),
        ),
    ]);
}

/// Imports of a component inside are the affair of the one around it: they reach nothing that the
/// outermost one does not import.
#[test]
fn corpus_nested_imports_give_nothing() {
    let unmet = component_text(&format!(
        "(component
            (component $c (import \"{SEND}\" (instance)))
            (instance $i (instantiate $c))
            (export \"platinum:skill/handler@0.1.0\" (instance $i)))"
    ));
    let met_by_another = component_text(&format!(
        "(component
            (import \"platinum:skill/log@0.1.0\" (instance $l))
            (component $c (import \"{SEND}\" (instance)))
            (instance $i (instantiate $c (with \"{SEND}\" (instance $l))))
            (export \"platinum:skill/handler@0.1.0\" (instance $i)))"
    ));
    agree(Role::ALL.into_iter().flat_map(|role| {
        [
            (
                refusal(role, &unmet),
                format!(
                    "skill odd cannot be compiled: failed to parse WebAssembly module: missing \
                     import named `{SEND}` (at offset 0x4f)"
                ),
            ),
            (
                refusal(role, &met_by_another),
                "skill odd does not fit this host's contract, rebuild it against wit/: instance \
                 export `platinum:skill/handler@0.1.0` does not have export `run`"
                    .to_owned(),
            ),
        ]
    }));
}

/// What is passed on as an export is imported first.
#[test]
fn corpus_reexported_import_is_refused() {
    let bytes = component_text(&format!(
        "(component
            (import \"{SEND}\" (instance $s))
            (export \"platinum:skill/handler@0.1.0\" (instance $s)))"
    ));
    assert_eq!(
        refusal(Role::Cloud, &bytes),
        format!("skill odd is refused: role cloud does not grant {SEND}")
    );
}

/// What runs when an instance is made runs under limits, and reaches nothing: neither when the
/// skill is loaded nor later.
#[test]
fn corpus_start_functions_neither_act_nor_last() {
    let ledger = Ledger::default();
    *ledger.approvals.lock().unwrap() = vec![7];
    let local = host(Role::Local, &ledger);
    let refusal = |bytes: &[u8]| local.load("odd", bytes, "").unwrap_err().to_string();

    let begun = Instant::now();
    let loops = skill(&[], "(func $loop (loop br 0)) (start $loop)", "");
    agree([(
        refusal(&loops),
        "skill odd does not start: skill odd ran out of time: 1s of its own computing are allowed"
            .to_owned(),
    )]);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );

    let begun = Instant::now();
    let waits = "(import \"wasi:clocks/monotonic-clock@0.2.0\" \"subscribe-duration\"
            (func $later (param i64) (result i32)))
        (import \"wasi:io/poll@0.2.0\" \"[method]pollable.block\" (func $block (param i32)))
        (func (export \"_initialize\")
            (call $block (call $later (i64.const 9000000000000000000))))";
    let clocks = ["wasi:io/poll@0.2.0", "wasi:clocks/monotonic-clock@0.2.0"];
    agree([(
        refusal(&skill(&clocks, waits, "")),
        "skill odd does not start: skill odd was stopped: it took longer than 5s, waiting included"
            .to_owned(),
    )]);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );

    let acts =
        "(import \"platinum:approvals/queue@0.1.0\" \"next\" (func $next (param i32 i32 i32)))
        (import \"platinum:email/send@0.1.0\" \"send\" (func $send (param i32 i32)))";
    let body = "(call $next (i32.const 0) (i32.const 0) (i32.const 2048))
        (call $send (i32.load (i32.const 2056)) (i32.const 4096))";
    let initialize = format!("{acts} (func (export \"_initialize\") {body})");
    let start = format!("{acts} (func $s {body}) (start $s)");
    agree([
        (
            refusal(&skill(&[QUEUE, SEND], &initialize, "")),
            "skill odd does not start: it calls the host before it is run".to_owned(),
        ),
        // The wires to the host are not laid yet.
        (
            refusal(&skill(&[QUEUE, SEND], &start, "")),
            "skill odd does not start: wasm trap: uninitialized element".to_owned(),
        ),
    ]);
    assert!(ledger.sent.lock().unwrap().is_empty());
    assert_eq!(ledger.approvals.lock().unwrap().len(), 1);
}

/// Addresses and lengths of strings and lists are the guest's to say, and the host's to check.
#[tokio::test]
async fn corpus_forged_lengths_trap() {
    let log = "(import \"platinum:skill/log@0.1.0\" \"line\" (func $line (param i32 i32 i32)))";
    let line = |address: u32, length: u32| {
        format!("(call $line (i32.const 0) (i32.const {address}) (i32.const {length}))")
    };
    let next =
        "(import \"platinum:approvals/queue@0.1.0\" \"next\" (func $next (param i32 i32 i32)))";
    let outcome = |length: u32| {
        format!(
            "(i32.store (i32.const 1028) (i32.const 1))
             (i32.store (i32.const 1032) (i32.const 0))
             (i32.store (i32.const 1036) (i32.const {length}))"
        )
    };
    let cases = [
        (
            skill(&[], log, &line(0, 0x7fff_ffff)),
            "string pointer/length out of bounds of memory",
        ),
        (
            skill(&[], log, &line(0xffff_fff0, 0x20)),
            "string pointer/length out of bounds of memory",
        ),
        (
            skill(&[], log, &line(131_072, 1)),
            "string pointer/length out of bounds of memory",
        ),
        (
            skill(
                &[QUEUE],
                next,
                "(call $next (i32.const 0) (i32.const -1) (i32.const 2048))",
            ),
            "list pointer/length out of bounds of memory",
        ),
        (
            skill(
                &[QUEUE],
                next,
                "(call $next (i32.const 0) (i32.const 0) (i32.const -4))",
            ),
            "pointer out of bounds",
        ),
        (
            skill(&[], "", &outcome(0x7fff_ffff)),
            "string pointer/length out of bounds of memory",
        ),
        (
            skill(&[], "", "(return (i32.const -8))"),
            "pointer out of bounds of memory",
        ),
        (
            skill(&[], "", "(return (i32.const 1025))"),
            "return pointer not aligned",
        ),
        // A level that does not exist.
        (
            skill(
                &[],
                log,
                "(call $line (i32.const 99) (i32.const 0) (i32.const 0))",
            ),
            "unexpected discriminant: 99",
        ),
    ];
    let mut said = Vec::new();
    for (bytes, expected) in cases {
        let (reason, sent) = trap(&bytes).await;
        assert!(sent.is_empty());
        said.push((reason, expected.to_owned()));
    }
    agree(said);
}

/// A handle is an index into a table that the host keeps: one that was never given, and one that
/// was used up, name nothing.
#[tokio::test]
async fn corpus_forged_and_consumed_handles_trap() {
    let acts =
        "(import \"platinum:approvals/queue@0.1.0\" \"next\" (func $next (param i32 i32 i32)))
        (import \"platinum:email/send@0.1.0\" \"send\" (func $send (param i32 i32)))
        (import \"platinum:approvals/queue@0.1.0\" \"[resource-drop]approved-action\"
            (func $drop (param i32)))";
    let sends = |handle: &str| format!("(call $send {handle} (i32.const 4096))");
    let taken = "(call $next (i32.const 0) (i32.const 0) (i32.const 2048))";
    let given = "(i32.load (i32.const 2056))";
    let case = |run: String| skill(&[QUEUE, SEND], acts, &run);
    let twice = format!("{taken} {} {}", sends(given), sends(given));
    let dropped = format!("{taken} (call $drop {given}) {}", sends(given));
    let dropped_twice = format!("{taken} (call $drop {given}) (call $drop {given})");
    let mut said = Vec::new();
    for (run, expected, expected_sent) in [
        (sends("(i32.const 0)"), "unknown handle index 0", vec![]),
        (sends("(i32.const 1)"), "unknown handle index 1", vec![]),
        (
            sends("(i32.const 1234)"),
            "unknown handle index 1234",
            vec![],
        ),
        (
            sends("(i32.const -1)"),
            "unknown handle index 4294967295",
            vec![],
        ),
        (twice, "unknown handle index 1", vec![7]),
        (dropped, "unknown handle index 1", vec![]),
        (dropped_twice, "unknown handle index 1", vec![]),
    ] {
        let (reason, sent) = trap(&case(run)).await;
        assert_eq!(sent, expected_sent, "{reason}");
        said.push((reason, expected.to_owned()));
    }
    agree(said);
}

/// Compiled code, a module, a script, nothing, and what only begins like a component.
#[test]
fn corpus_other_bytes_are_named_for_what_they_are() {
    let engine = wasmtime::Engine::default();
    let compiled = engine.precompile_component(&component("minimal")).unwrap();
    let not = |what: &str| format!("skill odd is not a WebAssembly component: {what}");
    let code = not(
        "it is compiled code, which is taken from nobody; install the component it was made from",
    );
    let mut kept = b"platinum-cwasm-1\n".to_vec();
    kept.extend_from_slice(&compiled);
    let whole = component("minimal");
    let cases = [
        (compiled, code.clone()),
        (kept, code),
        (
            b"#!/bin/sh\n".to_vec(),
            not("it does not start like WebAssembly"),
        ),
        (Vec::new(), not("it does not start like WebAssembly")),
        (
            component_text("(module)"),
            not("it is a core module; make a component of it with `wasm-tools component new`"),
        ),
        (
            whole[..100].to_vec(),
            "skill odd cannot be compiled: unexpected end-of-file (at offset 0xb)".to_owned(),
        ),
        (
            [&whole[..8], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat(),
            "skill odd cannot be compiled: unexpected end-of-file (at offset 0xe)".to_owned(),
        ),
    ];
    agree(cases.into_iter().flat_map(|(bytes, expected)| {
        Role::ALL.map(|role| (refusal(role, &bytes), expected.clone()))
    }));
}

/// A component with more imports than any skill has is not looked at further.
#[test]
fn corpus_too_many_imports_are_refused() {
    let imports: String = (0..300)
        .map(|n| format!("(import \"platinum:skill/log{n}\" (instance))"))
        .collect();
    let long = format!("(import \"a:b/{}\" (instance))", "c".repeat(300));
    for imports in [imports, long] {
        let bytes = component_text(&format!("(component {imports})"));
        assert_eq!(
            refusal(Role::Local, &bytes),
            "skill odd does not fit this host's contract, rebuild it against wit/: it imports more \
             than 256 interfaces, or one by a name of more than 256 bytes"
        );
    }
}

/// A host that compiles in a process of its own, under these limits.
fn compiling(time: Duration, memory_bytes: u64) -> SkillHost {
    // The example `compiler`, which `cargo test` builds beside this test.
    let test = std::env::current_exe().unwrap();
    let program = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/compiler");
    assert!(program.exists(), "{} is not built", program.display());
    with_compiler(program, CompileLimits { time, memory_bytes })
}

fn with_compiler(program: PathBuf, limits: CompileLimits) -> SkillHost {
    let options = EngineOptions {
        compiler: Some(Compiler { program, limits }),
        ..EngineOptions::default()
    };
    host_on(
        Engine::new(options).unwrap(),
        Role::Cloud,
        &Ledger::default(),
    )
}

/// What is compiled in a process of its own is the same code.
#[tokio::test]
async fn compiler_in_its_own_process_makes_code_that_runs() {
    let host = compiling(Duration::from_secs(120), 1 << 30);
    let skill = load(&host, "two-calls");
    assert_eq!(
        run(&host, &skill, &limits()).await.unwrap(),
        Outcome::Done("tester at 1970-01-01T00:00:00Z".to_owned())
    );
    let invalid = component_text(
        "(component (component $c (import \"x\" (instance))) (instance $i (instantiate $c))
            (export \"platinum:skill/handler@0.1.0\" (instance $i)))",
    );
    let refused = host.load("odd", &invalid, "").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "skill odd cannot be compiled: failed to parse WebAssembly module: missing import named `x` \
         (at offset 0x37)"
    );
}

/// A component that is slow to compile is given up when the time is over, and one that needs much
/// memory when it has used what it may.
#[test]
fn compiler_beyond_its_limits_is_stopped() {
    let slow = large(20_000);
    let begun = Instant::now();
    let refused = compiling(Duration::from_millis(300), 1 << 30).load("slow", &slow, "");
    assert_eq!(
        refused.unwrap_err().to_string(),
        "skill slow is refused: compiling it takes more than 300ms"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let refused = compiling(Duration::from_secs(120), 24 << 20).load("greedy", &slow, "");
    assert_eq!(
        refused.unwrap_err().to_string(),
        "skill greedy is refused: compiling it takes more than 24 MiB of memory"
    );
}

/// What the imports decide is decided before anything is compiled: here nothing could be.
#[test]
fn load_of_a_refused_component_compiles_nothing() {
    let host = with_compiler("/nowhere/compiler".into(), CompileLimits::STANDARD);
    let refused = host
        .load("sends", &component("asks-email-send"), "")
        .unwrap_err();
    assert!(matches!(refused, LoadError::Refused { .. }), "{refused}");
    let refused = host.load("empty", b"\0asm\x0d\0\x01\0", "").unwrap_err();
    assert!(matches!(refused, LoadError::NoHandler { .. }), "{refused}");
    let failed = host.load("minimal", &component("minimal"), "").unwrap_err();
    assert_eq!(
        failed.to_string(),
        "skill minimal cannot be compiled: the compiler does not start: No such file or directory \
         (os error 2)"
    );
}

/// How long a guest runs before it gives way to others: the engine's tick.
const TURN: Duration = Duration::from_millis(10);

/// How long a hundred calls took, sorted.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn p50(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    fn p95(&self) -> Duration {
        self.0[self.0.len() * 95 / 100]
    }

    /// Whether they took no more than twice as long. One in twenty may wait for a turn of the other
    /// guest on its thread besides.
    fn is_within_twice(&self, other: &Self) -> bool {
        self.p50() <= other.p50() * 2 && self.p95() <= other.p95() * 2 + TURN
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:?}, p95 {:?}", self.p50(), self.p95())
    }
}

/// Calls of a skill, one after the other; each is a task of the runtime, as the daemon makes them.
async fn time_calls(host: &SkillHost, skill: &Skill, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let (host, skill) = (host.clone(), skill.clone());
        let begun = Instant::now();
        let call = tokio::spawn(async move { run(&host, &skill, &limits()).await });
        call.await.unwrap().unwrap();
        times.push(begun.elapsed());
    }
    times
}

/// One guest that never ends is stopped at its deadline, while a hundred that mean well are run
/// beside it and take no more than twice as long as a hundred alone, half of them before it and
/// half behind, so that a slow machine is slow for both. Something else on the machine can slow
/// either half alone down: of five rounds one has to hold. What the guard is against, calls that
/// wait for the stuck one, is a thousand times as long in each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_guest_ends_while_a_hundred_others_run() {
    const DEADLINE: Duration = Duration::from_secs(2);
    let host = host(Role::Cloud, &Ledger::default());
    let good = load(&host, "two-calls");
    let stuck = load(&host, "loops-forever");
    time_calls(&host, &good, 50).await;
    for round in 1..=5 {
        let mut alone = time_calls(&host, &good, 50).await;
        let beside = {
            let (host, stuck) = (host.clone(), stuck.clone());
            let deadline = Limits {
                cpu: DEADLINE,
                ..limits()
            };
            tokio::spawn(async move { run(&host, &stuck, &deadline).await })
        };
        let mut together = time_calls(&host, &good, 100).await;
        let was_stuck = !beside.is_finished();
        let error = beside.await.unwrap().unwrap_err();
        assert!(matches!(error, InvokeError::OutOfTime { .. }), "{error}");
        alone.extend(time_calls(&host, &good, 50).await);
        alone.sort();
        together.sort();
        let (alone, together) = (Latencies(alone), Latencies(together));
        println!(
            "FIGURE: round {round}: a call alone: {alone}; beside a stuck guest: {together}; it was \
             stuck all the time: {was_stuck}"
        );
        if was_stuck && together.is_within_twice(&alone) {
            return;
        }
    }
    panic!("in no round were the calls within twice the time, see the figures");
}

/// Components with a few bytes changed are refused or admitted, and nothing breaks. What is
/// admitted still has no more than its imports.
#[test]
fn corpus_mutated_components_break_nothing() {
    let seed = 20_261_129;
    println!("seed {seed}");
    let mut state: u64 = seed;
    let mut random = move |below: usize| {
        // xorshift64: the same sequence everywhere.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let cloud = host(Role::Cloud, &Ledger::default());
    let good = component("asks-email-send");
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            bytes[at] = u8::try_from(random(256)).unwrap();
        }
        match cloud.load("odd", &bytes, "") {
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(
                    text.len() < 3000 && !text.contains(char::is_control),
                    "{text}"
                );
            }
            Ok(skill) => {
                let acts = [Capability::ApprovalsQueue, Capability::EmailSend];
                assert!(
                    !skill.capabilities().any(|one| acts.contains(&one)),
                    "{skill:?}"
                );
            }
        }
    }
    assert!(refused > 250, "{refused}");
}
