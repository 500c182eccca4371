//! Configuration files of Dovecot 2.3 and Postfix 3 for one temporary folder.
//!
//! Dovecot runs as `no one` when root starts it, and as ourselves otherwise. Postfix asks Dovecot
//! who may send (SASL) and hands it the mail (LMTP); whatever is for another domain it refuses.

use std::{fs, path::Path};

use super::{MailboxLayout, Ports};
use crate::run;

/// Whether we are root.
pub(super) fn is_root() -> bool {
    run("id", &["-u"], Path::new("/")).is_ok_and(|id| id == "0")
}

/// Writes `dovecot/dovecot.conf`, the users and the folders.
pub(super) fn configure_dovecot(
    dir: &Path,
    ports: Ports,
    users: &[(&str, String)],
    layout: MailboxLayout<'_>,
) -> anyhow::Result<()> {
    let home = dir.join("dovecot");
    for folder in [home.join("run"), home.join("state"), dir.join("mail")] {
        fs::create_dir_all(folder)?;
    }
    let (user, group) = if is_root() {
        ("nobody".to_owned(), "nogroup".to_owned())
    } else {
        (run("id", &["-un"], dir)?, run("id", &["-gn"], dir)?)
    };
    let lines: String = users
        .iter()
        .map(|(name, password)| format!("{name}:{{PLAIN}}{password}\n"))
        .collect();
    fs::write(home.join("users"), lines)?;
    let MailboxLayout {
        prefix,
        drafts,
        sent,
        names_uses,
        token_server,
    } = layout;
    let folders: String = ["Drafts", "Sent", "Archive", "Junk", "Trash"]
        .iter()
        .map(|used_for| {
            let name = match *used_for {
                "Sent" => sent,
                "Drafts" => drafts,
                other => other,
            };
            let special_use = match names_uses {
                true => format!("    special_use = \\{used_for}\n"),
                false => String::new(),
            };
            format!("  mailbox \"{name}\" {{\n{special_use}    auto = subscribe\n  }}\n")
        })
        .collect();
    let (mechanisms, tokens) = match token_server {
        None => ("plain login", String::new()),
        Some(port) => {
            let settings = format!(
                "introspection_mode = post\nintrospection_url = http://127.0.0.1:{port}/introspect\n\
                 username_attribute = username\nactive_attribute = active\nactive_value = true\n"
            );
            fs::write(home.join("oauth2.conf"), settings)?;
            let passdb = format!(
                "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}/oauth2.conf\n}}\n",
                home.display()
            );
            ("plain login xoauth2 oauthbearer", passdb)
        }
    };
    let Ports {
        imaps,
        imap,
        lmtp,
        sasl,
        ..
    } = ports;
    let (root, home_text) = (dir.display(), home.display());
    fs::write(
        home.join("dovecot.conf"),
        format!(
            "base_dir = {home_text}/run
state_dir = {home_text}/state
log_path = {home_text}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{root}/tls/cert.pem
ssl_key = <{root}/tls/key.pem
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = yes
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{root}/mail/%u
mail_uid = {user}
mail_gid = {group}
mail_max_userip_connections = 100
postmaster_address = postmaster@example.test
{tokens}passdb {{
  driver = passwd-file
  args = scheme=plain {home_text}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = .
{folders}}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  chroot =
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
"
        ),
    )?;
    if is_root() {
        run(
            "chown",
            &["-R", &format!("{user}:{group}"), "mail", "dovecot/state"],
            dir,
        )?;
    }
    Ok(())
}

/// Writes `postfix/etc/{main,master}.cf` and the folders.
pub(super) fn configure_postfix(dir: &Path, ports: Ports) -> anyhow::Result<()> {
    let home = dir.join("postfix");
    for folder in ["etc", "queue", "data"] {
        fs::create_dir_all(home.join(folder))?;
    }
    let Ports {
        lmtp,
        sasl,
        smtps,
        submission,
        ..
    } = ports;
    let (root, home_text) = (dir.display(), home.display());
    fs::write(
        home.join("etc/main.cf"),
        format!(
            "compatibility_level = 3.6
queue_directory = {home_text}/queue
data_directory = {home_text}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home_text}/mail.log
maillog_file_prefixes = {root}
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
message_size_limit = 104857600
virtual_mailbox_domains = example.test
virtual_mailbox_limit = 0
mailbox_size_limit = 0
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
default_transport = error:no mail leaves the test servers
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_tls_cert_file = {root}/tls/cert.pem
smtpd_tls_key_file = {root}/tls/key.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
"
        ),
    )?;
    let mut services = format!(
        "{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         {submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n"
    );
    services.push_str(SERVICES);
    fs::write(home.join("etc/master.cf"), services)?;
    run("chown", &["postfix", "postfix/data"], dir)?;
    Ok(())
}

const SERVICES: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";
