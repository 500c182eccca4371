//! [`LoginBackoff`]: a refused login is not tried again at once, because many refusals lock the account.

use std::time::Duration;

use platinum_kit::Password;
use tokio::time::Instant;

use super::connect::Connection;
use crate::error::MailboxError;

const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// The last refusal, if the last login was refused.
#[derive(Debug, Default)]
pub(super) struct LoginBackoff(Option<Refused>);

#[derive(Debug)]
struct Refused {
    server: String,
    user: String,
    reason: String,
    password: Password,
    until: Instant,
    pause: Duration,
}

impl Refused {
    fn error(&self) -> MailboxError {
        MailboxError::Login {
            server: self.server.clone(),
            user: self.user.clone(),
            reason: self.reason.clone(),
            pause: self.pause,
        }
    }
}

impl LoginBackoff {
    /// Refuses again, without asking the server, as long as nothing can have changed.
    pub(super) fn check(&self, password: &Password) -> Result<(), MailboxError> {
        match &self.0 {
            Some(refused)
                if refused.password.expose() == password.expose()
                    && Instant::now() < refused.until =>
            {
                Err(refused.error())
            }
            _ => Ok(()),
        }
    }

    /// Records how a login went. Only a login that works makes the pauses short again; nothing else is known of it
    /// when the server could not be reached.
    pub(super) fn record(
        &mut self,
        answer: Result<Connection, MailboxError>,
        password: &Password,
    ) -> Result<Connection, MailboxError> {
        match answer {
            Ok(connection) => {
                self.0 = None;
                Ok(connection)
            }
            Err(MailboxError::Login {
                server,
                user,
                reason,
                ..
            }) => {
                let pause = self.0.as_ref().map_or(FIRST_PAUSE, |refused| {
                    (refused.pause * 2).min(LONGEST_PAUSE)
                });
                let refused = Refused {
                    server,
                    user,
                    reason,
                    password: password.clone(),
                    until: Instant::now() + pause,
                    pause,
                };
                let error = refused.error();
                self.0 = Some(refused);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}
