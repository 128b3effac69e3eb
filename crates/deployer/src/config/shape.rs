//! The shape of a config file: its tree compared with the JSON schema, every difference with its place.
//!
//! serde stops at the first surprise. This walk does not, so one run tells all unknown keys, wrong types and missing
//! keys; it hands on whatever was understood, so that values are judged in the same run.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin, Problem};

/// What the walk understood, and what it did not.
pub(super) struct Shaped {
    pub(super) value: Value,
    pub(super) problems: Vec<Problem>,
}

/// Parses `text` and compares it with `schema`.
pub(super) fn read(text: &str, name: &str, schema: &Value) -> Result<(Origin, Shaped), ConfigError> {
    let mut origin = Origin::new(name, text);
    let tree = match DeTable::parse(text) {
        Ok(tree) => tree,
        Err(error) => {
            hide_likely_secrets(&mut origin, text);
            let mut problem = Problem::new("config-syntax", "", error.message().trim().replace('\n', ", "));
            if let Some(span) = error.span() {
                problem = problem.at(span);
            }
            return Err(ConfigError::new(origin, vec![problem]));
        }
    };
    let mut walk = Walk { schema, origin: &mut origin, problems: Vec::new() };
    let value = walk.table(tree.get_ref(), schema, "", 0..0);
    let problems = walk.problems;
    Ok((origin, Shaped { value, problems }))
}

struct Walk<'a> {
    schema: &'a Value,
    origin: &'a mut Origin,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, node: &Value, path: &str, span: Range<usize>) -> Value {
        let no_keys = Map::new();
        let known = node["properties"].as_object().unwrap_or(&no_keys);
        let mut understood = Map::new();
        let mut meant = Vec::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let field = join(path, name);
            let inner = known.get(name).or_else(|| node.get("additionalProperties").filter(|rest| rest.is_object()));
            if let Some(inner) = inner {
                if let Some(value) = self.value(value, inner, &field) {
                    understood.insert(name.to_owned(), value);
                }
            } else {
                let near = nearest(name, known.keys().map(String::as_str));
                meant.extend(near);
                let mut problem = unknown_key(name, &field, path, near, known).at(key.span());
                if !value.get_ref().is_bool() {
                    // The value of a key nobody knows may be anything, a misspelt password included.
                    problem = problem.mask(value.span());
                }
                self.problems.push(problem);
            }
        }
        for missing in node["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !table.contains_key(missing) && !meant.contains(&missing) {
                let field = join(path, missing);
                let mut problem = Problem::new("config-missing-key", &field, format!("missing key `{field}`"))
                    .label("add it here")
                    .at(span.clone());
                if let Some(text) = known[missing]["description"].as_str() {
                    problem = problem.help(text.lines().next().unwrap_or(text));
                }
                self.problems.push(problem);
            }
        }
        Value::Object(understood)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, node: &Value, field: &str) -> Option<Value> {
        let root = self.schema;
        let node = resolve(root, node);
        let span = value.span();
        self.origin.remember(field, span.clone());
        let secret = node["x-secret"] == true;
        if secret && !value.get_ref().is_table() {
            self.problems.push(
                Problem::new("config-literal-secret", field, "secrets in the config are references")
                    .label("a value stands here")
                    .help(format!(
                        "write `{field} = {{ file = \"…\" }}`, `{{ env = \"NAME\" }}` or `{{ prompt = true }}`, and \
                         treat a secret that stood in a file as known to others"
                    ))
                    .at(span)
                    .secret(),
            );
            return None;
        }
        if let Some(allowed) = allowed_values(node) {
            return self.one_of(value, &allowed, field);
        }
        let expected = node["type"].as_str().unwrap_or("any");
        match (expected, value.get_ref()) {
            ("string", DeValue::String(text)) => Some(Value::from(text.as_ref())),
            ("boolean", DeValue::Boolean(flag)) => Some(Value::from(*flag)),
            ("integer", DeValue::Integer(number)) => {
                let range = integer_range(node);
                let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
                if parsed.is_none() {
                    let (low, high) = (range.start(), range.end());
                    self.problems.push(
                        Problem::bad_value(field, format!("`{field}` must be a whole number from {low} to {high}"))
                            .at(span),
                    );
                }
                parsed.map(Value::from)
            }
            ("array", DeValue::Array(items)) => {
                let inner = &node["items"];
                let items =
                    items.iter().enumerate().map(|(at, item)| self.value(item, inner, &format!("{field}[{at}]")));
                let items: Vec<_> = items.collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
            }
            ("object", DeValue::Table(table)) => Some(self.table(table, node, field, span)),
            (_, found) => {
                let found = found.type_str();
                self.problems.push(
                    Problem::new("config-wrong-type", field, format!("`{field}` must be {}", spoken(expected)))
                        .label(format!("this is {}", spoken(found)))
                        .at(span),
                );
                None
            }
        }
    }

    fn one_of(&mut self, value: &Spanned<DeValue<'_>>, allowed: &[Value], field: &str) -> Option<Value> {
        let given = match value.get_ref() {
            DeValue::String(text) => Some(Value::from(text.as_ref())),
            DeValue::Boolean(flag) => Some(Value::from(*flag)),
            _ => None,
        };
        if let Some(given) = &given
            && allowed.contains(given)
        {
            return Some(given.clone());
        }
        let choices: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let mut help = format!("one of {}", choices.join(", "));
        let words = allowed.iter().filter_map(Value::as_str);
        if let Some(near) = given.as_ref().and_then(Value::as_str).and_then(|text| nearest(text, words)) {
            help = format!("did you mean \"{near}\"? It is {help}");
        }
        let same_type = allowed.iter().any(|value| match &given {
            Some(given) => given.is_string() == value.is_string(),
            None => false,
        });
        let problem = if same_type {
            Problem::bad_value(field, format!("`{field}` has a value that is not known"))
        } else {
            let found = value.get_ref().type_str();
            Problem::new("config-wrong-type", field, format!("`{field}` must be one of {}", choices.join(", ")))
                .label(format!("this is {}", spoken(found)))
        };
        self.problems.push(problem.help(help).at(value.span()));
        None
    }
}

