//! The numbers that the kernel's source has in common with the host, found in its text.
use super::*;
use lathe_vm::ethereum::Reason;
use lathe_vm::ethereum::transaction::Signature;
use lathe_vm::system::{BLOCK_CONTEXT, KERNEL, MESSENGER};

const SOURCE: &str = include_str!("../../kernel/ethereum.yul");

/// The value of `function NAME() -> x { x := VALUE }`.
fn constant(name: &str) -> Word {
    let head = format!("function {name}() -> x {{ x := ");
    let (_, rest) = SOURCE.split_once(&head).unwrap_or_else(|| panic!("the kernel has no {name}"));
    let value = rest.split_once(" }").unwrap().0;
    match value.strip_prefix("0x") {
        None => num(value.parse().unwrap()),
        Some(digits) => {
            let bytes = hex::decode(format!("{digits:0>64}")).unwrap();
            Word::from_first_bytes(&bytes).unwrap()
        }
    }
}

#[test]
fn reasons_have_the_numbers_of_the_host() {
    let names = [
        ("BAD_FORM", Reason::Malformed),
        ("UNSUPPORTED", Reason::UnsupportedType),
        ("WRONG_CHAIN", Reason::WrongChainId),
        ("BAD_SIGNATURE", Reason::BadSignature),
        ("SENDER_IS_CONTRACT", Reason::SenderHasCode),
        ("NONCE_LOW", Reason::NonceTooLow),
        ("NONCE_HIGH", Reason::NonceTooHigh),
        ("FEE_CAP_LOW", Reason::FeeCapBelowBaseFee),
        ("PRIORITY_ABOVE_CAP", Reason::PriorityFeeAboveFeeCap),
        ("INTRINSIC_GAS", Reason::GasLimitBelowIntrinsic),
        ("BLOCK_GAS", Reason::GasLimitAboveBlock),
        ("BALANCE_LOW", Reason::BalanceTooLow),
        ("ACCOUNT_REFUSED", Reason::AccountRefused),
        ("PAYMASTER_REFUSED", Reason::PaymasterRefused),
        ("PRIORITY_LATE", Reason::PriorityOutOfOrder),
        ("NONCE_LAST", Reason::NonceAtMaximum),
    ];
    assert_eq!(names.map(|(_, reason)| reason), lathe_vm::ethereum::reason::REASONS);
    for (name, reason) in names {
        assert_eq!(constant(name), num(reason.number().into()), "{name}");
    }
}

#[test]
fn gas_addresses_and_bounds_are_those_of_the_host() {
    let numbers = [
        ("VERSION", batch::VERSION.into()),
        ("BASE_GAS", intrinsic::TRANSACTION),
        ("BYTE_GAS", intrinsic::DATA_BYTE),
        ("BYTE_GAS", intrinsic::ACCESS_LIST_BYTE),
        ("CREATION_GAS", intrinsic::CREATION),
        ("ACCOUNT_GAS", intrinsic::ACCOUNT),
        ("VALIDATION_GAS", intrinsic::VALIDATION),
        ("PAGE_WORD_GAS", lathe_vm::isa::price::PAGE_WORD.into()),
        ("MAX_GAS", u32::MAX.into()),
        ("MAX_NONCE", u64::MAX),
    ];
    for (name, number) in numbers {
        assert_eq!(constant(name), num(number.into()), "{name}");
    }
    for (name, address) in [("KERNEL", KERNEL), ("MESSENGER", MESSENGER), ("BLOCK_CONTEXT", BLOCK_CONTEXT)] {
        assert_eq!(constant(name), lathe_vm::fixtures::word(address), "{name}");
    }
    assert_eq!(constant("MAX_WEI"), Word::new(1, 0));
    // The largest `s` that anybody's signature may have.
    let half = constant("MAX_S").to_be_bytes();
    let at = |s: [u8; 32]| Signature::new([1; 32], s, false).unwrap().signer([7; 32]);
    let mut above = half;
    above[31] += 1;
    assert!(at(half).is_some() && at(above).is_none());
}

#[test]
fn selectors_and_type_hashes_are_those_of_their_texts() {
    let fields = "uint256 nonce,uint256 maxPriorityFeePerGas,uint256 maxFeePerGas,uint256 gasLimit,address from,\
                  address to,uint256 value,bytes data,address paymaster,bytes paymasterInput";
    let types: Vec<&str> = fields.split(',').map(|f| f.split_once(' ').unwrap().0).collect();
    let tuple = types.join(",");
    let selector = |signature: &str| format!("0x{}", hex::encode(&keccak(signature.as_bytes())[..4]));
    let hash = |text: &str| format!("0x{}", hex::encode(keccak(text.as_bytes())));
    let want = [
        selector(&format!("validateTransaction(bytes32,({tuple}),bytes)")),
        selector(&format!("validatePayment(bytes32,({tuple}),bytes)")),
        selector("closeBatch(bytes32)"),
        selector("closeBatch()"),
        hash("EIP712Domain(string name,string version,uint256 chainId)"),
        hash("Lathe"),
        hash("1"),
        hash(&format!("Transaction({fields})")),
    ];
    for text in want {
        assert_eq!(SOURCE.matches(&text).count(), 1, "{text}");
    }
}
