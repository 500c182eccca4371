//! Real Chromium, driven by Playwright's MCP server, on a bank of the tests over TLS.
//!
//! Lives here: what a payment is that goes as it should, and what they share. Lives elsewhere: pages that must stop
//! one in `stops`; deaths at every request in `kills`; the bank is `platinum_testkit::bank`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test ends it, with a line number"
)]

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use platinum_browser::{
    BrowserSettings, Confinement, Listed, Mode, Outcome, Owner, Payment, Question, Recipe, Reply,
    Report, Secret, Secrets, find_payment, run,
};
use platinum_core::Money;
use platinum_testkit::bank::{
    BANK_CODE, BANK_PASSWORD, BANK_USER, Bank, BankFault, browser_programs,
};

mod kills;
mod stops;

/// A bank, a state folder, and the browser's programs.
struct World {
    bank: Bank,
    state: tempfile::TempDir,
    settings: BrowserSettings,
}

impl World {
    /// None where the browser cannot be had, which is said.
    fn new() -> anyhow::Result<Option<Self>> {
        let Some(programs) = browser_programs()? else {
            return Ok(None);
        };
        Ok(Some(Self {
            bank: Bank::start()?,
            state: tempfile::tempdir()?,
            settings: BrowserSettings {
                server: programs.server,
                chromium: programs.chromium,
                step_seconds: 10,
                payment_seconds: 90,
                ..BrowserSettings::default()
            },
        }))
    }

    fn recipe(&self) -> Recipe {
        Recipe::parse(&self.bank.recipe()).unwrap()
    }

    async fn pay(&self) -> Report {
        self.run(&self.recipe(), &payment(), Mode::Pay).await
    }

    async fn run(&self, recipe: &Recipe, payment: &Payment, mode: Mode) -> Report {
        let owner = Arc::new(Person::default());
        let report = run(
            &self.settings,
            self.state.path(),
            recipe,
            payment,
            &Safe,
            owner,
            mode,
        )
        .await;
        assert_nothing_left(self.state.path());
        report
    }

    async fn listed(&self) -> Report<Listed> {
        let owner = Arc::new(Person::default());
        let report = find_payment(
            &self.settings,
            self.state.path(),
            &self.recipe(),
            &payment(),
            &Safe,
            owner,
        )
        .await;
        assert_nothing_left(self.state.path());
        report
    }
}

/// The programs of the sessions in this state folder.
fn programs(state: &Path) -> Vec<u32> {
    let mark = format!("PLATINUM_BROWSER={}", state.display()).into_bytes();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_marked = |number: &u32| {
        let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|one| one.starts_with(&mark))
    };
    numbers.filter(is_marked).collect()
}

/// The most memory that the programs of a state folder took together, looked at again and again.
struct Memory {
    stop: Arc<AtomicBool>,
    watching: std::thread::JoinHandle<(u64, usize)>,
}

impl Memory {
    fn start(state: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (state, stopped) = (state.to_owned(), Arc::clone(&stop));
        let watching = std::thread::spawn(move || {
            let mut most = (0, 0);
            while !stopped.load(Ordering::SeqCst) {
                let all: BTreeSet<u32> = programs(&state)
                    .into_iter()
                    .flat_map(with_children)
                    .collect();
                let taken = all.iter().map(|number| share_of_memory(*number)).sum();
                most = most.max((taken, all.len()));
                // Each look costs the system more than a step of a payment.
                std::thread::park_timeout(Duration::from_secs(1));
            }
            most
        });
        Self { stop, watching }
    }

    fn stop(self) -> String {
        self.stop.store(true, Ordering::SeqCst);
        let (taken, count) = self.watching.join().unwrap_or_default();
        format!("{} MB of memory in {count} processes", taken / 1024)
    }
}

/// A process and all below it.
fn with_children(number: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{number}/task/{number}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok());
    std::iter::once(number)
        .chain(children.flat_map(with_children))
        .collect()
}

