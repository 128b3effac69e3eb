//! Everything a command needs before it can look at AWS, in the order in which it can fail: config, material, sign-in.

use std::path::Path;
use std::sync::Arc;

use aws_infra::{Aws, Connection, Home, SignIn};
use resource_graph::{Cx, Graph, NodeId, Plan, Selection, What};

use crate::catalogue::{Lang, StepId};
use crate::cli::{Format, Part, Where};
use crate::config::{self, Config, Ownership};
use crate::exit_codes::ExitCode;
use crate::guide::{self, Keeper, Material, Words};
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::Show;

/// What a command needs of the person's files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Certificate and secret, and a sign-in to Keeper where the config names one.
    Material,
    /// A sign-in to Keeper alone: to find and undo both halves of a deployment.
    Keeper,
    /// Neither: to find and undo the AWS half takes only the config.
    Nothing,
}

/// A deployment that can be looked at.
pub(crate) struct Session {
    pub(crate) show: Arc<Show>,
    pub(crate) cx: Cx,
    pub(crate) graph: Graph,
    pub(crate) home: Home,
    pub(crate) words: Words,
    #[cfg(feature = "sandbox")]
    pub(crate) world: Option<crate::world::World>,
}

impl Session {
    pub(crate) async fn open(
        host: &Host,
        lang: Lang,
        place: &Where,
        needed: Needed,
        command: &str,
        keep: bool,
    ) -> Result<Self, (Arc<Show>, Refusal)> {
        let show = Arc::new(Show::new(host.clone(), lang, place.format, command != "plan"));
        match Self::try_open(host, &show, place, needed, command, keep).await {
            Ok(session) => Ok(session),
            Err(refusal) => Err((show, refusal)),
        }
    }

    async fn try_open(
        host: &Host,
        show: &Arc<Show>,
        place: &Where,
        needed: Needed,
        command: &str,
        keep: bool,
    ) -> Result<Self, Refusal> {
        #[cfg(not(feature = "sandbox"))]
        if place.sandbox {
            let refusal = Refusal::new("sandbox-not-built", "", "open the sandbox: this build has none");
            return Err(refusal.exit(ExitCode::SandboxFailed).hint("use `cargo xtask`, which builds it"));
        }
        #[cfg(feature = "sandbox")]
        let world = if place.sandbox { Some(crate::world::World::enter(host, keep).await?) } else { None };
        #[cfg(feature = "sandbox")]
        let config = match &world {
            Some(world) => world.config(),
            None => load(show, &place.config)?,
        };
        #[cfg(not(feature = "sandbox"))]
        let config = load(show, &place.config)?;
        let _ = keep;

        if needed == Needed::Material {
            for warning in config.warnings() {
                show.warn(warning.field, warning.correction, &warning.message);
            }
        }
        let material = match needed {
            Needed::Material => Material::read(&config, host, host.clock.now())?,
            Needed::Keeper | Needed::Nothing => Material::unknown(),
        };
        for finding in &material.warnings {
            show.warn("certificate", None, &format!("{}: {}", finding.id, finding.message));
        }

        let run = run_name(host);
        let sink = Arc::clone(show);
        let cx = Cx::new(&run, place.budget(), Arc::new(move |event| sink.event(&event)), Arc::clone(&host.clock));
        let calls = cx.clone();
        let mut connection = Connection::to(config.region.as_str());
        connection.http.clone_from(&host.http);
        connection.on_call = Arc::new(move |call| {
            let aws_infra::wire::Call { operation, outcome, millis } = call;
            calls.emit(What::Call { service: operation.service, operation: operation.name, outcome, millis });
        });
        connection.endpoint.clone_from(&config.endpoint.url);
        connection.endpoints.clone_from(&config.endpoint.services);
        connection.patience = std::time::Duration::from_secs(place.patience);
        connection.sign_in = SignIn::Default { profile: place.profile.clone() };
        #[cfg(feature = "sandbox")]
        if world.is_some() {
            connection.sign_in = SignIn::Dummy;
        }
        let aws = Aws::connect(&connection)
            .await
            .map_err(|error| Refusal::of(ExitCode::Refused, vec![error.failure(&NodeId::from("sign-in"), "A1")]))?;
        let home = Home::new(Arc::new(aws), config.name.as_str(), config.tags.clone());
        #[cfg(feature = "sandbox")]
        if let Some(world) = &world {
            world.furnish(&home).await?;
        }
        let words = Words::default();
        let keeper = keeper_half(host, &config, &cx, needed).await?;
        let graph = guide::graph(&config, &material, &home, &keeper, &words);
        let nodes: Vec<String> = graph.nodes().map(|node| graph.subject(node).node.to_string()).collect();
        config.check_ownership(nodes.iter().map(String::as_str)).map_err(|error| usage(show, &error))?;
        for node in graph.nodes() {
            let subject = graph.subject(node);
            let word = config.ownership.get(subject.node.as_str());
            if guide::FOUND_BY_TAGS.contains(&subject.kind.as_str())
                && word.is_some_and(|word| *word != Ownership::Managed)
            {
                let message =
                    format!("a {} without our tags is not recognised, so it can only be managed", subject.kind);
                let help = Some("name existing networks in [network]");
                return Err(usage(show, &config.problem("config-conflict", "ownership", message, help)));
            }
        }
        cx.emit(What::RunStarted { command: command.to_owned(), nodes: nodes.len() });
        link(host, &cx);
        Ok(Self {
            show: Arc::clone(show),
            cx,
            graph,
            home,
            words,
            #[cfg(feature = "sandbox")]
            world,
        })
    }

