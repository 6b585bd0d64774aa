//! The ABI: types as solc's JSON names them, values, and their encoding.
use lathe_vm::word::Word;
use serde_json::Value as Json;
use sha3::{Digest, Keccak256};

/// A type of the ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `uintN`, with its bits.
    Uint(u16),
    /// `intN`, with its bits.
    Int(u16),
    /// `address`.
    Address,
    /// `bool`.
    Bool,
    /// `bytesN`, with its bytes; an external function is 24 of them.
    FixedBytes(u8),
    /// `bytes`.
    Bytes,
    /// `string`.
    String,
    /// `T[n]`.
    FixedArray(Box<Type>, usize),
    /// `T[]`.
    Array(Box<Type>),
    /// A struct, or the parameters of a function.
    Tuple(Vec<Type>),
}

/// A value of some type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An elementary value, as it is encoded.
    Word(Word),
    /// `bytes` or `string`.
    Bytes(Vec<u8>),
    /// The members of an array or a struct.
    List(Vec<Value>),
}

/// A function that can be called from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `transfer(address,uint256)`.
    pub signature: String,
    /// First four bytes of the signature's hash.
    pub selector: [u8; 4],
    /// Its parameters.
    pub inputs: Vec<Type>,
    /// Whether it takes wei.
    pub payable: bool,
}

/// What an ABI says about a contract.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Abi {
    /// Parameters of the constructor.
    pub constructor: Vec<Type>,
    /// Functions, in solc's order.
    pub functions: Vec<Function>,
}

impl Abi {
    /// Reads solc's JSON; what it does not understand is left out.
    pub fn read(json: &Json) -> Abi {
        let entries = json.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut abi = Abi::default();
        for entry in entries {
            let Some(inputs) = entry["inputs"].as_array().map_or(Some(Vec::new()), |list| types(list)) else {
                continue;
            };
            match entry["type"].as_str() {
                Some("constructor") => abi.constructor = inputs,
                Some("function") => {
                    let names: Vec<String> = inputs.iter().map(Type::name).collect();
                    let signature =
                        format!("{}({})", entry["name"].as_str().unwrap_or_default(), names.join(","));
                    let payable = entry["stateMutability"] == "payable";
                    abi.functions.push(Function {
                        selector: selector(&signature),
                        signature,
                        inputs,
                        payable,
                    });
                }
                _ => {}
            }
        }
        abi
    }

    /// The function of this name; the first of several.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.signature.split('(').next() == Some(name))
    }
}

impl Function {
    /// Calldata of a call.
    pub fn call(&self, arguments: &[Value]) -> Vec<u8> {
        [&self.selector[..], &encode(&self.inputs, arguments)].concat()
    }
}

