//! Yul's builtin functions: solc's EVM dialect (Cancun and Osaka) with its object functions, and what a kernel has beside.

/// Which builtins a text may use. A name that is no builtin of its dialect is free for functions and variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// solc's.
    #[default]
    Evm,
    /// solc's and the instructions that a kernel needs, see [`Builtin::KERNEL`].
    Kernel,
}

macro_rules! builtins {
    (evm { $($name:ident $text:literal $arguments:literal $results:literal;)* }
     kernel { $($kernel:ident $kernel_text:literal $kernel_arguments:literal $kernel_results:literal;)* }) => {
        /// A builtin function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Builtin {
            $(#[doc = concat!("`", $text, "`")] $name,)*
            $(#[doc = concat!("`", $kernel_text, "`, in a kernel")] $kernel,)*
        }

        impl Builtin {
            /// Every builtin of solc's dialect.
            pub const ALL: &[Builtin] = &[$(Builtin::$name,)*];
            /// Those that only [`Dialect::Kernel`] has.
            pub const KERNEL: &[Builtin] = &[$(Builtin::$kernel,)*];

            /// The builtin of this name in solc's dialect.
            pub fn find(name: &str) -> Option<Builtin> {
                match name {
                    $($text => Some(Builtin::$name),)*
                    _ => None,
                }
            }

            fn find_in_kernel(name: &str) -> Option<Builtin> {
                match name {
                    $($kernel_text => Some(Builtin::$kernel),)*
                    _ => None,
                }
            }

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Builtin::$name => $text,)* $(Builtin::$kernel => $kernel_text,)* }
            }

            /// How many arguments it takes.
            pub const fn arguments(self) -> usize {
                match self { $(Builtin::$name => $arguments,)* $(Builtin::$kernel => $kernel_arguments,)* }
            }

            /// How many values it yields.
            pub const fn results(self) -> usize {
                match self { $(Builtin::$name => $results,)* $(Builtin::$kernel => $kernel_results,)* }
            }
        }
    };
}

builtins! {
    evm {
        Stop "stop" 0 0; Add "add" 2 1; Sub "sub" 2 1; Mul "mul" 2 1; Div "div" 2 1; Sdiv "sdiv" 2 1;
        Mod "mod" 2 1; Smod "smod" 2 1; Exp "exp" 2 1; Not "not" 1 1; Lt "lt" 2 1; Gt "gt" 2 1;
        Slt "slt" 2 1; Sgt "sgt" 2 1; Eq "eq" 2 1; Iszero "iszero" 1 1; And "and" 2 1; Or "or" 2 1;
        Xor "xor" 2 1; Byte "byte" 2 1; Shl "shl" 2 1; Shr "shr" 2 1; Sar "sar" 2 1; Clz "clz" 1 1;
        Addmod "addmod" 3 1; Mulmod "mulmod" 3 1; Signextend "signextend" 2 1; Keccak256 "keccak256" 2 1;
        Pop "pop" 1 0; Mload "mload" 1 1; Mstore "mstore" 2 0; Mstore8 "mstore8" 2 0; Sload "sload" 1 1;
        Sstore "sstore" 2 0; Tload "tload" 1 1; Tstore "tstore" 2 0; Msize "msize" 0 1; Gas "gas" 0 1;
        Address "address" 0 1; Balance "balance" 1 1; Selfbalance "selfbalance" 0 1; Caller "caller" 0 1;
        Callvalue "callvalue" 0 1; Calldataload "calldataload" 1 1; Calldatasize "calldatasize" 0 1;
        Calldatacopy "calldatacopy" 3 0; Codesize "codesize" 0 1; Codecopy "codecopy" 3 0;
        Extcodesize "extcodesize" 1 1; Extcodecopy "extcodecopy" 4 0; Returndatasize "returndatasize" 0 1;
        Returndatacopy "returndatacopy" 3 0; Mcopy "mcopy" 3 0; Extcodehash "extcodehash" 1 1;
        Create "create" 3 1; Create2 "create2" 4 1; Call "call" 7 1; Callcode "callcode" 7 1;
        Delegatecall "delegatecall" 6 1; Staticcall "staticcall" 6 1; Return "return" 2 0;
        Revert "revert" 2 0; Selfdestruct "selfdestruct" 1 0; Invalid "invalid" 0 0; Log0 "log0" 2 0;
        Log1 "log1" 3 0; Log2 "log2" 4 0; Log3 "log3" 5 0; Log4 "log4" 6 0; Chainid "chainid" 0 1;
        Basefee "basefee" 0 1; Blobbasefee "blobbasefee" 0 1; Origin "origin" 0 1; Gasprice "gasprice" 0 1;
        Blockhash "blockhash" 1 1; Blobhash "blobhash" 1 1; Coinbase "coinbase" 0 1;
        Timestamp "timestamp" 0 1; Number "number" 0 1; Difficulty "difficulty" 0 1;
        Prevrandao "prevrandao" 0 1; Gaslimit "gaslimit" 0 1; Datasize "datasize" 1 1;
        Dataoffset "dataoffset" 1 1; Datacopy "datacopy" 3 0; Setimmutable "setimmutable" 3 0;
        Loadimmutable "loadimmutable" 1 1; Linkersymbol "linkersymbol" 1 1; Memoryguard "memoryguard" 1 1;
    }
    kernel {
        Aload "aload" 2 1; Astore "astore" 3 0; Mimiccall "mimiccall" 10 1; Ecrecover "ecrecover" 1 1;
        Sha256 "sha256" 2 1; Pagehash "pagehash" 2 1; Calldatakeccak "calldatakeccak" 2 1;
    }
}

impl Builtin {
    /// The builtin of this name in a dialect.
    pub fn find_in(dialect: Dialect, name: &str) -> Option<Builtin> {
        match dialect {
            Dialect::Evm => Builtin::find(name),
            Dialect::Kernel => Builtin::find(name).or_else(|| Builtin::find_in_kernel(name)),
        }
    }

    /// True if the first argument must be a number, written as a literal.
    pub const fn begins_with_number(self) -> bool {
        matches!(self, Builtin::Memoryguard | Builtin::Aload | Builtin::Astore | Builtin::Mimiccall)
    }

    /// The positions of arguments that must be string literals.
    pub const fn text_arguments(self) -> &'static [usize] {
        match self {
            Builtin::Datasize | Builtin::Dataoffset | Builtin::Loadimmutable | Builtin::Linkersymbol => &[0],
            Builtin::Setimmutable => &[1],
            _ => &[],
        }
    }
}
