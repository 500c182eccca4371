//! Odoo with the addon `platinum_draft_only`: a drafter drafts and nothing else, and the owner is not hindered.
//!
//! Lives here: the table of ways to act (`ways/*.txt`) and what is expected of it. The drafter of the table has all
//! rights of accounting, sales and contacts besides the group. Lives elsewhere: `world` plays and judges;
//! what a cloud host makes of bills on a real Odoo is in `bills`, and the way through both daemons in `halves`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    reason = "all of this binary is tests: a panic is a failed test with a line number"
)]

mod approving;
mod bills;
mod doctor;
mod drafting;
mod halves;
mod waiting;
mod world;

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use platinum_testkit::odoo::{HOOKS, OdooServer, OdooUser};

use world::{Section, World, sections};

/// Each file of ways.
const WAYS: [&str; 9] = [
    include_str!("ways/posting.txt"),
    include_str!("ways/lying.txt"),
    include_str!("ways/others.txt"),
    include_str!("ways/money.txt"),
    include_str!("ways/mail.txt"),
    include_str!("ways/settings.txt"),
    include_str!("ways/links.txt"),
    include_str!("ways/fields.txt"),
    include_str!("ways/models.txt"),
];
/// The tag of a way that Odoo itself refuses, or that changes nothing there.
const HELD_BY_ODOO: &str = "odoo";
/// Hooks without which the others still hold everything. They give the reason in the caller's words.
const SECOND_WALL: [&str; 2] = ["account.move.unlink", "account.move._post"];

fn ways() -> Vec<Section> {
    WAYS.into_iter().flat_map(sections).collect()
}

/// The world of all tests of this file, one test at a time; `None` where there is no Odoo.
fn world() -> anyhow::Result<Option<MutexGuard<'static, World>>> {
    static WORLD: OnceLock<Result<Mutex<World>, String>> = OnceLock::new();
    if !OdooServer::present()? {
        return Ok(None);
    }
    let world = WORLD.get_or_init(|| {
        let world = OdooServer::start_with_hooks().and_then(World::build);
        world.map(Mutex::new).map_err(|error| format!("{error:#}"))
    });
    match world {
        Ok(world) => Ok(Some(world.lock().unwrap_or_else(PoisonError::into_inner))),
        Err(error) => anyhow::bail!("{error}"),
    }
}

/// How each way ends: its faults, and the last answer for the message of a failed test.
fn faults(world: &World, way: &Section) -> (Vec<String>, String) {
    let answer = match world.play(OdooUser::PowerfulDrafter, way) {
        Ok(answer) => answer.to_string(),
        Err(refusal) => refusal.to_string(),
    };
    (world.judge().unwrap(), answer)
}

fn complain(what: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{what}:\n  {}",
        complaints.join("\n  ")
    );
}

/// What the addon is for.
#[test]
fn ways_to_act_do_not_get_through() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let ways = ways();
    let mut through = Vec::new();
    for way in &ways {
        let (faults, answer) = faults(&world, way);
        if !faults.is_empty() {
            through.push(format!("{}: {faults:?} ({answer})", way.name));
        }
    }
    world.run_crons()?;
    through.extend(world.judge()?);
    complain("got through", &through);
    println!(
        "FIGURE: {} ways to act as a drafter, none got through",
        ways.len()
    );
    Ok(())
}

/// That the table means something: without the hooks each way acts, but for those that Odoo refuses.
#[test]
fn ways_to_act_get_through_without_the_addon() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let mut wrong = Vec::new();
    let mut through = 0;
    world.server().without_hooks(&HOOKS, || {
        for way in ways() {
            let (faults, answer) = faults(&world, &way);
            let is_held = way.tags.iter().any(|tag| tag == HELD_BY_ODOO);
            through += usize::from(!faults.is_empty());
            if faults.is_empty() != is_held {
                wrong.push(format!("{}: {faults:?} ({answer})", way.name));
            }
        }
    })?;
    complain("not as its tag says", &wrong);
    println!("FIGURE: {through} of them got through without the addon");
    Ok(())
}

/// That no hook is decoration.
#[test]
fn ways_to_act_get_through_without_their_hook() -> anyhow::Result<()> {
    let Some(world) = world()? else { return Ok(()) };
    let ways = ways();
    let mut wrong = Vec::new();
    for hook in HOOKS {
        let mut count = 0;
        for way in ways
            .iter()
            .filter(|way| way.tags.iter().any(|tag| tag == hook))
        {
            let (faults, answer) = world
                .server()
                .without_hooks(&[hook], || faults(&world, way))?;
            count += 1;
            if faults.is_empty() {
                wrong.push(format!("{hook}: {}: {answer}", way.name));
            }
        }
        if (count == 0) != SECOND_WALL.contains(&hook) {
            wrong.push(format!("{hook} has {count} ways"));
        }
    }
    complain("held by another hook", &wrong);
    Ok(())
}

#[test]
fn ways_have_names_of_their_own_and_known_tags() {
    let ways = ways();
    assert!(ways.len() > 200, "{}", ways.len());
    let names: BTreeSet<&str> = ways.iter().map(|way| way.name.as_str()).collect();
    assert_eq!(names.len(), ways.len());
    for way in &ways {
        for tag in &way.tags {
            let is_known = tag == HELD_BY_ODOO || HOOKS.contains(&tag.as_str());
            assert!(is_known, "{}: {tag}", way.name);
        }
    }
}