/// First four bytes of the Keccak-256 of a signature.
pub fn selector(signature: &str) -> [u8; 4] {
    let hash = Keccak256::digest(signature.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

fn types(list: &[Json]) -> Option<Vec<Type>> {
    list.iter().map(|entry| Type::read(entry["type"].as_str()?, &entry["components"])).collect()
}

impl Type {
    fn read(name: &str, components: &Json) -> Option<Type> {
        if let Some(inner) = name.strip_suffix(']') {
            let (element, length) = inner.rsplit_once('[')?;
            let element = Box::new(Type::read(element, components)?);
            let length = if length.is_empty() { None } else { Some(length.parse().ok()?) };
            return Some(
                length.map_or(Type::Array(element.clone()), |length| Type::FixedArray(element, length)),
            );
        }
        Some(match name {
            "address" => Type::Address,
            "bool" => Type::Bool,
            "bytes" => Type::Bytes,
            "string" => Type::String,
            "function" => Type::FixedBytes(24),
            "tuple" => Type::Tuple(types(components.as_array()?)?),
            _ => match name.find(|c: char| c.is_ascii_digit()).map(|at| name.split_at(at))? {
                ("uint", bits) => Type::Uint(bits.parse().ok()?),
                ("int", bits) => Type::Int(bits.parse().ok()?),
                ("bytes", bytes) => Type::FixedBytes(bytes.parse().ok()?),
                _ => return None,
            },
        })
    }

    /// The name in a signature.
    pub fn name(&self) -> String {
        match self {
            Type::Uint(bits) => format!("uint{bits}"),
            Type::Int(bits) => format!("int{bits}"),
            Type::Address => "address".into(),
            Type::Bool => "bool".into(),
            Type::FixedBytes(24) => "function".into(),
            Type::FixedBytes(bytes) => format!("bytes{bytes}"),
            Type::Bytes => "bytes".into(),
            Type::String => "string".into(),
            Type::FixedArray(element, length) => format!("{}[{length}]", element.name()),
            Type::Array(element) => format!("{}[]", element.name()),
            Type::Tuple(members) => {
                let names: Vec<String> = members.iter().map(Type::name).collect();
                format!("({})", names.join(","))
            }
        }
    }

    /// Whether its place in the head holds an offset.
    fn is_dynamic(&self) -> bool {
        match self {
            Type::Bytes | Type::String | Type::Array(_) => true,
            Type::FixedArray(element, length) => *length > 0 && element.is_dynamic(),
            Type::Tuple(members) => members.iter().any(Type::is_dynamic),
            _ => false,
        }
    }

    /// Bytes of its place in the head.
    fn head_size(&self) -> usize {
        match self {
            dynamic if dynamic.is_dynamic() => 32,
            Type::FixedArray(element, length) => length * element.head_size(),
            Type::Tuple(members) => members.iter().map(Type::head_size).sum(),
            _ => 32,
        }
    }
}

/// Arguments in the ABI's layout. A value that does not have the shape of its type is encoded as far as it goes.
pub fn encode(types: &[Type], values: &[Value]) -> Vec<u8> {
    let mut head = Vec::new();
    let mut tail = Vec::new();
    let head_size: usize = types.iter().map(Type::head_size).sum();
    for (kind, value) in types.iter().zip(values) {
        let encoded = encode_one(kind, value);
        if kind.is_dynamic() {
            head.extend(number(head_size + tail.len()));
            tail.extend(encoded);
        } else {
            head.extend(encoded);
        }
    }
    head.extend(tail);
    head
}

fn encode_one(kind: &Type, value: &Value) -> Vec<u8> {
    match (kind, value) {
        (_, Value::Word(word)) => word.to_be_bytes().to_vec(),
        (_, Value::Bytes(bytes)) => {
            let mut out = number(bytes.len()).to_vec();
            out.extend(bytes);
            out.resize(32 + bytes.len().next_multiple_of(32), 0);
            out
        }
        (Type::Tuple(members), Value::List(values)) => encode(members, values),
        (Type::FixedArray(element, _), Value::List(values)) => {
            encode(&vec![(**element).clone(); values.len()], values)
        }
        (Type::Array(element), Value::List(values)) => {
            let mut out = number(values.len()).to_vec();
            out.extend(encode(&vec![(**element).clone(); values.len()], values));
            out
        }
        _ => Vec::new(),
    }
}

fn number(value: usize) -> [u8; 32] {
    Word::from(value as u128).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Abi {
        Abi::read(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_struct_with_arrays_has_solidity_s_signature() {
        let abi = read(
            r#"[{"type":"function","name":"f","inputs":[{"type":"tuple[2][]","components":[{"type":"uint8"},
                {"type":"bytes"}]},{"type":"function"}],"stateMutability":"payable"}]"#,
        );
        assert_eq!(abi.functions[0].signature, "f((uint8,bytes)[2][],function)");
        assert!(abi.functions[0].payable);
    }

    #[test]
    fn the_example_of_the_abi_specification_is_encoded_as_printed_there() {
        let abi = read(
            r#"[{"type":"function","name":"f","inputs":[{"type":"uint256"},{"type":"uint32[]"},{"type":"bytes10"},
                {"type":"bytes"}]}]"#,
        );
        let word = |n: u128| Value::Word(Word::from(n));
        let mut ten = [0; 32];
        ten[..10].copy_from_slice(b"1234567890");
        let data = abi.functions[0].call(&[
            word(0x123),
            Value::List(vec![word(0x456), word(0x789)]),
            Value::Word(Word::from_be_bytes(ten)),
            Value::Bytes(b"Hello, world!".to_vec()),
        ]);
        assert_eq!(data[..4], [0x8b, 0xe6, 0x52, 0x46]);
        let words: Vec<String> = data[4..].chunks(32).map(hex::encode).collect();
        let small = |n: u32| format!("{n:064x}");
        let padded = |text: &str| format!("{text:0<64}");
        assert_eq!(
            words,
            [
                small(0x123),
                small(0x80),
                padded("31323334353637383930"),
                small(0xe0),
                small(2),
                small(0x456),
                small(0x789),
                small(13),
                padded("48656c6c6f2c20776f726c6421")
            ]
        );
    }
}
