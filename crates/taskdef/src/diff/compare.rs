//! Two normal forms side by side.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::normal::{key, keys_at, normalise};
use crate::model::TaskDefinition;
use crate::{pointer, sensitive};

/// What differs between two definitions; empty exactly when registering the second over the first would
/// change nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diff {
    /// The differences, in the order of the normal form.
    pub differences: Vec<Difference>,
}

/// One member that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where, as a JSON pointer in which items of lists without order go by their names:
    /// `/containerDefinitions/main/image`.
    pub pointer: String,
    /// What the first definition says.
    #[serde(skip_serializing_if = "Shown::is_absent")]
    pub from: Shown,
    /// What the second one says.
    #[serde(skip_serializing_if = "Shown::is_absent")]
    pub to: Shown,
}

/// A value as far as it may be seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// Nothing is said.
    Absent,
    /// Something harmless; text inside it that may be secret is replaced by [`HIDDEN`].
    Value(Value),
    /// Something that may be a secret.
    Hidden,
}

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(hidden)";

impl Shown {
    /// Whether nothing is said.
    pub fn is_absent(&self) -> bool {
        self == &Self::Absent
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
            Self::Hidden => serializer.serialize_str(HIDDEN),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(absent)"),
            Self::Value(value) => write!(f, "{value}"),
            Self::Hidden => f.write_str(HIDDEN),
        }
    }
}

impl Diff {
    /// Whether a new revision would change nothing.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// The differences as a JSON value, secrets hidden.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("differences have string keys only")
    }
}

/// `+` for what is new, `-` for what is gone, `~` for what changed.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, from, to } = self;
        match (from, to) {
            (Shown::Absent, to) => write!(f, "+ {pointer}: {to}"),
            (from, Shown::Absent) => write!(f, "- {pointer}: {from}"),
            (from, to) => write!(f, "~ {pointer}: {from} -> {to}"),
        }
    }
}

/// One line per difference.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.differences.iter().try_for_each(|difference| writeln!(f, "{difference}"))
    }
}

/// Compares two definitions after normalisation: order, defaults, empty lists and what AWS adds do not count.
///
/// ```
/// let one = taskdef::Document::read(r#"{"family": "a", "containerDefinitions": [{"name": "x", "image": "i:1"}]}"#)?;
/// let two = taskdef::Document::read(r#"{"family": "a", "containerDefinitions": [{"name": "x", "image": "i:2", "essential": true}]}"#)?;
/// let diff = taskdef::diff(&one.definition, &two.definition);
/// assert_eq!(diff.to_string(), "~ /containerDefinitions/x/image: \"i:1\" -> \"i:2\"\n");
/// # Ok::<(), taskdef::ReadError>(())
/// ```
pub fn diff(from: &TaskDefinition, to: &TaskDefinition) -> Diff {
    let mut walk = Walk::default();
    walk.compare(Some(&normalise(from)), Some(&normalise(to)));
    Diff { differences: walk.differences }
}

#[derive(Default)]
struct Walk {
    /// Where we are, with `*` for items of lists.
    pattern: Vec<String>,
    /// Where we are, with the names of items.
    pointer: String,
    differences: Vec<Difference>,
}

impl Walk {
    fn compare(&mut self, from: Option<&Value>, to: Option<&Value>) {
        if from == to {
            return;
        }
        match (from, to) {
            (Some(Value::Object(from)), Some(Value::Object(to))) => {
                let mut names: Vec<&String> =
                    from.keys().chain(to.keys().filter(|name| !from.contains_key(*name))).collect();
                names.sort();
                for name in names {
                    self.below(name, name, from.get(name), to.get(name));
                }
            }
            (Some(Value::Array(from)), Some(Value::Array(to))) => {
                match (self.by_key(from), self.by_key(to)) {
                    (Some(from), Some(to)) => {
                        let mut names: Vec<&String> =
                            from.keys().chain(to.keys().filter(|name| !from.contains_key(*name))).collect();
                        names.sort();
                        for name in names {
                            self.below("*", &self.shown_key(name), from.get(name).copied(), to.get(name).copied());
                        }
                    }
                    // An ordered list is one value: a command line is read as a whole.
                    (None, None) if keys_at(&self.pattern).is_none() => self.push(from, to),
                    _ => {
                        for index in 0..from.len().max(to.len()) {
                            self.below("*", &index.to_string(), from.get(index), to.get(index));
                        }
                    }
                }
            }
            (from, to) => self.report(from, to),
        }
    }

