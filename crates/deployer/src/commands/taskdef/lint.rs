//! `taskdef lint`: findings where their author wrote them.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::Serialize;
use taskdef::{Finding, Severity, hints, lint, sarif, source};

use super::deployed::{Deployed, Failed};
use super::end;
use super::read::{Source, read};
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::exit_codes::ExitCode;
use crate::host::Host;

#[derive(Args)]
pub(crate) struct Options {
    /// The document, bare or as DescribeTaskDefinition answers; `-` reads standard input.
    #[arg(
        required_unless_present = "deployed_family",
        conflicts_with_all = ["deployed_family", "region", "profile", "patience"]
    )]
    file: Option<PathBuf>,
    #[command(flatten)]
    deployed: Deployed,
    /// Also say what could be tightened.
    #[arg(long)]
    hints: bool,
    /// Print text for people, JSON for programs, or SARIF for code-scanning pages.
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    format: LintFormat,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    Text,
    Json,
    Sarif,
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> ExitCode {
    let talk = if options.format == LintFormat::Text { Format::Text } else { Format::Json };
    let source = match &options.file {
        Some(file) => read(file).map_err(Failed::from),
        None => options.deployed.read(host).await,
    };
    let source = match source {
        Ok(source) => source,
        Err(failed) => return end(host, lang, talk, failed),
    };
    let definition = &source.document.definition;
    let mut findings = lint(definition);
    if options.hints {
        findings.extend(hints(definition));
    }
    let prefix = source.document.pointer_prefix();
    match options.format {
        LintFormat::Text => {
            host.out(&text(&source, &findings));
            host.talk(&format!("{}: {}\n", source.name, summary(&findings)));
        }
        LintFormat::Json => host.out(&format!("{:#}\n", json(&source, &findings))),
        LintFormat::Sarif => {
            host.out(&format!("{:#}\n", sarif::log(&findings, &source.name, prefix, Some(&source.text))));
        }
    }
    if count(&findings, Severity::Error) > 0 { ExitCode::Findings } else { ExitCode::Done }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn summary(findings: &[Finding]) -> String {
    let of = |severity: Severity, word: &str| {
        let count = count(findings, severity);
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    };
    format!("{}, {}, {}", of(Severity::Error, "error"), of(Severity::Warning, "warning"), of(Severity::Hint, "hint"))
}

/// One finding for programs; the pointer leads into the file, envelope and all.
#[derive(Serialize)]
struct Placed<'a> {
    #[serde(flatten)]
    finding: Finding,
    file: &'a str,
    line: Option<u32>,
}

fn json(source: &Source, findings: &[Finding]) -> serde_json::Value {
    let places = source::Places::of(&source.text);
    let placed: Vec<Placed<'_>> = findings
        .iter()
        .map(|finding| {
            let mut finding = finding.clone();
            finding.pointer.insert_str(0, source.document.pointer_prefix());
            let line = places.as_ref().map(|places| places.line(places.span(&finding.pointer).start));
            Placed { finding, file: &source.name, line }
        })
        .collect();
    serde_json::json!({
        "schema": 1,
        "errors": count(findings, Severity::Error),
        "warnings": count(findings, Severity::Warning),
        "findings": placed,
    })
}

fn text(source: &Source, findings: &[Finding]) -> String {
    let excerpt = excerpt(source);
    let places = excerpt.as_ref().and_then(|excerpt| source::Places::of(excerpt.inner()));
    let prefix = source.document.pointer_prefix();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    for finding in findings {
        let pointer = format!("{prefix}{}", finding.pointer);
        let span = places.as_ref().map(|places| places.span(&pointer));
        let span = span.map(|span| first_line(excerpt.as_ref().map_or("", |source| source.inner()), span));
        let shown = Shown { finding, pointer, source: excerpt.as_ref(), span };
        if handler.render_report(&mut text, &shown).is_err() {
            text.push_str(&format!("{finding}\n"));
        }
    }
    text
}

/// The text as it may be shown. A document on few long lines is written anew, so that excerpts are short.
fn excerpt(source: &Source) -> Option<NamedSource<String>> {
    const LONG_LINES: usize = 300;
    let veiled = source::veiled(&source.text)?;
    // One long line, such as that of `SECRETS`, is no reason to give up the author's lines.
    if veiled.len() <= LONG_LINES * veiled.lines().count() {
        return Some(NamedSource::new(&source.name, veiled));
    }
    let value: serde_json::Value = serde_json::from_str(veiled.trim_start_matches('\u{feff}')).ok()?;
    Some(NamedSource::new(format!("{} (formatted)", source.name), format!("{value:#}")))
}

/// A whole container would be a long excerpt; where it starts is enough.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let end = text[span.clone()].find('\n').map_or(span.end, |feed| span.start + feed);
    span.start..end
}

/// One finding for people.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Finding,
    pointer: String,
    source: Option<&'a NamedSource<String>>,
    span: Option<Range<usize>>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.finding.severity, self.finding.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.id))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Hint => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        // Without an excerpt the pointer has no other place.
        Some(match self.span {
            Some(_) => Box::new(self.finding.fix),
            None => Box::new(format!("{}: {}", self.pointer, self.finding.fix)),
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.as_ref()?;
        self.source.map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(self.pointer.clone()), span))))
    }
}