/// What of the memory is a process's, pages of several counted in parts, in kB.
fn share_of_memory(number: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{number}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// No program of a session runs, and its folder is gone.
fn assert_nothing_left(state: &Path) {
    assert_eq!(programs(state), Vec::<u32>::new());
    let left: Vec<_> = std::fs::read_dir(state.join("browser"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
}

fn payment() -> Payment {
    Payment {
        payee: "Muster & Söhne GmbH".to_owned(),
        iban: "DE89 3704 0044 0532 0130 00".to_owned(),
        amount: Money {
            minor: 123_456,
            currency: "EUR".parse().unwrap(),
        },
        reference: "Invoice R-17/2026".to_owned(),
        due: None,
    }
}

/// Where the secrets are.
struct Safe;

impl Secrets for Safe {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        match name {
            "bank-user" => Ok(Secret::new(BANK_USER)),
            "bank-password" => Ok(Secret::new(BANK_PASSWORD)),
            _ => Err("there is none of this name".to_owned()),
        }
    }
}

/// An owner who answers at once, with the code unless told otherwise.
#[derive(Default)]
struct Person {
    reply: Option<Reply>,
    never: bool,
}

#[async_trait]
impl Owner for Person {
    async fn ask(&self, question: &Question) -> Reply {
        assert!(question.wants_code);
        if self.never {
            std::future::pending::<()>().await;
        }
        self.reply
            .clone()
            .unwrap_or_else(|| Reply::Code(Secret::new(BANK_CODE)))
    }
}

#[tokio::test]
async fn browser_pays_what_was_approved_once() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    assert_eq!(world.listed().await.outcome, Listed::NotFound);
    let measured = Memory::start(world.state.path());
    let report = world.pay().await;
    let memory = measured.stop();
    let Outcome::Paid { reference } = &report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(reference, "TX-1");
    let payments = world.bank.payments();
    assert_eq!(payments.len(), 1, "{payments:?}");
    assert_eq!(payments[0].payee, "Muster & Söhne GmbH");
    assert_eq!(payments[0].iban, "DE89370400440532013000");
    assert_eq!(payments[0].amount, "1234,56");
    assert_eq!(payments[0].reference, "Invoice R-17/2026");
    assert_eq!(report.refused, Vec::<String>::new());
    let picture = report.picture.as_deref().unwrap_or_default();
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
    if report.confinement == Some(Confinement::ProxyAlone) {
        platinum_testkit::skip("no network namespace for the browser here", true)?;
    }
    let found = world.listed().await.outcome;
    assert!(
        matches!(&found, Listed::Found(row) if row.contains("Invoice R-17/2026") && row.contains("1.234,56")),
        "{found:?}"
    );
    println!("one payment took {:?} and {memory}", report.took);
    Ok(())
}

#[tokio::test]
async fn browser_pays_without_a_namespace_too() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.namespace = platinum_browser::NamespaceUse::Off;
    let report = world.pay().await;
    assert!(matches!(report.outcome, Outcome::Paid { .. }), "{report:?}");
    assert_eq!(report.confinement, Some(Confinement::ProxyAlone));
    assert_eq!(world.bank.payments().len(), 1);
    Ok(())
}

#[tokio::test]
async fn test_of_a_recipe_stops_before_the_last_click() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    let report = world.run(&world.recipe(), &payment(), Mode::Test).await;
    assert_eq!(report.outcome, Outcome::Tested, "{report:?}");
    let amount = "{ label = \"Amount\" } # \"1.234,56 EUR\"".to_owned();
    assert!(report.elements.contains(&amount), "{:?}", report.elements);
    assert_eq!(world.bank.payments(), []);
    assert!(world.bank.requests().contains(&"GET /check".to_owned()));
    Ok(())
}

#[tokio::test]
async fn owner_who_says_no_or_nothing_stops_the_payment() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    let text = world.bank.recipe().replace("seconds = 180", "seconds = 1");
    let recipe = Recipe::parse(&text)?;
    for (person, words) in [
        (
            Person {
                reply: Some(Reply::No),
                never: false,
            },
            "the owner said no",
        ),
        (
            Person {
                reply: None,
                never: true,
            },
            "did not answer within 1 seconds",
        ),
    ] {
        let (settings, state) = (&world.settings, world.state.path());
        let report = run(
            settings,
            state,
            &recipe,
            &payment(),
            &Safe,
            Arc::new(person),
            Mode::Pay,
        )
        .await;
        let Outcome::NotPaid(problem) = &report.outcome else {
            panic!("{report:?}");
        };
        assert!(
            problem.to_string().starts_with("step 5 (second factor): "),
            "{problem}"
        );
        assert!(problem.why.contains(words), "{problem}");
    }
    assert_eq!(world.bank.payments(), []);
    Ok(())
}

/// A login that fails names its step, and neither the password nor the code is in any word.
#[tokio::test]
async fn secrets_are_in_no_word_of_a_report() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    let text = world.bank.recipe();
    for (from, to) in [
        // The field of the password is a button: what the server says of it has what was typed.
        (
            "name = \"Password\" }\nsecret",
            "name = \"Password\" }\nsecret",
        ),
        (
            "role = \"textbox\", name = \"Password\"",
            "role = \"button\", name = \"Log in\"",
        ),
        ("name = \"Payment accepted\"", "name = \"Never shown\""),
    ] {
        let recipe = Recipe::parse(&text.replacen(from, to, 1))?;
        let report = world.run(&recipe, &payment(), Mode::Test).await;
        let words = format!("{report:?}");
        assert!(
            !words.contains(BANK_PASSWORD) && !words.contains(BANK_CODE),
            "{words}"
        );
    }
    world.bank.set(BankFault::None);
    Ok(())
}
