//! The error output of git and ssh, read for a person: the line that says why.
//!
//! Invariant: what is repeated is one printable line, bounded, without a password.

use platinum_core::text::one_line;

use super::HostKey;

/// What git says at the end of every failure, whatever its reason was.
const SAYS_NOTHING: &[&str] = &[
    "fatal: the remote end hung up unexpectedly",
    "fatal: Could not read from remote repository.",
    "fatal: early EOF",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
];

/// The line that says why, printable and short: ssh tells its reason before git's own last words.
pub(crate) fn error_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    // Progress is repeated on one line.
    let lines = || {
        text.split(['\n', '\r'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let telling = || {
        lines().filter(|line| {
            let beside = ["warning:", "hint:"].iter().any(|w| line.starts_with(w));
            !beside && !line.contains("% (") && !SAYS_NOTHING.contains(line)
        })
    };
    // Whatever is said after it only follows from it.
    let full = |line: &&str| {
        ["No space left on device", "Disk quota exceeded"]
            .iter()
            .any(|words| line.contains(words))
    };
    let grave = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let line = lines()
        .find(full)
        .or_else(|| telling().rfind(grave))
        .or_else(|| telling().next_back())
        .or_else(|| lines().rfind(grave))
        .unwrap_or("git gave no reason");
    without_password(&one_line(line, 300))
}

/// Longer words of a server's are cut.
const MAX_WORDS: usize = 1000;

/// What the server itself said: why it refuses, and which file. Without its progress, and without git's own line that a
/// hook declined, which is in the answer to the push as well.
pub(super) fn server_words(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.split(['\n', '\r']).filter_map(|line| {
        let line = line.trim().strip_prefix("remote:")?.trim();
        let is_git = line.contains("% (")
            || line.ends_with(", done.")
            || line.starts_with("error: hook declined to update ");
        (!line.is_empty() && !is_git).then_some(line)
    });
    let words: Vec<&str> = lines.collect();
    (!words.is_empty()).then(|| without_password(&one_line(&words.join(" "), MAX_WORDS)))
}

/// What a helper or a server puts between `://` and `@` is not repeated.
fn without_password(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start.saturating_add(3));
        text.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace())
            .unwrap_or(after.len());
        let (authority, beyond) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                text.push_str("…@");
                text.push_str(host);
            }
            _ => text.push_str(authority),
        }
        rest = beyond;
    }
    text + rest
}

/// What ssh says of the key of the host, if that is what is wrong.
pub(super) fn host_key(stderr: &[u8]) -> Option<HostKey> {
    let text = String::from_utf8_lossy(stderr);
    if text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Some(HostKey::Changed);
    }
    text.contains("Host key verification failed")
        .then_some(HostKey::Unknown)
}

/// Longer words of git's on what is wrong with an object are cut.
const MAX_FAULT: usize = 80;