    fn push(&mut self, from: &[Value], to: &[Value]) {
        let (from, to) = (Value::Array(from.to_vec()), Value::Array(to.to_vec()));
        self.report(Some(&from), Some(&to));
    }

    fn report(&mut self, from: Option<&Value>, to: Option<&Value>) {
        let shown = |value: Option<&Value>| value.map_or(Shown::Absent, |value| self.show(value));
        let (from, to) = (shown(from), shown(to));
        self.differences.push(Difference { pointer: self.pointer.clone(), from, to });
    }

    fn below(&mut self, pattern: &str, token: &str, from: Option<&Value>, to: Option<&Value>) {
        let length = self.pointer.len();
        self.pattern.push(pattern.to_owned());
        self.pointer.push('/');
        self.pointer.push_str(&pointer::escape(token));
        self.compare(from, to);
        self.pointer.truncate(length);
        self.pattern.pop();
    }

    /// The items of the list we are at by their names, unless two share one.
    fn by_key<'a>(&self, items: &'a [Value]) -> Option<BTreeMap<String, &'a Value>> {
        let keys = keys_at(&self.pattern)?;
        let by_key: BTreeMap<_, _> = items.iter().map(|item| (key(item, keys), item)).collect();
        (by_key.len() == items.len()).then_some(by_key)
    }

    /// What an item of the list we are at is called in a pointer: not by a value that stands in its name.
    fn shown_key(&self, key: &str) -> String {
        let variables = ["environment", "secrets", "secretOptions"];
        let is_variable = self.pattern.last().is_some_and(|list| variables.contains(&list.as_str()));
        match key.split_once('=') {
            Some((name, _)) if is_variable => format!("{name}={HIDDEN}"),
            _ if sensitive::look_of(if is_variable { "" } else { "name" }, key).is_some() => HIDDEN.to_owned(),
            _ => key.to_owned(),
        }
    }

    fn show(&self, value: &Value) -> Shown {
        let variable = self.pattern.iter().position(|token| token == "environment").map(|at| at + 1);
        let tokens: Vec<String> =
            self.pointer.split('/').skip(1).map(|t| t.replace("~1", "/").replace("~0", "~")).collect();
        let member = tokens.last().map_or("", String::as_str);
        let in_variable = variable.filter(|at| self.pattern.len() > *at).map(|at| tokens[at].as_str());
        match (value, in_variable) {
            (Value::String(text), Some(name)) if member == "value" && !sensitive::may_show_variable(name, text) => {
                Shown::Hidden
            }
            (Value::String(text), None) if !sensitive::may_show(member, text) => Shown::Hidden,
            // A tag or a driver's property that is called `password`.
            (Value::String(_), None)
                if member == "value"
                    && tokens.iter().rev().nth(1).is_some_and(|name| sensitive::is_secret_name(name)) =>
            {
                Shown::Hidden
            }
            (value, _) => Shown::Value(masked(member, value)),
        }
    }
}

/// A copy without what may be secret.
pub(crate) fn masked(member: &str, value: &Value) -> Value {
    let hidden = || Value::String(HIDDEN.to_owned());
    match value {
        Value::String(text) if !sensitive::may_show(member, text) => hidden(),
        Value::Array(items) => {
            let previous = [None].into_iter().chain(items.iter().map(Value::as_str));
            let copy = |(item, previous): (&Value, Option<&str>)| match item {
                Value::String(_) if previous.is_some_and(sensitive::is_secret_option) => hidden(),
                item => masked(member, item),
            };
            Value::Array(items.iter().zip(previous).map(copy).collect())
        }
        Value::Object(members) => {
            let text = |member: &str| members.get(member).and_then(Value::as_str);
            let copy = |(member, value): (&String, &Value)| {
                let hide = match (value, text("name"), text("key")) {
                    (Value::String(text), Some(name), _) => {
                        member == "value" && !sensitive::may_show_variable(name, text)
                    }
                    (Value::String(_), None, Some(key)) => member == "value" && sensitive::is_secret_name(key),
                    _ => false,
                };
                (member.clone(), if hide { hidden() } else { masked(member, value) })
            };
            Value::Object(members.iter().map(copy).collect())
        }
        other => other.clone(),
    }
}
