//! `cargo xtask demo`: the main job end to end, on a sample mailbox, under `target/demo`.
//!
//! Everything is real but the mailbox, which is a Maildir: two daemons, two clones of a vault, a
//! bare repository between them, the skills as components, the mail server over MCP. Sending
//! writes into the mailbox's outbox; nothing leaves the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::{setup, steps::Step};

const SAMPLE: &str = include_str!("../demo/first-mail.eml");
const HANDBOOK: &str = "# Company handbook\n\nWe answer within a day, in the language of the mail, short and friendly.\n";
/// How long one step of the story may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the story. Without `yes` the person at the keyboard approves.
pub(crate) fn run(root: &Path, yes: bool) -> anyhow::Result<()> {
    // Beside each other: the skills fill the cores while one crate keeps all others waiting.
    let (skills, programs) = std::thread::scope(|scope| {
        let skills = scope.spawn(|| setup::skills(root, setup::Skills::Only));
        let programs = setup::programs(root);
        anyhow::Ok((setup::joined(skills)?, programs?))
    })?;
    let demo = Demo::set(&root.join("target/demo"), programs)?;

    heading("The two halves learn each other's keys, once.");
    demo.exchange_keys()?;

    heading("The owner adds the skills. Each says what it may do; a changed one would not run.");
    let skills = skills.to_string_lossy();
    let arguments = ["skill", "add", "--all", "--yes", &skills];
    println!(
        "{}",
        indented(&demo.line("platinum", "local.toml", &arguments)?)
    );

    heading("The owner's machine is off. A mail arrives.");
    fs::write(
        demo.folder.join("inbox/new/1.sample"),
        SAMPLE.replace('\n', "\r\n"),
    )?;
    let arrived = Instant::now();
    let mut cloud = demo.daemon("platinum-cloud", "cloud.toml")?;
    let step =
        Step::start("The cloud daemon starts, claims the task, drafts, and asks for approval");
    wait("a draft on the remote", || {
        cloud.is_up()?;
        Ok(demo
            .on_remote("Pending_Approval")?
            .lines()
            .any(|path| path.ends_with(".md"))
            .then_some(()))
    })?;
    step.done();
    println!(
        "  {:.1} s from the mail to the draft, the daemon's start included.",
        arrived.elapsed().as_secs_f32()
    );

    heading("The owner's machine comes back.");
    let mut local = demo.daemon("platinum", "local.toml")?;
    let step = Step::start("The local daemon fetches and checks what the cloud did");
    let pending = demo.vault("local").join("Pending_Approval");
    let draft = wait("the draft in the owner's vault", || {
        local.is_up()?;
        first_note(&pending)
    })?;
    step.done();
    println!(
        "\n{}\n{}",
        relative(&draft, &demo.folder),
        indented(&fs::read_to_string(&draft)?)
    );

    let id = draft
        .file_stem()
        .and_then(|stem| stem.to_str())
        .context("the draft has no name")?;
    if yes {
        heading("The owner fills in the gaps and approves.");
        let answered = answer(&fs::read_to_string(&draft)?);
        let body = answered.split("\n---\n").nth(1).unwrap_or(&answered);
        println!("{}", indented(body.trim()));
        // As an editor saves: beside the file, then over it.
        let beside = demo.folder.join("edited.md");
        fs::write(&beside, &answered)?;
        fs::rename(&beside, &draft)?;
        println!("  $ platinum approve {id}");
        demo.approve(id)?;
    } else {
        heading("It is your turn: approve the draft.");
        println!(
            "  Fill in the gaps marked [✎ …], then move it, in a file manager or Obsidian or with\n\n    \
             mv '{}' '{}'\n\n  or give the command\n\n    {} --config {} approve {id}\n\n  \
             With a gap left it comes back to Pending_Approval/. In this demo it leaves at once\n  \
             (hold-seconds = 0). Waiting. Ctrl-C ends the demo; nothing is sent then.",
            draft.display(),
            demo.vault("local").join("Approved/").display(),
            demo.programs.join("platinum").display(),
            demo.folder.join("local.toml").display(),
        );
    }
    let approved = Instant::now();
    let outbox = demo.folder.join("mail/.Outbox/new");
    let step = Step::start(match yes {
        true => "The local daemon sends it, files the task, updates the dashboard",
        false => "Your approval; then the local daemon sends it and updates the dashboard",
    });
    let patience = if yes {
        PATIENCE
    } else {
        Duration::from_secs(24 * 3600)
    };
    let sent = wait_for(patience, "the mail in the outbox", || {
        local.is_up()?;
        first_file(&outbox)
    })?;
    let took = approved.elapsed();
    let done = demo.vault("local").join("Done");
    wait("the task in Done/", || {
        Ok((count_notes(&done)? > 0).then_some(()))
    })?;
    let board = demo.vault("local").join("Dashboard.md");
    wait("the dashboard", || {
        Ok(fs::read_to_string(&board)
            .ok()
            .filter(|text| text.contains("Done: ")))
    })?;
    wait("the owner's work on the remote", || {
        Ok((!demo.on_remote("Done")?.is_empty()).then_some(()))
    })?;
    step.done();
    if yes {
        println!(
            "  {:.2} s from the approval to the outbox.",
            took.as_secs_f32()
        );
    }

    heading("What was sent");
    println!("{}", indented(&fs::read_to_string(&sent)?));
    heading("The owner's vault");
    tree(&demo.vault("local"), 1)?;
    heading("Dashboard.md");
    println!("{}", indented(&fs::read_to_string(&board)?));
    stop(local)?;
    stop(cloud)?;
    println!("\nAll of it is in {}; look around.", demo.folder.display());
    Ok(())
}