    /// The nodes of the steps that were asked for, and what they need.
    pub(crate) fn selection(&self, part: &Part) -> Result<Selection, Refusal> {
        let of = |wanted: &dyn Fn(StepId) -> bool| self.graph.select(|subject| subject.step.parse().is_ok_and(wanted));
        for &step in &part.only {
            if of(&|one| one == step).is_empty() {
                let error = Refusal::new("step-empty", step.as_str(), format!("take {step} alone"));
                return Err(error
                    .expected("a step that makes or checks something in this config")
                    .exit(ExitCode::Usage));
            }
        }
        Ok(match part.until {
            Some(until) => of(&|step| step <= until),
            None if part.only.is_empty() => self.graph.everything(),
            None => of(&|step| part.only.contains(&step)),
        })
    }

    /// Takes somebody's word for a step that a person does.
    pub(crate) fn say_so(&self, step: StepId, by: &str) {
        let word = match step {
            StepId::A15 => &self.words.a15,
            StepId::A16 => &self.words.a16,
            _ => return,
        };
        // The first word counts.
        let _ = word.set(by.to_owned());
    }

    /// Looks and decides; a plan that a person must decide on first is a refusal.
    pub(crate) async fn look(&self, selection: &Selection) -> Result<(resource_graph::Discovery, Plan), Refusal> {
        let discovery = self.graph.discover(&self.cx, selection).await;
        let discovery = discovery.map_err(|failures| Refusal::of(ExitCode::Refused, failures))?;
        let plan = self.graph.plan(&discovery);
        Ok((discovery, plan))
    }

    /// Leaves the sandbox, if this is one: without `keep` the emulator ends.
    pub(crate) async fn close(self) {
        #[cfg(feature = "sandbox")]
        if let Some(world) = self.world {
            world.leave().await;
        }
    }
}

/// Signs in to Keeper, if this command needs it and the config says how.
async fn keeper_half(host: &Host, config: &Config, cx: &Cx, needed: Needed) -> Result<Keeper, Refusal> {
    let said = cx.clone();
    let tell: crate::keeper::Tell = Arc::new(move |text: &str| said.say(text));
    let device = crate::keeper::device(&config.keeper.endpoint, Arc::clone(&tell))?;
    let session = match needed {
        Needed::Nothing => None,
        Needed::Keeper | Needed::Material => crate::keeper::sign_in(config, host, tell).await?,
    };
    Ok(Keeper { session, device })
}

/// Ctrl-C reaches the run.
fn link(host: &Host, cx: &Cx) {
    let (pressed, run) = (host.cancelled.clone(), cx.cancellation().clone());
    tokio::spawn(async move {
        pressed.cancelled().await;
        run.cancel();
    });
}

/// When and by whom: `20261124T233239-4711`.
fn run_name(host: &Host) -> String {
    format!("{}-{}", host.clock.now().strftime("%Y%m%dT%H%M%S"), std::process::id())
}

fn load(show: &Show, path: &Path) -> Result<Config, Refusal> {
    config::load(path).map_err(|error| usage(show, &error))
}

/// A config error: text with the line for people, one failure for programs.
pub(crate) fn usage(show: &Show, error: &config::ConfigError) -> Refusal {
    if show.format() == Format::Text {
        show.point_at(error);
    }
    let refusal = Refusal::new(error.code(), "config", error.to_string()).exit(ExitCode::Usage);
    let refusal = match error.field() {
        Some(field) => refusal.because(format!("the key is {field}")),
        None => refusal,
    };
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}
