//! A note that is dropped becomes a post: on Bluesky's PDS, and on snac, a server of the Fediverse.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use platinum_testkit::social::{FediverseServer as _, Pds, Snac};

use super::{Halves, Job, print};

/// A network with one account.
struct Network<C, P> {
    /// How many posts the account has.
    count: C,
    /// Posts a text directly.
    publish: P,
    /// How many posts there are when the next one is there.
    next: usize,
}

/// Runs the job on Bluesky's PDS.
pub(super) fn run_bluesky(rounds: usize) -> anyhow::Result<()> {
    println!("on Bluesky's PDS:");
    let server = Pds::start()?;
    let account = server.create_account("ada")?;
    let url = server.url();
    let halves = start(|role, folder| account.section("sky", &url, folder, role == "local"))?;
    let count = || Ok(server.posts(&account)?.len());
    let publish = |text: &str| {
        let others = serde_json::json!({});
        server.publish(&account, text, &others).map(drop)
    };
    let next = 1;
    print(
        &halves,
        &mut Network {
            count,
            publish,
            next,
        },
        rounds,
    )
}

/// Runs the job on snac.
pub(super) fn run_fediverse(rounds: usize) -> anyhow::Result<()> {
    println!("on snac:");
    let server = Snac::start()?;
    let account = server.create_account("ada")?;
    let url = server.url();
    let halves = start(|role, folder| {
        // Its tokens have no scopes: the cloud has none.
        let token = (role == "local").then_some(account.token.as_str());
        account.section("fedi", &url, folder, token)
    })?;
    let count = || Ok(server.posts(&account)?.len());
    let publish = |text: &str| Ok(server.publish(&account, text, None).map(drop)?);
    let next = 1;
    print(
        &halves,
        &mut Network {
            count,
            publish,
            next,
        },
        rounds,
    )
}

/// The daemons, with the accounts that the function writes for a role.
fn start(accounts: impl Fn(&str, &Path) -> anyhow::Result<String>) -> anyhow::Result<Halves> {
    let ready = ("local", "waiting for dropped files");
    Halves::start(Duration::ZERO, "\"social\"", ready, |role, folder| {
        let config = folder.join("social.toml");
        fs::write(&config, accounts(role, folder)?)?;
        Ok(format!("[zones.social]\nconfig = {config:?}\n"))
    })
}

impl<C, P> Job for Network<C, P>
where
    C: Fn() -> anyhow::Result<usize>,
    P: Fn(&str) -> anyhow::Result<()>,
{
    const ROWS: [(&'static str, &'static str); 2] = [
        ("a note is dropped -> its draft is on the remote", ""),
        (
            "the draft is moved -> the post is published",
            "the server's own call that publishes it",
        ),
    ];

    fn bring(&mut self, halves: &Halves, round: usize) -> anyhow::Result<()> {
        let note = halves.vault().join(format!("Inbox/opening-{round}.md"));
        let text = format!("---\nzone: social\nlanguage: en\n---\n{}\n", text(round));
        Ok(fs::write(note, text)?)
    }

    fn is_accepted(&mut self) -> anyhow::Result<bool> {
        Ok((self.count)()? >= self.next)
    }

    fn peers(&mut self, _: &Halves, round: usize) -> anyhow::Result<[Option<Duration>; 2]> {
        let began = Instant::now();
        (self.publish)(&format!("{} And once more.", text(round)))?;
        let took = began.elapsed();
        // That one and ours.
        self.next += 2;
        Ok([None, Some(took)])
    }
}

fn text(round: usize) -> String {
    format!("We open on Monday, day {round}. More: https://example.test/opening/{round}")
}