/// The draft with its gaps filled, as its owner might.
fn answer(draft: &str) -> String {
    let mut answers = [
        "The third week of January suits me well.",
        "The day costs 1,800 euros, travel included.",
    ]
    .into_iter();
    draft
        .lines()
        .filter(|line| !line.starts_with("[✎ Drafted without"))
        .map(|line| match line {
            "[✎ answer]" => answers.next().unwrap_or_default().to_owned(),
            "[✎ your name]" => "The owner".to_owned(),
            other => other.to_owned(),
        })
        .map(|line| line + "\n")
        .collect()
}

/// The folder the story plays in.
struct Demo {
    folder: PathBuf,
    programs: PathBuf,
}

impl Demo {
    fn set(folder: &Path, programs: PathBuf) -> anyhow::Result<Self> {
        match fs::remove_dir_all(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("the demo of last time cannot be removed"),
        }
        // The cloud has the mailbox that mail comes to; only the owner's has an outbox.
        for box_folder in [
            "inbox",
            "mail",
            "mail/.Drafts",
            "mail/.Sent",
            "mail/.Outbox",
        ] {
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(folder.join(box_folder).join(part))?;
            }
        }
        let demo = Self {
            folder: folder.to_owned(),
            programs,
        };
        demo.git(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            "remote.git",
        ])?;
        for key in ["receive.denyNonFastForwards", "receive.denyDeletes"] {
            demo.git(&["-C", "remote.git", "config", key, "true"])?;
        }
        for (role, watch, mailbox) in [("cloud", true, "inbox"), ("local", false, "mail")] {
            fs::write(
                folder.join(format!("{role}-mail.toml")),
                format!(
                    "[account.owner]\naddress = \"Owner <owner@example.test>\"\nbackend = \"maildir\"\npath = {:?}\n",
                    folder.join(mailbox)
                ),
            )?;
            let vault = folder.join(role).join("vault");
            fs::create_dir_all(&vault)?;
            fs::write(
                folder.join(format!("{role}.toml")),
                format!(
                    "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
                     [sync]\nremote = {:?}\nevery-seconds = 1\n\n\
                     [approvals]\nhold-seconds = 0\n\n\
                     [work]\nskills = {:?}\nzones = [{}]\n\n\
                     [zones.email]\naccount = \"owner\"\nconfig = \"{role}-mail.toml\"\nwatch = {watch}\n",
                    folder.join("remote.git"),
                    folder.join("skills"),
                    if watch { "\"email\"" } else { "" },
                ),
            )?;
        }
        fs::write(demo.vault("local").join("Company_Handbook.md"), HANDBOOK)?;
        Ok(demo)
    }

    fn vault(&self, role: &str) -> PathBuf {
        self.folder.join(role).join("vault")
    }

    fn git(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("git")
            .current_dir(&self.folder)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .context("git is needed, and cannot be started")?;
        if !output.status.success() {
            bail!(
                "git {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The files the remote has in a folder, a line each.
    fn on_remote(&self, folder: &str) -> anyhow::Result<String> {
        if self
            .git(&[
                "-C",
                "remote.git",
                "rev-parse",
                "--verify",
                "--quiet",
                "main",
            ])
            .is_err()
        {
            return Ok(String::new());
        }
        self.git(&[
            "-C",
            "remote.git",
            "ls-tree",
            "-r",
            "--name-only",
            "main",
            "--",
            folder,
        ])
    }

    /// What `platinum trust "$(ssh HOST platinum-cloud trust … "'$(platinum key)'")"` does between
    /// two machines.
    fn exchange_keys(&self) -> anyhow::Result<()> {
        let local = self.line("platinum", "local.toml", &["key"])?;
        let cloud = self.line("platinum-cloud", "cloud.toml", &["trust", &local])?;
        self.line("platinum", "local.toml", &["trust", &cloud])?;
        Ok(())
    }

    /// Runs a command: what it says is shown, what it prints is answered.
    fn line(&self, program: &str, config: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(self.programs.join(program))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join(config))
            .output()
            .with_context(|| format!("{program} cannot be started"))?;
        let printed = String::from_utf8_lossy(&output.stderr);
        print!("{}", indented(&printed));
        if !output.status.success() {
            bail!("{program} {arguments:?}: {printed}");
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn daemon(&self, program: &str, config: &str) -> anyhow::Result<Daemon> {
        let log = self.folder.join(config).with_extension("log");
        let child = Command::new(self.programs.join(program))
            .args(["run", "--config"])
            .arg(self.folder.join(config))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        Ok(Daemon { child, log })
    }

    fn approve(&self, id: &str) -> anyhow::Result<()> {
        let output = Command::new(self.programs.join("platinum"))
            .arg("approve")
            .arg(id)
            .arg("--config")
            .arg(self.folder.join("local.toml"))
            .output()?;
        print!("{}", indented(&String::from_utf8_lossy(&output.stdout)));
        if !output.status.success() {
            bail!(
                "platinum approve: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }
}

/// A running daemon; killed when dropped.
struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Fails if the daemon has ended.
    fn is_up(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let text = fs::read_to_string(&self.log).unwrap_or_default();
                bail!(
                    "a daemon has ended ({status}); its log:\n{}",
                    indented(&text)
                )
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // The story was cut short: what the daemon said may tell why.
            eprintln!("\nThe log {} ends with:", self.log.display());
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[lines.len().saturating_sub(15)..] {
                eprintln!("  {line}");
            }
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// Asks a daemon to stop and waits until it has.
fn stop(mut daemon: Daemon) -> anyhow::Result<()> {
    Command::new("kill")
        .arg(daemon.child.id().to_string())
        .status()
        .context("cannot start the program `kill`: apt-get install procps")?;
    wait("the daemon's end", || {
        Ok(daemon.child.try_wait()?.map(|_| ()))
    })
}

fn wait<T>(what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    wait_for(PATIENCE, what, look)
}

/// Looks until there is something to see, or the patience ends.
fn wait_for<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    let (_keep, pause) = std::sync::mpsc::channel::<()>();
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            bail!("{what} did not come within {} s", patience.as_secs());
        }
        // A pause between two looks, not a wait for a state.
        pause.recv_timeout(Duration::from_millis(30)).ok();
    }
}

fn first_file(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(None);
    };
    // A hidden file is one that is being written.
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| !is_hidden(path)).min())
}

fn first_note(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    Ok(first_file(folder)?.filter(|path| path.extension().is_some_and(|end| end == "md")))
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes);
    name.is_some_and(|name| name.starts_with(b"."))
}

fn count_notes(folder: &Path) -> anyhow::Result<usize> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(0);
    };
    let mut count = 0;
    for entry in entries {
        let path = entry?.path();
        count += if path.is_dir() {
            count_notes(&path)?
        } else {
            usize::from(path.extension().is_some_and(|end| end == "md"))
        };
    }
    Ok(count)
}

fn tree(folder: &Path, depth: usize) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let is_folder = entry.file_type()?.is_dir();
        println!(
            "{}{name}{}",
            "  ".repeat(depth),
            if is_folder { "/" } else { "" }
        );
        if is_folder {
            tree(&entry.path(), depth + 1)?;
        }
    }
    Ok(())
}

fn heading(text: &str) {
    println!("\n── {text}");
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {}\n", line.trim_end()))
        .collect()
}

fn relative(path: &Path, base: &Path) -> String {
    path.strip_prefix(base)
        .unwrap_or(path)
        .display()
        .to_string()
}
