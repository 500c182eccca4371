//! The copies of the cloud's own files that `platinum doctor` is given, by zone.
//!
//! Lives elsewhere: they are tried by the server of their zone. Invariant: none is passed over in silence.

use std::path::Path;

use platinum_daemon::Config;

use super::{super::terminal::plain, Check, DoctorArgs};

impl DoctorArgs {
    fn cloud_files(&self) -> [(&'static str, Option<&Path>); 2] {
        [
            ("email", self.cloud_mail.as_deref()),
            ("social", self.cloud_social.as_deref()),
        ]
    }

    /// The copy of the cloud's file of a zone.
    pub(super) fn cloud_file(&self, zone: &str) -> Option<&Path> {
        let mut files = self.cloud_files().into_iter();
        files.find_map(|(id, file)| file.filter(|_| id == zone))
    }

    /// A row for each file that cannot be tried, as its zone is not set up in the configuration, which is at `path`.
    pub(super) fn untried(&self, config: &Config, path: &Path) -> Vec<Check> {
        let mut checks = Vec::new();
        for (zone, file) in self.cloud_files() {
            let is_set_up = config.zones.configured().any(|(id, _)| id == zone);
            if let Some(file) = file.filter(|_| !is_set_up) {
                checks.push(Check::error(
                    "cloud",
                    format!(
                        "{} was not tried: it needs the server of [zones.{zone}], which is not in {}",
                        plain(&file.display().to_string(), 200),
                        path.display()
                    ),
                ));
            }
        }
        checks
    }
}
