//! Everything a command needs before it can look at AWS, in the order in which it can fail: config, material, sign-in.

use std::path::Path;
use std::sync::Arc;

use aws_infra::ecs::Confirmation;
use aws_infra::{Aws, Connection, Home, SignIn};
use resource_graph::{Cx, Failure, Graph, NodeId, Plan, Resource, Selection, Subject, What};

use crate::catalogue::{Lang, StepId};
use crate::cli::{Format, Part, Where};
use crate::config::{self, Config, ConfigError, KeeperHalf, Ownership, Problem};
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
    /// Who is signed in to Keeper.
    keeper: Option<automator_admin::Session>,
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
        let show = Arc::new(Show::new(host.clone(), lang, place.format, !["plan", "unlock"].contains(&command)));
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

        if needed == Needed::Keeper && matches!(config.keeper.half, KeeperHalf::Manual { .. }) {
            let message = "undo the Keeper half: there is nobody to sign in, because the config has no [keeper.login]";
            return Err(Refusal::new("keeper-nobody-signs-in", "A14", message).exit(ExitCode::Usage));
        }
        if needed == Needed::Material {
            for warning in config.warnings() {
                show.warn(warning.field, warning.correction, &warning.message);
            }
        }
        let material = match needed {
            Needed::Material => Material::read(&config, host, host.clock.now())?,
            Needed::Keeper | Needed::Nothing => Material::unknown(),
        };
        if needed == Needed::Material {
            guide::check(&config, &material).map_err(|error| {
                Refusal::of(ExitCode::Refused, vec![error.failure(&NodeId::from("task-definition"), "A8")])
            })?;
        }
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
            keeper: keeper.session,
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

    /// Whether this deployment has a person do the step and say so.
    pub(crate) fn waits_for_word(&self, step: StepId) -> bool {
        let confirmed = |subject: &Subject| subject.step == step.as_str() && subject.kind == Confirmation::KIND;
        self.graph.nodes().any(|node| confirmed(self.graph.subject(node)))
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
        if let Some(keeper) = &self.keeper {
            // Somebody else may have been at work in the vault too.
            keeper.look_again();
        }
        let discovery = self.graph.discover(&self.cx, selection).await;
        let discovery = discovery.map_err(not_seen)?;
        let plan = self.graph.plan(&discovery);
        Ok((discovery, plan))
    }

    /// Takes the bar away and leaves the sandbox, if this is one: without `keep` the emulator ends.
    pub(crate) async fn close(self) {
        self.show.clear();
        #[cfg(feature = "sandbox")]
        if let Some(world) = self.world {
            world.leave().await;
        }
    }
}

/// A look that did not come to its end: one that somebody stopped says so.
fn not_seen(failures: Vec<Failure>) -> Refusal {
    let stopped = !failures.is_empty() && failures.iter().all(|failure| failure.code == "cancelled");
    Refusal::of(if stopped { ExitCode::Cancelled } else { ExitCode::Refused }, failures)
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

/// A config error: every problem at its line and the first one again for people, a failure for each problem for programs.
pub(crate) fn usage(show: &Show, error: &ConfigError) -> Refusal {
    let count = match show.format() {
        Format::Text => {
            show.point_at(error);
            1
        }
        Format::Json => usize::MAX,
    };
    let failures = error.problems().take(count).flat_map(|problem| failures(error, problem));
    Refusal::of(ExitCode::Usage, failures.collect())
}

fn failures(error: &ConfigError, problem: &Problem) -> Vec<Failure> {
    let refusal = Refusal::new(problem.code(), "config", error.sentence(problem));
    let refusal = match problem.field() {
        Some(field) => refusal.because(format!("the key is {field}")),
        None => refusal,
    };
    let refusal = match problem.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    };
    refusal.failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_look_asks_keeper_again() {
        use keeper_fake::{Fake, Scheme, World};
        let mut world = World::new();
        let device = world.admin.add_resumable();
        let fake = Fake::start(world, Scheme::Https).await.unwrap();
        let json = fake.world().admin.commander_config(fake.origin(), &device).to_string();
        let login = automator_admin::config::Config::parse(json.as_bytes()).unwrap();
        let options = automator_admin::Options::new().server_keys(fake.world().server_keys());
        let options = options.authority(fake.ca_pem().unwrap());
        let login = automator_admin::Login::new(automator_admin::config::ConfigMemory::new(login)).options(options);
        let keeper = login.sign_in().await.unwrap();
        let session = Session {
            show: Arc::new(Show::new(Host::real(), Lang::En, Format::Text, false)),
            cx: Cx::quiet(),
            graph: Graph::new(),
            home: aws_infra::testing::home(),
            keeper: Some(keeper.clone()),
            words: Words::default(),
            #[cfg(feature = "sandbox")]
            world: None,
        };
        let syncs = || fake.world().journal.iter().filter(|entry| entry.call == "vault/sync_down").count();
        for expected in 1..4 {
            session.look(&session.graph.everything()).await.unwrap();
            // As the nodes of the Keeper half do.
            keeper.vault().await.unwrap();
            keeper.vault().await.unwrap();
            assert_eq!(syncs(), expected);
        }
    }

    #[test]
    fn a_look_that_was_stopped_is_cancelled_and_not_refused() {
        let failed = |codes: &[&str]| {
            let failures = codes.iter().flat_map(|code| Refusal::new(code, "A1", "look at vpc").failures);
            not_seen(failures.collect()).exit
        };
        assert_eq!(failed(&["cancelled", "cancelled"]), ExitCode::Cancelled);
        assert_eq!(failed(&["cancelled", "access-denied"]), ExitCode::Refused);
        assert_eq!(failed(&["deadline"]), ExitCode::Refused);
        assert_eq!(failed(&[]), ExitCode::Refused);
    }
}
