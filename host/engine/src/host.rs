//! [`SkillHost`]: the one linker of a role, built from grants, and the skills it admits.
//!
//! Lives here: linking, admitting, explaining.
//! Lives elsewhere: running an admitted skill is in [`invoke`](crate::invoke); the grants are
//! decided by `policy`.
//! Invariants: the linker holds granted ∩ offered and never changes; a [`Skill`] was admitted by
//! exactly one host.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use platinum_core::{AgentName, Capability, Role};
use platinum_policy::Grants;
use wasmtime::component::Linker;

use crate::{
    Engine, GrantedFolder, HostError, ImportLine, ImportsReport, Interface, LoadError, SkillState,
    Verdict,
    bindings::BasePre,
    engine::Scan,
    error::{MAX_FOREIGN_BYTES, one_line},
    state::bit,
    wasi,
};

/// What every skill exports.
pub(crate) const HANDLER: &str = "platinum:skill/handler@0.1.0";

/// Runs skills for one agent of one role. Cloning shares it.
#[derive(Clone)]
pub struct SkillHost {
    pub(crate) inner: Arc<HostInner>,
}

pub(crate) struct HostInner {
    pub(crate) engine: Engine,
    pub(crate) role: Role,
    pub(crate) agent: AgentName,
    /// What is granted and offered, in the order the composition root names it.
    interfaces: Vec<Arc<dyn Interface>>,
    narrowed: Option<BTreeSet<Capability>>,
    linker: Linker<SkillState>,
}

/// A component that was admitted: its imports are granted and linked.
#[derive(Clone)]
pub struct Skill {
    pub(crate) name: String,
    pub(crate) instructions: Arc<str>,
    pub(crate) pre: BasePre<SkillState>,
    /// The interfaces it imports, in the order of the host's list.
    pub(crate) interfaces: Vec<Arc<dyn Interface>>,
    pub(crate) host: Arc<HostInner>,
    imports: Vec<String>,
    /// What it finds open.
    pub(crate) folders: Arc<[GrantedFolder]>,
    /// The interfaces that it has called so far.
    pub(crate) used: Arc<AtomicU64>,
    from_cache: bool,
}

impl Skill {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything it imports, as the binary says it.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The capabilities it holds.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.interfaces
            .iter()
            .map(|interface| interface.capability())
    }

    /// The capabilities that it has called since it was loaded.
    pub fn used(&self) -> impl Iterator<Item = Capability> + '_ {
        let used = self.used.load(Ordering::Relaxed);
        self.capabilities()
            .filter(move |&capability| used & bit(capability) != 0)
    }

    /// The skill with these folders, which it finds open at every run. It has none before.
    #[must_use]
    pub fn with_folders(mut self, folders: Vec<GrantedFolder>) -> Self {
        self.folders = folders.into();
        self
    }

    /// Whether its code came from the compiled cache.
    pub fn came_from_cache(&self) -> bool {
        self.from_cache
    }
}

impl fmt::Debug for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skill")
            .field("name", &self.name)
            .field("role", &self.host.role)
            .field("imports", &self.imports)
            .finish_non_exhaustive()
    }
}

