//! What is wrong in a config file, where, and what to do about it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One or more problems of one config file.
///
/// The first problem (in the order of the file) is the error itself, the others are its related diagnostics. The text
/// it quotes has every literal secret replaced by asterisks.
pub struct ConfigError(Box<Inner>);

struct Inner {
    origin: Origin,
    source: NamedSource<String>,
    first: Problem,
    others: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(mut origin: Origin, mut problems: Vec<Problem>) -> Self {
        for problem in &mut problems {
            if problem.span.is_none() {
                problem.span = origin.span_of(&problem.field);
            }
            if let Some(mask) = &problem.mask {
                origin.mask(mask.clone());
            } else if problem.secret
                && let Some(span) = &problem.span
            {
                origin.mask(span.clone());
            }
        }
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        for problem in &mut problems {
            problem.position = problem.span.as_ref().map(|span| origin.position(span.start));
        }
        let mut problems = problems.into_iter();
        let first = problems.next().unwrap_or_else(|| Problem::bad_value("", "unknown problem"));
        let source = NamedSource::new(origin.name.clone(), origin.text.clone()).with_language("TOML");
        Self(Box::new(Inner { source, origin, first, others: problems.collect() }))
    }

    pub(super) fn unreadable(name: &str, error: &std::io::Error) -> Self {
        let problem = Problem::new("config-unreadable", "", error.to_string())
            .help("name the file with --config; README shows a short one; `deploy --sandbox` needs none");
        Self::new(Origin::new(name, ""), vec![problem])
    }

    /// The failure code of the first problem, such as `config-unknown-key`.
    pub fn code(&self) -> &'static str {
        self.0.first.code
    }

    /// The dotted path of the field the first problem is about; none where the whole file is meant.
    pub fn field(&self) -> Option<String> {
        self.0.first.field()
    }

    /// What to do about the first problem.
    pub fn hint(&self) -> Option<&str> {
        self.0.first.help.as_deref()
    }

    /// Every problem, in the order of the file.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&self.0.first).chain(&self.0.others)
    }

    /// One of its problems with its place; reads on after "failed to".
    pub fn sentence(&self, problem: &Problem) -> String {
        let place = problem.position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        format!("read config {}{place}: {problem}", self.0.origin.name)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(&self.0.first))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.problems().collect();
        f.debug_struct("ConfigError").field("origin", &self.0.origin).field("problems", &problems).finish()
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Diagnostic::code(&self.0.first)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Diagnostic::help(&self.0.first)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.first.span.as_ref()?;
        Some(&self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.first.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.0.others.is_empty() {
            return None;
        }
        Some(Box::new(self.0.others.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// One problem of a config file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    code: &'static str,
    field: String,
    message: String,
    label: String,
    help: Option<String>,
    span: Option<Range<usize>>,
    position: Option<(usize, usize)>,
    /// Where a secret stands that must not be quoted, if elsewhere than at `span`.
    mask: Option<Range<usize>>,
    /// Whether the text at `span` is, or may be, a secret.
    secret: bool,
}

impl Problem {
    pub(super) fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            field: field.into(),
            message: message.into(),
            label: "here".to_owned(),
            help: None,
            span: None,
            position: None,
            mask: None,
            secret: false,
        }
    }

    pub(super) fn bad_value(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("config-bad-value", field, message)
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    pub(super) fn mask(mut self, span: Range<usize>) -> Self {
        self.mask = Some(span);
        self
    }

    pub(super) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The table at the top level that the field is in.
    pub(super) fn table(&self) -> String {
        self.field.split(['.', '[']).next().unwrap_or_default().to_owned()
    }

    /// Whether something is missing here, rather than wrong.
    pub(super) fn is_about_absence(&self) -> bool {
        matches!(self.code, "config-missing-key" | "config-conflict")
    }

    /// The failure code, such as `config-unknown-key`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The dotted path of the field; none where the whole file is meant.
    pub fn field(&self) -> Option<String> {
        (!self.field.is_empty()).then(|| self.field.clone())
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Line and column, both from 1; none where the file does not say it at all.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(self.label.clone()), span))))
    }
}

/// The text a config came from and where each field stands in it.
#[derive(Clone, Default)]
pub(super) struct Origin {
    name: String,
    text: String,
    spans: BTreeMap<String, Range<usize>>,
}

impl Origin {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), spans: BTreeMap::new() }
    }

    pub(super) fn remember(&mut self, field: &str, span: Range<usize>) {
        self.spans.insert(field.to_owned(), span);
    }

    /// Where `field` stands, or else the nearest table around it.
    fn span_of(&self, field: &str) -> Option<Range<usize>> {
        let mut field = field;
        loop {
            if let Some(span) = self.spans.get(field) {
                return Some(span.clone());
            }
            let end = field.rfind(['.', '['])?;
            field = &field[..end];
        }
    }

    /// Replaces what stands at `span` by asterisks; offsets and lines stay as they are.
    pub(super) fn mask(&mut self, span: Range<usize>) {
        let Some(found) = self.text.get(span.clone()) else { return };
        let hidden: String = found
            .chars()
            .flat_map(|c| {
                let mark = if matches!(c, '\n' | '\r') { c } else { '*' };
                std::iter::repeat_n(mark, c.len_utf8())
            })
            .collect();
        self.text.replace_range(span, &hidden);
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
