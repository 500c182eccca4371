//! `platinum-email-draft login --config FILE [ACCOUNT]`: a person grants access to an account with OAuth 2, once. Both
//! mail servers have it, so that `platinum mail login` and `platinum-cloud mail login` each ask for what their half needs.
//! `settings ADDRESS` says what to write into a mail file.
//!
//! Lives elsewhere: the exchange with the provider is `platinum-connect`; this is what is printed and read.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use platinum_connect::oauth::OAuthSettings;
use platinum_connect::oauth::login::{Person, log_in};
use platinum_connect::{Credential, autoconfig};
use platinum_mailbox::{Backend, Config};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};

/// Grants access to a mail account with OAuth, once.
#[derive(Debug, clap::Parser)]
#[command(name = "login")]
struct Arguments {
    /// The mail file (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The account; the only one with a table `oauth`, if none is named.
    account: Option<String>,
}

/// Says what to write into a mail file for an address: from a preset, or from what its domain says.
#[derive(Debug, clap::Parser)]
#[command(name = "settings")]
struct SettingsArguments {
    /// The address.
    address: String,
}

/// Runs the command that the program was called with, if it is one of these; nothing otherwise.
pub async fn run_if_asked() -> Option<anyhow::Result<()>> {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    match words.first()?.to_str()? {
        "login" => Some(run(&Arguments::parse_from(words)).await),
        "settings" => Some(show_settings(&SettingsArguments::parse_from(words)).await),
        _ => None,
    }
}

async fn show_settings(arguments: &SettingsArguments) -> anyhow::Result<()> {
    let address = arguments.address.trim();
    let found = autoconfig::look_up(address, |domain| autoconfig::places(domain).into()).await?;
    print!("{}", found.mail_file(address));
    Ok(())
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Config::load(&arguments.config)?;
    let file = arguments.config.display();
    let all: Vec<(&OAuthSettings, &str)> =
        config.accounts.values().filter_map(of_account).collect();
    let chosen = match &arguments.account {
        Some(name) => all.iter().find(|(settings, _)| settings.account == *name),
        None if all.len() > 1 => {
            let names: Vec<_> = all
                .iter()
                .map(|(settings, _)| settings.account.as_str())
                .collect();
            bail!(
                "{file} has several accounts with OAuth; name one of them: {}",
                names.join(", ")
            )
        }
        None => all.first(),
    };
    let (settings, user) = chosen.with_context(|| match &arguments.account {
        Some(name) => format!("{file} has no table [account.{name}.oauth]"),
        None => format!("{file} has no table [account.NAME.oauth]: a password needs no login"),
    })?;
    let mut terminal = Terminal {
        lines: BufReader::new(tokio::io::stdin()).lines(),
    };
    log_in(settings, user, &mut terminal).await?;
    println!(
        "Access to {} is granted and kept in {}. It is renewed by itself.",
        settings.account, settings.store
    );
    Ok(())
}

fn of_account(account: &platinum_mailbox::Account) -> Option<(&OAuthSettings, &str)> {
    match &account.backend {
        Backend::Imap(imap) => match &imap.credential {
            Credential::OAuth(settings) => Some((settings, &imap.user)),
            Credential::Password(_) => None,
        },
        Backend::Maildir(_) => None,
    }
}

/// The person at standard input and output.
struct Terminal {
    lines: Lines<BufReader<Stdin>>,
}

impl Person for Terminal {
    fn show_code(&mut self, url: &str, code: &str) {
        println!(
            "On any device, open {url}\nand enter the code {code}\nWaiting for you to agree there…"
        );
    }

    fn show_address(&mut self, url: &str) {
        println!(
            "Open this in a browser and agree there:\n\n{url}\n\nIf the browser is on another machine, it will fail to \
             open the last page: paste the address of that page here and press Enter."
        );
    }

    async fn entered_address(&mut self) -> Option<String> {
        self.lines.next_line().await.ok().flatten()
    }
}
