//! [`History`]: what is kept of a range of commits while it is verified: of each commit its id, who
//! signed it and what it stands on.
//!
//! Lives elsewhere: verifying a commit is `verifier`'s, walking the range `walk`'s.
//! Invariants: a commit costs some tens of bytes here, however long its message is; whether one
//! stands on another is found in the history, and for what stands on everything before it without a
//! search: a history of any length, with any number of violations, takes time in proportion.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{Member, Role};
use platinum_repo::{CommitInfo, Oid, Repo, Signer};

use crate::revert::TRAILER_REVERTS;

/// As whom a commit is verified.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Author<'a> {
    /// The agent whose key signed it.
    Signer(&'a Signer),
    /// An unknown signer, before the first contact.
    BeforeFirstContact,
    /// Nobody that is known.
    Unknown,
}

impl<'a> Author<'a> {
    /// Who signed it.
    pub(crate) fn signer(self) -> Option<&'a Signer> {
        match self {
            Author::Signer(signer) => Some(signer),
            Author::BeforeFirstContact | Author::Unknown => None,
        }
    }

    /// The device of the owner's that signed it, if one did.
    pub(crate) fn device(self) -> Option<&'a Signer> {
        self.signer().filter(|signer| signer.role == Member::Device)
    }

    pub(crate) fn is_local(self) -> bool {
        self.signer()
            .is_some_and(|signer| signer.role == Role::Local)
    }
}

/// What verifying one commit found, apart from its faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessment<'a> {
    pub(crate) author: Author<'a>,
    /// It is a violation.
    pub(crate) is_bad: bool,
    /// It changes so much of what it stands on that only its whole tree shows what it is.
    pub(crate) is_whole: bool,
    /// Of a device: what of it may be counts, also if not all of it may.
    pub(crate) keeps_rest: bool,
}

/// One commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) oid: Oid,
    pub(crate) author: Author<'a>,
    pub(crate) is_whole: bool,
    pub(crate) keeps_rest: bool,
    /// Whether every commit before it is among what it stands on.
    has_all: bool,
    /// Whether it, or something that it stands on, is a violation or could not be compared.
    is_tainted: bool,
    /// Where its parents end in the list of all; they begin where those of the one before end.
    parents_end: usize,
}

/// The commits since a base, parents before children.
#[derive(Debug)]
pub(crate) struct History<'a> {
    base: Option<Oid>,
    entries: Vec<Entry<'a>>,
    /// Of each commit those of its parents that are in the history; `None` for the others.
    parents: Vec<Option<usize>>,
    at: BTreeMap<Oid, usize>,
    /// What nothing stands on yet.
    heads: BTreeSet<Oid>,
    /// The last commit before any violation that has everything before it.
    clean: Option<Oid>,
    is_clean: bool,
    /// Which commit of local's names which as reverted.
    reverts: Vec<(usize, usize)>,
}

impl<'a> History<'a> {
    pub(crate) fn from(base: Option<Oid>) -> Self {
        Self {
            base,
            entries: Vec::new(),
            parents: Vec::new(),
            at: BTreeMap::new(),
            heads: base.into_iter().collect(),
            clean: base,
            is_clean: true,
            reverts: Vec::new(),
        }
    }

    /// What the history begins after.
    pub(crate) fn base(&self) -> Option<Oid> {
        self.base
    }

    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The parents of a commit that are in the history; `None` for each of the others.
    pub(crate) fn parents(&self, at: usize) -> &[Option<usize>] {
        let end = |at: usize| self.entries.get(at).map_or(0, |entry| entry.parents_end);
        let start = at.checked_sub(1).map_or(0, end);
        self.parents.get(start..end(at)).unwrap_or_default()
    }

    /// What a commit is to be compared with if what it stands on cannot be: only if something among
    /// that may not be.
    pub(crate) fn instead_of_parents(&self, info: &CommitInfo) -> Option<Option<Oid>> {
        let is_tainted = |parent: &Oid| {
            let at = self.at.get(parent);
            at.and_then(|at| self.entries.get(*at))
                .is_some_and(|entry| entry.is_tainted)
        };
        info.parents.iter().any(is_tainted).then_some(self.clean)
    }

    /// Takes in the next commit.
    pub(crate) fn push(&mut self, info: &CommitInfo, assessment: Assessment<'a>) {
        let here = self.entries.len();
        let mut is_tainted = assessment.is_bad || assessment.is_whole;
        for parent in &info.parents {
            self.heads.remove(parent);
            let at = self.at.get(parent).copied();
            let parent = at.and_then(|at| self.entries.get(at));
            is_tainted |= parent.is_some_and(|parent| parent.is_tainted);
            self.parents.push(at);
        }
        self.heads.insert(info.oid);
        let has_all = self.heads.len() == 1;
        self.is_clean &= !is_tainted;
        if self.is_clean && has_all {
            self.clean = Some(info.oid);
        }
        if assessment.author.is_local() && !assessment.is_bad {
            for named in values(info, TRAILER_REVERTS) {
                let named = Repo::oid(named).ok().and_then(|oid| self.at.get(&oid));
                self.reverts.extend(named.map(|named| (here, *named)));
            }
        }
        self.at.insert(info.oid, here);
        self.entries.push(Entry {
            oid: info.oid,
            author: assessment.author,
            is_whole: assessment.is_whole,
            keeps_rest: assessment.keeps_rest,
            has_all,
            is_tainted,
            parents_end: self.parents.len(),
        });
    }

