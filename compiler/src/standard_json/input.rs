//! Reading a standard JSON input: what solc would refuse for its shape is left to solc, the rest is checked here.
use crate::compile::{Level, Options};
use crate::project::{Language, Project, Selection};
use crate::solc::paths::Paths;
use serde_json::{Map, Value};

/// Why an input cannot be compiled at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// No JSON.
    #[error("Input is not JSON: {0}")]
    Syntax(String),
    /// JSON of another shape.
    #[error("\"{field}\" must be {expected}.")]
    Shape {
        /// The field, as a path.
        field: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A language nobody here reads.
    #[error("Only \"Solidity\" and \"Yul\" are supported as a language, not \"{0}\".")]
    Language(String),
    /// An address that is none.
    #[error("Library \"{library}\" has the address \"{address}\"; expected 0x and 40 hex digits.")]
    Address {
        /// `file:Name`
        library: String,
        /// What stands there.
        address: String,
    },
    /// A level that does not exist.
    #[error("\"settings.lathe.optimization\" is \"{0}\"; it can be \"0\", \"1\", \"2\", \"3\" or \"z\".")]
    Level(String),
}

fn shape(field: &str, expected: &'static str) -> InputError {
    InputError::Shape { field: field.into(), expected }
}

/// Reads an input. `options` holds what the input does not say.
///
/// # Errors
/// The input is not of the right shape.
pub fn read(text: &str, paths: Paths, mut options: Options) -> Result<Project, InputError> {
    let input: Value = serde_json::from_str(text).map_err(|error| InputError::Syntax(error.to_string()))?;
    let language = match input["language"].as_str() {
        Some("Solidity") => Language::Solidity,
        Some("Yul") => Language::Yul,
        Some(other) => return Err(InputError::Language(other.into())),
        None => return Err(shape("language", "\"Solidity\" or \"Yul\"")),
    };
    let sources = map(&input, "sources")?.filter(|sources| !sources.is_empty());
    let sources = sources.ok_or_else(|| shape("sources", "an object with at least one source"))?;
    if let Some((name, _)) = sources.iter().find(|(_, source)| !source.is_object()) {
        return Err(shape(&format!("sources.{name}"), "an object"));
    }
    let settings = map(&input, "settings")?.unwrap_or_default();
    own_settings(&settings, &mut options)?;
    libraries(&settings, &mut options)?;
    let selection = Selection::new(settings.get("outputSelection").unwrap_or(&Value::Null));
    Ok(Project { language, sources, settings, selection, paths, options })
}

/// An object that may be left out.
fn map(input: &Value, field: &str) -> Result<Option<Map<String, Value>>, InputError> {
    match &input[field] {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map.clone())),
        _ => Err(shape(field, "an object")),
    }
}

/// `settings.lathe`: `optimization` and `fallbackToSize`.
fn own_settings(settings: &Map<String, Value>, options: &mut Options) -> Result<(), InputError> {
    let Some(own) = settings.get("lathe") else { return Ok(()) };
    if let Some(level) = own.get("optimization") {
        let text = level.as_str().map_or_else(|| level.to_string(), str::to_string);
        options.level = Level::parse(&text).ok_or(InputError::Level(text))?;
    }
    if let Some(fallback) = own.get("fallbackToSize") {
        options.fallback_to_size =
            fallback.as_bool().ok_or_else(|| shape("settings.lathe.fallbackToSize", "true or false"))?;
    }
    Ok(())
}

/// `settings.libraries`: addresses by file and name.
fn libraries(settings: &Map<String, Value>, options: &mut Options) -> Result<(), InputError> {
    let Some(files) = settings.get("libraries") else { return Ok(()) };
    for (file, names) in files.as_object().ok_or_else(|| shape("settings.libraries", "an object"))? {
        let names =
            names.as_object().ok_or_else(|| shape(&format!("settings.libraries.{file}"), "an object"))?;
        for (name, address) in names {
            let library = if file.is_empty() { name.clone() } else { format!("{file}:{name}") };
            let text = address.as_str().unwrap_or_default();
            let Some(bytes) = parse_address(text) else {
                return Err(InputError::Address { library, address: text.into() });
            };
            options.libraries.insert(library, bytes);
        }
    }
    Ok(())
}

/// `0x` and 40 hex digits.
pub fn parse_address(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(bytes)
}

impl Level {
    /// Reads `0`, `1`, `2`, `3`, `s` (as `z`) or `z`.
    pub fn parse(text: &str) -> Option<Level> {
        Some(match text {
            "0" => Level::O0,
            "1" => Level::O1,
            "2" => Level::O2,
            "3" => Level::O3,
            "s" | "z" => Level::Oz,
            _ => return None,
        })
    }
}
