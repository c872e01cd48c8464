//! The JSON Schema of a configuration file, for editors that complete and check while somebody writes.
//!
//! Sections and their keys are those of the reference, with its comments; sites are the rows of [`Key`]. What a value may be in detail
//! is for `config check` to say: the schema is never stricter than the program.

use serde_json::{Map, Value, json};

use super::{Key, REFERENCE, Shape};

/// The schema, of the draft of 2020-12.
pub fn schema() -> Value {
    let mut properties = sections();
    let site = table("");
    properties.insert(
        "site".to_owned(),
        json!({"description": "What is watched.", "type": "array", "items": site}),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Uptime Monitor",
        "description": "uptime.toml. `uptime-monitor config check` finds what a schema cannot.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "$defs": {
            "reference": {
                "description": "A text in which ${NAME} stands for an environment variable.",
                "type": "string",
                "pattern": "\\$\\{"
            }
        }
    })
}

/// The sections of the reference.
fn sections() -> Map<String, Value> {
    let reference: toml::Table = REFERENCE.parse().unwrap_or_default();
    let comments = Comments::of(REFERENCE);
    reference.iter().map(|(name, section)| (name.clone(), section_of(name, section, &comments))).collect()
}

fn section_of(path: &str, section: &toml::Value, comments: &Comments) -> Value {
    let toml::Value::Table(keys) = section else {
        return described(of_default(section), comments.about(path));
    };
    let mut properties = Map::new();
    for (name, value) in keys {
        let path = format!("{path}.{name}");
        properties.insert(name.clone(), section_of(&path, value, comments));
        if value.is_str() {
            let help = format!("A file with the value of {name}.");
            properties.insert(format!("{name}_file"), json!({"description": help, "type": "string"}));
        }
    }
    described(object(properties), comments.about(path))
}

/// By the type of the default.
fn of_default(value: &toml::Value) -> Value {
    match value {
        toml::Value::Integer(_) => or_reference(json!({"type": "integer"})),
        toml::Value::Float(_) => or_reference(json!({"type": "number"})),
        toml::Value::Boolean(_) => or_reference(json!({"type": "boolean"})),
        toml::Value::Array(_) => or_reference(texts()),
        _ => json!({"type": ["string", "integer"]}),
    }
}

/// The keys of a site's table.
fn table(path: &str) -> Value {
    let mut properties = Map::new();
    for key in Key::in_table(path) {
        properties.insert(key.name().to_owned(), described(of_shape(key.path, key.shape), key.help));
        if let Some(file_key) = key.file_key {
            let help = format!("A file with the value of {}.", key.name());
            properties.insert(file_key.to_owned(), json!({"description": help, "type": "string"}));
        }
    }
    object(properties)
}

fn of_shape(path: &str, shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Word(words) => or_reference(json!({"enum": words})),
        Shape::Bool => or_reference(json!({"type": "boolean"})),
        Shape::Count(least, most) => {
            or_reference(json!({"type": "integer", "minimum": least, "maximum": most}))
        }
        Shape::Number => or_reference(json!({"type": "number"})),
        Shape::Duration => json!({"type": "string", "examples": ["500ms", "10s", "1m30s", "2h", "30d"]}),
        Shape::Size => json!({"type": ["integer", "string"], "examples": [65_536, "64KiB", "1MiB"]}),
        Shape::Status => json!({"type": ["integer", "string"], "examples": [200, "2xx", "400-404"]}),
        Shape::Json => json!({}),
        Shape::Texts => or_reference(texts()),
        Shape::List(item) => list(of_shape(path, *item)),
        Shape::Map => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Shape::Table => table(path),
        Shape::TableOrText => json!({"anyOf": [table(path), {"type": "string"}]}),
        Shape::Tables => list(table(path)),
    }
}

fn object(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

/// One value counts as a list of one.
fn list(item: Value) -> Value {
    json!({"anyOf": [{"type": "array", "items": item}, item]})
}

/// Numbers, words and lists may stand in an environment variable as well.
fn or_reference(value: Value) -> Value {
    json!({"anyOf": [value, {"$ref": "#/$defs/reference"}]})
}

fn described(mut schema: Value, help: &str) -> Value {
    if !help.is_empty() {
        schema["description"] = help.into();
    }
    schema
}

/// What the reference says above its sections and keys, by dotted path.
struct Comments(std::collections::BTreeMap<String, String>);

impl Comments {
    fn of(reference: &str) -> Self {
        let (mut comments, mut above, mut section) =
            (std::collections::BTreeMap::new(), Vec::new(), String::new());
        for line in reference.lines() {
            if let Some(comment) = line.strip_prefix('#') {
                above.push(comment.trim());
                continue;
            }
            let path = match (line.strip_prefix('['), line.split_once('=')) {
                (Some(name), _) => {
                    section = name.trim_end_matches(']').to_owned();
                    section.clone()
                }
                (None, Some((key, _))) => format!("{section}.{}", key.trim()),
                (None, None) => {
                    above.clear();
                    continue;
                }
            };
            comments.insert(path, above.join(" "));
            above.clear();
        }
        Self(comments)
    }

    fn about(&self, path: &str) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }
}
