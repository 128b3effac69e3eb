//! What is said while a command runs: bars on a terminal, lines otherwise, JSON when asked.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use resource_graph::{Cx, Event, Failure, Outcome, Report, SCHEMA_VERSION, What};

use super::{tree, words};
use crate::catalogue::{Lang, StepId, hint};
use crate::cli::Format;
use crate::config::ConfigError;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// A reader of events that speaks to one person or program.
pub(crate) struct Show {
    host: Host,
    lang: Lang,
    format: Format,
    events: bool,
    bar: Option<ProgressBar>,
    busy: Mutex<BTreeSet<String>>,
    destroying: Mutex<bool>,
}

impl Show {
    /// `events`: whether JSON means one line an event; a command with a document of its own prints none.
    pub(crate) fn new(host: Host, lang: Lang, format: Format, events: bool) -> Self {
        let bar = (format == Format::Text && host.terminal).then(|| {
            let style = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}");
            let bar = ProgressBar::no_length().with_style(style.expect("the template is a constant"));
            // It begins with the run: what is asked before would be painted over.
            bar.finish_and_clear();
            bar
        });
        // What is told past a bar that is never drawn would be lost.
        let bar = bar.filter(|bar| !bar.is_hidden());
        Self { host, lang, format, events, bar, busy: Mutex::default(), destroying: Mutex::new(false) }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// One thing that happened.
    pub(crate) fn event(&self, event: &Event) {
        if self.format == Format::Json {
            if !self.events {
                return;
            }
            let line = serde_json::to_string(event).expect("an event has only text, numbers and lists");
            self.host.out(&(line + "\n"));
            return;
        }
        let subject = event.subject.as_ref();
        let node = subject.map(|subject| subject.node.to_string()).unwrap_or_default();
        let step = subject.map(|subject| subject.step.clone()).unwrap_or_default();
        match &event.what {
            What::RunStarted { nodes, command } => {
                *self.destroying.lock().unwrap_or_else(PoisonError::into_inner) = command == "destroy";
                if let Some(bar) = &self.bar {
                    bar.set_length(u64::try_from(*nodes).unwrap_or(u64::MAX));
                }
                self.begin();
            }
            What::Started { action } => {
                self.busy(|busy| busy.insert(node.clone()));
                self.line(&format!("{step:<4} {node}: {action}"), false);
            }
            What::Progress { text } => self.line(&format!("{step:<4} {node}: {text}"), true),
            What::Again { because, attempt } => {
                let cause = because.causes.first().map(|cause| format!(": {cause}")).unwrap_or_default();
                self.line(
                    &format!("{step:<4} {node}: {}{cause}; attempt {attempt}, looking again", because.message),
                    true,
                );
            }
            What::Finished { outcome, millis } => {
                self.busy(|busy| busy.remove(&node));
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
                if !matches!(outcome, Outcome::Kept | Outcome::WasAbsent) {
                    let word = match outcome {
                        Outcome::Failed { failure } => format!("{} ({})", words::failed(self.lang), failure.code),
                        Outcome::Skipped { because } => format!("{} {because}", words::skipped_because(self.lang)),
                        Outcome::NotStarted => words::not_started(self.lang).to_owned(),
                        Outcome::Spared => words::spared(self.lang).to_owned(),
                        Outcome::Waiting { .. } => words::waits(self.lang).to_owned(),
                        _ => words::done(self.lang).to_owned(),
                    };
                    self.line(&format!("{step:<4} {node}: {word} {millis} ms"), false);
                }
            }
            What::Retired { outcome, millis } => {
                let word = if outcome.is_done() { words::retired(self.lang) } else { words::failed(self.lang) };
                self.line(&format!("{step:<4} {node}: {word} {millis} ms"), true);
            }
            What::Discovered { .. }
            | What::Planned { .. }
            | What::Call { .. }
            | What::Step { .. }
            | What::Refused { .. }
            | What::RunFinished { .. } => {}
        }
    }

