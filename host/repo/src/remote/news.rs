//! [`News`]: noticing soon, and at little cost, that others moved the branch.
//!
//! Lives here: what is asked when, and how an answer is read. Lives elsewhere: the ways of asking,
//! one file each: a folder is looked into (`folder`), git's daemon on this machine is asked over a
//! socket (`daemon`), a host of ours is listened to over ssh (`watch`); every other remote is asked
//! by git's own client.
//! Invariants: news is a courtesy: whoever misses one learns of it by the caller's own timer, and
//! nothing is decided by it. Every wait has an end; nothing prompts; a future that is given up
//! loses no news, only its own wait.

use std::time::Duration;

use git2::Oid;
use rand::Rng as _;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    address::Way,
    daemon,
    folder::{self, Looked},
    git::GitRemote,
    watch::{Line, Watching},
};

/// How long after something happened the next news is likely.
const LIVELY: Duration = Duration::from_secs(600);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(20);
/// How long a host that has no `platinum hook watch` is not asked for it again.
const NO_WATCH: Duration = Duration::from_secs(6 * 3600);
/// So many looks in a row that fail are no accident.
const LOST: u32 = 2;
/// The longest pause between two looks at a remote that is away.
const AWAY: Duration = Duration::from_secs(30);

/// What was heard of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It points there now (`None`: there is none), which is not where it was known to point.
    Moved(Option<Oid>),
    /// The remote answers again after it did not.
    Back,
    /// The remote does not answer any more; told once.
    Lost,
    /// It answered, and the branch stayed where it was.
    Quiet,
    /// The remote is still away, or nobody can say.
    Unknown,
}

/// What listening remembers between two calls.
#[derive(Debug)]
pub(super) struct Ear {
    known: Option<Oid>,
    /// When something last happened: here or there.
    lively: Instant,
    /// Not asked before then.
    next: Instant,
    /// Looks that failed in a row.
    failures: u32,
    /// Whether it answered, and nobody was told yet that it does not any more.
    answers: bool,
    folder: folder::Look,
    watching: Option<Watching>,
    no_watch_until: Option<Instant>,
}

/// What one wait brought.
enum Heard {
    Tip(Option<Oid>),
    /// The connection lives; the branch did not move.
    Alive,
    Failed(String),
}

impl Default for Ear {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            known: None,
            lively: now,
            next: now,
            failures: 0,
            answers: false,
            folder: folder::Look::default(),
            watching: None,
            no_watch_until: None,
        }
    }
}

impl Ear {
    /// Waits for news, at most till `deadline`; at least one look is made if one is due.
    pub(super) async fn listen(
        &mut self,
        remote: &GitRemote,
        known: Option<Oid>,
        deadline: Instant,
    ) -> News {
        if self.known != known {
            self.known = known;
            self.lively = Instant::now();
        }
        let mut news = match self.failures {
            0 => News::Quiet,
            _ => News::Unknown,
        };
        while let Some(heard) = self.hear(remote, deadline).await {
            let was_away = self.failures > 0;
            match heard {
                Heard::Failed(reason) => {
                    tracing::debug!(remote = %remote.address(), "no news: {reason}");
                    self.failures = self.failures.saturating_add(1);
                    self.next = Instant::now() + self.pause(remote);
                    if self.failures >= LOST && std::mem::take(&mut self.answers) {
                        return News::Lost;
                    }
                    news = News::Unknown;
                    continue;
                }
                Heard::Tip(_) | Heard::Alive => {
                    self.failures = 0;
                    self.answers = true;
                }
            }
            if let Heard::Tip(tip) = heard
                && tip != known
            {
                self.lively = Instant::now();
                return News::Moved(tip);
            }
            if was_away {
                return News::Back;
            }
            news = News::Quiet;
        }
        news
    }

    /// The next thing that is heard; `None` at the deadline.
    async fn hear(&mut self, remote: &GitRemote, deadline: Instant) -> Option<Heard> {
        if self.next > deadline {
            sleep_until(deadline).await;
            return None;
        }
        sleep_until(self.next).await;
        if let Way::Ssh(site) = remote.address().way()
            && self
                .no_watch_until
                .is_none_or(|until| Instant::now() > until)
        {
            if self.watching.is_none() {
                match Watching::start(remote.options(), site) {
                    Ok(watching) => self.watching = Some(watching),
                    Err(error) => return Some(Heard::Failed(error.to_string())),
                }
            }
            return self.watched(deadline).await;
        }
        if Instant::now() > deadline {
            return None;
        }
        // Before it, so that a look which is given up is not made again at once.
        self.next = Instant::now() + self.pause(remote);
        let looked = match timeout(LOOK, self.look(remote)).await {
            Ok(Ok(tip)) => Heard::Tip(tip),
            Ok(Err(reason)) => Heard::Failed(reason),
            Err(_) => Heard::Failed(format!("no answer in {} s", LOOK.as_secs())),
        };
        Some(looked)
    }

    /// What the connection to a host of ours brings.
    async fn watched(&mut self, deadline: Instant) -> Option<Heard> {
        let watching = self.watching.as_mut()?;
        let line = watching.next(deadline).await;
        let greeted = watching.greeted();
        match line {
            Line::Tip(tip) => Some(Heard::Tip(tip)),
            Line::Beat => Some(Heard::Alive),
            Line::Nothing => None,
            Line::Ended { refused } => {
                self.watching = None;
                if refused && !greeted {
                    tracing::info!(
                        "The remote's host has no `platinum hook watch`; it is asked for news by git."
                    );
                    self.no_watch_until = Some(Instant::now() + NO_WATCH);
                    // Not a failure: it is looked at right now in the other way.
                    return Some(Heard::Alive);
                }
                Some(Heard::Failed("the connection ended".to_owned()))
            }
        }
    }

    async fn look(&mut self, remote: &GitRemote) -> Result<Option<Oid>, String> {
        match remote.address().way() {
            Way::Folder(path) => match self.folder.look(path).await? {
                Looked::Tip(tip) => Ok(tip),
                Looked::Unclear => remote.ask().await,
            },
            Way::Daemon(site) => daemon::ask(site).await,
            Way::Ssh(_) | Way::Http | Way::Https => remote.ask().await,
        }
    }

    /// How long till the next look: short where a look costs next to nothing or news is likely.
    fn pause(&self, remote: &GitRemote) -> Duration {
        let quiet = self.lively.elapsed();
        let seconds = match remote.address().way() {
            Way::Folder(_) if !self.folder.is_unclear() => 1,
            Way::Daemon(_) if quiet < LIVELY => 1,
            Way::Daemon(_) => 2,
            // A process and a login each time.
            _ if quiet < LIVELY => 3,
            _ if quiet < 6 * LIVELY => 30,
            _ => 90,
        };
        let pause = Duration::from_secs(seconds);
        let cheap = seconds <= 2;
        if self.failures == 0 || cheap {
            return pause;
        }
        // Many that wait for one remote do not come back to it all at once.
        let longest = AWAY.min(Duration::from_secs(1 << self.failures.min(5)));
        longest.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}
