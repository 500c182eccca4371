//! `platinum-intake`: turns one source of the outside into tasks, as a process of its own.
//!
//! It ends cleanly on SIGTERM and when its parent goes; killed at any moment, it goes on where it
//! was.

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use platinum_intake::{
    accounting::{
        odoo::{OdooSettings, OdooSource},
        pdf::{self, PdfReader},
    },
    folder::{FolderSettings, FolderSource},
    mail,
    social::source::{SocialSettings, SocialSource},
    source,
    stop::StopSignal,
    whatsapp::{WhatsappSettings, WhatsappSource},
};
use tracing_subscriber::EnvFilter;

/// Turns what comes in into tasks of the vault.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    source: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// New mails of one account become notes in Needs_Action/email.
    Mail(mail::Settings),
    /// Files that a person drops into the vault become notes in Needs_Action.
    Folder {
        #[command(flatten)]
        settings: FolderSettings,
        /// Take in what is there and end, instead of waiting for more.
        #[arg(long)]
        once: bool,
        /// Look at least this often, in seconds, even without a sign of a change.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1500))]
        every: u64,
    },
    /// Drafts that wait in Odoo become notes in Needs_Action/accounting.
    Odoo(OdooSettings),
    /// Posts that mention the owner become notes in Needs_Action/social.
    Social(SocialSettings),
    /// Conversations on WhatsApp become notes in Needs_Action/whatsapp; its webhook is received here.
    Whatsapp(WhatsappSettings),
    /// Reads a PDF from standard input and prints the e-invoice inside as text; for this program itself.
    #[command(hide = true)]
    ReadPdf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // The daemon that reads these lines adds the time.
        .without_time()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_env("PLATINUM_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    match run(arguments.source) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(source: Command) -> anyhow::Result<()> {
    if matches!(source, Command::ReadPdf) {
        return Ok(pdf::serve()?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // One poll ends by itself, and may well be given no input.
        let is_once = matches!(
            source,
            Command::Mail(mail::Settings { once: true, .. })
                | Command::Folder { once: true, .. }
                | Command::Odoo(OdooSettings { once: true, .. })
                | Command::Social(SocialSettings { once: true, .. })
                | Command::Whatsapp(WhatsappSettings { once: true, .. })
        );
        let mut stop = StopSignal::listen(!is_once)?;
        tokio::select! {
            reason = stop.wished() => {
                tracing::info!(reason, "ending");
                Ok(())
            }
            ended = watch(source) => ended,
        }
    })
}

async fn watch(source: Command) -> anyhow::Result<()> {
    match source {
        Command::Mail(settings) => Ok(mail::watch(&settings).await?),
        Command::Folder {
            mut settings,
            once,
            every,
        } => {
            settings.settled = once.then_some(Duration::ZERO);
            settings.pdfs = PdfReader::own_process()?;
            let folder = FolderSource::open(settings)?;
            Ok(source::run(folder, Duration::from_secs(every), once).await?)
        }
        Command::Social(settings) => {
            let social = SocialSource::open(&settings)?;
            Ok(source::run(social, Duration::from_secs(settings.every), settings.once).await?)
        }
        Command::Odoo(settings) => {
            let odoo = OdooSource::open(&settings)?;
            Ok(source::run(odoo, Duration::from_secs(settings.every), settings.once).await?)
        }
        Command::Whatsapp(settings) => {
            let whatsapp = WhatsappSource::open(&settings)?;
            let every = Duration::from_secs(settings.every);
            Ok(source::run(whatsapp, every, settings.once).await?)
        }
        // Done before there is a runtime.
        Command::ReadPdf => Ok(()),
    }
}