    fn busy(&self, change: impl FnOnce(&mut BTreeSet<String>) -> bool) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut busy);
        if let Some(bar) = &self.bar {
            bar.set_message(busy.iter().cloned().collect::<Vec<_>>().join(", "));
        }
    }

    /// A line of talk. On a terminal the bar shows what is being done, so only what is `news` gets a line of its own.
    fn line(&self, text: &str, news: bool) {
        match &self.bar {
            Some(bar) if news => bar.println(text),
            Some(_) => {}
            None => self.host.talk(&format!("{text}\n")),
        }
    }

    /// Shows the bar from the start: at the beginning of a run, and when one that had ended goes on.
    pub(crate) fn begin(&self) {
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Asks yes or no; no without a person. The bar is away until there is an answer.
    pub(crate) fn ask(&self, question: &str) -> bool {
        self.suspended(|| self.host.confirm(question))
    }

    /// Writes data, which may go to the same terminal as the bar.
    pub(crate) fn document(&self, text: &str) {
        self.suspended(|| self.host.out(text));
    }

    fn suspended<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// Talk that is not about a node.
    pub(crate) fn say(&self, text: &str) {
        if self.format == Format::Text {
            self.line(text, true);
        } else {
            self.host.talk(&format!("{text}\n"));
        }
    }

    /// Something a person should know that does not stop the run.
    pub(crate) fn warn(&self, field: &str, correction: Option<&str>, message: &str) {
        let code = correction.map(|code| format!(" ({code})")).unwrap_or_default();
        self.say(&format!("{}: {field}: {message}{code}", words::warning(self.lang)));
    }

    /// The config line that is wrong.
    pub(crate) fn point_at(&self, error: &ConfigError) {
        let handler = miette::GraphicalReportHandler::new_themed(if self.host.terminal {
            miette::GraphicalTheme::unicode()
        } else {
            miette::GraphicalTheme::unicode_nocolor()
        });
        let mut text = String::new();
        if handler.render_report(&mut text, error).is_ok() {
            self.host.talk(&text);
        }
    }

    /// Ends a command that changed nothing.
    pub(crate) fn refuse(&self, refusal: &Refusal) -> ExitCode {
        self.clear();
        for failure in &refusal.failures {
            match self.format {
                Format::Text => self.host.talk(&self.failure(failure)),
                Format::Json => {
                    let event = Event {
                        schema: SCHEMA_VERSION,
                        run: String::new(),
                        at: self.host.clock.now(),
                        subject: None,
                        what: What::Refused { failure: failure.clone() },
                    };
                    let line = serde_json::to_string(&event).expect("an event has only text, numbers and lists") + "\n";
                    // Where a document is the answer, standard output stays empty.
                    if self.events { self.host.out(&line) } else { self.host.talk(&line) }
                }
            }
        }
        refusal.exit
    }

    /// Ends a command that walked through the graph.
    pub(crate) fn end(&self, cx: &Cx, report: &Report) -> ExitCode {
        self.clear();
        let destroying = *self.destroying.lock().unwrap_or_else(PoisonError::into_inner);
        match self.format {
            Format::Text => {
                self.host.out(&tree::text(report, self.lang, destroying));
                for failure in report.failures() {
                    self.host.talk(&self.failure(failure));
                }
            }
            Format::Json => {
                for end in tree::steps(report, Lang::En, destroying) {
                    cx.emit(What::Step { step: end.step.to_string(), state: end.state });
                }
                let count =
                    |wanted: fn(&Outcome) -> bool| report.nodes.iter().filter(|ended| wanted(&ended.outcome)).count();
                cx.emit(What::RunFinished {
                    done: count(|outcome| outcome.is_done() && !matches!(outcome, Outcome::Waiting { .. })),
                    failed: count(|outcome| matches!(outcome, Outcome::Failed { .. })),
                    skipped: count(|outcome| matches!(outcome, Outcome::Skipped { .. } | Outcome::NotStarted)),
                    waiting: count(|outcome| matches!(outcome, Outcome::Waiting { .. })),
                    millis: report.millis,
                });
            }
        }
        if report.is_done() {
            if report.waiting().next().is_some() { ExitCode::WaitsForYou } else { ExitCode::Done }
        } else if cx.cancellation().is_cancelled() && report.failures().all(|failure| failure.code == "cancelled") {
            ExitCode::Cancelled
        } else {
            ExitCode::StepFailed
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn failure(&self, failure: &Failure) -> String {
        let lang = self.lang;
        let mut text = String::new();
        let step =
            if failure.step.is_empty() { String::new() } else { format!("{} {}: ", words::step(lang), failure.step) };
        let _ = writeln!(text, "error[{}]: {step}{} {}", failure.code, words::failed_to(lang), failure.message);
        for cause in &failure.causes {
            let _ = writeln!(text, "  {cause}");
        }
        if let Some(expected) = &failure.expected {
            let _ = writeln!(text, "  {}: {expected}", words::expected(lang));
        }
        // The catalogue speaks the reader's language; what came with the error may know more.
        let general = hint(&failure.code, lang);
        let special = failure.hint.as_deref().filter(|_| general.is_none() || lang == Lang::En);
        for hint in [special, general.filter(|_| special.is_none())].into_iter().flatten() {
            let _ = writeln!(text, "  {}: {hint}", words::hint(lang));
        }
        text
    }

    pub(crate) fn question(&self) -> &'static str {
        words::apply_question(self.lang)
    }

    pub(crate) fn question_step(&self, step: StepId) -> String {
        format!("{step} {}: {}", step.title(self.lang), words::step_question(self.lang))
    }

    pub(crate) fn question_destroy(&self) -> &'static str {
        words::destroy_question(self.lang)
    }

    #[cfg(feature = "sandbox")]
    pub(crate) fn sandbox_tidies(&self) -> &'static str {
        words::sandbox_tidies(self.lang)
    }

    #[cfg(feature = "sandbox")]
    pub(crate) fn sandbox_is_empty(&self) -> &'static str {
        words::sandbox_is_empty(self.lang)
    }

    #[cfg(feature = "sandbox")]
    pub(crate) fn sandbox_ends(&self) -> &'static str {
        words::sandbox_ends(self.lang)
    }
}
