//! Listings of small functions, so that a change in the quality of code shows in review.
use super::{QUICK, check};
use lathe_compiler::backend::{generate, listing};
use lathe_compiler::mir::*;
use lathe_vm::Word;

fn constant(n: u128) -> Operand {
    Operand::Const(Word::from(n))
}

fn value(v: ValueId) -> Operand {
    Operand::Value(v)
}

fn block(instructions: Vec<(Op, Vec<ValueId>)>, end: End) -> Block {
    let instructions =
        instructions.into_iter().map(|(op, results)| Instruction { op, results, loc: None }).collect();
    Block { phis: vec![], instructions, end, loc: None }
}

fn function(name: &str, parameters: u32, results: u32, values: u32, blocks: Vec<Block>) -> Function {
    Function { name: name.into(), parameters, results, values, blocks, loc: None }
}

fn module(functions: Vec<Function>) -> Module {
    Module { functions, ..Module::default() }
}

fn calldata(at: u128, v: ValueId) -> (Op, Vec<ValueId>) {
    (Op::Lookup(Lookup::Calldata, constant(at)), vec![v])
}

/// Stores a word and hands it back.
fn answer(mut instructions: Vec<(Op, Vec<ValueId>)>, v: Operand) -> Block {
    instructions.push((Op::Store(constant(0), v), vec![]));
    block(instructions, End::Finish(constant(0), constant(32)))
}

/// The code of a module, without constants.
fn code(module: &Module) -> String {
    let program = generate(module, &QUICK).expect("it compiles");
    let text = listing(&program);
    let code = text.split("; constant").next().unwrap_or_default();
    code.lines().map(|l| format!("{}\n", l.trim())).collect()
}

#[track_caller]
fn expect(module: &Module, want: &str) {
    let want: String = want.lines().map(|l| format!("{}\n", l.trim())).skip(1).collect();
    let got = code(module);
    assert_eq!(got.trim(), want.trim(), "\n{got}");
}

#[test]
fn a_checked_sum_is_one_instruction() {
    let checked = Op::Binary(Binary::Add, value(0), value(1));
    let overflow = Op::Binary(Binary::Lt, value(2), value(0));
    let m = module(vec![function(
        "main",
        0,
        0,
        4,
        vec![
            block(
                vec![calldata(4, 0), calldata(36, 1), (checked, vec![2]), (overflow, vec![3])],
                End::Branch { condition: value(3), yes: 1, no: 2 },
            ),
            block(vec![], End::Revert(constant(0), constant(0))),
            answer(vec![], value(2)),
        ],
    )]);
    expect(
        &m,
        "
        ; main
        cdld [1], [0], 4
        cdld [2], [0], 36
        addo [1], [1], [2], L6
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L6:
        revert [0], [0]
        ",
    );
}

#[test]
fn a_loop_moves_nothing() {
    let phi = |result, first, next| Phi { result, incoming: vec![(0, first), (1, value(next))] };
    let mut body = block(
        vec![
            (Op::Binary(Binary::Add, value(2), value(1)), vec![3]),
            (Op::Binary(Binary::Add, value(1), constant(1)), vec![4]),
            (Op::Binary(Binary::Lt, value(4), value(0)), vec![5]),
        ],
        End::Branch { condition: value(5), yes: 1, no: 2 },
    );
    body.phis = vec![phi(1, constant(0), 4), phi(2, constant(0), 3)];
    let m = module(vec![function(
        "main",
        0,
        0,
        6,
        vec![block(vec![calldata(4, 0)], End::Jump(1)), body, answer(vec![], value(3))],
    )]);
    expect(
        &m,
        "
        ; main
        cdld [1], [0], 4
        seti [2], 0
        seti [3], 0
        L3:
        add [3], [3], [2]
        addi [2], [2], 1
        jlt [2], [1], L3
        st [3], [0], 0
        seti [1], 32
        return [0], [1]
        ",
    );
}

#[test]
fn arguments_and_results_stay_where_they_are() {
    // fact(n) = n = 0 ? 1 : fact(n - 1) * n
    let fact = function(
        "fact",
        1,
        1,
        5,
        vec![
            block(
                vec![(Op::Binary(Binary::Eq, value(0), constant(0)), vec![1])],
                End::Branch { condition: value(1), yes: 1, no: 2 },
            ),
            block(vec![], End::Return(vec![constant(1)])),
            block(
                vec![
                    (Op::Binary(Binary::Sub, value(0), constant(1)), vec![2]),
                    (Op::Call(1, vec![value(2)]), vec![3]),
                    (Op::Binary(Binary::Mul, value(3), value(0)), vec![4]),
                ],
                End::Return(vec![value(4)]),
            ),
        ],
    );
    let call = (Op::Call(1, vec![value(0)]), vec![1]);
    let main = function("main", 0, 0, 2, vec![answer(vec![calldata(4, 0), call], value(1))]);
    let m = module(vec![main, fact]);
    let mut data = [0; 36];
    data[35] = 20;
    assert!(check(&m, &data));
    expect(
        &m,
        "
        ; main
        cdld [2], [0], 4
        ncall L5, 1
        st [2], [0], 0
        seti [1], 32
        return [0], [1]
        ; fact
        L5:
        jnei [1], 0, L8
        seti [1], 1
        nret
        L8:
        subi [3], [1], 1
        ncall L5, 2
        mul [1], [3], [1]
        nret
        ",
    );
}

