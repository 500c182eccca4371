//! What `git push --porcelain` says, read strictly.
//!
//! Invariant: landed and rejected are only answered when the one line about our ref says so in
//! the words git has for it; everything else is indeterminate.

use git2::Oid;
use platinum_protocol::PushOutcome;

use platinum_core::text::one_line;

use super::BRANCH;

/// Reads the output of a push of `commit` that ended by itself. `reason` goes into the
/// outcome when the output does not decide it.
pub fn push_outcome(stdout: &[u8], success: bool, commit: Oid, reason: &str) -> PushOutcome {
    let doubt = |why: &str| PushOutcome::Indeterminate(format!("{why}: {reason}"));
    let Ok(text) = std::str::from_utf8(stdout) else {
        return doubt("the client's answer is not UTF-8");
    };
    let refspec = format!("{commit}:{BRANCH}");
    let mut ours = text.lines().filter_map(|line| {
        // `<flag>\t<from>:<to>\t<summary> (<reason>)`
        let mut fields = line.splitn(3, '\t');
        let (flag, spec, summary) = (fields.next()?, fields.next()?, fields.next()?);
        (spec == refspec).then_some((flag, summary))
    });
    let (Some((flag, summary)), None) = (ours.next(), ours.next()) else {
        return doubt("the client's answer does not name our push once");
    };
    let done = text.lines().any(|line| line == "Done");
    match flag {
        // Fast-forward, new branch, and "it is there already": the commit is ours alone, so then
        // an earlier attempt has landed.
        " " | "*" | "=" if success && done => PushOutcome::Landed,
        "!" if !success => rejected(summary).unwrap_or_else(|| doubt(summary)),
        _ => doubt("the client's answer contradicts itself"),
    }
}

fn rejected(summary: &str) -> Option<PushOutcome> {
    // `[rejected]` is decided before anything is sent, `[remote rejected]` by the server.
    let rest = summary
        .strip_prefix("[rejected]")
        .or_else(|| summary.strip_prefix("[remote rejected]"))?;
    let reason = rest.trim().trim_start_matches('(').trim_end_matches(')');
    // The server applied its answer; only a lost answer is in doubt, and that has other words.
    (!reason.contains("failed to report status")).then(|| {
        let reason = one_line(reason, 200);
        PushOutcome::Rejected(if reason.is_empty() {
            "no reason given".to_owned()
        } else {
            reason
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{push_outcome as outcome, *};

    const C: &str = "1111111111111111111111111111111111111111";

    fn read(text: &str, success: bool) -> PushOutcome {
        outcome(
            text.as_bytes(),
            success,
            Oid::from_str(C).unwrap(),
            "reason",
        )
    }

    #[test]
    fn push_outcome_reads_gits_words() {
        let line = |flag: &str, rest: &str| format!("To x\n{flag}\t{C}:{BRANCH}\t{rest}\n");
        assert_eq!(
            read(&(line(" ", "aaa..bbb") + "Done\n"), true),
            PushOutcome::Landed
        );
        assert_eq!(
            read(&(line("*", "[new branch]") + "Done\n"), true),
            PushOutcome::Landed
        );
        assert_eq!(
            read(&(line("=", "[up to date]") + "Done\n"), true),
            PushOutcome::Landed
        );
        for (rest, reason) in [
            ("[rejected] (stale info)", "stale info"),
            ("[rejected] (fetch first)", "fetch first"),
            (
                "[remote rejected] (failed to update ref)",
                "failed to update ref",
            ),
            (
                "[remote rejected] (pre-receive hook declined)",
                "pre-receive hook declined",
            ),
        ] {
            assert_eq!(
                read(&line("!", rest), false),
                PushOutcome::Rejected(reason.to_owned())
            );
        }
    }

    #[test]
    fn push_outcome_unclear_output_is_indeterminate() {
        let other = "2222222222222222222222222222222222222222";
        for (text, success) in [
            (String::new(), false),
            (String::new(), true),
            (format!("To x\n \t{C}:{BRANCH}\taaa..bbb\n"), true),
            (format!("To x\n \t{C}:{BRANCH}\taaa..bbb\nDone\n"), false),
            (format!("To x\n \t{other}:{BRANCH}\taaa..bbb\nDone\n"), true),
            (
                format!("To x\n \t{C}:refs/heads/other\taaa..bbb\nDone\n"),
                true,
            ),
            (
                format!("To x\n+\t{C}:{BRANCH}\taaa...bbb (forced update)\nDone\n"),
                true,
            ),
            (
                format!("!\t{C}:{BRANCH}\t[remote failure] (remote failed to report status)\n"),
                false,
            ),
            (format!("!\t{C}:{BRANCH}\t[rejected] (stale info)\n"), true),
            (
                format!(" \t{C}:{BRANCH}\ta\n \t{C}:{BRANCH}\ta\nDone\n"),
                true,
            ),
        ] {
            let read = read(&text, success);
            assert!(
                matches!(read, PushOutcome::Indeterminate(_)),
                "{text:?}: {read:?}"
            );
        }
    }

    proptest! {
        /// Bytes of any sort, and git's own words with a change in them.
        #[test]
        fn push_outcome_any_bytes_land_only_in_gits_words(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..120),
            at in 0_usize..160,
            byte: u8,
            success: bool,
        ) {
            let read = |bytes: &[u8]| outcome(bytes, success, Oid::from_str(C).unwrap(), "reason");
            prop_assert!(matches!(read(&bytes), PushOutcome::Indeterminate(_)));
            let good = format!("To x\n \t{C}:{BRANCH}\taaa..bbb\nDone\n");
            let mut changed = good.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = byte;
            if read(&changed) == PushOutcome::Landed {
                // What stands behind the second tab, and the line before it, are free text.
                let text = String::from_utf8(changed).unwrap();
                let line = format!("\t{C}:{BRANCH}\t");
                prop_assert!(success && text.contains(&line) && text.ends_with("\nDone\n"));
            }
            // Another line about our push makes it doubtful, whatever it says.
            bytes.retain(|byte| *byte != b'\n');
            let twice = [good.as_bytes(), format!("!\t{C}:{BRANCH}\t").as_bytes(), &bytes].concat();
            prop_assert!(matches!(read(&twice), PushOutcome::Indeterminate(_)));
        }

        #[test]
        fn push_outcome_any_noise_is_not_landed(text in "[ *=!+\t\n:()\\[\\]a-z1/]{0,200}", success: bool) {
            let read = read(&text, success);
            let named = text.contains(&format!("{C}:{BRANCH}"));
            prop_assert!(named || matches!(read, PushOutcome::Indeterminate(_)));
        }
    }
}
