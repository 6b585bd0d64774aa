//! Creation data: what a transaction that creates a contract carries.
use super::{COUNTER, LINKED, Workspace};
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_oracle::corpus;
use lathe_vm::sandbox::{Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

const SENDER: [u8; 20] = [0x5e; 20];

/// The pages and the hash that creation data holds, read as `docs/compiler.md` says.
#[track_caller]
pub fn unpack(object: &str) -> (Vec<Page>, Word) {
    let bytes = hex::decode(object).expect("hex");
    assert_eq!(bytes[0], 1, "the version");
    let count = usize::from(bytes[1]);
    let lengths: Vec<usize> =
        (0..count).map(|i| usize::from(bytes[2 + 2 * i]) << 8 | usize::from(bytes[3 + 2 * i])).collect();
    let mut at = 2 + 2 * count;
    let mut pages = Vec::new();
    for length in lengths {
        pages.push(Page::from_hex(&hex::encode(&bytes[at..at + 8 * length])).expect("a page"));
        at += 8 * length;
    }
    let hash: [u8; 32] = bytes[at..].try_into().expect("32 bytes at the end");
    (pages, Word::from_be_bytes(hash))
}

fn built(name: &str) -> Contract {
    corpus::built(name, Level::O3).unwrap_or_else(|message| panic!("{message}")).1
}

#[test]
fn the_deploy_page_comes_first_and_its_hash_last() {
    let contract = built("Token");
    let (pages, hash) = unpack(&hex::encode(contract.creation_data().expect("it is linked")));
    let runtime = contract.runtime.as_ref().expect("a runtime page");
    let words: Vec<&[u64]> = pages.iter().map(|page| &page.words[..]).collect();
    assert_eq!(words, [&contract.deploy.words[..], &runtime.words[..]]);
    assert_eq!(Some(hash), contract.deploy.hash);
}

#[test]
fn a_factorys_creation_data_is_all_that_it_takes_to_create_its_children() {
    let factory = built("Factory");
    let child = &factory.created[0];
    let (pages, hash) = unpack(&hex::encode(factory.creation_data().expect("it is linked")));
    let hashes: Vec<Word> = pages.iter().map(Page::hash_word).collect();
    for part in [&child.deploy, child.runtime.as_ref().expect("a runtime page")] {
        let times = hashes.iter().filter(|hash| Some(**hash) == part.hash).count();
        assert_eq!(times, 1, "{}", part.name);
    }
    assert_eq!(hashes[0], hash);
    let mut sandbox = Sandbox::new();
    for page in &pages {
        sandbox.add_code(page.clone());
    }
    let (answer, address) = sandbox.deploy(SENDER, Word::ZERO, &pages[0], &[]).expect("it runs");
    assert_eq!(answer.status, Status::Success);
    let selector = &Keccak256::digest("make(uint256)")[..4];
    let data = [selector, &Word::from(5).to_be_bytes()].concat();
    let to = address.expect("an address");
    let answer =
        sandbox.call(&Message { from: SENDER, to, value: Word::ZERO, data: &data }).expect("it runs");
    assert_eq!(answer.status, Status::Success);
    let made: [u8; 20] = answer.output[12..32].try_into().expect("an address");
    let code = sandbox.code(made).map(Page::hash_word);
    assert_eq!(code, child.runtime.as_ref().and_then(|runtime| runtime.hash));
}

#[test]
fn a_contract_that_others_create_too_is_there_once() {
    // Top creates Left and Right, which both create Leaf, and Leaf itself.
    let leaf = yul("Leaf", "", "");
    let create = |name: &str| {
        format!(
            "datacopy(0, dataoffset(\"{name}\"), datasize(\"{name}\")) sstore(0, create(0, 0, datasize(\"{name}\")))"
        )
    };
    let left = yul("Left", &create("Leaf"), &leaf);
    let right = yul("Right", &format!("sstore(9, 9) {}", create("Leaf")), &leaf);
    let body = [create("Left"), create("Right"), create("Leaf")].join(" ");
    let top = yul("Top", &body, &[left, right, leaf].concat());
    let contract = compile(&top, &Options::default()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let names: Vec<&str> = contract.pages().iter().map(|part| part.name.as_str()).collect();
    let both = |name: &str| [name.to_string(), format!("{name}_deployed")];
    assert_eq!(names, ["Top", "Left", "Leaf", "Right"].map(both).concat());
    let (pages, _) = unpack(&contract.creation_object().expect("two pages each"));
    assert_eq!(pages.len(), 8);
}

/// A contract in Yul that does this when called; what it creates is within its runtime object.
fn yul(name: &str, body: &str, within: &str) -> String {
    format!(
        "object \"{name}\" {{
            code {{
                datacopy(0, dataoffset(\"{name}_deployed\"), datasize(\"{name}_deployed\"))
                return(0, datasize(\"{name}_deployed\"))
            }}
            object \"{name}_deployed\" {{ code {{ {body} sstore(1, \"{name}\") }} {within} }}
        }}"
    )
}

#[test]
fn more_contracts_than_creation_data_holds_are_an_error() {
    let all = |count: usize| {
        let inner: String =
            (0..count).map(|i| yul(&format!("C{i}"), &format!("sstore(2, {i})"), "")).collect();
        compile(&yul("Top", "", &inner), &Options { level: Level::O0, ..Options::default() })
    };
    assert_eq!(all(126).map(|contract| contract.pages().len()).ok(), Some(254));
    let faults = all(127).expect_err("256 pages");
    assert!(
        faults[0].message.contains("`Top` and the contracts that it can create have 256 pages"),
        "{faults:?}"
    );
}

#[test]
fn a_page_alone_is_no_creation_data() {
    let contract = compile("{ sstore(1, 2) }", &Options::default()).expect("a page");
    assert_eq!(contract.creation_data(), None);
    assert_eq!(contract.creation_object(), None);
    let workspace = Workspace::new(&[("a.yul", "{ sstore(1, 2) }")]);
    let text = workspace.run(&["a.yul", "--emit", "creation,bytecode"]).ok();
    assert_eq!(Page::from_hex(&text).map(|page| page.words).ok(), Some(contract.deploy.words));
}

#[test]
fn the_command_line_prints_it() {
    let workspace = Workspace::new(&[("Counter.sol", COUNTER)]);
    let text = workspace.run(&["Counter.sol", "--emit", "creation"]).ok();
    let (pages, hash) = unpack(text.trim());
    let summary = workspace.run(&["Counter.sol", "--json"]).json();
    let contract = &summary["contracts"]["Counter.sol:Counter"];
    let hashes = pages.iter().map(|page| format!("0x{}", hex::encode(page.hash_word().to_be_bytes())));
    let named =
        ["deploy", "runtime"].map(|part| contract[part]["hash"].as_str().unwrap_or_default().to_string());
    assert_eq!(hashes.collect::<Vec<_>>(), named);
    assert_eq!(format!("0x{}", hex::encode(hash.to_be_bytes())), named[0]);
}

#[test]
fn what_is_not_linked_is_not_taken_for_creation_data() {
    let workspace = Workspace::new(&[("A.sol", LINKED)]);
    let text = workspace.run(&["A.sol", "--emit", "creation"]).ok();
    let line = text.split("A.sol:Counter").nth(1).and_then(|rest| rest.lines().nth(2)).expect("an object");
    let mut object = line.to_string();
    let input = serde_json::json!({
        "language": "Solidity",
        "sources": { "A.sol": { "content": LINKED } },
        "settings": { "optimizer": { "enabled": true }, "outputSelection": { "*": { "*": ["evm.bytecode"] } } },
    });
    let answer = workspace.run_with_input(&["--standard-json"], &input.to_string()).json();
    let code = &answer["contracts"]["A.sol"]["Counter"]["evm"]["bytecode"];
    assert_eq!(code["object"], object.as_str());
    // A tool that fills in the library's address where it is told to is left with no hex.
    let places = code["linkReferences"]["A.sol"]["Steps"].as_array().expect("places");
    assert!(!places.is_empty());
    for place in places {
        let start = 2 * place["start"].as_u64().expect("a number") as usize;
        assert!(object[start..].starts_with("__$"), "{place}");
        object.replace_range(start..start + 40, &"0".repeat(40));
    }
    assert!(hex::decode(&object).is_err());
    assert!(object[object.len() - 64..].starts_with("__$"), "the hash is not known");
    let linked = [
        "A.sol",
        "--emit",
        "creation",
        "--libraries",
        "A.sol:Steps=0x00000000000000000000000000000000000c0de1",
    ];
    let text = workspace.run(&linked).ok();
    let line = text.split("A.sol:Counter").nth(1).and_then(|rest| rest.lines().nth(2)).expect("an object");
    assert_eq!(unpack(line).0.len(), 2);
}
