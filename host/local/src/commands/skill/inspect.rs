//! `platinum skill inspect`: a component's imports, which are its permission request, and what each
//! of them grants.

use std::path::PathBuf;

use platinum_core::{Capability, Role};
use platinum_policy::allows;

use super::{
    super::terminal::{Level, Table, plain},
    Checker, CommandError, Context, Kind, read,
};

/// Show what a component asks for and which roles grant it.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The component, or the folder of an installed skill.
    file: PathBuf,
}

pub(super) fn run(args: &InspectArgs, ctx: &Context) -> Result<(), CommandError> {
    let component = read(&args.file)?;
    let checker = Checker::new()?;
    let report = checker
        .report(&component.name, &component.bytes, Role::Local)
        .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
    let mut table = Table::default();
    for line in &report.imports {
        let import = plain(&line.import, 200);
        match line.import.parse::<Capability>() {
            Ok(capability) => {
                let roles: Vec<&str> = Role::ALL
                    .into_iter()
                    .filter(|&role| allows(role, capability))
                    .map(Role::as_str)
                    .collect();
                table.coloured(
                    1,
                    Level::Ok,
                    [import.as_str(), &roles.join(", "), capability.grants()],
                );
            }
            Err(_)
                if platinum_policy::decide([line.import.as_str()], Role::Cloud, None).is_ok() =>
            {
                let what = match line.import.starts_with("wasi:") {
                    true => "nothing: WASI on an empty context",
                    false => "nothing: records only",
                };
                table.coloured(1, Level::Dim, [import.as_str(), "all", what]);
            }
            Err(_) => {
                table.coloured(
                    1,
                    Level::Error,
                    [import.as_str(), "none", "it is not in the contract"],
                );
            }
        }
    }
    let mut text = format!(
        "{}: {} bytes, {}\n\n",
        plain(&component.name, 64),
        component.bytes.len(),
        if report.has_handler {
            "exports the handler of a skill"
        } else {
            "exports no handler: no host runs it"
        }
    );
    text.push_str(&table.render(ctx.paint));
    text.push('\n');
    for role in Role::ALL {
        let verdict = match checker.check(&component.name, &component.bytes, role) {
            Ok(()) => ctx.paint.word(Level::Ok, "links"),
            Err(why) => ctx.paint.word(Level::Error, &plain(&why.to_string(), 2000)),
        };
        text.push_str(&format!("role {role}: {verdict}\n"));
    }
    ctx.print(&text)
}
