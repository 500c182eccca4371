//! Kills and power cuts at random moments, each while mails leave to a server that does wrong what a
//! seed says. A life is one start of the daemon and its end by one of them.

use std::{thread, time::Duration};

use platinum_testkit::{
    mail::{MailServers, scripted_smtp::SmtpFault},
    seed, wait_for,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{
    assert_ended_once,
    fixture::{Machine, SOON, Sent, pause},
};

/// Lives after which everything is brought to its end.
const ROUND: usize = 12;
/// Machines at the same time: most of the time they wait.
const MACHINES: usize = 8;

/// How many lives there are.
fn lives() -> usize {
    let given = std::env::var("PLATINUM_SENDS").ok();
    given.map_or(6, |text| text.parse().unwrap())
}

/// What became of the lives and the mails of one machine.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    cuts: usize,
    /// Ends between an intent and its outcome.
    under_way: usize,
    mails: usize,
    refused: usize,
    in_doubt: usize,
}

/// When a life ends.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many milliseconds.
    Time(u64),
    /// So many milliseconds after a connection to the submission server.
    Connected(u64),
    /// At a sync of a file or a folder.
    Sync(usize),
}

#[test]
fn random_kills_and_power_cuts_send_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let (seed, lives) = (seed(), lives());
    let machines = lives.div_ceil(ROUND).min(MACHINES);
    let total = thread::scope(|scope| {
        let running: Vec<_> = (0..machines)
            .map(|number| {
                let lives = lives / machines + usize::from(number < lives % machines);
                // One in three is alone.
                let machine = match number % 3 {
                    2 => Machine::set,
                    _ => Machine::with_remote,
                };
                scope.spawn(move || live(machine(), seed.wrapping_add(number as u64), lives))
            })
            .collect();
        running
            .into_iter()
            .map(|machine| machine.join().unwrap())
            .fold(Figures::default(), |one, other| Figures {
                kills: one.kills + other.kills,
                cuts: one.cuts + other.cuts,
                under_way: one.under_way + other.under_way,
                mails: one.mails + other.mails,
                refused: one.refused + other.refused,
                in_doubt: one.in_doubt + other.in_doubt,
            })
    });
    println!(
        "FIGURE: {} kills and {} power cuts, {} of them with an intent open; of {} mails {} were \
         refused by the server and {} ended in doubt",
        total.kills, total.cuts, total.under_way, total.mails, total.refused, total.in_doubt
    );
}

/// One machine and its lives.
fn live(mut machine: Machine, seed: u64, lives: usize) -> Figures {
    println!("a machine of seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut figures = Figures::default();
    // The skills are compiled here, and not after every power cut.
    machine.start("");
    machine.wait("the daemon", SOON, |machine| {
        machine.log().contains("The local half is up")
    });
    machine.kill();
    let mut drafts = Vec::new();
    for life in 0..lives {
        for number in 0..random.random_range(1..=2) {
            let to = format!("mail-{life}-{number}@example.test");
            let fault = fault(&mut random);
            println!("{seed}: {to}: {fault:?}");
            machine.smtp.set_faults(&to, fault);
            drafts.push(machine.draft(&to));
            figures.mails += 1;
        }
        let is_cut = random.random_bool(0.7);
        let moment = match random.random_range(0..4) {
            0 => Moment::Time(random.random_range(100..=2500)),
            1 => Moment::Connected(random.random_range(0..=200)),
            _ if is_cut => Moment::Sync(random.random_range(0..=150)),
            _ => Moment::Connected(random.random_range(0..=50)),
        };
        println!("{seed}: life {life}: power cut {is_cut}, {moment:?}");
        // Half of them are approved while the daemon runs.
        let is_running = random.random_bool(0.5);
        let new = machine.not_approved(&drafts);
        if !is_running {
            new.iter().for_each(|draft| machine.say_yes(draft));
        }
        let connections = machine.smtp.connections();
        match is_cut {
            true => machine.start_with_power(),
            false => machine.start(""),
        }
        if is_running {
            new.iter().for_each(|draft| machine.say_yes(draft));
        }
        wait_until(moment, &machine, connections);
        match is_cut {
            true => {
                let survives = *[0.0, 0.0, 0.5].get(random.random_range(0..3)).unwrap();
                machine.cut_power(|| random.random_bool(survives));
                figures.cuts += 1;
            }
            false => {
                machine.kill();
                figures.kills += 1;
            }
        }
        let is_under_way = drafts.iter().any(|draft| machine.is_under_way(draft));
        figures.under_way += usize::from(is_under_way);
        if (life + 1) % ROUND == 0 || life + 1 == lives {
            end(&mut machine, &drafts, &mut figures);
            drafts.clear();
        }
    }
    figures
}

fn wait_until(moment: Moment, machine: &Machine, connections: usize) {
    let at_most = Duration::from_secs(5);
    // If nothing leaves in this life, it ends then.
    let _ = match moment {
        Moment::Time(milliseconds) => {
            pause(milliseconds);
            Ok(())
        }
        Moment::Connected(milliseconds) => {
            let connected = wait_for("a connection", at_most, || {
                Ok((machine.smtp.connections() > connections).then_some(()))
            });
            pause(milliseconds);
            connected
        }
        Moment::Sync(syncs) => {
            machine.cut_after(syncs);
            wait_for("the sync", at_most, || Ok(machine.is_cut().then_some(())))
        }
    };
}

/// Every approved draft comes to one of three ends, and each doubt to its choice.
fn end(machine: &mut Machine, drafts: &[Sent], figures: &mut Figures) {
    machine.start("");
    for draft in drafts {
        machine.wait(&format!("{} to end", draft.to), SOON, |machine| {
            machine.is_done(draft) || machine.is_unknown(draft) || machine.is_refused(draft)
        });
    }
    let (refused, others): (Vec<_>, Vec<_>) = drafts
        .iter()
        .cloned()
        .partition(|draft| machine.is_refused(draft));
    for draft in &refused {
        assert_eq!(machine.taken(draft), 0, "{}", draft.to);
    }
    figures.refused += refused.len();
    let in_doubt = others.iter().filter(|draft| machine.is_unknown(draft));
    figures.in_doubt += in_doubt.count();
    assert_ended_once(machine, &others);
    machine.assert_no_mail_twice();
    machine.kill();
}

/// What the server does wrong with the first mail to a recipient.
fn fault(random: &mut StdRng) -> Option<SmtpFault> {
    let is_taken = random.random_bool(0.5);
    match random.random_range(0..12) {
        0 => Some(SmtpFault::RefuseRecipient("450 4.2.1 busy")),
        1 => Some(SmtpFault::RefuseRecipient("550 5.1.1 no such user")),
        2 => Some(SmtpFault::CloseAtRecipient),
        3 => Some(SmtpFault::RefuseData("451 4.3.0 later")),
        4 => Some(SmtpFault::CloseAtData),
        5 => Some(SmtpFault::CloseInMessage),
        6 => Some(SmtpFault::RefuseMessage("451 4.3.0 later")),
        7 => Some(SmtpFault::RefuseMessage("554 5.7.1 spam")),
        8 => Some(SmtpFault::CloseAfterMessage { is_taken }),
        9 => Some(SmtpFault::StallAfterMessage {
            is_taken,
            milliseconds: random.random_range(100..1500),
        }),
        _ => None,
    }
}