fn unknown_key(name: &str, field: &str, path: &str, near: Option<&str>, known: &Map<String, Value>) -> Problem {
    let place = if path.is_empty() { "at the top level".to_owned() } else { format!("in [{path}]") };
    let mut help = match near {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    let keys: Vec<&str> = known.keys().map(String::as_str).collect();
    help.push_str(&format!("Known {place}: {}", keys.join(", ")));
    Problem::new("config-unknown-key", field, format!("unknown key `{name}` {place}")).label("not known").help(help)
}

/// The candidate a person most likely meant, if any is near enough: swapped letters are likelier than wrong ones.
pub(super) fn nearest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('-', "_");
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    candidates
        .map(|name| (strsim::osa_distance(&given, &plain(name)), name))
        .filter(|(distance, name)| {
            let shorter = given.len().min(name.len());
            *distance <= (shorter / 3).max(1) || (shorter >= 3 && plain(name).starts_with(&given))
        })
        .min_by_key(|(distance, name)| (*distance, sorted(&plain(name)) != sorted(&given)))
        .map(|(_, name)| name)
}

fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    let pointer = node["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(node)
}

fn allowed_values(node: &Value) -> Option<Vec<Value>> {
    if let Some(values) = node["enum"].as_array() {
        return Some(values.clone());
    }
    let choices = node["oneOf"].as_array()?;
    // schemars writes a documented variant as `const` and gathers the undocumented ones in an `enum`.
    choices.iter().map(|choice| choice.get("const").cloned()).collect()
}

fn integer_range(node: &Value) -> std::ops::RangeInclusive<i64> {
    let ceiling = match node["format"].as_str() {
        Some("uint16") => i64::from(u16::MAX),
        Some("uint32") => i64::from(u32::MAX),
        _ => i64::MAX,
    };
    node["minimum"].as_i64().unwrap_or(0)..=node["maximum"].as_i64().unwrap_or(ceiling)
}

/// A dotted path; keys that TOML would quote are quoted.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn spoken(kind: &str) -> &str {
    match kind {
        "string" => "a string in quotes",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "float" => "a number with a decimal point",
        "array" => "a list in [brackets]",
        "object" | "table" => "a table",
        "datetime" => "a date or time",
        other => other,
    }
}

/// Where the text cannot be parsed, nobody knows which word is a secret: hides what may be one.
fn hide_likely_secrets(origin: &mut Origin, text: &str) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        if ["password", "secret", "ksm_config", "token", "key"].iter().any(|word| lower.contains(word))
            && let Some(equals) = line.find('=')
        {
            origin.mask(start + equals + 1..start + line.len());
        }
        let mut run = 0;
        for (at, c) in line.char_indices().chain([(line.len(), '\n')]) {
            if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-') {
                run += 1;
            } else {
                if run >= 24 {
                    origin.mask(start + at - run..start + at);
                }
                run = 0;
            }
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_the_one_a_person_meant() {
        let near =
            |given| nearest(given, ["region", "record_uid", "US", "EU", "log-group", "retention_days"].into_iter());
        assert_eq!(near("regoin"), Some("region"));
        assert_eq!(near("UE"), Some("EU"));
        assert_eq!(near("recordUid"), Some("record_uid"));
        assert_eq!(near("log_group"), Some("log-group"));
        assert_eq!(near("retention"), Some("retention_days"));
        assert_eq!(near("zones"), None);
        assert_eq!(near(""), None);
    }
}