/// The object that git refuses for what it is, and why: what its `fsck` says of what arrives. What
/// a remote says for itself begins with `remote: `.
pub(super) fn faulty(stderr: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(stderr);
    text.split(['\n', '\r']).find_map(|line| {
        let (object, what) = line
            .trim()
            .strip_prefix("error: object ")?
            .split_once(": ")?;
        let is_id =
            matches!(object.len(), 40 | 64) && object.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| (object.to_owned(), one_line(what, MAX_FAULT)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_line_skips_gits_common_endings() {
        let ending = "fatal: Could not read from remote repository.\n\nPlease make sure you have \
                      the correct access rights\nand the repository exists.\n";
        for (cause, line) in [
            (
                "ssh: Could not resolve hostname nowhere: Name or service not known\r\n",
                "ssh: Could not resolve hostname nowhere: Name or service not known",
            ),
            (
                "fatal: '/x.git' does not appear to be a git repository\n",
                "fatal: '/x.git' does not appear to be a git repository",
            ),
            ("", "fatal: Could not read from remote repository."),
        ] {
            assert_eq!(error_line(format!("{cause}{ending}").as_bytes()), line);
        }
        assert_eq!(error_line(b"a\nfatal: b\nhint: c\n"), "fatal: b");
    }

    #[test]
    fn error_line_prefers_the_cause() {
        let last = "fatal: Could not read from remote repository.\n\nPlease make sure you have the \
                    correct access rights\nand the repository exists.\n";
        for (before, reason) in [
            (
                "ssh: connect to host h port 22: Connection refused\r\n",
                "ssh: connect to host h port 22: Connection refused",
            ),
            (
                "me@h: Permission denied (publickey).\r\n",
                "me@h: Permission denied (publickey).",
            ),
            (
                "warning: old\nfatal: couldn't find remote ref x\n",
                "fatal: couldn't find remote ref x",
            ),
            ("", "fatal: Could not read from remote repository."),
        ] {
            assert_eq!(error_line(format!("{before}{last}").as_bytes()), reason);
        }
        assert_eq!(
            error_line(b"Receiving objects:  50% (1/2)\rfatal: early EOF\n"),
            "fatal: early EOF"
        );
        assert_eq!(error_line(b""), "git gave no reason");
    }

    #[test]
    fn error_line_names_a_full_disk() {
        let full = "error: unable to write file objects/pack/tmp: No space left on device\n\
                    fatal: fetch-pack: invalid index-pack output\n";
        assert_eq!(
            error_line(full.as_bytes()),
            "error: unable to write file objects/pack/tmp: No space left on device"
        );
    }

    #[test]
    fn server_words_are_kept_without_progress() {
        let said = "remote: Resolving deltas: 100% (2/2), done.\r\nremote: \nremote: error: File \
                    Inbox/a.pdf is 123.00 MB; this exceeds the limit of 100.00 MB\nremote: error: GH001\n\
                    To x\n ! [remote rejected] main -> main (pre-receive hook declined)\n";
        assert_eq!(
            server_words(said.as_bytes()).as_deref(),
            Some(
                "error: File Inbox/a.pdf is 123.00 MB; this exceeds the limit of 100.00 MB error: GH001"
            )
        );
        assert_eq!(server_words(b"fatal: no\n"), None);
    }

    #[test]
    fn error_line_hides_a_password() {
        let line = "fatal: unable to access 'https://me:s3cret@example.test/v.git/': no";
        let shown = error_line(line.as_bytes());
        assert_eq!(
            shown,
            "fatal: unable to access 'https://…@example.test/v.git/': no"
        );
        assert_eq!(
            error_line(b"fatal: ssh://me@host/v: no"),
            "fatal: ssh://me@host/v: no"
        );
    }

    /// A host whose key is unknown or another is known by what ssh says.
    #[test]
    fn host_key_unknown_or_changed_is_recognised() {
        let unknown = b"No ED25519 host key is known for host and you have requested strict \
                        checking.\r\nHost key verification failed.\r\n";
        assert_eq!(host_key(unknown), Some(HostKey::Unknown));
        let changed = b"@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\r\n\
                        Host key verification failed.\r\n";
        assert_eq!(host_key(changed), Some(HostKey::Changed));
        assert_eq!(host_key(b"Permission denied (publickey)."), None);
    }

    /// An object that git refuses is known by what git itself says of it.
    #[test]
    fn faulty_object_is_recognised_by_gits_fsck() {
        let object = "2a950f22f4df93c3fa15402165e3a50ff2c4fbe6";
        let line = format!("error: object {object}: missingEmail: invalid author line");
        let all = format!(
            "remote: Total 3\nReceiving objects:  33% (1/3)\r{line}\nfatal: fsck error in packed \
             object\nfatal: index-pack failed\n"
        );
        let what = "missingEmail: invalid author line".to_owned();
        assert_eq!(faulty(all.as_bytes()), Some((object.to_owned(), what)));
        for other in [
            format!("remote: {line}\n"),
            format!("error: object {}: x\n", &object[1..]),
            format!("fatal: object {object}: x\n"),
            "fatal: early EOF\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(faulty(other.as_bytes()), None, "{other}");
        }
    }
}