    /// Whether the last commit has everything before it, and all of that is right.
    pub(crate) fn ends_clean(&self) -> bool {
        self.clean.is_some() && self.clean == self.entries.last().map(|entry| entry.oid)
    }

    /// What local has reverted later on, of these commits: each is named by one of local's that
    /// stands on it and is right itself.
    pub(crate) fn reverted<V>(&self, found: &BTreeMap<usize, V>) -> BTreeSet<usize> {
        let mut reverted = BTreeSet::new();
        let mut below: Option<(usize, Vec<bool>)> = None;
        for (answer, named) in &self.reverts {
            if found.contains_key(answer) || !found.contains_key(named) {
                continue;
            }
            let has_all = self.entries.get(*answer).is_some_and(|entry| entry.has_all);
            // The reverts of one commit follow each other: it is searched once.
            if !has_all && below.as_ref().is_none_or(|(of, _)| of != answer) {
                below = Some((*answer, self.below(*answer)));
            }
            let stands_on = |(_, below): &(usize, Vec<bool>)| below.get(*named) == Some(&true);
            if has_all || below.as_ref().is_some_and(stands_on) {
                reverted.insert(*named);
            }
        }
        reverted
    }

    /// What a commit stands on, for each commit of the history.
    fn below(&self, commit: usize) -> Vec<bool> {
        let mut below = vec![false; self.entries.len()];
        // Parents come before children: going back once meets all.
        if let Some(last) = below.get_mut(commit) {
            *last = true;
        }
        for at in (0..=commit).rev() {
            if below.get(at) != Some(&true) {
                continue;
            }
            for parent in self.parents(at).iter().flatten() {
                if let Some(parent) = below.get_mut(*parent) {
                    *parent = true;
                }
            }
        }
        below
    }
}

/// The values of a trailer.
pub(crate) fn values<'i>(info: &'i CommitInfo, key: &'i str) -> impl Iterator<Item = &'i str> {
    info.trailers
        .iter()
        .filter(move |(k, _)| k == key)
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn oid(n: usize) -> Oid {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
        Oid::from_bytes(&bytes).unwrap()
    }

    fn info(n: usize, parents: Vec<Oid>, reverts: &[usize]) -> CommitInfo {
        let of = |named: &usize| (TRAILER_REVERTS.to_owned(), oid(*named).to_string());
        CommitInfo {
            oid: oid(n),
            parents,
            trailers: reverts.iter().map(of).collect(),
            seconds: 0,
        }
    }

    fn signer(role: Role) -> Signer {
        Signer {
            agent: role.as_str().parse().unwrap(),
            role: role.into(),
            key: platinum_repo::SigningKey::from_seed([1; 32])
                .unwrap()
                .public(),
        }
    }

    /// A history: of each commit its parents by how far back they are; beyond the first it is the
    /// base, or what is before that.
    fn histories() -> impl Strategy<Value = Vec<Vec<usize>>> {
        prop::collection::vec(prop::collection::vec(1_usize..5, 1..3), 1..14)
    }

    proptest! {
        #[test]
        fn history_ancestry_equals_a_search(
            generated in histories(),
            bad in prop::collection::btree_set(0_usize..14, 0..4),
        ) {
            let (local, cloud) = (signer(Role::Local), signer(Role::Cloud));
            let base = oid(1000);
            let mut history = History::from(Some(base));
            let mut above: Vec<BTreeSet<usize>> = Vec::new();
            for (n, back) in generated.iter().enumerate() {
                let parents: BTreeSet<_> = back.iter().map(|back| n.checked_sub(*back)).collect();
                let ids = parents.iter().map(|p| p.map_or(base, oid)).collect();
                let all: Vec<usize> = (0..n).collect();
                let info = info(n, ids, &all);
                let has_bad = |n: usize| bad.contains(&n) || above[n].iter().any(|a| bad.contains(a));
                let expected = parents.iter().flatten().any(|p| has_bad(*p));
                prop_assert_eq!(history.instead_of_parents(&info).is_some(), expected);
                let is_bad = bad.contains(&n);
                let author = Author::Signer(if is_bad { &cloud } else { &local });
                history.push(&info, Assessment { author, is_bad, is_whole: false, keeps_rest: false });
                let mut on: BTreeSet<usize> = parents.iter().flatten().copied().collect();
                for parent in parents.iter().flatten() {
                    on.extend(&above[*parent]);
                }
                let none_bad = bad.range(..=n).next().is_none();
                prop_assert_eq!(history.ends_clean(), none_bad && on.len() == n, "{} {:?}", n, on);
                above.push(on);
            }
            let found: BTreeMap<usize, ()> =
                bad.iter().filter(|n| **n < generated.len()).map(|n| (*n, ())).collect();
            let reverts = |named: &usize| {
                (0..generated.len()).any(|n| !bad.contains(&n) && above[n].contains(named))
            };
            let expected: BTreeSet<usize> = found.keys().copied().filter(reverts).collect();
            prop_assert_eq!(history.reverted(&found), expected);
        }
    }
}
