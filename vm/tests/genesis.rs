//! Claims about genesis files: what they make, and that every fault is named.
use lathe_vm::fixtures;
use lathe_vm::genesis::{Account, Genesis};
use lathe_vm::programs;
use lathe_vm::state::CellId;
use lathe_vm::word::Word;
use std::path::Path;

fn fault(text: &str) -> String {
    match Genesis::parse(text).and_then(|g| g.build(Path::new("."))) {
        Ok(_) => panic!("accepted: {text}"),
        Err(e) => e.to_string(),
    }
}

fn one(fields: &str) -> String {
    format!(r#"{{"accounts":[{{"address":"0x{}"{fields}}}]}}"#, "11".repeat(20))
}

#[test]
fn a_genesis_file_gives_its_accounts() {
    let dir = tempfile::tempdir().unwrap();
    let source = "; answers 7\n seti [1], 7\n st [1], [2], 0\n seti [1], 32\n return [2], [1]\n";
    std::fs::write(dir.path().join("seven.lasm"), source).unwrap();
    std::fs::write(dir.path().join("token.hex"), programs::token().to_hex()).unwrap();
    let address = |i: u8| format!("0x{}", hex_of(&[i; 20]));
    let genesis = Genesis {
        accounts: vec![
            Account { address: address(1), nonce: 3, balance: Some("1000".into()), ..Account::default() },
            Account { address: address(2), code: Some("seven.lasm".into()), ..Account::default() },
            Account { address: address(3), code: Some("token.hex".into()), ..Account::default() },
            Account {
                address: address(4),
                code: Some("program:mapping".into()),
                storage: [("0x05".to_string(), "0xff".to_string()), ("6".into(), "0".into())].into(),
                ..Account::default()
            },
            Account {
                address: address(5),
                code: Some(format!("0x{}", programs::token().to_hex())),
                ..Account::default()
            },
        ],
        known_code: false,
    };
    let file = dir.path().join("genesis.json");
    std::fs::write(&file, serde_json::to_string_pretty(&genesis).unwrap()).unwrap();
    let (tree, codes) = Genesis::load(&file).unwrap();
    let code = |i: u8| tree.get_cell(&CellId::code_hash([i; 20]));
    assert_eq!(tree.get_cell(&CellId::nonce([1; 20])), Word::from(3));
    assert_eq!(tree.get_cell(&CellId::balance([1; 20])), Word::from(1000));
    assert_eq!(codes.get(code(2)).unwrap().words, lathe_vm::asm::assemble(source).unwrap().words);
    assert_eq!(code(3), programs::token().hash_word());
    assert_eq!(code(5), code(3));
    assert_eq!(code(4), programs::mapping().hash_word());
    assert_eq!(tree.get_cell(&CellId::storage([4; 20], Word::from(5))), Word::from(255));
    // Zero values make no leaf: 3 numbers, 4 code hashes, and the tree's own leaf.
    assert_eq!(tree.leaves().len(), 8);
    // With the code known, a cell for each of the three pages; by default there is none.
    let (tree, _) = Genesis { known_code: true, ..genesis }.build(dir.path()).unwrap();
    assert_eq!(tree.leaves().len(), 11);
    let words = Word::from(programs::token().words.len() as u128);
    assert_eq!(tree.get_cell(&CellId::known_code(code(3))), words);
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn faults_name_the_account_and_the_field() {
    let twice = format!(
        r#"{{"accounts":[{{"address":"{0}"}},{{"address":"{0}"}}]}}"#,
        "0x".to_string() + &"ab".repeat(20)
    );
    assert!(fault(&twice).starts_with("genesis account 1, address: 0xabab"));
    let cases = [
        (one(r#","nonce":281474976710656"#), "account 0, nonce: 281474976710656 does not fit in 48 bits"),
        (one(r#","balance":"12x""#), "account 0, balance: `12x` is no number below 2^256"),
        (one(r#","code":"program:nothing""#), "account 0, code: no embedded program `nothing`"),
        (one(r#","code":"0x1234""#), "account 0, code: code must be hex of whole 64-bit words"),
        (one(r#","code":"0x""#), "account 0, code: the code is empty"),
        (one(r#","storage":{"1":"1","0x1":"2"}"#), "account 0, storage: slot"),
        (one(r#","colour":1"#), "unknown field `colour`"),
        (one(r#","code":"nowhere.lasm""#), "nowhere.lasm: "),
        (
            r#"{"accounts":[{"address":"0x12"}]}"#.into(),
            "account 0, address: found `0x12`, expected 0x and 40 hex digits",
        ),
        ("{".into(), "EOF while parsing"),
    ];
    for (text, part) in cases {
        let message = fault(&text);
        assert!(message.contains(part), "{message}\nlacks {part}");
    }
}

#[test]
fn a_source_that_does_not_assemble_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.lasm"), "nret\n frob\n").unwrap();
    let e = Genesis::parse(&one(r#","code":"bad.lasm""#)).unwrap().build(dir.path()).unwrap_err();
    assert!(e.to_string().ends_with("bad.lasm:2:2: `frob`: expected an instruction of docs/isa.md"), "{e}");
}

#[test]
fn the_fixtures_state_is_also_a_genesis_file() {
    let (tree, _) = fixtures::genesis().unwrap();
    let address = |a: [u8; 20]| format!("0x{}", hex_of(&a));
    let mut token = Account {
        address: address(fixtures::TOKEN),
        code: Some("program:token".into()),
        ..Account::default()
    };
    token.storage.insert(fixtures::OWNER_SLOT.to_string(), address(fixtures::OWNER));
    let mapping = Account {
        address: address(fixtures::MAPPING),
        code: Some("program:mapping".into()),
        ..Account::default()
    };
    let mut accounts = vec![];
    for i in 0..16 {
        let sender = address(fixtures::sender(i));
        token.storage.insert(sender.clone(), fixtures::START_BALANCE.to_string());
        accounts.push(Account { address: sender, nonce: u64::from(i) + 1, ..Account::default() });
    }
    accounts.extend([token, mapping]);
    let (built, _) = Genesis { accounts, known_code: false }.build(Path::new(".")).unwrap();
    assert_eq!(built.root(), tree.root());
}
