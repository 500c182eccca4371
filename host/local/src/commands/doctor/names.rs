//! Names in another Unicode form: the row of `platinum doctor`, and `platinum doctor --fix names`.

use platinum_daemon::Config;
use platinum_vault::{Vault, compose_names};
use platinum_worktree::FIX_NAMES;

use super::{
    super::{CommandError, Context, Kind, open_vault},
    Check, count, plain,
};

/// The longest path that is printed.
const MAX_PATH: usize = 300;

/// What is mended.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::commands) enum Fix {
    Names,
}

/// A row, if there are such names.
pub(super) fn check(config: &Config) -> Option<Check> {
    // A vault that cannot be read is an error in its own row.
    let found = compose_names(&Vault::open(&config.vault.path).ok()?, false).ok()?;
    let first = found.first()?;
    let names = count(found.len(), "name has its", "names have their");
    let text = format!(
        "{names} letters and accents written apart, such as `{}`; what has them stays on this machine",
        plain(&first.shown, MAX_PATH)
    );
    Some(Check::warn("names", text).remedy(format!(
        "`{FIX_NAMES}` renames them, and they look the same"
    )))
}

/// Renames them, and says each.
pub(super) fn fix(config: &Config, ctx: &Context) -> Result<(), CommandError> {
    let forms = compose_names(&open_vault(config)?, true)?;
    let mut text = String::new();
    let mut stay = 0;
    for form in &forms {
        let (from, to) = (
            plain(&form.shown, MAX_PATH),
            plain(form.composed.as_str(), MAX_PATH),
        );
        match &form.failed {
            None => text.push_str(&format!("renamed   {from}  to  {to}\n")),
            Some(why) => {
                stay += 1;
                text.push_str(&format!("left      {from}: {}\n", plain(why, 200)));
            }
        }
    }
    text.push_str(&match forms.len() - stay {
        0 if stay == 0 => "Every name is in the form that is synced.\n".to_owned(),
        renamed => format!("{} renamed.\n", count(renamed, "name was", "names were")),
    });
    ctx.print(&text)?;
    match stay {
        0 => Ok(()),
        stay => Err(CommandError::new(
            Kind::Conflict,
            format!("{} left as it was", count(stay, "name is", "names are")),
        )),
    }
}
