//! [`Network`]: hosts in network namespaces around a router, and cuts of their lines.
//!
//! Every host has a namespace and a line to the router's; what the router does not forward does
//! not arrive. Invariants: nothing of this machine's own network is touched; the namespaces go
//! with the value, and those of a test that was killed go with the next one.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};

/// What the namespaces' names begin with; then comes the id of the test's process.
const PREFIX: &str = "platinum-test-";
/// The hosts, each with the third number of its addresses.
const HOSTS: [(&str, u8); 3] = [("local", 1), ("cloud", 2), ("remote", 3)];

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// What is sent in either direction vanishes.
    Silent,
    /// The router says at once that there is no way.
    Refused,
    /// What the host sends arrives; no answer comes back.
    AnswersLost,
    /// The cable is out.
    Unplugged,
}

/// The namespaces and their lines.
#[derive(Debug)]
pub(crate) struct Network {
    id: u32,
}

impl Network {
    /// Makes it.
    pub(crate) fn make() -> anyhow::Result<Self> {
        remove_leftovers()?;
        // From here on, what was made is taken away again whatever happens.
        let network = Self {
            id: std::process::id(),
        };
        let router = network.space("router");
        ip(&["netns", "add", &router])?;
        ip(&["-n", &router, "link", "set", "lo", "up"])?;
        for (host, number) in HOSTS {
            network.join(host, number)?;
        }
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        ip(&["netns", "exec", &router, "sh", "-c", forward])?;
        Ok(network)
    }

    fn join(&self, host: &str, number: u8) -> anyhow::Result<()> {
        let (space, router) = (self.space(host), self.space("router"));
        let port = port(host);
        ip(&["netns", "add", &space])?;
        ip(&[
            "link", "add", &port, "netns", &router, "type", "veth", "peer", "name", "line",
            "netns", &space,
        ])?;
        let (here, there) = (address(number, 2), address(number, 1));
        ip(&[
            "-n",
            &space,
            "addr",
            "add",
            &format!("{here}/24"),
            "dev",
            "line",
        ])?;
        ip(&[
            "-n",
            &router,
            "addr",
            "add",
            &format!("{there}/24"),
            "dev",
            &port,
        ])?;
        ip(&["-n", &space, "link", "set", "lo", "up"])?;
        ip(&["-n", &space, "link", "set", "line", "up"])?;
        ip(&["-n", &router, "link", "set", &port, "up"])?;
        ip(&["-n", &space, "route", "add", "default", "via", &there])
    }

    /// What starts a program at a host.
    pub(crate) fn at(&self, host: &str) -> Vec<String> {
        ["ip", "netns", "exec", &self.space(host)]
            .map(str::to_owned)
            .to_vec()
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> String {
        address(number(host), 2)
    }

    /// Breaks a host's line, in this way and no other.
    pub(crate) fn cut(&self, host: &str, cut: Cut) -> anyhow::Result<()> {
        self.heal(host)?;
        let router = self.space("router");
        let subnet = format!("10.213.{}.0/24", number(host));
        let port = port(host);
        let preference = number(host).to_string();
        let rule = |which: &str, from: &str, action: &str| {
            let mut words = vec!["-n", &router, "rule", "add", "pref", &preference];
            words.extend([which, &subnet]);
            if from == port {
                words.extend(["iif", from]);
            }
            words.push(action);
            ip(&words)
        };
        match cut {
            Cut::Silent => {
                rule("from", &port, "blackhole")?;
                rule("to", "", "blackhole")
            }
            Cut::Refused => {
                rule("from", &port, "prohibit")?;
                rule("to", "", "blackhole")
            }
            Cut::AnswersLost => rule("to", "", "blackhole"),
            Cut::Unplugged => ip(&["-n", &router, "link", "set", &port, "down"]),
        }
    }

    /// Mends it.
    pub(crate) fn heal(&self, host: &str) -> anyhow::Result<()> {
        let router = self.space("router");
        let preference = number(host).to_string();
        // As often as there are rules.
        while ip(&["-n", &router, "rule", "del", "pref", &preference]).is_ok() {}
        ip(&["-n", &router, "link", "set", &port(host), "up"])
    }

    fn space(&self, name: &str) -> String {
        format!("{PREFIX}{}-{name}", self.id)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in HOSTS.map(|(host, _)| host).into_iter().chain(["router"]) {
            let _ = ip(&["netns", "del", &self.space(name)]);
        }
    }
}

/// The namespaces of tests that do not run any more.
fn remove_leftovers() -> anyhow::Result<()> {
    let listed = Command::new("ip")
        .args(["netns", "list"])
        .output()
        .context("ip is not installed (Debian: iproute2)")?;
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let Some(name) = line.split(' ').next().filter(|n| n.starts_with(PREFIX)) else {
            continue;
        };
        let id = name[PREFIX.len()..].split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(id).exists() {
            ip(&["netns", "del", name])?;
        }
    }
    Ok(())
}

fn port(host: &str) -> String {
    format!("to-{host}")
}

fn number(host: &str) -> u8 {
    let found = HOSTS.iter().find(|(name, _)| *name == host);
    found.map_or(0, |(_, number)| *number)
}

fn address(number: u8, last: u8) -> String {
    format!("10.213.{number}.{last}")
}

fn ip(words: &[&str]) -> anyhow::Result<()> {
    let ended = Command::new("ip").args(words).output();
    let ended = ended.context("ip is not installed (Debian: iproute2)")?;
    let printed = String::from_utf8_lossy(&ended.stderr);
    ensure!(
        ended.status.success(),
        "ip {}: {}",
        words.join(" "),
        printed.trim()
    );
    Ok(())
}

/// A network, or nothing where it may not be made: the test is skipped. Where the tests must run and this user
/// may do everything, it is a failure.
pub(crate) fn network() -> anyhow::Result<Option<Network>> {
    match Network::make() {
        Ok(network) => Ok(Some(network)),
        Err(error) => {
            let is_root = rustix::process::geteuid().is_root();
            // In a container root may not either.
            let text = format!("{error:#}");
            let is_forbidden = text.contains("not permitted") || text.contains("ermission denied");
            let why = format!("no network namespaces can be made here: {text}");
            platinum_testkit::skip(&why, !is_root || is_forbidden)?;
            Ok(None)
        }
    }
}
