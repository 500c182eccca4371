//! `platinum hook install`: makes a bare repository on this machine judge what is pushed to it.
//!
//! Invariants: a hook that Platinum did not write is left as it is; a second run changes nothing but
//! the list of trusted keys.

use std::{
    ffi::OsStr,
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use platinum_daemon::Config;
use platinum_repo::Signers;
use platinum_verify::{gate::allowed_places, hook::ALLOWED, hook::SIGNERS, identity::SIGNERS_FILE};

use super::super::{CommandError, Context, Kind};

/// Git's settings by which history only grows and every object is checked.
const SETTINGS: [(&str, &str); 3] = [
    ("receive.denyNonFastForwards", "true"),
    ("receive.denyDeletes", "true"),
    ("receive.fsckObjects", "true"),
];
/// Marks a hook as ours.
const MARK: &str = "# Written by `platinum hook install`";

/// Make a bare repository refuse the pushes that both daemons would refuse.
#[derive(Debug, clap::Args)]
pub(crate) struct InstallArgs {
    /// The bare repository.
    repository: PathBuf,
    /// The keys to trust, `-` for those on stdin [default: those that this host trusts].
    #[arg(long, value_name = "FILE")]
    signers: Option<PathBuf>,
    /// With --signers: what looks like a secret and may be pushed, as `secrets.allow` of the owner's machine, or an
    /// entry that `platinum allow` printed there.
    #[arg(long, value_name = "KIND|PLACE", requires = "signers")]
    allow: Vec<String>,
}

/// Longest list of keys that is read from stdin, in bytes.
const MAX_SIGNERS_BYTES: u64 = 1 << 20;

pub(crate) fn run(args: &InstallArgs, ctx: &Context) -> Result<(), CommandError> {
    let repository = std::path::absolute(&args.repository)?;
    if !repository.join("HEAD").is_file() || !repository.join("objects").is_dir() {
        return Err(CommandError::new(
            Kind::NotFound,
            format!("{} is not a bare repository", repository.display()),
        )
        .hint("`git init --bare FOLDER` makes one"));
    }
    let mut allowed = (!args.allow.is_empty()).then(|| args.allow.join("\n"));
    let list = match &args.signers {
        Some(file) => file.clone(),
        None => {
            let config = own_config(ctx, &repository)?;
            super::super::keys::identity(&config)?;
            let places = allowed_places(&config.vault.state.join("vault.git"))?;
            let places = places.iter().map(ToString::to_string);
            let all: Vec<_> = config.secrets.allow.iter().cloned().chain(places).collect();
            allowed = Some(all.join("\n"));
            config.vault.state.join(SIGNERS_FILE)
        }
    };
    let failed = |path: &Path, what: &dyn std::fmt::Display| {
        CommandError::new(Kind::Failed, format!("{}: {what}", path.display()))
    };
    let text = match list.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin().take(MAX_SIGNERS_BYTES)),
        false => fs::read_to_string(&list),
    };
    let text = text.map_err(|error| failed(&list, &error))?;
    let signers = Signers::parse(&text).map_err(|error| failed(&list, &error))?;
    let kept = repository.join(SIGNERS);
    if let Some(folder) = kept.parent() {
        fs::create_dir_all(folder)?;
    }
    write(&kept, &signers.to_string(), 0o644)?;
    // What the owner allows to leave this machine must be accepted there.
    if let Some(allowed) = allowed {
        write(&repository.join(ALLOWED), &allowed, 0o644)?;
    }
    for (key, value) in SETTINGS {
        set(&repository, key, value)?;
    }
    // Last: from here on every push is judged.
    let program = std::env::current_exe()?;
    install(&repository, &program)?;
    let mut text = format!(
        "{} checks every push from now on. It trusts:\n",
        repository.display()
    );
    for signer in signers.iter() {
        text.push_str(&format!(
            "  {} ({}) {}\n",
            signer.agent,
            signer.role,
            signer.key.fingerprint()
        ));
    }
    ctx.print(&text)
}

/// The configuration of this host, whose keys are trusted. A server that only keeps the repository has none.
fn own_config(ctx: &Context, repository: &Path) -> Result<Config, CommandError> {
    if ctx.config_path().exists() {
        return ctx.load();
    }
    Err(CommandError::new(
        Kind::Config,
        format!(
            "no configuration at {}, so no keys to trust are known here",
            ctx.config_path().display()
        ),
    )
    .hint("give it the keys that your machine trusts; there, with the path of its `vault.state`:")
    .hint(format!(
        "ssh HOST platinum hook install {} --signers - < ~/.local/state/platinum/local/{SIGNERS_FILE}",
        repository.display()
    )))
}

fn install(repository: &Path, program: &Path) -> Result<(), CommandError> {
    let Some(program) = program.to_str() else {
        return Err(CommandError::new(
            Kind::Failed,
            format!(
                "{} is not UTF-8, as the path in a hook must be",
                program.display()
            ),
        ));
    };
    let hook = repository.join("hooks/pre-receive");
    if let Ok(there) = fs::read_to_string(&hook)
        && !there.contains(MARK)
    {
        return Err(CommandError::new(
            Kind::Conflict,
            format!(
                "{} exists already, and Platinum did not write it",
                hook.display()
            ),
        )
        .hint("move it away, or call `platinum hook pre-receive` in it with the same stdin"));
    }
    if let Some(folder) = hook.parent() {
        fs::create_dir_all(folder)?;
    }
    let quoted = program.replace('\'', r"'\''");
    let text = format!(
        "#!/bin/sh\n{MARK}: refuses what may not get into the vault.\nexec '{quoted}' hook \
         pre-receive\n"
    );
    write(&hook, &text, 0o755)
}

/// Writes a file whole, under its final mode.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CommandError> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(mode))?;
    Ok(fs::rename(&new, path)?)
}

fn set(repository: &Path, key: &str, value: &str) -> Result<(), CommandError> {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            git.env_remove(name);
        }
    }
    let output = git
        .arg("--git-dir")
        .arg(repository)
        .args([OsStr::new("config"), OsStr::new(key), OsStr::new(value)])
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(CommandError::new(
        Kind::Failed,
        format!("git config {key}: {}", stderr.trim()),
    ))
}
