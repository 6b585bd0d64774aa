//! Values in and out by a contract's interface: arguments from text, answers, logs and errors as text.
use super::InspectError;
use super::project::{Contract, Project};
use alloy::dyn_abi::{DynSolType, DynSolValue, EventExt, FunctionExt, JsonAbiExt, Specifier};
use alloy::json_abi::{Error, Event, Function, JsonAbi, Param};
use alloy::primitives::{B256, U256, hex};
use alloy::sol_types::{Panic, PanicKind, Revert, SolError};
use lathe_vm::Word;
use lathe_vm::sandbox::{Log, Opened};

/// A machine word as alloy's number.
pub fn number(word: Word) -> U256 {
    U256::from_be_bytes(word.to_be_bytes())
}

/// A number as a machine word.
pub fn word(number: U256) -> Word {
    Word::from_be_bytes(number.to_be_bytes())
}

/// `name(types)` of what a context runs, from its calldata.
pub fn method(abi: &JsonAbi, opened: &Opened) -> String {
    if opened.deploys {
        return "constructor".into();
    }
    let selected = opened.calldata.first_chunk().and_then(|selector| by_selector(abi, *selector));
    match selected {
        Some(function) => function.signature(),
        None if opened.calldata.is_empty() && abi.receive.is_some() => "receive".into(),
        None => "fallback".into(),
    }
}

fn by_selector(abi: &JsonAbi, selector: [u8; 4]) -> Option<&Function> {
    abi.functions().find(|function| function.selector() == selector)
}

/// A call as the command line gives it.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `name(types)`, or the calldata itself.
    pub title: String,
    /// What decodes the answer.
    pub function: Option<Function>,
    /// Calldata.
    pub data: Vec<u8>,
}

/// Encodes `words`: a signature or the name of a function, then its arguments; or calldata after `0x`.
///
/// # Errors
/// No such function, or arguments that are none of it.
pub fn encode_call(contract: &Contract, words: &[String]) -> Result<Encoded, InspectError> {
    let (first, arguments) =
        words.split_first().ok_or_else(|| InspectError::new("a call needs a function"))?;
    if let Some(digits) = first.strip_prefix("0x") {
        let data = hex::decode(digits).map_err(|error| InspectError(format!("{first}: {error}")))?;
        if let Some(more) = arguments.first() {
            return Err(InspectError(format!("{first} is calldata already: `{more}` is too much")));
        }
        let function = data.first_chunk().and_then(|selector| by_selector(&contract.abi, *selector)).cloned();
        let title = function.as_ref().map_or_else(|| first.clone(), Function::signature);
        return Ok(Encoded { title, function, data });
    }
    let function = find(contract, first)?;
    let title = function.signature();
    let values = values(&title, &function.inputs, arguments)?;
    let data =
        function.abi_encode_input(&values).map_err(|error| InspectError(format!("{title}: {error}")))?;
    Ok(Encoded { title, function: Some(function.clone()), data })
}

/// Encodes the arguments of a constructor.
///
/// # Errors
/// Arguments that are none of it.
pub fn encode_constructor(contract: &Contract, arguments: &[String]) -> Result<Vec<u8>, InspectError> {
    let title = format!("the constructor of {}", contract.name);
    let Some(constructor) = &contract.abi.constructor else {
        return match arguments {
            [] => Ok(Vec::new()),
            _ => Err(InspectError(format!("{title} takes no arguments, {} are given", arguments.len()))),
        };
    };
    let values = values(&title, &constructor.inputs, arguments)?;
    constructor.abi_encode_input(&values).map_err(|error| InspectError(format!("{title}: {error}")))
}