impl SkillHost {
    /// Builds the linker of `role` from what the role grants and `interfaces` offers. `narrowed` is
    /// what configuration leaves of the role's ceiling; None leaves all of it.
    ///
    /// An offered interface that is not granted is left out, so one list can serve both roles.
    ///
    /// # Errors
    /// If a capability is offered twice or an interface cannot be linked.
    pub fn new(
        engine: Engine,
        role: Role,
        agent: AgentName,
        interfaces: Vec<Box<dyn Interface>>,
        narrowed: Option<BTreeSet<Capability>>,
    ) -> Result<Self, HostError> {
        let grants = Grants::of(role, narrowed.as_ref());
        let mut linker = Linker::new(engine.wasmtime());
        wasi::link(&mut linker).map_err(|error| HostError::Wasi(format!("{error:#}")))?;
        let mut offered = BTreeSet::new();
        let mut linked: Vec<Arc<dyn Interface>> = Vec::new();
        for interface in interfaces {
            let capability = interface.capability();
            if !offered.insert(capability) {
                return Err(HostError::OfferedTwice(capability));
            }
            if !grants.contains(capability) {
                continue;
            }
            interface
                .link(&mut linker)
                .map_err(|error| HostError::Link {
                    capability,
                    reason: format!("{error:#}"),
                })?;
            linked.push(interface.into());
        }
        let inner = HostInner {
            engine,
            role,
            agent,
            interfaces: linked,
            narrowed,
            linker,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The host's role.
    pub fn role(&self) -> Role {
        self.inner.role
    }

    /// The host's agent.
    pub fn agent(&self) -> &AgentName {
        &self.inner.agent
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// What its linker holds.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.inner
            .interfaces
            .iter()
            .map(|interface| interface.capability())
    }

    /// Admits a component under a name, with the instructions from its `SKILL.md`: its imports are
    /// granted and linked, its types fit, and one instance of it starts. A daemon and
    /// `platinum skill check` both ask this. Compiling takes a while where the cache has nothing:
    /// call it from a blocking thread.
    ///
    /// # Errors
    /// Says, in one sentence, why the component is not admitted. No function of it was called.
    pub fn load(
        &self,
        name: &str,
        component: &[u8],
        instructions: &str,
    ) -> Result<Skill, LoadError> {
        let inner = &self.inner;
        let Scan {
            imports,
            has_handler,
        } = inner.engine.scan(name, component)?;
        let grants = platinum_policy::decide(
            imports.iter().map(String::as_str),
            inner.role,
            inner.narrowed.as_ref(),
        )
        .map_err(|refusal| LoadError::Refused {
            skill: name.to_owned(),
            refusal,
        })?;
        let missing: Vec<String> = grants
            .iter()
            .filter(|&capability| !inner.offers(capability))
            .map(|capability| capability.interface().to_owned())
            .collect();
        if !missing.is_empty() {
            return Err(LoadError::NotOffered {
                skill: name.to_owned(),
                role: inner.role,
                missing,
            });
        }
        if !has_handler {
            return Err(LoadError::NoHandler {
                skill: name.to_owned(),
                handler: HANDLER,
            });
        }
        // Nothing was compiled until here: a component that is refused costs no more than reading it.
        let (component, from_cache) = inner.engine.compile(name, component)?;
        let pre = inner
            .linker
            .instantiate_pre(&component)
            .and_then(BasePre::new)
            .map_err(|error| mismatch(name, &error))?;
        crate::invoke::try_start(&inner.engine, name, &pre)?;
        let interfaces = inner
            .interfaces
            .iter()
            .filter(|interface| grants.contains(interface.capability()))
            .cloned()
            .collect();
        Ok(Skill {
            name: name.to_owned(),
            instructions: instructions.into(),
            pre,
            interfaces,
            host: Arc::clone(inner),
            imports,
            folders: Arc::new([]),
            used: Arc::default(),
            from_cache,
        })
    }

    /// What becomes of each import of a component, and whether this host would admit it.
    ///
    /// # Errors
    /// If the bytes are not a component, too large, or not well formed.
    pub fn explain(&self, name: &str, component: &[u8]) -> Result<ImportsReport, LoadError> {
        let Scan {
            imports,
            has_handler,
        } = self.inner.engine.scan(name, component)?;
        let line = |import: String| ImportLine {
            verdict: self.verdict(&import),
            import,
        };
        Ok(ImportsReport {
            role: self.inner.role,
            imports: imports.into_iter().map(line).collect(),
            has_handler,
            refusal: self.load(name, component, "").err(),
        })
    }

    fn verdict(&self, import: &str) -> Verdict {
        let inner = &self.inner;
        match platinum_policy::decide([import], inner.role, inner.narrowed.as_ref()) {
            Err(_) => Verdict::NotGranted,
            Ok(grants) => match grants.iter().next() {
                Some(capability) if inner.offers(capability) => Verdict::Linked,
                Some(_) => Verdict::NotOffered,
                None if import.starts_with("wasi:") => Verdict::EmptyWasi,
                None => Verdict::Types,
            },
        }
    }
}

/// The error of a component whose types are others than the host's.
pub(crate) fn mismatch(name: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Mismatch {
        skill: name.to_owned(),
        reason: one_line(&format!("{error:#}"), MAX_FOREIGN_BYTES),
    }
}

impl HostInner {
    fn offers(&self, capability: Capability) -> bool {
        self.interfaces
            .iter()
            .any(|interface| interface.capability() == capability)
    }
}

impl fmt::Debug for SkillHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillHost")
            .field("role", &self.inner.role)
            .field("agent", &self.inner.agent)
            .field("capabilities", &self.capabilities().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
