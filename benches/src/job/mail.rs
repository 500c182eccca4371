//! A mail is answered: Dovecot over TLS, Postfix.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use platinum_testkit::mail::{CLIENT, MailServers, OWNER, Submission};

use super::{Halves, Job, measure, print, row};

/// Waits as any mail program does, and prints a line when it has begun to and when a mail is there.
const IDLE: &str = "\
import imaplib, ssl, sys
port, authority, user, password = sys.argv[1:]
imap = imaplib.IMAP4_SSL('localhost', int(port), ssl_context=ssl.create_default_context(cafile=authority))
imap.login(user, password)
imap.select()
imap.send(b'i IDLE\\r\\n')
while not imap.readline().startswith(b'+'): pass
print('waiting', flush=True)
while b'EXISTS' not in imap.readline(): pass
print('arrived', flush=True)
";

struct Mail {
    servers: MailServers,
    /// How many mails the other mailbox has when the next one is there.
    count: usize,
}

/// Runs the job, and again with a hold before the effect.
pub(super) fn run(rounds: usize, (held_rounds, hold): (usize, Duration)) -> anyhow::Result<()> {
    let (halves, mut mail) = start(Duration::ZERO)?;
    print(&halves, &mut mail, rounds)?;
    drop((halves, mail));
    let (halves, mut mail) = start(hold)?;
    let [_, (times, _)] = measure(&halves, &mut mail, held_rounds)?;
    let beyond: Vec<_> = times.iter().map(|time| time.saturating_sub(hold)).collect();
    let name = format!(
        "the same with hold-seconds = {}: beyond the hold",
        hold.as_secs()
    );
    row(&name, &beyond, "");
    Ok(())
}

fn start(hold: Duration) -> anyhow::Result<(Halves, Mail)> {
    let servers = MailServers::start()?;
    let ready = ("cloud", "waiting for mail");
    let halves = Halves::start(hold, "\"email\"", ready, |role, _| {
        let (watch, submission) = match role {
            "cloud" => (true, Submission::None),
            _ => (false, Submission::Tls),
        };
        let config = servers.config("owner", submission)?;
        Ok(format!(
            "[zones.email]\naccount = \"owner\"\nconfig = {config:?}\nwatch = {watch}\n"
        ))
    })?;
    Ok((halves, Mail { servers, count: 1 }))
}

impl Mail {
    fn has_arrived(&self) -> anyhow::Result<bool> {
        Ok(self.servers.mailbox(CLIENT)?.len() >= self.count)
    }

    /// How long it takes until IDLE says that there is a mail; nothing where there is no Python.
    fn idle(&mut self) -> anyhow::Result<Option<Duration>> {
        let python = Command::new("python3")
            .args(["-c", IDLE, &self.servers.imap_port().to_string()])
            .arg(self.servers.ca_path())
            .args([CLIENT, &self.servers.password(CLIENT)])
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut python) = python else {
            return Ok(None);
        };
        let mut lines = BufReader::new(python.stdout.take().context("no output")?).lines();
        let mut line = || {
            lines
                .next()
                .context("Python's IMAP client has failed")?
                .context("IDLE")
        };
        line()?;
        self.servers
            .deliver(CLIENT, mail_from(OWNER, CLIENT, "Idle").as_bytes())?;
        let arrived = Instant::now();
        line()?;
        let took = arrived.elapsed();
        python.wait()?;
        self.count += 1;
        Ok(Some(took))
    }

    /// How long curl takes to submit a mail until it is in the other mailbox.
    fn submit(&mut self, halves: &Halves) -> anyhow::Result<Duration> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), mail_from(OWNER, CLIENT, "Curl"))?;
        let began = Instant::now();
        let status = Command::new("curl")
            .args(["--silent", "--show-error", "--ssl-reqd", "--cacert"])
            .arg(self.servers.ca_path())
            .args([
                "--user",
                &format!("{OWNER}:{}", self.servers.password(OWNER)),
            ])
            .args(["--mail-from", OWNER, "--mail-rcpt", CLIENT, "--upload-file"])
            .arg(file.path())
            .arg(format!("smtps://localhost:{}", self.servers.smtps_port()))
            .status()
            .context("cannot start curl")?;
        ensure!(status.success(), "curl does not submit a mail: {status}");
        halves.await_true("curl's mail", || self.has_arrived())?;
        self.count += 1;
        Ok(began.elapsed())
    }
}

impl Job for Mail {
    const ROWS: [(&'static str, &'static str); 2] = [
        (
            "a mail arrives -> its draft is on the remote",
            "IDLE says that there is a mail (Python's imaplib)",
        ),
        (
            "the draft is moved -> the answer is in the other mailbox",
            "curl submits the same -> it is in the other mailbox",
        ),
    ];

    fn bring(&mut self, _: &Halves, round: usize) -> anyhow::Result<()> {
        let mail = mail_from(CLIENT, OWNER, &format!("Question {round}"));
        self.servers.deliver(OWNER, mail.as_bytes())
    }

    fn is_accepted(&mut self) -> anyhow::Result<bool> {
        self.has_arrived()
    }

    fn peers(&mut self, halves: &Halves, _: usize) -> anyhow::Result<[Option<Duration>; 2]> {
        // The answer itself is there.
        self.count += 1;
        Ok([self.idle()?, Some(self.submit(halves)?)])
    }
}

fn mail_from(from: &str, to: &str, subject: &str) -> String {
    let id = subject.replace(' ', "-");
    format!(
        "From: Clara <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Fri, 20 Nov 2026 17:42:00 +0100\r\n\
         Message-ID: <{id}@client.example>\r\n\r\nWould the third week suit you?\r\n"
    )
}