#[test]
fn a_mapping_is_hashed_once() {
    let access = |hash, read| {
        vec![
            (Op::Store(constant(0), value(0)), vec![]),
            (Op::Store(constant(32), constant(7)), vec![]),
            (Op::Keccak(constant(0), constant(64)), vec![hash]),
            (Op::Lookup(Lookup::Storage, value(hash)), vec![read]),
        ]
    };
    let mut instructions = vec![(Op::Env(Env::Caller), vec![0]), calldata(4, 1)];
    instructions.extend(access(2, 3));
    instructions.push((Op::Binary(Binary::Add, value(3), value(1)), vec![4]));
    instructions.extend(access(5, 6));
    instructions.push((Op::StoreStorage(value(5), value(4)), vec![]));
    let m = module(vec![function("main", 0, 0, 7, vec![answer(instructions, value(6))])]);
    expect(
        &m,
        "
        ; main
        caller [1]
        cdld [2], [0], 4
        st [1], [0], 0
        seti [1], 7
        st [1], [0], 32
        seti [1], 64
        keccak [1], [0], [1], 0
        sload [3], [1]
        add [2], [3], [2]
        sstore [1], [2]
        st [3], [0], 0
        seti [1], 32
        return [0], [1]
        ",
    );
}

#[test]
fn a_dispatcher_searches_by_a_few_bits() {
    let selectors = [0x06fdde03u128, 0x095ea7b3, 0x18160ddd, 0x23b872dd, 0x313ce567, 0x70a08231];
    let case = |i: usize| answer(vec![], constant(i as u128 + 1));
    let mut blocks = vec![block(
        vec![calldata(0, 0), (Op::Binary(Binary::Shr, value(0), constant(224)), vec![1])],
        End::Switch {
            value: value(1),
            cases: selectors.iter().enumerate().map(|(i, s)| (Word::from(*s), i + 2)).collect(),
            default: 1,
        },
    )];
    blocks.push(block(vec![], End::Revert(constant(0), constant(0))));
    blocks.extend((0..selectors.len()).map(case));
    let m = module(vec![function("main", 0, 0, 2, blocks)]);
    for s in selectors.into_iter().chain([0, 0x06fdde04]) {
        assert!(check(&m, &(s as u32).to_be_bytes()));
    }
    expect(
        &m,
        "
        ; main
        cdload [1], [0]
        bits [1], [1], 224, 32
        bits [2], [1], 0, 14
        jlti [2], 9575, L24
        jeqi [2], 9575, L18
        jeqi [2], 10163, L12
        setl [2], 62419677, 2
        jne [1], [2], L44
        seti [1], 4
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L12:
        seti [2], 157198259
        jne [1], [2], L44
        seti [1], 2
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L18:
        setl [2], 20768103, 3
        jne [1], [2], L44
        seti [1], 5
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L24:
        jeqi [2], 561, L38
        jeqi [2], 3549, L32
        seti [2], 117300739
        jne [1], [2], L44
        seti [1], 1
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L32:
        setl [2], 135663069, 1
        jne [1], [2], L44
        seti [1], 3
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L38:
        setl [2], 10519089, 7
        jne [1], [2], L44
        seti [1], 6
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        L44:
        revert [0], [0]
        ",
    );
}

#[test]
fn operands_of_calls_and_logs_are_made_in_place() {
    let call = Op::FarCall {
        kind: FarCall::Call,
        gas: value(0),
        address: value(1),
        value: constant(0),
        offset: constant(128),
        length: constant(36),
    };
    let log = Op::Log(constant(0), constant(0), vec![constant(0x1234), value(1), value(2)]);
    let m = module(vec![function(
        "main",
        0,
        0,
        3,
        vec![answer(
            vec![(Op::Env(Env::Gas), vec![0]), calldata(4, 1), (call, vec![2]), (log, vec![])],
            value(2),
        )],
    )]);
    expect(
        &m,
        "
        ; main
        gas [3]
        cdld [5], [0], 4
        seti [1], 128
        seti [2], 36
        seti [4], 0
        call [1], [5], [1]
        mov [6], [1]
        seti [4], 4660
        log [4], [0], [0], 3
        st [1], [0], 0
        seti [1], 32
        return [0], [1]
        ",
    );
}