/// A function by signature, or by name if only one has it.
fn find<'c>(contract: &'c Contract, text: &str) -> Result<&'c Function, InspectError> {
    let all = || {
        let mut names: Vec<String> = contract.abi.functions().map(Function::signature).collect();
        names.sort();
        if names.is_empty() { "none".into() } else { names.join(", ") }
    };
    let found: Vec<&Function> = match text.contains('(') {
        true => {
            let wanted = Function::parse(text)
                .map_err(|error| InspectError(format!("`{text}` is no signature: {error}")))?;
            contract.abi.functions().filter(|f| f.signature() == wanted.signature()).collect()
        }
        false => contract.abi.functions().filter(|f| f.name == text).collect(),
    };
    match found[..] {
        [only] => Ok(only),
        [] => {
            Err(InspectError(format!("{} has no function `{text}`; its functions: {}", contract.name, all())))
        }
        _ => Err(InspectError(format!(
            "{} has several functions `{text}`; give the types too: {}",
            contract.name,
            found.iter().map(|f| f.signature()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn values(title: &str, inputs: &[Param], arguments: &[String]) -> Result<Vec<DynSolValue>, InspectError> {
    if inputs.len() != arguments.len() {
        let (wants, given) = (inputs.len(), arguments.len());
        return Err(InspectError(format!("{title} takes {wants} arguments, {given} are given")));
    }
    let value = |(input, text): (&Param, &String)| {
        let wrong = |error: &dyn std::fmt::Display| {
            let name = if input.name.is_empty() { String::new() } else { format!(" {}", input.name) };
            InspectError(format!("{title}: `{text}` is no {}{name}: {error}", input.selector_type()))
        };
        let kind: DynSolType = input.resolve().map_err(|error| wrong(&error))?;
        kind.coerce_str(text).map_err(|error| wrong(&error))
    };
    inputs.iter().zip(arguments).map(value).collect()
}

/// What a call handed back, one text per value; nothing if the interface does not fit the bytes.
pub fn decode_output(function: &Function, output: &[u8]) -> Option<Vec<String>> {
    let values = function.abi_decode_output(output).ok()?;
    Some(function.outputs.iter().zip(&values).map(|(param, value)| named(param, value)).collect())
}

/// The arguments in a context's calldata, as they stand between the parentheses of a call.
pub fn decode_arguments(abi: &JsonAbi, opened: &Opened) -> Option<String> {
    let values = match opened.deploys {
        true => abi.constructor.as_ref()?.abi_decode_input(&opened.calldata).ok()?,
        false => {
            let (selector, rest) = opened.calldata.split_first_chunk()?;
            by_selector(abi, *selector)?.abi_decode_input(rest).ok()?
        }
    };
    Some(list(&values))
}

fn named(param: &Param, value: &DynSolValue) -> String {
    match param.name.as_str() {
        "" => show(value),
        name => format!("{name}: {}", show(value)),
    }
}

fn list(values: &[DynSolValue]) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// A value as Solidity writes it.
pub fn show(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(bytes, size) => format!("0x{}", hex::encode(&bytes[..*size])),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Function(function) => format!("0x{}", hex::encode(function)),
        DynSolValue::Bytes(bytes) => format!("0x{}", hex::encode(bytes)),
        DynSolValue::String(text) => format!("{text:?}"),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => format!("[{}]", list(values)),
        DynSolValue::Tuple(values) => format!("({})", list(values)),
    }
}

/// A log by the events of the project: `Name(argument: value, ...)`.
pub fn decode_log(project: &Project, log: &Log) -> Option<String> {
    let topics: Vec<B256> = log.topics.iter().map(|topic| B256::from(topic.to_be_bytes())).collect();
    let first = *topics.first()?;
    let indexed = |event: &Event| event.inputs.iter().filter(|input| input.indexed).count();
    let events = project.contracts.iter().flat_map(|contract| contract.abi.events());
    let mut fitting = events.filter(|event| event.selector() == first && indexed(event) + 1 == topics.len());
    fitting.find_map(|event| {
        let decoded = event.decode_log_parts(topics.iter().copied(), &log.data).ok()?;
        let (mut indexed, mut body) = (decoded.indexed.iter(), decoded.body.iter());
        let mut arguments = Vec::new();
        for input in &event.inputs {
            let value = if input.indexed { indexed.next()? } else { body.next()? };
            let name = if input.name.is_empty() { String::new() } else { format!("{}: ", input.name) };
            arguments.push(format!("{name}{}", show(value)));
        }
        Some(format!("{}({})", event.name, arguments.join(", ")))
    })
}

/// Why a call reverted: `Error(string)`, `Panic(uint256)` with its meaning, or an error of the project.
pub fn decode_revert(project: &Project, data: &[u8]) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(data) {
        return Some(format!("Error({:?})", revert.reason));
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        let kind = u32::try_from(panic.code).ok().and_then(PanicKind::from_number);
        let meaning = kind.map_or("unknown code", PanicKind::as_str);
        return Some(format!("Panic({:#x}): {meaning}", panic.code));
    }
    let (selector, rest) = data.split_first_chunk()?;
    let mut errors = project.contracts.iter().flat_map(|contract| contract.abi.errors());
    errors.find_map(|error: &Error| {
        let values = (error.selector() == *selector).then(|| error.abi_decode_input(rest).ok())??;
        let arguments: Vec<String> =
            error.inputs.iter().zip(&values).map(|(param, value)| named(param, value)).collect();
        Some(format!("{}({})", error.name, arguments.join(", ")))
    })
}
