//! The programs that come with the appliance, assembled from their sources at first use.
//! The kernel's hash is part of every statement: changing its source changes what L1 must pin.
use crate::asm::assemble;
use crate::system;
use crate::trace::Page;
use std::sync::{Arc, LazyLock};

/// Source of the kernel.
pub const KERNEL_SOURCE: &str = include_str!("../kernel/kernel.lasm");
/// Source of the sandbox's kernel.
pub const SANDBOX_SOURCE: &str = include_str!("../kernel/sandbox.lasm");
/// The page of the kernel that runs Ethereum transactions, made from `ethereum.yul` by `make kernel`.
pub const ETHEREUM_HEX: &str = include_str!("../kernel/ethereum.hex");
/// Name, address and page of each system contract, made from `kernel/system/` by `make kernel`.
const SYSTEM_HEX: [(&str, [u8; 20], &str); 6] = [
    ("BaseToken", system::BASE_TOKEN, include_str!("../kernel/system/BaseToken.hex")),
    ("Nonces", system::NONCES, include_str!("../kernel/system/Nonces.hex")),
    ("Deployer", system::DEPLOYER, include_str!("../kernel/system/Deployer.hex")),
    ("KnownCode", system::KNOWN_CODE, include_str!("../kernel/system/KnownCode.hex")),
    ("Messenger", system::MESSENGER, include_str!("../kernel/system/Messenger.hex")),
    ("BlockContext", system::BLOCK_CONTEXT, include_str!("../kernel/system/BlockContext.hex")),
];
/// Source of the token.
pub const TOKEN_SOURCE: &str = include_str!("../programs/token.lasm");
/// Source of the test program with keccak-derived storage keys.
pub const MAPPING_SOURCE: &str = include_str!("../programs/mapping.lasm");

// A source that does not assemble fails `tests/text.rs`, never a running appliance.
fn embedded(name: &str, source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("embedded program {name}.lasm:{e}"))
}

fn made(name: &str, hex: &str) -> Page {
    Page::from_hex(hex.trim()).unwrap_or_else(|e| panic!("embedded page {name}.hex: {e}"))
}

static KERNEL: LazyLock<Arc<Page>> = LazyLock::new(|| embedded("kernel", KERNEL_SOURCE).into());
static SANDBOX: LazyLock<Arc<Page>> = LazyLock::new(|| embedded("sandbox", SANDBOX_SOURCE).into());
static ETHEREUM: LazyLock<Arc<Page>> = LazyLock::new(|| made("ethereum", ETHEREUM_HEX).into());
static SYSTEM: LazyLock<Vec<([u8; 20], Page)>> =
    LazyLock::new(|| SYSTEM_HEX.iter().map(|(name, address, hex)| (*address, made(name, hex))).collect());
static TOKEN: LazyLock<Page> = LazyLock::new(|| embedded("token", TOKEN_SOURCE));
static MAPPING: LazyLock<Page> = LazyLock::new(|| embedded("mapping", MAPPING_SOURCE));

/// The kernel's page.
pub fn kernel() -> &'static Arc<Page> {
    &KERNEL
}

/// The page of the kernel that runs Ethereum transactions (`crate::ethereum`).
pub fn ethereum() -> &'static Arc<Page> {
    &ETHEREUM
}

/// Address and page of each system contract.
pub fn system() -> &'static [([u8; 20], Page)] {
    &SYSTEM
}

/// The page of the sandbox's kernel; no batch runs it.
pub fn sandbox() -> &'static Arc<Page> {
    &SANDBOX
}

/// The token's page.
pub fn token() -> &'static Page {
    &TOKEN
}

/// The mapping program's page.
pub fn mapping() -> &'static Page {
    &MAPPING
}

/// The page of an embedded program, by name.
pub fn by_name(name: &str) -> Option<&'static Page> {
    match name {
        "kernel" => Some(kernel()),
        "token" => Some(token()),
        "mapping" => Some(mapping()),
        _ => None,
    }
}
